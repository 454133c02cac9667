-- One action of a person on one ticket: {"session","id","action","version"?,"inputs":{…},"key"…}.  200 with the ticket's new state;
-- 401, 403, 404, 409 (with the state as it is), 422 (with the fields at fault) change nothing.  The same key gets the first answer
-- again.  Locks: the ticket row (the batch holds it already).
create or replace function api.act(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    said api.answer;
begin
    select a.status, a.body into said from hotline.act_all(array[x]) a;
    return said;
end $$;
