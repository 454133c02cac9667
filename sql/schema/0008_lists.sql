-- Open work is read in the order of its due time, what has none last: the indexes have that order, so that a page reads its own rows
-- and not all that match.
drop index hotline.inbox_state;
drop index hotline.inbox_due;
create index inbox_state on hotline.inbox (state, (coalesce(due_at, 'infinity'::timestamptz)), ticket_id);
create index inbox_due on hotline.inbox ((coalesce(due_at, 'infinity'::timestamptz)), ticket_id);
