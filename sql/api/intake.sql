-- T05: a complaint from outside.  201 with the number, 422 for a reference that does not exist; the same key gets the first
-- answer again.  x.contact holds the engine's ciphertext; the query code too is stored as ciphertext and as a keyed hash.
-- Locks nothing: it only inserts.
create or replace function api.intake(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    said api.answer;
begin
    select s.status, s.body into said from api.intake_all(array[x]) s;
    return said;
end $$;
