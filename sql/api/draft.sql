-- T01: an operator opens a ticket.  201 with id, number and the citizen's query code (as ciphertext).  Locks nothing.
create or replace function api.draft(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    said api.answer;
begin
    select s.status, s.body into said from api.draft_all(array[x]) s;
    return said;
end $$;
