-- A return that nobody decides on any more: the unit stepped aside meanwhile.
alter table hotline.return_request drop constraint return_request_verdict;
alter table hotline.return_request add constraint return_request_verdict check (verdict in ('approved', 'rejected', 'consulted', 'dropped'));
