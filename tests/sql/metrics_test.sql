-- The closure figures: exact, one snapshot, and every figure the length of its list.  First rows that no workflow could make in an
-- afternoon (all endings, all combinations), counted slowly beside; then real lives through the rules, recounted from their events.

begin;
set local search_path = hotline, public;
set local client_min_messages = warning;

select plan(77);

-- The sandbox: a simulation in spring 2018, a few people with open sessions.

delete from simulation;
insert into simulation (at) values ('2018-06-01 09:00+08');
select sim_install(true) \g /dev/null
select partition_make('2017-11-01', '2018-10-01') \g /dev/null
delete from fact_delta;

select person_put('m_' || lower(r), r, 'ST-12345', array[r], '-') from unnest('{OPR,ACC,LDR,DSP,AUD,CBK,ADM}'::text[]) r \g /dev/null
select person_put('m_u' || lower(r), r, 'ST-GAJ', array[r], '-') from unnest('{UDP,UHD,UAP}'::text[]) r \g /dev/null
insert into session (hash, person_id, opened_at, expires_at)
select login, id, '2017-01-01', '2020-01-01' from person where login like 'm\_%';

create function pg_temp.figures(extra jsonb default '{}') returns jsonb language sql as $$
    select (api.metrics('{"session": "m_ldr", "name": "closure", "from": "2018-01-01", "to": "2018-04-01"}'::jsonb || extra)).body::jsonb
$$;
create function pg_temp.status(extra jsonb) returns int language sql as $$
    select (api.metrics('{"session": "m_ldr", "name": "closure", "from": "2018-01-01", "to": "2018-04-01"}'::jsonb || extra)).status
$$;
-- How many rows the list of a figure has, page after page.
create function pg_temp.listed(extra jsonb) returns int language plpgsql as $$
declare
    n int := 0;
    said api.answer;
    cursor_ text := '';
begin
    loop
        said := api.metrics_tickets('{"session": "m_ldr", "from": "2018-01-01", "to": "2018-04-01", "limit": "37"}'::jsonb || extra
            || jsonb_build_object('cursor', cursor_));
        if said.status <> 200 then
            raise exception 'list of %: %', extra, said.body;
        end if;
        n := n + json_array_length(said.body->'tickets');
        cursor_ := said.body->>'cursor';
        exit when cursor_ is null;
    end loop;
    return n;
end $$;

-- ---- 1. rows of every kind ----------------------------------------------------------------------------------------

create temp table chance (i int primary key, a float, b float, c float, d float, e float);
select setseed(0.12345) \g /dev/null
insert into chance select i, random(), random(), random(), random(), random() from generate_series(1, 400) i;

-- A ticket of chance: what it is after so many changes.
create function pg_temp.made(i_ int, step int) returns ticket language plpgsql as $$
declare
    t ticket;
    k chance;
    at_ timestamptz;
begin
    select * into k from chance where i = 1 + (i_ + step * 7) % 400;
    at_ := timestamptz '2017-12-10 00:00+08' + i_ * interval '7 hours';
    t.id := id_at(at_) | i_;
    t.ticket_no := lpad(i_::text, 16, '9');
    t.version := 1 + step;
    t.appeal_type := 2;
    t.urgency := 4;
    t.secrecy := 0;
    t.anonymous := false;
    t.publish := 0;
    t.reply_wanted := true;
    t.title := 't';
    t.content := 'c';
    t.round := 0;
    t.contact_count := 0;
    t.rework_count := 0;
    t.event_n := 0;
    t.channel := (array[10, 20, 21])[1 + (k.b * 2.99)::int % 3];
    t.category_id := case when k.c < 0.9 then (select id from category where level = 3 order by id limit 1 offset (k.c * 40)::int) end;
    t.division := case when k.d < 0.05 then null when k.d < 0.1 then '4405'
        else (select code from division where level = 3 order by code limit 1 offset (k.d * 60)::int) end;
    t.submitted_at := at_;
    t.state := (array[11, 20, 30, 40, 50, 60, 70, 70, 70, 70, 71, 80, 81, 82, 83, 84, 85])[1 + (k.a * 16.99)::int % 17];
    if t.state not in (11, 80) and not (t.state in (81, 84) and k.e < 0.3) then
        t.accepted_at := at_ + k.b * interval '1 day';
    end if;
    if t.state in (30, 40, 50, 60) or t.state = 71 or t.accepted_at is not null and k.e > 0.4 and t.state <> 20 then
        t.dispatched_at := t.accepted_at + k.c * interval '1 day';
        t.unit_id := (select id from unit where level > 1 order by id limit 1 offset (k.d * 100)::int);
    end if;
    if t.state >= 70 then
        t.ended_at := coalesce(t.accepted_at, at_) + (1 + k.e * 40) * interval '1 day';
        t.closed_at := case when t.state <= 71 then t.ended_at end;
        t.close_kind := case when t.state <= 71 then case when t.dispatched_at is not null then 2 when k.b < 0.3 then 7 else 1 end end;
    end if;
    if t.dispatched_at is not null and t.state >= 50 then
        t.replied_at := t.dispatched_at + k.b * k.b * interval '30 days';
    end if;
    if t.state in (70, 71) and t.dispatched_at is not null and k.c > 0.2 then
        t.rated := (k.d * 5.99)::int % 6;
        t.resolved := case when t.rated > 0 then 1 + (k.e * 2.99)::int % 3 end;
    end if;
    return t;
