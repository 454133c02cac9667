-- What pages need to name things: words, categories, places down to the town, units, policies, roles; the texts that people start from;
-- what this person's roles may do at all; the weekdays off and weekends worked around today.  Public part without a session: {"public": true}.
create or replace function api.reference(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    who hotline.actor;
    open_part jsonb;
begin
    perform hotline.begin(x);
    open_part := jsonb_build_object('version', hotline.reference_version(), 'simulation', hotline.is_simulation(),
        'divisions', (select jsonb_agg(jsonb_build_object('code', code, 'parent', parent, 'level', level, 'name', name, 'name_en', name_en) order by code)
                      from hotline.division where level < 4),
        'types', (select jsonb_agg(jsonb_build_object('name', name, 'zh', zh, 'en', en) order by code) from hotline.word where kind = 'appeal_type'));
    if x->'public' = 'true' then
        return hotline.answer(200, open_part || jsonb_build_object('phone_code', hotline.doors()->>'phone_code' = 'on'));
    end if;
    who := hotline.actor_of(x);
    if who.id is null then
        return hotline.no_session();
    end if;
    return hotline.answer(200, open_part || jsonb_build_object(
        'words', (select jsonb_object_agg(kind, list) from (select kind, jsonb_agg(jsonb_build_object('name', name, 'zh', zh, 'en', en) order by code) as list
                  from hotline.word group by kind) w),
        'categories', (select jsonb_agg(jsonb_build_object('id', id::text, 'code', code, 'parent', (select p.code from hotline.category p where p.id = c.parent_id),
                       'level', level, 'name', name, 'name_en', name_en) order by code) from hotline.category c where scheme = 'local' and valid_to is null),
        'units', (select jsonb_agg(jsonb_build_object('id', id::text, 'code', code, 'parent', parent_id::text, 'level', level, 'kind', kind, 'name', name,
                  'short_name', short_name, 'name_en', name_en) order by id) from hotline.unit u where hotline.is_valid(u)),
        'policies', (select jsonb_agg(jsonb_build_object('code', code, 'name', name, 'name_en', name_en) order by code) from hotline.policy where valid_to is null),
        'roles', (select jsonb_agg(jsonb_build_object('code', code, 'zh', zh, 'en', en) order by code) from hotline.role),
        'templates', (select coalesce(jsonb_agg(jsonb_build_object('kind', t.kind, 'code', t.code, 'title', t.title, 'body', t.body, 'body_en', t.body_en,
                      'category', (select g.code from hotline.category g where g.id = t.category_id)) order by t.kind, t.code), '[]')
                      from (select distinct on (kind, code) * from hotline.template where valid_from <= hotline.day_of(hotline.now()) order by kind, code, version desc) t
                      where t.valid_to is null or t.valid_to > hotline.day_of(hotline.now())),
        'rights', (select coalesce(jsonb_agg(distinct action), '[]') from hotline.role_right where role = any (who.roles)),
        'calendar', jsonb_build_object('days', (select coalesce(jsonb_agg(jsonb_build_object('day', day, 'off', not is_work) order by day), '[]')
            from hotline.workday where calendar_id = 1 and is_work <> (extract(isodow from day) < 6)
              and day between hotline.day_of(hotline.now()) - 400 and hotline.day_of(hotline.now()) + 400)),
        'actions', (select jsonb_agg(distinct jsonb_build_object('action', action, 'zh', zh, 'en', en)) from hotline.transition)));
end $$;
