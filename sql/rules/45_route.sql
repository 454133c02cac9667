-- Routing: the dispatch directory says which unit answers for a matter.  Candidates come with a score and a reason in words; where
-- one is clear, the engine dispatches by itself, else a dispatcher chooses.

-- The district's government and the street's office of a place, a district's own government standing for its streets where the place
-- tells no more.
create or replace function hotline.units_at(division_ text, out district int, out street int)
language plpgsql stable as $$
begin
    if length(division_) >= 6 then
        select id into district from hotline.unit u where kind = 'district' and division = left(division_, 6) and hotline.is_valid(u);
    end if;
    if length(division_) >= 9 then
        select id into street from hotline.unit u where kind = 'street' and division = left(division_, 9) and hotline.is_valid(u);
    elsif length(division_) = 6 then
        street := district;
    end if;
end $$;

-- The unit an item names for a place: itself, the district's government or the street's office; the fallback where the place
-- does not tell.
create or replace function hotline.unit_of_item(main_rule text, main_unit_id int, district int, street int) returns int
language sql immutable as $$
    select coalesce(case main_rule when 'district' then district when 'street' then street end, main_unit_id)
$$;

create or replace function hotline.unit_of_item(i hotline.directory_item, division_ text) returns int
language sql stable as $$ select hotline.unit_of_item(i.main_rule, i.main_unit_id, p.district, p.street) from hotline.units_at(division_) p $$;

-- The place a person is shown first: the one that was given, or a surer reading of the text within it (PLACE_SURE in the engine).
create or replace function hotline.finer_place(given text, found jsonb) returns text
language sql immutable as $$
    select case when given is null or starts_with(found->>'division', given) and (found->>'confidence')::numeric >= 0.8
        then found->>'division' else given end
$$;

-- How well an item fits: the category says most, then the keywords found (their length, since a longer word says more), then the
-- place it is restricted to.  A learned item's score is the share of the coming tickets that is expected to be its unit's.
create or replace function hotline.item_score(i hotline.directory_item, category_ hotline.category, words_len int) returns numeric
language sql immutable as $$
    select coalesce(i.share, round(0.5 * case when i.category_id = category_.id then 1
                            when i.category_id / 100 = category_.id / 100 then 0.4
                            when i.category_id / 10000 = category_.id / 10000 then 0.1 else 0 end
               + 0.4 * least(words_len, 6) / 6.0 + 0.1 * (i.division is not null)::int, 3))
$$;

-- The past in words.
create or replace function hotline.learned_reason(i hotline.directory_item, lang text) returns text
language sql immutable as $$
    select case lang when 'en' then case when i.its_cases = 0 then 'answered by this unit in wider categories or places; none of the last ' || i.of_cases || ' here'
            else 'this unit answered ' || i.its_cases || ' of ' || i.of_cases || ' earlier tickets of this category and place' end
        else case when i.its_cases = 0 then '更大范围的同类事项曾由该单位答复，本范围此前 ' || i.of_cases || ' 件中没有'
            else '此前同类同区域 ' || i.of_cases || ' 件中有 ' || i.its_cases || ' 件由该单位答复' end end
$$;

create or replace function hotline.route_reason(i hotline.directory_item, category_ hotline.category, words text, u hotline.unit, lang text)
returns text
language sql stable as $$
    select case lang when 'en' then concat_ws('; ',
            'directory item "' || i.name || '"',
            case when i.category_id = category_.id then 'its category is the ticket''s' when i.category_id / 100 = category_.id / 100
                then 'a category beside the ticket''s' end,
            'the text says ' || nullif(words, ''), case when i.share is not null then hotline.learned_reason(i, 'en') end,
            case when i.main_rule = 'unit' then null when u.kind = 'district' then 'the district of the place is responsible'
                when u.kind = 'street' then 'the street of the place is responsible' end,
            i.legal_basis)
        else concat_ws('；',
            '目录事项“' || i.name || '”',
            case when i.category_id = category_.id then '类别相同' when i.category_id / 100 = category_.id / 100 then '类别相近' end,
            '文中出现' || nullif(words, ''), case when i.share is not null then hotline.learned_reason(i, 'zh') end,
            case when i.main_rule = 'unit' then null when u.kind = 'district' then '由事发地所在区（县）办理'
                when u.kind = 'street' then '由事发地所在街道（镇）办理' end,
            i.legal_basis) end
$$;

-- The learned items of the narrowest cell that the past knows of this category and place.
create or replace function hotline.learned_items(category_id_ int, division_ text) returns setof hotline.directory_item
language sql stable as $$
    select (i).* from (
        select d as i, dense_rank() over (order by category_id desc, length(division) desc nulls last) as cell
        from hotline.directory_item d
        where share is not null and valid_to is null
          and category_id in (category_id_, category_id_ / 100 * 100, category_id_ / 10000 * 10000)
          and coalesce(division, '') in ('', left(division_, 6), left(division_, 9), left(division_, 12))
    ) found where cell = 1
$$;