end $$;

create function pg_temp.given(i_ int, step int, t ticket, round_ int) returns assignment language plpgsql as $$
declare
    a assignment;
    k chance;
begin
    select * into k from chance where i = 1 + (i_ * 3 + step * 11 + round_) % 400;
    a.id := t.id + 1 + round_;
    a.ticket_id := t.id;
    a.role := 1;
    a.unit_id := case when round_ = 0 then 101 else 102 end;
    a.round := round_;
    a.state := case when step = 0 then 1 when k.a < 0.1 then 8 when k.a > 0.95 then 9 when round_ = 0 then 7 else 3 end;
    a.policy := 'C1';
    a.policy_version := 1;
    a.forbid_return := false;
    a.deemed_signed := k.b < 0.1;
    a.dispatched_at := t.submitted_at + (1 + round_ * 10) * interval '1 day';
    a.sign_due_at := a.dispatched_at + interval '1 day';
    a.unit_due_at := a.dispatched_at + (5 + i_ % 3) * interval '1 day';
    a.rejected_count := 0;
    a.signed_at := case when step > 0 and k.c < 0.9 then a.dispatched_at + k.c * interval '30 hours' end;
    a.replied_at := case when step > 0 and k.d < 0.8 then a.dispatched_at + k.d * interval '8 days' end;
    a.accepted_at := case when k.e < 0.7 then a.replied_at + interval '1 day' end;
    a.sign_counted := step > 0 and k.b < 0.9;
    a.due_counted := step > 0 and k.c < 0.9;
    a.return_asked_at := case when step > 0 and k.a < 0.05 then array[a.dispatched_at + interval '5 hours', a.dispatched_at + interval '3 days']
        when step > 0 and k.a < 0.2 then array[a.dispatched_at + interval '5 hours'] end;
    return a;
end $$;

create function pg_temp.change(i_ int, step int) returns void language plpgsql as $$
declare
    was ticket;
    is_ ticket := pg_temp.made(i_, step);
    a_was assignment;
    a assignment;
    c call;
begin
    select * into was from ticket where id = is_.id;
    delete from ticket where id = is_.id;
    insert into ticket values (is_.*);
    c.was := was;
    c.t := is_;
    perform count_calls(array[c]);
    for r in 0..(i_ % 4 = 0)::int loop
        a := pg_temp.given(i_, step, is_, r);
        select * into a_was from assignment where ticket_id = a.ticket_id and id = a.id;
        delete from assignment where ticket_id = a.ticket_id and id = a.id;
        insert into assignment values (a.*);
        perform count_assignment(a_was, a, was, is_);
    end loop;
end $$;

select pg_temp.change(i, 0) from generate_series(1, 400) i \g /dev/null
select is(fold(1000) > 0, true, 'differences fold');
select pg_temp.change(i, 1) from generate_series(1, 400) i where i % 3 <> 0 \g /dev/null
select is(fold(1500) > 0, true, 'and fold again');
select pg_temp.change(i, 2) from generate_series(1, 400) i where i % 2 = 0 \g /dev/null
select isnt_empty('select from fact_delta', 'some differences wait unfolded');

-- The slow way: the facts of all rows as they are.
create function pg_temp.rows_say() returns table (dimension text, key text, day date, fact text, bucket smallint, n bigint) language sql as $$
    select v.dimension, v.key, f.day, f.fact, f.bucket, sum(f.n)::bigint
    from (
        select f.*, t.unit_id, t.category_id, t.channel, t.division from ticket t cross join ticket_facts(t) f
        union all
        select f.*, a.unit_id, t.category_id, t.channel, t.division
        from assignment a join ticket t on t.id = a.ticket_id cross join assignment_facts(a) f
    ) f
    cross join lateral (values ('total', ''), ('unit', coalesce(unit_id, 0)::text), ('category', coalesce(category_id, 0)::text),
        ('channel', channel::text), ('district', coalesce(left(division, 6), '')),
        ('unit_category', coalesce(unit_id, 0) || '/' || coalesce(category_id, 0))) v(dimension, key)
    group by 1, 2, 3, 4, 5
    having sum(f.n) <> 0
