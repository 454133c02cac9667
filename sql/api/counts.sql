-- How much open work this person sees, by state and light: {"session"}.
create or replace function api.counts(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    who hotline.actor;
    scope text;
    found jsonb;
    at_ timestamptz;
begin
    perform hotline.begin(x);
    who := hotline.actor_of(x);
    if who.id is null then
        return hotline.no_session();
    end if;
    scope := hotline.scope_of(who, 'ticket.list');
    if scope is null then
        return hotline.forbidden();
    end if;
    at_ := hotline.now();
    with n as (
        select hotline.name_of('state', i.state) as state, i.light, i.n, i.waits
        from (
            select state, hotline.light(due_at, warn_at, deep_at, paused, at_) as light,
                   count(*) as n, count(*) filter (where waits_for = any (who.roles)) as waits
            from hotline.inbox
            where (scope = 'all' or scope = 'unit' and units @> array[who.unit] or scope = 'asked' and waits_for = any (who.roles))
              and (state <> 10 or created_by = who.id or 'LDR' = any (who.roles))
              and (secrecy < 3 or created_by = who.id or hotline.has_right(who, 'ticket.sealed'))
            group by 1, 2
        ) i)
    select jsonb_build_object('by_state', (select coalesce(jsonb_object_agg(state, s), '{}') from (select state, sum(n) as s from n group by 1) a),
        'by_light', (select coalesce(jsonb_object_agg(light, s), '{}') from (select light, sum(n) as s from n group by 1) a),
        'by_state_light', (select coalesce(jsonb_agg(jsonb_build_object('state', state, 'light', light, 'n', n)), '[]') from n),
        'waits_for_me', (select coalesce(sum(waits), 0) from n), 'at', hotline.time_text(at_)) into found;
    return hotline.answer(200, found);
end $$;
