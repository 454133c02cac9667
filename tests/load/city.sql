-- A city's tickets by set, for measuring: as if every rule had been obeyed, at some fifty thousand a second.  What a row measures
-- is as the product itself leaves it (figures, inbox, clocks with their timers, chains of events where wanted); the roads taken are few.
--
--   bench.plan(tickets, open, months, history, live)   what is to come; live: open tickets are too young to be late
--   bench.fill(from, to)      tickets n of [from, to); side by side from several connections
--   bench.settle(kind)        the figures; kinds 0 to 5
-- The texts and their bigrams are those of the tickets that are there already: file some hundred by HTTP first.

create schema if not exists bench;

create table bench.setup (tickets int, open int, months int, history boolean, live boolean, now_ timestamptz);
create unlogged table bench.text (n int, title text, content text, grams int[]);
create unlogged table bench.place (kind text, n int, code text);
-- When a clock of this kind that starts on this day falls due.
create unlogged table bench.term (kind text, day date, unit text, budget int, due_at timestamptz, warn_at timestamptz, deep_at timestamptz, provisional boolean);
create unlogged table bench.sheet (like hotline.metric_sheet);
alter table bench.sheet drop column kind, drop column key, drop column sub, drop column grain, drop column took;
alter table bench.sheet add column unit_id int, add column category_id int, add column channel smallint, add column district int;
create unlogged table bench.took (day date, bucket smallint, unit_id int, category_id int, channel smallint, district int, n bigint);

-- From 0 to 1, the same for the same ticket and question.
create function bench.chance(n bigint, question int) returns float
language sql immutable parallel safe as $$ select (hashint8extended(n, question) & 1048575) / 1048576.0 $$;

create function bench.plan(tickets int, open int, months int, history boolean, live boolean) returns void
language plpgsql as $$
declare
    today date := hotline.day_of(hotline.now());
begin
    truncate bench.setup, bench.text, bench.place, bench.term, bench.sheet, bench.took;
    insert into bench.setup values (tickets, open, months, history, live, hotline.now());
    perform hotline.partition_make((today - make_interval(months => months + 1))::date, (today + interval '3 months')::date);
    insert into bench.text
    select row_number() over (order by t.id) - 1, t.title, t.content, g.grams
    from hotline.ticket t join hotline.ticket_gram g on g.ticket_id = t.id;
    insert into bench.place
    select 'unit', row_number() over (order by hashint4(id)) - 1, id::text from hotline.unit where level in (2, 3) and id <> 101
    union all
    select 'category', row_number() over (order by hashint4(id)) - 1, id::text from hotline.category c
    where scheme = 'local' and not exists (select from hotline.category b where b.parent_id = c.id)
    union all
    select 'division', row_number() over (order by hashtext(code)) - 1, code from hotline.division where level >= 3
    union all
    select 'channel', i - 1, c from unnest('{10,10,10,20,21,23,11,30}'::text[]) with ordinality as c(c, i);
    insert into bench.term
    select k.kind, d.day, k.unit, k.budget, v.due_at, hotline.clock_warn(1, v.start, v.due_at, k.budget, k.unit), hotline.clock_deep(1, v.due_at), v.provisional
    from (values ('promise', 10, 'workday'), ('accept', 240, 'workhour'), ('dispatch', 240, 'workhour'), ('sign', 1, 'workday'), ('contact', 1, 'workday'),
        ('unit', 5, 'workday'), ('audit', 1, 'workday'), ('callback', 3, 'workday'), ('closing', 10, 'workday')) as k(kind, budget, unit)
    cross join (select g::date as day from generate_series(today - make_interval(months => months + 1), today, interval '1 day') g) d
    cross join lateral (select (d.day + time '10:00') at time zone 'Asia/Shanghai' as start, c.* from
        hotline.clock_due(1, (d.day + time '10:00') at time zone 'Asia/Shanghai', k.budget, k.unit) c) v;
    create index on bench.term (kind, day);
    create index on bench.place (kind, n);
    create index on bench.text (n);
    analyze bench.term, bench.place, bench.text;
end $$;

create function bench.place_of(kind_ text, share float) returns text
language plpgsql stable as $$
begin
    return (select code from bench.place where kind = kind_ and n = floor(share * (select count(*) from bench.place where kind = kind_)));
