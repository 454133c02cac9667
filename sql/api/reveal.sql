-- Contact data of a ticket for a purpose: {"session","id","purpose"} → ciphertext that the engine opens.  The look is logged in the
-- same commit; a person looks so many times an hour at most (429).  403 where the role or the secrecy level forbids it.
create or replace function api.reveal(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    who hotline.actor;
    t hotline.ticket;
    k hotline.ticket_contact;
    said api.answer;
begin
    perform hotline.begin(x);
    who := hotline.actor_of(x);
    if who.id is null then
        return hotline.no_session();
    end if;
    select * into t from hotline.ticket where id = (x->>'id')::bigint;
    if not found or not hotline.sees(who, t) then
        return hotline.no_such_ticket();
    elsif not hotline.may_reveal(who, t) then
        return hotline.forbidden();
    elsif char_length(coalesce(x->>'purpose', '')) not between 2 and 200 then
        return hotline.bad_inputs(jsonb_build_array(hotline.field('purpose', 'required', '请写明查看的用途（2–200 字）。', 'Say what it is needed for (2 to 200 characters).')));
    end if;
    said := hotline.idem_get('p' || who.id, x);
    if said is not null then
        return said;
    end if;
    if (select count(*) >= hotline.setting_int('reveal.per_hour') from hotline.access_log
            where person_id = who.id and at > hotline.now() - interval '1 hour') then
        return hotline.problem(429, 'too_many', '查看过于频繁，请稍后再看。', 'You have looked at too many; please wait.', '{"retry_after": 600}');
    end if;
    select * into k from hotline.ticket_contact where ticket_id = t.id;
    if k.phone_enc is null then
        return hotline.problem(404, 'no_contact', '这张工单没有联系方式。', 'This ticket has no contact data.');
    end if;
    insert into hotline.access_log (id, ticket_id, person_id, unit_id, purpose, at)
    values (hotline.new_id(), t.id, who.id, who.unit, x->>'purpose', hotline.now());
    return hotline.idem_put('p' || who.id, x, hotline.answer(200, jsonb_strip_nulls(jsonb_build_object('phone_enc', k.phone_enc,
        'name_enc', case when who.centre or t.secrecy < 2 then k.name_enc end))));
end $$;
