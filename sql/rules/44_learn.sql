-- A directory out of the past.  Earlier tickets are counted in cells, a category with a place: each category at its three levels, each
-- place from the village up to the city.  A cell believes its own count as far as it has cases and the cell around it for the rest, so
-- that two cases do not overrule two hundred.  What says nothing new beside the cell around it is not kept.

-- The cells of one case, the narrow ones last: place is '' for the whole city.  A village alone is too narrow for a broad category.
create or replace function hotline.cells_of(category_code text, division_ text)
returns table (category text, place text, around_category text, around_place text)
language sql immutable as $$
    select left(category_code, c), left(coalesce(division_, ''), p),
        case when p = 0 then left(category_code, c - 2) else left(category_code, c) end,
        left(coalesce(division_, ''), case p when 0 then 0 when 6 then 0 when 9 then 6 else 9 end)
    from unnest('{2,4,6}'::int[]) c cross join unnest('{0,6,9,12}'::int[]) p
    where c <= length(category_code) and (p = 0 or p <= length(division_)) and (p < 12 or c = 6)
$$;

-- Learn from the tickets submitted from day from_ to the day before to_ that a unit has answered; all learned before is replaced.  The
-- number of cases, and of items now valid.  Locks the learned items.
create or replace function hotline.learn_directory(from_ date, to_ date, out cases int, out items int)
language plpgsql as $$
declare
    prior constant numeric := 2;    -- cases that the cell around is worth
    fewest constant int := 3;       -- cases of a cell that is kept beside the one around it
    news constant numeric := 0.1;   -- by which some unit's share differs from there
    most constant int := 5;         -- units of a cell
    faintest constant numeric := 0.03;
    today date := hotline.day_of(hotline.now());
    step record;
begin
    create temp table past on commit drop as
        select g.code as category, t.division as place, t.unit_id
        from hotline.ticket t join hotline.category g on g.id = t.category_id and g.scheme = 'local'
        where t.id >= hotline.id_at(from_::timestamp at time zone 'Asia/Shanghai') and t.id < hotline.id_at(to_::timestamp at time zone 'Asia/Shanghai')
          and t.unit_id is not null and t.state in (50, 60, 70, 71);
    get diagnostics cases = row_count;
    create temp table cell on commit drop as
        select c.category, c.place, c.around_category, c.around_place, p.unit_id, count(*)::int as n
        from past p cross join lateral hotline.cells_of(p.category, p.place) c group by 1, 2, 3, 4, 5;
    -- What each cell says in the end, its own word or that of the cell around it.
    create temp table word_of (category text, place text, unit_id int, share numeric, n int, of_n int, kept boolean) on commit drop;
    create index on word_of (category, place);

    for step in select c, p from unnest('{2,4,6}'::int[]) c cross join unnest('{0,6,9,12}'::int[]) p order by c, p loop
        analyze word_of;
        insert into word_of
        with here as (
            select category, place, around_category, around_place, sum(n)::int as of_n from cell
            where length(category) = step.c and length(place) = step.p group by 1, 2, 3, 4
        ), both_ as (
            select h.category, h.place, h.of_n, coalesce(m.unit_id, w.unit_id) as unit_id, coalesce(m.n, 0) as n, w.share as around,
                (coalesce(m.n, 0) + prior * coalesce(w.share, 0)) / (h.of_n + prior) as own
            from here h
            cross join lateral (
                select unit_id from cell where category = h.category and place = h.place
                union
                select unit_id from word_of where category = h.around_category and place = h.around_place and h.around_category <> ''
            ) u
            left join cell m on m.category = h.category and m.place = h.place and m.unit_id = u.unit_id
            left join word_of w on w.category = h.around_category and w.place = h.around_place and w.unit_id = u.unit_id
        ), judged as (
            select *, step.c = 2 and step.p = 0
                or of_n >= fewest and max(abs(own - coalesce(around, 0))) over (partition by category, place) >= news as keep
            from both_
        )
        select category, place, unit_id, case when keep then own else around end, n, of_n, keep from judged where keep or around is not null;
    end loop;

    update hotline.directory_item set valid_to = today where share is not null and valid_to is null;
    insert into hotline.directory_item (id, code, name, category_id, division, keywords, main_rule, main_unit_id, exclude_grassroots, share, its_cases,
        of_cases, valid_from)
    select nextval('hotline.learned_item_seq'), 'L' || w.category || '-' || w.place || '-' || w.unit_id,
        g.name || coalesce('（' || d.name || '）', ''), g.id, nullif(w.place, ''), '{}', 'unit', w.unit_id, false, round(w.share, 3), w.n, w.of_n, today
    from (select *, row_number() over (partition by category, place order by share desc, unit_id) as place_
          from word_of where kept and share >= faintest) w
    join hotline.category g on g.scheme = 'local' and g.code = w.category
    left join hotline.division d on d.code = nullif(w.place, '')
    where w.place_ <= most and (w.place = '' or d.code is not null)
    on conflict (code) do update set name = excluded.name, share = excluded.share, its_cases = excluded.its_cases, of_cases = excluded.of_cases,
        version = directory_item.version + 1, valid_from = least(directory_item.valid_from, excluded.valid_from), valid_to = null;
    get diagnostics items = row_count;
    drop table past, cell, word_of;
end $$;
