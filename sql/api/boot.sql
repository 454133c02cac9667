-- What a worker keeps in memory for the text service, and the codes that a complaint may name while the database is away; asked
-- again when version changes.
create or replace function api.boot(x jsonb) returns api.answer
language plpgsql stable security definer set search_path = hotline, pg_temp as $$
begin
    return hotline.answer(200, jsonb_build_object('simulation', hotline.is_simulation(), 'version', hotline.reference_version(),
        'at', (select at from hotline.simulation), 'doors', hotline.doors(),
        'places', (select jsonb_agg(jsonb_build_array(code, parent, level, name)) from hotline.division where level > 1),
        'keywords', (select jsonb_agg(jsonb_build_array(d.id, k)) from hotline.directory_item d cross join lateral unnest(d.keywords) k
                     where d.valid_to is null),
        'divisions', (select jsonb_agg(code) from hotline.division),
        'categories', (select jsonb_agg(code) from hotline.category where scheme = 'local'),
        'services', hotline.services(),
        'channels', (select jsonb_object_agg(name, code) from hotline.word where kind = 'channel')));
end $$;
