-- Work of a unit is found behind what nobody was given yet, and falls due sooner, by the index alone.

drop index hotline.inbox_due;
create index inbox_due on hotline.inbox ((coalesce(due_at, 'infinity'::timestamptz)), ticket_id, warn_at, (units <> '{}'));
