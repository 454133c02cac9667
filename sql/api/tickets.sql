-- A list, keyset-paged: {"session", state, light, unit, category, channel, type, division, waits, mine, phone_hmac, grams, ids, closed,
-- from, to, cursor, limit}.  Open work comes from inbox by due time; ended tickets (closed=1) and all of a period (from, to) from the
-- partitions by id, newest first.  ids narrows either list: which of these belong to it now?
create or replace function api.tickets(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    who hotline.actor;
    scope text;
    said api.answer;
begin
    perform hotline.begin(x);
    who := hotline.actor_of(x);
    if who.id is null then
        return hotline.no_session();
    end if;
    scope := hotline.scope_of(who, 'ticket.list');
    if scope is null then
        return hotline.forbidden();
    elsif x ? 'phone_hmac' and not hotline.has_right(who, 'ticket.find') then
        return hotline.forbidden();
    end if;
    said := hotline.check_filters(x);
    if said is not null then
        return said;
    elsif x ? 'closed' or x ? 'from' then
        return hotline.list_all(who, x);
    end if;
    return hotline.list_open(who, scope, x);
end $$;