end $$;

-- One life a ticket.  Open ones are the latest; what is closed took some days.
create function bench.lives(from_ int, to_ int)
returns table (n bigint, id bigint, at timestamptz, fate text, state smallint, a_state smallint, unit_id int, category_id int, division text, channel smallint,
    accepted timestamptz, dispatched timestamptz, signed timestamptz, replied timestamptz, audited timestamptz, ended timestamptz, a_id bigint,
    rated smallint, resolved smallint)
language sql stable as $$
    with place as materialized (
        select kind, array_agg(code order by n) as codes from bench.place group by kind
    ), drawn as (
        select n, n > s.tickets - s.open as is_open,
            date_trunc('milliseconds', case
                when n <= s.tickets - s.open then s.now_ - make_interval(secs =>
                    86400 * (13 + (s.months * 30 - 13) * (1 - n::float / greatest(s.tickets - s.open, 1))))
                when s.live then s.now_ - make_interval(secs => 3600 * bench.chance(n, 1))
                else s.now_ - make_interval(secs => 86400 * 12 * (s.tickets - n)::float / s.open + 60)
            end) as at,
            bench.chance(n, 2) as fate, bench.chance(n, 3) as speed, bench.chance(n, 4) as verdict, s.live
        from generate_series(from_::bigint, to_ - 1) as n cross join bench.setup s
    ), told as (
        select d.*, case when not is_open then case when fate < 0.7 then 'closed' when fate < 0.97 then 'direct' else 'refused' end
                         when fate < 0.15 then 'new' when fate < 0.25 then 'accepted' when fate < 0.4 then 'dispatched'
                         when fate < 0.8 then 'signed' when fate < 0.9 then 'replied' else 'audited' end as road
        from drawn d
    ), stepped as (
        select t.*, case road when 'new' then 1 when 'direct' then 1 when 'refused' then 1 when 'accepted' then 2 when 'dispatched' then 3
                              when 'signed' then 4 when 'replied' then 5 when 'audited' then 6 else 7 end as far,
               case when is_open then interval '1 second' else interval '1 hour' end as pace
        from told t
    )
    select n, hotline.id_at(at) | (n & 1048575), at, road,
        case road when 'new' then 11 when 'accepted' then 20 when 'dispatched' then 30 when 'signed' then 40 when 'replied' then 50
            when 'audited' then 60 when 'refused' then 80 else 70 end::smallint,
        case road when 'dispatched' then 1 when 'signed' then 3 when 'replied' then 5 when 'audited' then 5 when 'closed' then 7 end::smallint,
        case when far < 3 then null when bench.chance(n, 5) < 0.4 then 101
            else (select codes[1 + floor(cardinality(codes) * bench.chance(n, 6) ^ 3)] from place where kind = 'unit')::int end,
        case when far >= 2 or road = 'direct' then (select codes[1 + floor(cardinality(codes) * bench.chance(n, 7) ^ 2)] from place where kind = 'category')::int end,
        case when bench.chance(n, 8) < 0.97 then (select codes[1 + floor(cardinality(codes) * bench.chance(n, 9) ^ 2)] from place where kind = 'division') end,
        (select codes[1 + floor(cardinality(codes) * bench.chance(n, 10))] from place where kind = 'channel')::smallint,
        case when road = 'direct' then at + pace when far >= 2 then at + pace end,
        case when far >= 3 then at + 2 * pace end,
        case when far >= 4 then at + 3 * pace end,
        case when far >= 5 then at + (3 + 5 * speed) * pace * case when is_open then 1 else 24 end end,
        case when far >= 6 then at + (4 + 5 * speed) * pace * case when is_open then 1 else 24 end end,
        case when far >= 7 then at + (5 + 5 * speed) * pace * 24 when road in ('direct', 'refused') then at + pace end,
        case when far >= 3 then hotline.id_at(at + 2 * pace) | (n & 1048575) end,
        case when far >= 7 then (5 - floor(verdict * 5))::smallint end,
        case when far >= 7 then (1 + floor(verdict * 3))::smallint end
    from stepped
$$;