$$;
select set_eq(
    'select dimension, key, day, fact, bucket, sum(n)::bigint from metric_held() group by 1, 2, 3, 4, 5 having sum(n) <> 0',
    'select * from pg_temp.rows_say()',
    'tables and differences hold exactly what the rows say, in all six dimensions'
);
select is_empty('select * from metric_months()', 'months are the sums of their days');

-- Each figure the slow way, straight from the definitions.
create temp table slow as
select t.*, t.accepted_at >= s.t0 and t.accepted_at < s.t1 as in_period, t.accepted_at < s.t0 and coalesce(t.ended_at >= s.t0, true) as carried,
       t.ended_at >= s.t0 and t.ended_at < s.t1 as ended_in
from ticket t cross join (values (timestamptz '2018-01-01 00:00+08', timestamptz '2018-04-01 00:00+08')) s(t0, t1);
create temp table slow_a as
select a.*, t.channel, a.dispatched_at >= s.t0 and a.dispatched_at < s.t1 as sent_in, a.unit_due_at >= s.t0 and a.unit_due_at < s.t1 as due_in
from assignment a join ticket t on t.id = a.ticket_id
cross join (values (timestamptz '2018-01-01 00:00+08', timestamptz '2018-04-01 00:00+08')) s(t0, t1)
where a.state not in (8, 9);

create function pg_temp.rate(name text, extra jsonb default '{}') returns numeric[] language sql as $$
    select array[(r->>'num')::numeric, (r->>'den')::numeric] from (select pg_temp.figures(extra)->'total'->'rates'->name as r) x
$$;
select is(pg_temp.rate('closure_rate_cohort'),
    (select array[count(*) filter (where state in (70, 71)), count(*)]::numeric[] from slow where in_period and state not in (82, 83)),
    'cohort: closed by now among the accepted');
select is(pg_temp.rate('closure_rate_flow'),
    (select array[count(*) filter (where ended_in and state in (70, 71) and accepted_at is not null),
                  count(*) filter (where carried or in_period and state not in (82, 83))]::numeric[] from slow),
    'flow: closed in the period over carried in and accepted');
select is(pg_temp.rate('closure_rate_due'),
    (select array[count(*) filter (where accepted_at is not null), count(*)]::numeric[] from slow_a where due_in and due_counted),
    'due: accepted replies over what fell due');
select is(pg_temp.rate('ontime_close_rate'),
    (select array[count(*) filter (where accepted_at is not null and replied_at <= unit_due_at), count(*)]::numeric[]
     from slow_a where due_in and due_counted),
    'on-time: the accepted reply left the unit in time');
select is(pg_temp.rate('ontime_sign_rate'),
    (select array[count(*) filter (where signed_at <= sign_due_at and not deemed_signed), count(*)]::numeric[]
     from slow_a where sent_in and sign_counted),
    'signed in time, deemed signed is late');
select is(pg_temp.rate('direct_answer_rate'),
    (select array[count(*) filter (where state in (70, 71) and close_kind = 1 and dispatched_at is null), count(*)]::numeric[]
     from slow where in_period and state not in (82, 83)),
    'answered directly');
select is(pg_temp.rate('return_rate'),
    (select array[(select count(*) from assignment r cross join lateral unnest(r.return_asked_at) as at
                   where r.state <> 9 and at >= '2018-01-01 00:00+08' and at < '2018-04-01 00:00+08'),
                  count(*) filter (where dispatched_at >= '2018-01-01 00:00+08' and dispatched_at < '2018-04-01 00:00+08')]::numeric[]
     from assignment where state <> 9),
    'returns asked for over what was given to units, granted or not; what the centre cancelled was not given');
select is(pg_temp.rate('rework_rate'),
    (select array[count(*) filter (where sent_in and round > 0),
                  count(*) filter (where accepted_at >= '2018-01-01 00:00+08' and accepted_at < '2018-04-01 00:00+08')]::numeric[] from slow_a),
    'reworks over accepted replies');
select is(pg_temp.rate('satisfaction_rate'),
    (select array[count(*) filter (where rated in (4, 5)), count(*)]::numeric[] from slow where ended_in and state in (70, 71) and rated > 0),
    'satisfied means 4 or 5; not rated is not in the denominator');
select is(pg_temp.rate('satisfaction_coverage'),
    (select array[count(*) filter (where rated > 0), count(*)]::numeric[] from slow where ended_in and state in (70, 71) and rated >= 0),
    'coverage counts whoever was not reached');
select is(pg_temp.rate('graded_satisfaction'),
    (select array[sum(case rated when 5 then 1 when 4 then 1 when 3 then 0.8 when 2 then 0.6 else 0 end), count(*)]
     from slow where ended_in and state in (70, 71) and rated > 0),
    'graded index');
