-- One ticket whole, as this person may see it: {"session","id"}.
create or replace function api.ticket(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    who hotline.actor;
    t hotline.ticket;
begin
    perform hotline.begin(x);
    who := hotline.actor_of(x);
    if who.id is null then
        return hotline.no_session();
    end if;
    select * into t from hotline.ticket where id = (x->>'id')::bigint;
    if not found or not hotline.sees(who, t) then
        return hotline.no_such_ticket();
    end if;
    return hotline.answer(200, hotline.ticket_json(who, t));
end $$;
