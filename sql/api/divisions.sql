-- The places directly below one: {"parent":code}.
create or replace function api.divisions(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
begin
    perform hotline.begin(x);
    return hotline.answer(200, jsonb_build_object('divisions', (select coalesce(jsonb_agg(jsonb_build_object('code', code, 'parent', parent,
        'level', level, 'name', name, 'name_en', name_en) order by code), '[]') from hotline.division where parent = x->>'parent')));
end $$;