select is(pg_temp.rate('resolve_rate'),
    (select array[sum(case resolved when 1 then 1 when 2 then 0.5 else 0 end), count(*)]
     from slow where ended_in and state in (70, 71) and resolved is not null),
    'resolution comes from the citizen');
select is((pg_temp.figures()->'total'->'handling'->>'avg_hours')::numeric,
    (select round(avg(floor(extract(epoch from replied_at - dispatched_at) / 60)) / 60, 2)
     from slow where ended_in and state in (70, 71) and dispatched_at is not null and replied_at is not null),
    'mean handling time');
select ok(abs((pg_temp.figures()->'total'->'handling'->>'median_hours')::numeric - extract(epoch from m)::numeric / 3600) <= 0.26,
    'median handling time within one bucket')
from (select percentile_disc(0.5) within group (order by replied_at - dispatched_at) as m
      from slow where ended_in and state in (70, 71) and dispatched_at is not null and replied_at is not null) x;

-- Both identities, and each term.
select is(pg_temp.figures()->'identity'->'balanced', 'true', 'the first identity holds');
select is(pg_temp.figures()->'decompositions'->'flow'->'balanced', 'true', 'the second identity holds');
select is((pg_temp.figures()->'identity'->>'left')::int,
    (select count(*)::int from slow where in_period or carried), 'its left side is everything in hand');
select is((select (term->>'n')::int from jsonb_array_elements(pg_temp.figures()->'decompositions'->'flow'->'terms') term
           where term->>'name' = 'open_at_end'),
    (select count(*)::int from ticket where accepted_at < '2018-04-01 00:00+08' and coalesce(ended_at >= '2018-04-01 00:00+08', true)),
    'still open at the end is that, not a difference');
select is_empty($$
    select p.from_, p.to_, f->'identity', f->'decompositions'
    from (values ('2017-12-01', '2018-01-01'), ('2018-01-15', '2018-01-16'), ('2018-01-10', '2018-03-20'), ('2018-02-01', '2018-03-01'),
        ('2017-01-01', '2019-01-01'), ('2018-05-20', '2018-09-01')) p(from_, to_)
    cross join lateral (select pg_temp.figures(jsonb_build_object('from', p.from_, 'to', p.to_)) as f) x
    where not (f->'identity'->>'balanced')::boolean or not (f->'decompositions'->'flow'->>'balanced')::boolean
$$, 'both hold in whatever period');

-- Rows.
create temp table split as
select by_, pg_temp.figures(jsonb_build_object('by', by_)) as f from unnest('{unit,category,channel,district,day}'::text[]) by_;
select is_empty($$
    select s.by_, c.name, s.f->'total'->'counts'->c.name
    from split s
    cross join metric_count c
    where c.shown and not (s.by_ = 'day' and c.name in ('carried_in', 'on_hand', 'open_at_end'))
      and (s.f->'total'->'counts'->>c.name)::bigint
          <> (select sum((r->'counts'->>c.name)::bigint) from jsonb_array_elements(s.f->'rows') r)
$$, 'the rows of each table add up to its total');
select is((select (r->'counts'->>'carried_in')::int from jsonb_array_elements((select f->'rows' from split where by_ = 'day')) r
           where r->>'key' = '2018-02-14'),
    (select count(*)::int from ticket where accepted_at < '2018-02-14 00:00+08' and coalesce(ended_at >= '2018-02-14 00:00+08', true)),
    'a day carries in what was open that morning');
select is((select (r->'counts'->>'open_at_end')::int from jsonb_array_elements((select f->'rows' from split where by_ = 'day')) r
           where r->>'key' = '2018-02-14'),
    (select count(*)::int from ticket where accepted_at < '2018-02-15 00:00+08' and coalesce(ended_at >= '2018-02-15 00:00+08', true)),
    'and leaves what was open that night');
select is_empty($$
    select r->>'key', r->'handling', s.f->'total'->'handling'
    from jsonb_array_elements(pg_temp.figures('{"by": "unit"}')->'rows') r
    cross join lateral (select pg_temp.figures(jsonb_build_object('unit', r->>'key')) as f) s
    where r->>'key' <> '1' and (r->'counts' <> s.f->'total'->'counts' or r->'rates' <> s.f->'total'->'rates' or r->'handling' <> s.f->'total'->'handling')
$$, 'a unit''s row is its subtree''s total, medians included');
select is_empty($$
    select r->>'key'
    from jsonb_array_elements(pg_temp.figures('{"by": "category"}')->'rows') r
    cross join lateral (select pg_temp.figures(jsonb_build_object('category', r->>'key')) as f) s
    where r->>'key' <> '' and (r->'counts' <> s.f->'total'->'counts' or r->'rates' <> s.f->'total'->'rates')
$$, 'so is a category''s');
select is((pg_temp.figures(jsonb_build_object('unit', '101', 'category', (select code from category where level = 1 order by id limit 1)))
           ->'total'->'counts'->>'due')::int,
    (select count(*)::int from slow_a a join ticket t on t.id = a.ticket_id
     where due_in and due_counted and a.unit_id in (select unnest(metric_units(101)))
       and t.category_id in (select unnest(metric_categories((select id from category where level = 1 order by id limit 1))))),
    'unit and category are counted together');

