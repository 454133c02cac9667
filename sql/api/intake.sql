-- T05: a complaint from outside.  201 with the number, 422 for a reference that does not exist; the same key gets the first
-- answer again.  x.contact holds the engine's ciphertext; the query code too is stored as ciphertext and as a keyed hash.
-- Locks nothing: it only inserts.
create or replace function api.intake(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    said api.answer;
    c hotline.call;
begin
    perform hotline.begin(x);
    said := hotline.idem_get(x->>'principal', x);
    if said is not null then
        return said;
    end if;
    said := hotline.check_references(x);
    if said is not null then
        return said;
    end if;
    c := hotline.new_ticket(x, hotline.system_actor(), 'T05', 'CIT');
    return hotline.idem_put(x->>'principal', x, hotline.answer(201, jsonb_build_object('number', (c.t).ticket_no,
        'query_code_enc', x->>'query_code_enc', 'state', hotline.name_of('state', (c.t).state),
        'promise_due_at', hotline.time_text((c.t).promise_due_at))));
end $$;
