-- What a worker keeps in memory for the text service; asked again when version changes.
create or replace function api.boot(x jsonb) returns api.answer
language plpgsql stable security definer set search_path = hotline, pg_temp as $$
begin
    return hotline.answer(200, jsonb_build_object('simulation', hotline.is_simulation(), 'version', hotline.reference_version(),
        'places', (select jsonb_agg(jsonb_build_array(code, parent, level, name)) from hotline.division where level > 1),
        'keywords', (select jsonb_agg(jsonb_build_array(d.id, k)) from hotline.directory_item d cross join lateral unnest(d.keywords) k
                     where d.valid_to is null)));
end $$;
