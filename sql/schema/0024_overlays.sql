-- A return that nobody decides on any more: the unit stepped aside meanwhile.
alter table hotline.return_request drop constraint return_request_verdict;
alter table hotline.return_request add constraint return_request_verdict check (verdict in ('approved', 'rejected', 'consulted', 'dropped'));

-- From when the time to decide runs: when it was asked, or when it went one level up.
alter table hotline.approval add column due_from timestamptz;
update hotline.approval set due_from = asked_at where verdict is null and due_at is not null;