-- At most five candidates, best first.  hits: what the text service found, [{"item", "n", "len", "words"}…].
create or replace function hotline.candidates(category_id_ int, division_ text, type_ text, hits jsonb) returns jsonb
language plpgsql stable set plan_cache_mode = force_generic_plan as $$ -- planning it anew would take longer than running it
declare
    cat hotline.category;
    today date := hotline.day_of(hotline.now());
    duty boolean := hotline.is_department_duty(category_id_);
    at_place record;
    listed int[]; -- items named by a word of the text, those of the category and its neighbours, and what the past taught
    found jsonb;
begin
    if category_id_ is null and coalesce(jsonb_array_length(hits), 0) = 0 then
        return '[]';
    end if;
    select * into cat from hotline.category where id = category_id_;
    select * into at_place from hotline.units_at(division_);
    listed := array(select id from hotline.directory_item
                    where share is null and id = any (array(select (h->>'item')::int from jsonb_array_elements(coalesce(hits, '[]')) h)))
        || array(select id from hotline.directory_item
                 where share is null and category_id between category_id_ / 100 * 100 and category_id_ / 100 * 100 + 99)
        || array(select id from hotline.learned_items(category_id_, division_));
    with hit as (
        select (h->>'item')::int as item, (h->>'len')::int as len,
               (select string_agg('“' || w || '”', '' order by n) from jsonb_array_elements_text(h->'words') with ordinality as e(w, n)) as words
        from jsonb_array_elements(coalesce(hits, '[]')) h
    ), fit as (
        select i, u, hotline.item_score(i, cat, coalesce(h.len, 0)) as score, h.words
        from hotline.directory_item i left join hit h on h.item = i.id
        join hotline.unit u on u.id = hotline.unit_of_item(i.main_rule, i.main_unit_id, at_place.district, at_place.street)
        where i.id = any (listed)
          and (i.share is not null or i.valid_from <= today and (i.valid_to is null or i.valid_to > today)
              and (i.division is null or division_ like i.division || '%') and (i.appeal_types is null or type_ = any (i.appeal_types)))
          and u.valid_from <= today and (u.valid_to is null or u.valid_to > today)
          and not (u.grassroots and (i.exclude_grassroots or duty and (i.category_id <> category_id_ or i.share is not null)))
    ), best as (
        select distinct on ((u).id) * from fit order by (u).id, score desc, (i).id
    ), ranked as (
        select *, row_number() over (order by score desc, (i).id) as place, lead(score) over (order by score desc, (i).id) as next_score from best
    )
    select jsonb_agg(jsonb_build_object(
            'item', jsonb_build_object('id', (i).id::text, 'code', (i).code, 'name', (i).name),
            'unit', jsonb_build_object('id', (u).id::text, 'name', (u).name, 'name_en', (u).name_en),
            'co_units', (select coalesce(jsonb_agg(jsonb_build_object('id', id::text, 'name', name, 'name_en', name_en)), '[]')
                         from hotline.unit co where id = any ((i).co_unit_ids) and id <> (u).id and level > 1
                           and valid_from <= today and (valid_to is null or valid_to > today)),
            'policy', (i).policy, 'score', score,
            'auto', place = 1 and (u).level > 1 and ((i).share is not null or (i).category_id is not distinct from category_id_)
                and score >= (select (value #>> '{}')::numeric from hotline.setting
                              where name = case when (i).share is null then 'route.auto_score' else 'route.auto_share' end)
                and score - coalesce(next_score, 0) >= (select (value #>> '{}')::numeric from hotline.setting where name = 'route.auto_margin'),
            'reason', hotline.route_reason(i, cat, words, u, 'zh'), 'reason_en', hotline.route_reason(i, cat, words, u, 'en'))
        order by place)
    into found from ranked where place <= 5;
    return coalesce(found, '[]');
end $$;

create or replace function hotline.route(t hotline.ticket) returns jsonb
language sql stable as $$
    select hotline.candidates(t.category_id, t.division, hotline.name_of('appeal_type', t.appeal_type), t.route->'hits')
$$;

-- The candidates as they were stored when the ticket was last read by people, or as they are now where nobody has yet.
create or replace function hotline.candidates_of(t hotline.ticket) returns jsonb
language sql stable as $$ select coalesce(t.route->'candidates', hotline.route(t)) $$;

-- The inputs of a dispatch without a person, or null: only where the directory is unambiguous and nobody asked for secrecy.
create or replace function hotline.auto_dispatch(t hotline.ticket) returns jsonb
language plpgsql stable as $$
begin
    return (
        select jsonb_build_object('main_unit', c->'unit'->'id', 'item', c->'item'->'id', 'policy', c->'policy',
            'co_units', (select coalesce(jsonb_agg(u->'id'), '[]') from jsonb_array_elements(c->'co_units') u),
            'instruction', '系统自动派单：' || (c->>'reason'))
        from (select t.route->'candidates'->0 as c) first
        where (c->>'auto')::boolean and t.secrecy = 0 and t.appeal_type <> 4
    );
end $$;