-- Every figure is as long as its list.
select is_empty($$
    select f.name, p.part, v.n, pg_temp.listed(jsonb_build_object('figure', f.name, 'part', p.part))
    from metric_formula f
    cross join (values ('num'), ('den'), ('rest')) p(part)
    cross join lateral (select pg_temp.rate(f.name) as r) r
    cross join lateral (select case p.part when 'num' then r[1] when 'den' then r[2] else r[2] - r[1] end as n) v
    where f.num is not null and f.scale = 1 and (p.part <> 'rest' or is_part_of(f.num, f.den)) and v.n <> pg_temp.listed(jsonb_build_object('figure', f.name, 'part', p.part))
$$, 'numerator, denominator and rest are as long as their lists');
select is_empty($$
    select f.name, r[2] from metric_formula f cross join lateral (select pg_temp.rate(f.name) as r) r
    where f.scale = 10
      and (r[2] <> pg_temp.listed(jsonb_build_object('figure', f.name, 'part', 'den'))
           or pg_temp.listed(jsonb_build_object('figure', f.name, 'part', 'num')) + pg_temp.listed(jsonb_build_object('figure', f.name, 'part', 'rest')) <> r[2])
$$, 'weighted figures list whoever has a weight');
select is_empty($$
    select c.name, c.n, pg_temp.listed(jsonb_build_object('figure', c.name))
    from (
        select name, (pg_temp.figures()->'total'->'counts'->>name)::int as n from metric_count where shown
        union
        select term->>'name', (term->>'n')::int from jsonb_array_elements(pg_temp.figures()->'identity'->'terms') term
    ) c
    where c.n <> pg_temp.listed(jsonb_build_object('figure', c.name))
$$, 'counts and the terms of the identities are as long as their lists');
select is_empty($$
    select by_, r->>'key', r->'counts', pg_temp.listed(jsonb_build_object('figure', f.figure, 'by', by_, 'key', r->>'key'))
    from split s
    cross join lateral jsonb_array_elements(s.f->'rows') r
    cross join (values ('on_hand'), ('due_ontime')) f(figure)
    where by_ <> 'day' and (r->'counts'->>f.figure)::int <> pg_temp.listed(jsonb_build_object('figure', f.figure, 'by', by_, 'key', r->>'key'))
$$, 'so is each row''s figure');
select is(pg_temp.listed('{"figure": "closed", "by": "day", "key": "2018-02-14"}'),
    (select count(*)::int from ticket where accepted_at is not null and closed_at >= '2018-02-14 00:00+08' and closed_at < '2018-02-15 00:00+08'),
    'and a day''s');

-- Folding changes no figure.
select is((api.fold('{"limit": 200000}')).body->>'folded' > '0', true, 'the rest folds');
select is_empty('select from fact_delta', 'nothing waits');
select set_eq($$select pg_temp.figures(jsonb_build_object('by', by_)) from unnest('{unit,category,channel,district,day}'::text[]) by_$$,
    'select f from split', 'folding changes no figure');

-- What is refused.
select is(pg_temp.status('{"from": "2018-02-30"}'), 422, 'an impossible date');
select is(pg_temp.status('{"from": "2018-04-01"}'), 422, 'an empty period');
select is(pg_temp.status('{"from": "2007-01-01"}'), 422, 'more than ten years');
select is(pg_temp.status('{"by": "moon"}'), 422, 'an unknown grouping');
select is(pg_temp.status('{"by": "channel", "district": "440507"}'), 422, 'dimensions that are not counted together');
select is(pg_temp.status('{"unit": "99999"}'), 422, 'an unknown unit');
select is(pg_temp.status('{"name": "weather"}'), 404, 'unknown figures');
select is(pg_temp.status('{"session": "nobody"}'), 401, 'nobody');
select is(pg_temp.status('{"session": "m_cbk"}'), 403, 'a callback agent has no right to figures');
select is(pg_temp.status('{"session": "m_uudp", "unit": "102"}'), 403, 'a unit does not see another one''s');
select is((pg_temp.figures('{"session": "m_uudp"}')->'total'), (pg_temp.figures('{"unit": "101"}')->'total'), 'it sees its own without asking');
select is((api.metrics_tickets('{"session": "m_ldr", "from": "2018-01-01", "to": "2018-04-01", "figure": "joy"}')).status, 422, 'an unknown figure');
select is((api.metrics_tickets('{"session": "m_ldr", "from": "2018-01-01", "to": "2018-04-01", "figure": "rework_rate", "part": "rest"}')).status, 422,
    'reworks are no part of replies, so there is no rest');
