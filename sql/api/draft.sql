-- T01: an operator opens a ticket.  201 with id, number and the citizen's query code (as ciphertext).  Locks nothing.
create or replace function api.draft(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    who hotline.actor;
    said api.answer;
    c hotline.call;
begin
    perform hotline.begin(x);
    who := hotline.actor_of(x);
    if who.id is null then
        return hotline.no_session();
    elsif not hotline.has_right(who, 'create_draft') then
        return hotline.forbidden();
    end if;
    said := coalesce(hotline.idem_get('p' || who.id, x), hotline.check_references(x));
    if said is not null then
        return said;
    end if;
    c := hotline.new_ticket(x, who, 'T01', 'OPR');
    return hotline.idem_put('p' || who.id, x, hotline.answer(201, jsonb_build_object('id', (c.t).id::text, 'number', (c.t).ticket_no,
        'state', hotline.name_of('state', (c.t).state), 'version', (c.t).version, 'query_code_enc', x->>'query_code_enc')));
end $$;
