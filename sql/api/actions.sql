-- What this person may do with this ticket now: {"session","id"} → {"version","state","actions":[…]}.
create or replace function api.actions(x jsonb) returns api.answer
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
    return hotline.answer(200, jsonb_build_object('version', t.version, 'state', hotline.name_of('state', t.state),
        'actions', hotline.actions_json(who, t)));
end $$;
