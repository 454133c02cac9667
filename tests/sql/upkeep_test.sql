-- What is done now and then: months are made, what was kept for a while goes, what cannot be done is put off.

begin;
\ir play.psql

select no_plan();

create function play.months(ahead int) returns bigint language sql as $$
    select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where nspname = 'hotline' and relkind = 'r' and relispartition and relname like '%' || to_char(hotline.day_of(hotline.now()) + ahead * interval '1 month', '\_YYYYMM')
$$;

select play.go('2031-05-20 10:00') \g /dev/null
select ok((api.ready(jsonb_build_object('at', play.clock()))).body::jsonb->'problems' ? 'partitions_missing', 'a month that nobody made is a problem');
select is(play.months(3), 0::bigint, 'and there is none');
select is(((api.upkeep(jsonb_build_object('at', play.clock()))).body->>'made')::int, 1, 'the engine makes them, one a call');
do $$ begin while ((api.upkeep(jsonb_build_object('at', play.clock()))).body->>'made')::int > 0 loop end loop; end $$;
select is(play.months(n), (select count(*) from pg_class c join pg_namespace s on s.oid = c.relnamespace where nspname = 'hotline' and relkind = 'p'),
    'one of every large table, ' || n || ' months ahead') from generate_series(0, 3) n;
select is((api.ready(jsonb_build_object('at', play.clock()))).body::jsonb->'problems', '[]', 'all is well');
select is(((api.upkeep(jsonb_build_object('at', play.clock()))).body->>'made')::int, 0, 'made once');
select is(hotline.partition_strays(), 0::bigint, 'the default partitions stay empty') from play.file();

-- What is kept for a while only.
select play.go('2026-03-02 10:00') \g /dev/null
delete from hotline.idem;
insert into hotline.idem (principal, route, key, digest, status, body, at)
values ('c', 'r', 'old', 'd', 201, '{}', '2026-02-20'), ('c', 'r', 'new', 'd', 201, '{}', '2026-03-01');
insert into hotline.session (hash, person_id, opened_at, expires_at)
select h, (select min(id) from hotline.person), '2026-01-01', e::timestamptz from (values ('gone', '2026-01-20'), ('ended', '2026-02-20')) v(h, e);
select api.upkeep(jsonb_build_object('at', play.clock())) \g /dev/null
select results_eq('select key from hotline.idem', $$values ('new')$$, 'old answers are forgotten, young ones kept');
select results_eq($$select hash from hotline.session where hash in ('gone', 'ended')$$, $$values ('ended')$$, 'so are sessions');

-- A timer whose work ends in an error does not hold up the others.
select play.file() as t \gset
select min(id) as m from hotline.timer where ticket_id = :t \gset
select api.sweep_failed(jsonb_build_object('timer', :'m', 'at', play.clock())) \g /dev/null
select ok(not exists (select from jsonb_array_elements((api.sweep_due(jsonb_build_object('at', '2026-03-02T10:00:30+08:00'))).body::jsonb->'due') d
    where d->>'timer' = :'m'), 'it is put off');
select ok((api.ready(jsonb_build_object('at', play.clock()))).body::jsonb->'problems' ? 'timers_failed', 'and that is a problem somebody sees');

select * from finish();
rollback;
