-- Proposals while a person types: {"session","type","category"?,"division"?,"hits","found"} → candidates, place and category.
create or replace function api.route(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    who hotline.actor;
    place text := hotline.finer_place(x->>'division', x->'found');
    candidates jsonb;
begin
    perform hotline.begin(x);
    who := hotline.actor_of(x);
    if who.id is null then
        return hotline.no_session();
    elsif not who.centre then
        return hotline.forbidden();
    end if;
    candidates := hotline.candidates((select id from hotline.category where scheme = 'local' and code = x->>'category'), place,
        coalesce(x->>'type', 'complaint'), x->'hits');
    return hotline.answer(200, jsonb_build_object('candidates', candidates, 'division', hotline.division_json(place),
        'category', (select jsonb_build_object('code', code, 'name', name, 'name_en', name_en) from hotline.category
                     where code = coalesce(x->>'category', hotline.proposed_category(candidates->0)) and scheme = 'local')));
end $$;
