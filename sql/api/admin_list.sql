-- Reference data of one kind in order of its codes: {"session","kind","q"?,"cursor"?,"limit"?} → {"items":[{"code","item","version"}…],"next"}.
-- kind "history": every change of every kind, the newest first, {"changes":[…],"next"}.
create or replace function api.admin_list(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    who hotline.actor;
    most int := least(coalesce((x->>'limit')::int, 100), 500);
    found jsonb;
    next_ text;
begin
    perform hotline.begin(x);
    who := hotline.actor_of(x);
    if who.id is null then
        return hotline.no_session();
    elsif not hotline.has_right(who, 'admin.read') then
        return hotline.forbidden();
    elsif x->>'kind' = 'history' then
        select coalesce(jsonb_agg(hotline.change_json(h) order by h.id desc), '[]'), case when count(*) = most then min(h.id)::text end into found, next_
        from (select * from hotline.admin_change where id < coalesce(nullif(substring(x->>'cursor' from '^[0-9]{1,18}$'), '')::bigint, 9223372036854775807)
              order by id desc limit most) h;
        return hotline.answer(200, jsonb_build_object('changes', found, 'next', next_));
    elsif not x->>'kind' = any (hotline.admin_kinds()) then
        return hotline.problem(404, 'no_such_kind', '没有这类数据。', 'There is no such kind.');
    end if;
    select coalesce(jsonb_agg(jsonb_build_object('code', k, 'item', j, 'version', hotline.admin_version(x->>'kind', k)) order by k collate "C"), '[]'),
        case when count(*) = most then max(k collate "C") end
    into found, next_
    from (select k, j from hotline.admin_keys(x->>'kind') k cross join lateral hotline.admin_json(x->>'kind', k) j
          where (x->>'cursor' is null or k collate "C" > x->>'cursor')
            and (x->>'q' is null or strpos(lower(k || coalesce(j->>'name', j->>'title', '')), lower(x->>'q')) > 0)
          order by k collate "C" limit most) page;
    return hotline.answer(200, jsonb_build_object('kind', x->>'kind', 'items', found, 'next', next_));
end $$;
