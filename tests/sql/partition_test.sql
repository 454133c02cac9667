-- The months ahead are made while the system runs.

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
select cmp_ok(((api.partitions(jsonb_build_object('at', play.clock()))).body->>'made')::int, '>', 0, 'the engine makes them');
select is(play.months(n), (select count(*) from pg_class c join pg_namespace s on s.oid = c.relnamespace where nspname = 'hotline' and relkind = 'p'),
    'one of every large table, ' || n || ' months ahead') from generate_series(0, 3) n;
select is((api.ready(jsonb_build_object('at', play.clock()))).body::jsonb->'problems', '[]', 'all is well');
select is(((api.partitions(jsonb_build_object('at', play.clock()))).body->>'made')::int, 0, 'made once');
select is(hotline.partition_strays(), 0::bigint, 'the default partitions stay empty') from play.file();

select * from finish();
rollback;
