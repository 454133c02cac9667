-- The centre too is told by mail: many complaints of one matter, an urgent transfer without a receipt.
alter table hotline.notice_text drop constraint notice_text_audience;
alter table hotline.notice_text add constraint notice_text_audience check (audience in ('citizen', 'unit', 'centre'));