select is((api.metrics_tickets('{"session": "m_ldr", "from": "2018-01-01", "to": "2018-04-01", "figure": "closed", "cursor": "x"}')).status, 422,
    'a made-up cursor');
select is(pg_temp.figures('{"from": "2010-01-01", "to": "2010-02-01"}')->'total'->'rates'->'closure_rate_cohort',
    '{"num": 0, "den": 0, "rate": null}'::jsonb, 'a zero denominator is null, not 100 %');
select is((select body::jsonb->>'from' from api.public_metrics('{}')), '2018-05-01', 'the public sees the last full month');
select is((select body::jsonb ? 'rows' from api.public_metrics('{}')), false, 'and no rows');

update metric_sheet set accepted = accepted + 1 where kind = 0 and grain = 2 and day = '2018-03-01';
select is(pg_temp.figures()->'identity'->'balanced', 'false', 'a figure that drifted leaves the identity unbalanced');
select is((api.public_metrics('{}')).status, 503, 'and is not published');

delete from assignment;
delete from ticket;
delete from metric_sheet;

-- ---- 2. real lives, recounted from their events -------------------------------------------------------------------

update sweep set swept_to = '2018-01-01 00:00+08';

create function pg_temp.sweep(at_ timestamptz) returns void language plpgsql as $$
declare
    due jsonb;
    m jsonb;
begin
    update simulation set at = at_;
    loop
        due := (api.sweep_due('{}')).body::jsonb;
        for m in select jsonb_array_elements(due->'due') loop
            perform api.sweep(m);
        end loop;
        exit when due->'due' = '[]';
    end loop;
    perform api.swept(due);
end $$;

-- One step by somebody with this role (of the unit that has the ticket); it must be accepted.
create function pg_temp.step(tid bigint, at_ timestamptz, role_ text, action text, x jsonb default '{}') returns void language plpgsql as $$
declare
    said api.answer;
    t ticket;
    unit_role boolean := role_ in ('UDP', 'UHD', 'UAP');
begin
    perform pg_temp.sweep(at_);
    select * into t from ticket where id = tid;
    select s.* into said
    from person p
    cross join lateral hotline.step(tid, action, row(p.id, p.name, case when unit_role then t.unit_id else 1 end, array[role_], not unit_role, case when unit_role then 'unit' else 'all' end)::actor, x) s
    where p.login = case when unit_role then 'm_u' else 'm_' end || lower(role_);
    if said.status <> 200 then
        raise exception '% by % at %: %', action, role_, at_, said.body;
    end if;
end $$;

create function pg_temp.live(i_ int, kind text, at timestamptz) returns bigint language plpgsql as $$
declare
    tid bigint;
    filed text;
    d interval := '1 day';
    happy jsonb := jsonb_build_object('contacted_by_unit', true, 'resolved', (array['yes', 'partly'])[1 + i_ % 2],
        'sat_process', 'satisfied', 'sat_result', (array['very_satisfied', 'satisfied', 'basic'])[1 + i_ % 3]);
    unhappy jsonb := '{"contacted_by_unit": true, "resolved": "no", "sat_process": "basic", "sat_result": "unsatisfied"}';
    place jsonb := jsonb_build_object('category', (select code from category where level = 3 order by code limit 1 offset i_ % 20),
        'division', (select code from division where level = 3 order by code limit 1 offset i_ % 30));
    again boolean := kind = 'rework';
    base jsonb := jsonb_build_object('principal', 'p' || i_, 'route', 'r', 'key', 'k' || i_, 'digest', '', 'seq', (5000000 + i_)::text,
        'title', '路灯不亮', 'content', '路口的路灯已经三天不亮了', 'grams', '[1, 2]'::jsonb, 'hits', '[]'::jsonb);
