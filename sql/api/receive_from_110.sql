-- T12: a matter that 110 found to be none of the police's: {"external_id","title","content","type"?,"division"?,"urgency"?,"measures"?,
-- "contact"?,"seq", …as api.intake}; from the exchange with 110, or with {"session"} of an operator at the 110 seat.  201 {"number",
-- "state","promise_due_at"}; the same external_id gets the ticket it has already.  The citizen is not asked again: it is accepted at
-- once.  Locks nothing: it only inserts.
create or replace function api.receive_from_110(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
begin
    perform hotline.begin(x);
    return hotline.receive(x || '{"channel": "police_110"}', 'police_110', 'T12');
end $$;
