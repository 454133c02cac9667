-- Did an urgent transfer arrive?  {"session","id","transfer","arrived"} by who works at the centre's phones, or {"system","id","transfer"}:
-- the receipt of the other platform.  200 {"transfer","arrived"}; 404, 409 when it was answered before.  Locks: the ticket row (the
-- batch holds it already).
create or replace function api.transfer_check(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    who hotline.actor;
    m hotline.transfer;
begin
    perform hotline.begin(x);
    if not x ? 'system' then
        who := hotline.actor_of(x);
        if who.id is null then
            return hotline.no_session();
        elsif not hotline.has_right(who, 'urgent_transfer') and not hotline.has_right(who, 'refer_out') then
            return hotline.forbidden();
        end if;
    end if;
    select * into m from hotline.transfer where id = (x->>'transfer')::bigint and ticket_id = (x->>'id')::bigint
      and (not x ? 'system' or agency = hotline.code_of('agency', x->>'system'));
    if not found then
        return hotline.problem(404, 'no_such_transfer', '没有这次直转。', 'There is no such transfer.');
    elsif m.arrived is not null then
        return hotline.problem(409, 'checked_already', '这次直转已核实过。', 'This transfer was checked already.');
    end if;
    update hotline.transfer set arrived = coalesce((x->>'arrived')::boolean, true), checked_by = who.id, checked_at = hotline.now() where id = m.id;
    delete from hotline.timer where ticket_id = m.ticket_id and kind = 'transfer_check' and clock_id = m.id;
    return hotline.answer(200, jsonb_build_object('transfer', m.id::text, 'arrived', coalesce((x->>'arrived')::boolean, true)));
end $$;
