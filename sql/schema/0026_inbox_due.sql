-- What warns already among what is not due yet is told by the index.

drop index hotline.inbox_due;
create index inbox_due on hotline.inbox ((coalesce(due_at, 'infinity'::timestamptz)), ticket_id, warn_at);