begin
    perform pg_temp.sweep(at);
    if kind in ('direct', 'draft') then
        tid := (api.draft(base || '{"session": "m_opr", "channel": "phone", "type": "consult"}')).body->>'id';
        if kind = 'direct' then
            perform pg_temp.step(tid, at + interval '10 min', 'OPR', 'answer_on_spot', '{"answer_text": "已当场解答", "no_kb_reason": "没有条目",
                "appellant_ack": true}' || (place - 'division'));
        end if;
        return tid;
    end if;
    filed := (api.intake(base || jsonb_build_object('channel', (array['web', 'wechat'])[1 + i_ % 2], 'type', 'complaint',
        'reply_wanted', kind <> 'waived'))).body->>'number';
    select ticket_id into tid from ticket_ref where ticket_no = filed;
    if kind = 'unaccepted' then
        return tid;
    elsif kind = 'refused' then
        perform pg_temp.step(tid, at + interval '1 hour', 'ACC', 'refuse', '{"refuse_code": "N04", "told_text": "同一事项正在办理"}');
        return tid;
    end if;
    perform pg_temp.step(tid, at + interval '1 hour', 'ACC', 'accept', place || '{"title": "路灯不亮"}');
    if kind = 'waiting' then
        return tid;
    end if;
    if (select state from ticket where id = tid) = 20 then
        perform pg_temp.step(tid, at + interval '90 min', 'DSP', 'dispatch', jsonb_build_object('main_unit', 101 + i_ % 4, 'instruction', '请办理'));
    end if;
    loop
        if kind <> 'unsigned' or again then
            perform pg_temp.step(tid, at + interval '2 hours', 'UDP', 'sign');
        else
            perform pg_temp.sweep(at + 4 * d);
        end if;
        at := at + case when kind = 'rework' and not again then d else 4 * d end;
        if kind = 'open' then
            return tid;
        end if;
        perform pg_temp.step(tid, at + interval '3 hours', 'UHD', 'first_contact', '{"contacted": true, "way": "phone"}');
        if kind = 'late' then
            at := at + 40 * d;
        end if;
        for r in 1..case kind when 'redone' then 3 else 1 end loop
            perform pg_temp.step(tid, at + r * interval '4 hours', 'UHD', 'submit_reply', '{"result": "resolved", "fact_finding": "true",
                "content": "经现场核查，路灯线路老化，已更换线路并恢复照明，今后将加强巡查维护，感谢您的反映。", "measures": "更换线路"}');
            if kind = 'redone' and r = 1 then
                perform pg_temp.step(tid, at + r * interval '5 hours', 'UAP', 'unit_reject', '{"opinion": "不清楚"}');
                continue;
            end if;
            perform pg_temp.step(tid, at + r * interval '5 hours', 'UAP', 'unit_approve', '{"opinion": "同意"}');
            if kind = 'redone' and r = 2 then
                perform pg_temp.step(tid, at + r * interval '5 hours' + interval '1 min', 'AUD', 'audit_reject', '{"reject_code": "A2", "comment": "没有措施"}');
            end if;
        end loop;
        at := at + d;
        perform pg_temp.step(tid, at + interval '6 hours', 'AUD', 'audit_pass', '{"quality_score": 90}');
        if kind in ('waived', 'audited') then
            return tid;
        end if;
        if kind = 'unreachable' then
            for r in 1..3 loop
                perform pg_temp.step(tid, at + r * interval '21 hours', 'CBK', 'callback_attempt', '{"outcome": "no_answer"}');
            end loop;
            perform pg_temp.sweep(at + 12 * d);
            return tid;
        end if;
        perform pg_temp.step(tid, at + interval '7 hours', 'CBK', 'callback_attempt',
            '{"outcome": "connected"}' || case when kind = 'unsatisfied' then unhappy else '{}' end);
        if kind = 'unsatisfied' then
            perform pg_temp.step(tid, at + interval '8 hours', 'LDR', 'close_unsatisfied', '{"why_no_rework": "已依法办理", "legal_basis": "条例第一条"}');
            return tid;
        elsif not again then
            perform pg_temp.step(tid, at + interval '8 hours', 'CBK', 'callback_ok', happy);
            return tid;
        end if;
        perform pg_temp.step(tid, at + interval '8 hours', 'CBK', 'rework', '{"rework_reason": "没有解决", "must_do": ["修好"]}' || unhappy);
        perform pg_temp.step(tid, at + interval '9 hours', 'LDR', 'approve', jsonb_build_object('approval',
            (select id::text from approval where ticket_id = tid and verdict is null), 'opinion', '同意'));
        again := false;
        at := at + interval '8 hours';
    end loop;
end $$;

create temp table life as
select i, (string_to_array('direct refused unsigned good redone rework unsatisfied unreachable waived late open waiting draft unaccepted audited good', ' '))[1 + i % 16] as kind
from generate_series(1, 48) i;
select pg_temp.live(i, kind, timestamptz '2018-01-08 08:31+08' + i * interval '12 hours') from life order by i \g /dev/null
select is((api.fold('{"limit": 150}')).body->>'folded', '150', 'some of it folds');
select pg_temp.sweep('2018-03-31 12:00+08') \g /dev/null

select is_empty('select * from metrics_verify()', 'recounted from the events, nothing differs');
select is(pg_temp.rate('closure_rate_cohort', '{"to": "2018-03-31"}'),
    (select array[count(*) filter (where kind in ('direct', 'unsigned', 'good', 'redone', 'rework', 'unsatisfied', 'unreachable', 'waived', 'late')),
                  count(*) filter (where kind not in ('refused', 'draft', 'unaccepted'))]::numeric[] from life),
    'cohort closure is what was played');