create function bench.fill(from_ int, to_ int) returns void
language plpgsql set work_mem = '256MB' set temp_buffers = '64MB' set plan_cache_mode = force_custom_plan as $$
declare
    city bench.setup;
    ntexts int;
begin
    select * into city from bench.setup;
    select count(*) into ntexts from bench.text;
    create temp table if not exists life on commit delete rows as select * from bench.lives(1, 1) with no data;
    create temp table if not exists step (ticket_id bigint, n int, transition text, action text, at timestamptz, role text, unit_id int, assignment_id bigint,
        from_state smallint, to_state smallint, a_from smallint, a_to smallint, payload jsonb) on commit delete rows;
    create temp table if not exists head (ticket_id bigint, n int, at timestamptz, hash bytea) on commit delete rows;
    truncate life, step, head;
    insert into life select * from bench.lives(from_, to_);
    analyze life;

    if city.history then
        insert into step
        select l.id, v.*
        from life l
        join bench.term sign on sign.kind = 'sign' and sign.day = hotline.day_of(coalesce(l.dispatched, l.at))
        join bench.term unit on unit.kind = 'unit' and unit.day = hotline.day_of(coalesce(l.dispatched, l.at))
        cross join lateral (values
            (1, 'T05', 'submit_online', l.at, 'CIT', null::int, null::bigint, null::smallint, 11::smallint, null::smallint, null::smallint,
                jsonb_build_object('channel', l.channel, 'category', null, 'division', l.division)),
            (2, 'T03', 'answer_on_spot', case l.fate when 'direct' then l.ended end, 'ACC', null, null, 11, 70, null, null, jsonb_build_object('category', l.category_id)),
            (2, 'T10', 'refuse', case l.fate when 'refused' then l.ended end, 'ACC', null, null, 11, 80, null, null, '{}'),
            (2, 'T06', 'accept', case when l.fate <> 'direct' then l.accepted end, 'ACC', null, null, 11, 20, null, null, jsonb_build_object('category', l.category_id)),
            (3, 'T18', 'dispatch', l.dispatched, 'DSP', l.unit_id, l.a_id, 20, 30, null, 1, jsonb_build_object('main_unit', l.unit_id, 'round', 0,
                'sign_due_at', sign.due_at, 'unit_due_at', unit.due_at)),
            (4, 'T30', 'sign', l.signed, 'UDP', l.unit_id, l.a_id, 30, 40, 1, 3, '{}'),
            (5, 'T53', 'unit_approve', l.replied, 'UAP', l.unit_id, l.a_id, 40, 50, 4, 5, '{}'),
            (6, 'T60', 'audit_pass', l.audited, 'AUD', l.unit_id, l.a_id, 50, 60, 5, 5, '{}'),
            (7, 'T64', 'callback_ok', case l.fate when 'closed' then l.ended end, 'CBK', l.unit_id, l.a_id, 60, 70, 5, 7,
                jsonb_build_object('sat_result', l.rated, 'resolved', l.resolved))
        ) as v(n, transition, action, at, role, unit_id, assignment_id, from_state, to_state, a_from, a_to, payload)
        where v.at is not null;
        for i in 1..7 loop
            with made as (
                insert into hotline.event
                select (e).id, (e).ticket_id, (e).n, (e).transition, (e).action, (e).at, (e).actor_id, (e).actor_role, (e).unit_id, (e).assignment_id,
                    (e).from_state, (e).to_state, (e).assignment_from, (e).assignment_to, (e).units, (e).payload, (e).prev_hash, hotline.event_hash((e).prev_hash, e)
                from (
                    select (row((hotline.id_at(s.at) | (nextval('hotline.id_seq') & 1048575)), s.ticket_id, s.n, s.transition, s.action, s.at, null, s.role, s.unit_id,
                        s.assignment_id, s.from_state, s.to_state, s.a_from, s.a_to, coalesce(u.path, '{}'), s.payload, h.hash, null)::hotline.event) as e
                    from step s left join head h on h.ticket_id = s.ticket_id and h.n = i - 1 left join hotline.unit u on u.id = s.unit_id
                    where s.n = i
                    offset 0
                ) made
                returning ticket_id, n, at, hash)
            insert into head select * from made;
        end loop;
        analyze head;
    end if;

    insert into hotline.ticket (id, ticket_no, version, state, appeal_type, urgency, channel, category_id, division, title, content, unit_id, policy, policy_version,
        route, close_kind, submitted_at, accepted_at, dispatched_at, replied_at, closed_at, ended_at, rated, resolved, promise_due_at, event_n, event_at, event_hash)
    select l.id, hotline.ticket_no(l.at, l.channel, 5000000 + l.n), 1 + coalesce(h.n, 0), l.state, 3, 4, l.channel, l.category_id, l.division, x.title, x.content,
        l.unit_id, case when l.dispatched is not null then 'H1' end, case when l.dispatched is not null then 1 end, '{"hits": [], "found": null}',
        case l.fate when 'closed' then 2 when 'direct' then 1 end, l.at, l.accepted, l.dispatched, l.replied,
        case when l.state = 70 then l.ended end, l.ended, l.rated, l.resolved, p.due_at, coalesce(h.n, 0), h.at, h.hash
    from life l
    join bench.text x on x.n = l.n % ntexts
    join bench.term p on p.kind = 'promise' and p.day = hotline.day_of(l.at)
    left join (select distinct on (ticket_id) * from head order by ticket_id, n desc) h on h.ticket_id = l.id;
    insert into hotline.ticket_ref select hotline.ticket_no(l.at, l.channel, 5000000 + l.n), l.id from life l;
    insert into hotline.ticket_contact (ticket_id, phone_hmac, phone_mask) select l.id, md5((l.n / 3)::text), '138****8000' from life l;
    insert into hotline.ticket_gram select l.id, x.grams from life l join bench.text x on x.n = l.n % ntexts;
    insert into hotline.assignment (id, ticket_id, role, unit_id, round, state, instruction, policy, policy_version, dispatched_at, sign_due_at, signed_at,
        unit_due_at, replied_at, accepted_at, done_at, sign_counted, due_counted)
    select l.a_id, l.id, 1, l.unit_id, 0, l.a_state, '请依法办理并答复诉求人。', 'H1', 1, l.dispatched, sign.due_at, l.signed, unit.due_at, l.replied, l.audited,
        case l.fate when 'closed' then l.ended end, sign.due_at <= city.now_, unit.due_at <= city.now_
    from life l
    join bench.term sign on sign.kind = 'sign' and sign.day = hotline.day_of(l.dispatched)
    join bench.term unit on unit.kind = 'unit' and unit.day = hotline.day_of(l.dispatched)
    where l.dispatched is not null;

    -- Which clocks it has, and what became of each.
    insert into hotline.clock (id, ticket_id, assignment_id, kind, calendar_id, start_at, budget, unit, due_at, warn_at, deep_at, provisional, met_at, stopped_at, breached_at)
    select hotline.id_at(k.start_at) | (l.n * 8 + k.i & 1048575), l.id, case when k.kind in ('sign', 'contact', 'unit') then l.a_id end, k.kind, 1, k.start_at,
        m.budget, m.unit, m.due_at, m.warn_at, m.deep_at, m.provisional, k.met_at, case when k.met_at is null then l.ended end,
        case when m.due_at < coalesce(k.met_at, l.ended, city.now_) then m.due_at end
    from life l
    cross join lateral (values
        ('promise', 0, l.at, case l.fate when 'direct' then l.ended else l.audited end),
        ('accept', 1, l.at, l.accepted),
        ('dispatch', 2, case when l.fate <> 'direct' then l.accepted end, l.dispatched),
        ('sign', 3, l.dispatched, l.signed),
        ('contact', 4, l.dispatched, case when l.n % 4 > 0 then l.signed end),
        ('unit', 5, l.dispatched, l.replied),
        ('audit', 6, l.replied, l.audited),
        ('closing', 7, l.audited, case l.fate when 'closed' then l.ended end)) as k(kind, i, start_at, met_at)
    join bench.term m on m.kind = k.kind and m.day = hotline.day_of(k.start_at)
    where k.start_at is not null and (l.ended is null or l.n % 10 = 0); -- of what has ended nobody reads the clocks by the thousand
    insert into hotline.timer (id, at, ticket_id, kind, clock_id)
    select hotline.id_at(k.start_at) | (nextval('hotline.id_seq') & 1048575), k.due_at, k.ticket_id, 'clock', k.id
    from life l join hotline.clock k on k.ticket_id = l.id
    where l.ended is null and k.due_at > city.now_ and (k.met_at is null or k.kind in ('sign', 'unit'));
    insert into hotline.inbox (ticket_id, ticket_no, version, state, assignment_state, title, appeal_type, urgency, secrecy, channel, category_id, division,
        unit_id, units, round, submitted_at, due_kind, due_at, warn_at, deep_at, phone_hmac)
    select t.id, t.ticket_no, t.version, t.state, l.a_state, t.title, t.appeal_type, t.urgency, 0, t.channel, t.category_id, t.division,
        t.unit_id, coalesce(u.path, '{}'), 0, t.submitted_at, k.kind, k.due_at, k.warn_at, k.deep_at, md5((l.n / 3)::text)
    from life l
    join hotline.ticket t on t.id = l.id
    left join hotline.unit u on u.id = l.unit_id
    left join (
        select distinct on (c.ticket_id) c.* from life o join hotline.clock c on c.ticket_id = o.id
        where o.ended is null and c.met_at is null and c.kind <> 'promise' order by c.ticket_id, c.due_at) k on k.ticket_id = l.id
    where l.ended is null;

    create temp table if not exists fact (day date, fact text, bucket smallint, unit_id int, category_id int, channel smallint, district int, n bigint)
        on commit delete rows;
    insert into fact
    select f.day, f.fact, f.bucket, coalesce(l.unit_id, 0), coalesce(l.category_id, 0), l.channel, coalesce(left(l.division, 6), '0')::int, f.n
    from life l
    join hotline.ticket t on t.id = l.id
    left join hotline.assignment a on a.ticket_id = l.id
    cross join lateral (select * from hotline.ticket_facts(t) union all select * from hotline.assignment_facts(a)) f;
    insert into bench.took
    select day, bucket, unit_id, category_id, channel, district, sum(n) from fact where bucket > 0 group by 1, 2, 3, 4, 5, 6;
    execute format('insert into bench.sheet (day, unit_id, category_id, channel, district, %s)
        select day, unit_id, category_id, channel, district, %s from fact where bucket = 0 group by 1, 2, 3, 4, 5',
        hotline.for_facts('%1$I'), hotline.for_facts('sum(n) filter (where fact = %1$L)'));
