-- The tickets behind a figure, newest first: {"session","figure","part","from","to","by","key","unit",…,"cursor","limit"}.
-- figure is a rate (part num, den or rest) or a count; by and key choose one row of the table of figures.  Figures of units
-- (due, signed, rework) list one row an assignment, so a list is always as long as its figure.  Locks nothing.
create or replace function api.metrics_tickets(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    who hotline.actor;
    q hotline.metric_question;
    f hotline.metric_formula;
    part text := coalesce(nullif(x->>'part', ''), 'num');
    count_ text;
    less text;
    units int[];
    categories int[];
    members text[];
    n int := least(greatest(coalesce(case when x->>'limit' ~ '^[0-9]{1,4}$' then (x->>'limit')::int end, 25), 1), 200);
    given text[] := string_to_array(nullif(x->>'cursor', ''), '_');
    found_ jsonb;
    last_ text;
begin
    perform hotline.begin(x);
    who := hotline.actor_of(x);
    q := hotline.metric_ask(who, x);
    if q.refused is not null then
        return q.refused;
    end if;

    select * into f from hotline.metric_formula where name = x->>'figure';
    if part not in ('num', 'den', 'rest') then
        return hotline.bad_inputs(jsonb_build_array(hotline.field('part', 'unknown_part', '应为 num、den 或 rest。', 'One of num, den, rest.')));
    end if;
    if part = 'rest' and not hotline.is_part_of(f.num, f.den) then
        return hotline.bad_inputs(jsonb_build_array(hotline.field('part', 'no_rest', '这项指标的分子不是分母的一部分。',
            'The numerator of this figure is no part of its denominator.')));
    end if;
    count_ := case when f.name = 'handling' then 'handled' when f.name is null then (select name from hotline.metric_count where name = x->>'figure')
                   when part = 'num' then f.num else f.den end;
    less := case when part = 'rest' then f.num end;
    if f.name is null and count_ is null or count_ is not null and hotline.count_basis(count_) is null then
        return hotline.bad_inputs(jsonb_build_array(hotline.field('figure', 'unknown_figure', '没有这项指标。', 'There is no such figure.')));
    end if;
    if given is not null and not (array_length(given, 1) = 2 and given[1] ~ '^-?[0-9]{1,18}$' and given[2] ~ '^[0-9]{1,18}$') then
        return hotline.bad_inputs(jsonb_build_array(hotline.field('cursor', 'bad_cursor', '翻页标记不对。', 'This cursor is not one of ours.')));
    end if;

    if q.unit is not null then
        units := hotline.metric_units(q.unit);
    end if;
    if q.category is not null then
        categories := hotline.metric_categories(q.category);
    end if;
    if x ? 'key' and q.by_ is not null then
        if q.by_ = 'day' then
            if hotline.date_of(x->>'key') is null or hotline.date_of(x->>'key') < q.from_ or hotline.date_of(x->>'key') >= q.to_ then
                return hotline.bad_inputs(jsonb_build_array(hotline.field('key', 'unknown_key', '没有这一行。', 'There is no such row.')));
            end if;
            q.from_ := hotline.date_of(x->>'key');
            q.to_ := q.from_ + 1;
        else
            select array_agg(member) into members from hotline.metric_rows(q.by_, q.unit, q.category) where key = x->>'key';
            if members is null then
                return hotline.bad_inputs(jsonb_build_array(hotline.field('key', 'unknown_key', '没有这一行。', 'There is no such row.')));
            end if;
            case q.by_
                when 'unit' then units := members::int[];
                when 'category' then categories := members::int[];
                when 'channel' then q.channel := members[1]::smallint;
                when 'district' then q.district := members[1];
            end case;
        end if;
    end if;

    select coalesce(jsonb_agg(hotline.counted_row(who, p.t)
               || case when p.assignment is null then '{}' else jsonb_build_object('assignment', p.assignment::text, 'counted_round', p.round) end
               order by p.at desc, p.id desc) filter (where p.row_ <= n), '[]'),
           case when max(p.row_) > n then min(p.last_) filter (where p.row_ = n) end
    into found_, last_
    from (
        select c.*, row_number() over (order by c.at desc, c.id desc) as row_,
               (extract(epoch from c.at) * 1000000)::bigint || '_' || c.id as last_
        from hotline.count_page(count_, less, q.from_::timestamp at time zone hotline.zone(), q.to_::timestamp at time zone hotline.zone(),
            units, categories, q.channel, q.district,
            coalesce('epoch'::timestamptz + given[1]::bigint * interval '1 microsecond', 'infinity'),
            coalesce(given[2]::bigint, 9223372036854775807), n + 1) c -- one more tells whether there is another page
    ) p;
    return hotline.answer(200, jsonb_build_object('tickets', found_, 'cursor', last_));
end $$;