select is(pg_temp.rate('satisfaction_coverage', '{"to": "2018-03-31"}'),
    (select array[count(*) filter (where kind in ('unsigned', 'good', 'redone', 'rework', 'unsatisfied', 'late')),
                  count(*) filter (where kind in ('unsigned', 'good', 'redone', 'rework', 'unsatisfied', 'late', 'unreachable'))]::numeric[] from life),
    'so is coverage: the unreachable lower it, the waived do not');
select is(pg_temp.rate('direct_answer_rate', '{"to": "2018-03-31"}'),
    (select array[count(*) filter (where kind = 'direct'), count(*) filter (where kind not in ('refused', 'draft', 'unaccepted'))]::numeric[] from life),
    'and direct answers');
select is(pg_temp.rate('rework_rate', '{"to": "2018-03-31"}'),
    (select array[count(*) filter (where kind = 'rework'),
                  sum(case when kind = 'rework' then 2
                           when kind in ('unsigned', 'good', 'redone', 'unsatisfied', 'unreachable', 'waived', 'late', 'audited') then 1 else 0 end)]::numeric[] from life),
    'and rework');
select is((pg_temp.rate('ontime_sign_rate', '{"to": "2018-03-31"}'))[2] - (pg_temp.rate('ontime_sign_rate', '{"to": "2018-03-31"}'))[1],
    (select count(*)::numeric from life where kind = 'unsigned'), 'whoever did not sign signed late');
select is((pg_temp.rate('ontime_close_rate', '{"to": "2018-03-31"}'))[2] - (pg_temp.rate('ontime_close_rate', '{"to": "2018-03-31"}'))[1],
    (select count(*)::numeric from life where kind in ('late', 'open')), 'late replies and none are not on time');

-- A fault each, and each is seen; put right, nothing is.
create function pg_temp.seen() returns text language sql as $$ select coalesce(string_agg(distinct problem || ' ' || what, ', '), '') from metrics_verify() $$;
create temp table victim as select t.*, (select id from event e where e.ticket_id = t.id and e.transition = 'T64') as event_id
from ticket t where t.state = 70 and t.rated > 0 and t.dispatched_at is not null and exists (select from event e where e.ticket_id = t.id and e.transition = 'T64')
order by t.id limit 1;

savepoint sound;
update fact_delta set n = n + 1 where id = (select max(id) from fact_delta);
select alike(pg_temp.seen(), '%figure total%', 'one difference too much is seen');
rollback to sound;
delete from fact_delta where id = (select max(id) from fact_delta);
select alike(pg_temp.seen(), '%figure unit%', 'a lost difference is seen');
rollback to sound;
update metric_sheet set accepted = accepted - 1 where ctid = (select max(ctid) from metric_sheet where kind = 5 and grain = 2 and accepted is not null);
select alike(pg_temp.seen(), 'month unit_category%', 'a month that is not its days is seen');
rollback to sound;
update ticket set replied_at = replied_at + interval '1 hour' where id = (select id from victim);
select is(pg_temp.seen(), 'ticket replied_at', 'a changed ticket column is seen');
rollback to sound;
update assignment set accepted_at = null where ticket_id = (select id from victim);
select is(pg_temp.seen(), 'assignment accepted_at', 'a changed assignment column is seen');
rollback to sound;
update assignment set due_counted = false where ticket_id = (select id from victim);
select alike(pg_temp.seen(), 'assignment due_counted%', 'a due time that was not counted is seen');
rollback to sound;
update event set payload = payload || '{"sat_result": 1}' where id = (select event_id from victim);
select alike(pg_temp.seen(), '%chain changed%ticket rated%', 'a changed event is seen, by its hash and by what it tells');
rollback to sound;
delete from event where id = (select event_id from victim);
select alike(pg_temp.seen(), '%chain end of the chain%ticket ended_at%', 'a missing event is seen');
rollback to sound;
delete from event where ticket_id = (select id from victim) and n = 2;
select alike(pg_temp.seen(), '%chain missing before%', 'in the middle of the chain too');
rollback to sound;
select is(pg_temp.seen(), '', 'and nothing else is');

-- A month is over while tickets are open: the rates differ and all are printed.
select is((select count(distinct pg_temp.figures('{"to": "2018-02-01"}')->'total'->'rates'->r->'rate')
           from unnest('{closure_rate_cohort,closure_rate_flow,closure_rate_due}'::text[]) r), 3::bigint,
    'at the end of a month the three closure rates are three numbers');

select is_empty('select * from check_invariants()', 'the eleven invariants hold');

select * from finish();
rollback;
