-- One thing of a kind with its history, and the inputs a change may give: {"session","kind","code"} → {"item","version","inputs","history"}.
create or replace function api.admin_get(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    who hotline.actor;
    item jsonb;
begin
    perform hotline.begin(x);
    who := hotline.actor_of(x);
    if who.id is null then
        return hotline.no_session();
    elsif not hotline.has_right(who, 'admin.read') and not (x->>'kind' = 'calendar' and hotline.has_right(who, 'calendar.confirm')) then
        return hotline.forbidden();
    elsif not x->>'kind' = any (hotline.admin_kinds()) then
        return hotline.problem(404, 'no_such_kind', '没有这类数据。', 'There is no such kind.');
    end if;
    item := hotline.admin_json(x->>'kind', x->>'code');
    if item is null then
        return hotline.problem(404, 'no_such_item', '没有这一条。', 'There is no such item.');
    end if;
    return hotline.answer(200, jsonb_build_object('kind', x->>'kind', 'code', x->>'code', 'item', item, 'version', hotline.admin_version(x->>'kind', x->>'code'),
        'inputs', (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('name', i.name, 'type', i.type, 'min', i.min, 'max', i.max, 'choices', to_jsonb(i.choices),
                'zh', i.zh, 'en', i.en)) order by i.ord), '[]') from hotline.action_input i where i.action = 'admin.' || (x->>'kind')),
        'history', (select coalesce(jsonb_agg(hotline.change_json(h) order by h.n desc), '[]')
            from (select * from hotline.admin_change where kind = x->>'kind' and key = x->>'code' order by n desc limit 100) h)));
end $$;
