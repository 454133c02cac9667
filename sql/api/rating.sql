-- What may be rated, before anything is asked: {"number","code_hash" or "link_round"}.  200 with the little that tells the citizen which matter
-- it is; 409 where it was rated already or is over, 404 for a wrong code, and for the link of a round that was done again.
create or replace function api.rating(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    t hotline.ticket;
    refused api.answer;
begin
    perform hotline.begin(x);
    t := hotline.known_ticket(x);
    if t.id is null then
        return hotline.nothing_found();
    end if;
    refused := hotline.may_rate(t);
    if refused is not null then
        return refused;
    end if;
    return hotline.answer(200, (
        select jsonb_build_object('number', t.ticket_no, 'state', hotline.name_of('state', t.state), 'state_text', hotline.label_of('state', t.state),
            'submitted_at', hotline.time_text(t.submitted_at), 'unit', hotline.say(u.name, coalesce(u.name_en, u.name)))
        from (select 1) one left join hotline.unit u on u.id = t.unit_id));
end $$;