end $$;

-- Into the sheet, as folding would have left it: the rows of one kind.
create function bench.settle(kind int) returns void
language plpgsql set work_mem = '512MB' as $$
declare
    key text := (array['0', 'unit_id', 'category_id', 'channel', 'district', 'unit_id'])[kind + 1];
    sub text := case when kind = 5 then 'category_id' else '0' end;
begin
    for grain in 1..3 loop
        execute format($q$
            insert into hotline.metric_sheet as m (kind, key, grain, day, sub, took, %1$s)
            select $1, key, $2, day, sub, t.took, %2$s
            from (select %3$s as key, date_trunc($3, day)::date as day, %4$s as sub, %5$s from bench.sheet group by 1, 2, 3) s
            full join (
                select key, day, sub, hotline.took_make(array_agg(hotline.took_pack(bucket, n))) as took
                from (select %3$s as key, date_trunc($3, day)::date as day, %4$s as sub, bucket, sum(n)::bigint as n from bench.took group by 1, 2, 3, 4) t
                group by 1, 2, 3
            ) t using (key, day, sub)
            on conflict (kind, key, grain, day, sub) do update set took = hotline.took_add(m.took, excluded.took), %6$s $q$,
            hotline.for_facts('%1$I'), hotline.for_facts('s.%1$I'), key, sub, hotline.for_facts('sum(%1$I) as %1$I'),
            hotline.for_facts('%1$I = coalesce(m.%1$I + excluded.%1$I, m.%1$I, excluded.%1$I)'))
        using kind, grain, (array['day', 'month', 'year'])[grain];
    end loop;
    update hotline.sweep set swept_to = (select now_ from bench.setup) where kind = 0;
end $$;
