-- A reply as other platforms read it: the masked copy where the scan found something in it.
alter table hotline.reply add column masked text;
