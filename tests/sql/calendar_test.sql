-- The algebra of clocks: the field's fourteen vectors, and others worked out by hand.

begin;
set local search_path = hotline, public;
set local timezone = 'Asia/Shanghai';

select plan(91);

create function pg_temp.due(start text, budget int, unit text, cal int default 1) returns text
language sql as $$
    select to_char(due_at at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS') || case when provisional then ' provisional' else '' end
    from hotline.clock_due(cal, (start || '+08')::timestamptz, budget, unit)
$$;

create function pg_temp.warn(start text, budget int, unit text, cal int default 1) returns text
language sql as $$
    select to_char(hotline.clock_warn(cal, (start || '+08')::timestamptz, due_at, budget, unit) at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS')
    from hotline.clock_due(cal, (start || '+08')::timestamptz, budget, unit)
$$;

create function pg_temp.paused(due text, unit text, from_ text, to_ text, cal int default 1) returns text
language sql as $$
    select to_char(hotline.clock_after_pause(cal, (due || '+08')::timestamptz, unit, (from_ || '+08')::timestamptz, (to_ || '+08')::timestamptz)
        at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS')
$$;

create function pg_temp.deep(due text, cal int default 1) returns text
language sql as $$
    select to_char(hotline.clock_deep(cal, (due || '+08')::timestamptz) at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS')
$$;

-- The vectors

select is(pg_temp.due(start, budget, unit), due, format('vector %s: %s %s from %s', n, budget, unit, start))
from (values
    (1, '2026-01-30 16:00', 5, 'workday', '2026-02-06 23:59:59'),
    (2, '2026-02-13 10:00', 5, 'workday', '2026-02-27 23:59:59'),
    (3, '2026-02-14 18:10', 2, 'workday', '2026-02-26 23:59:59'),
    (4, '2026-02-20 09:00', 1, 'workday', '2026-02-25 23:59:59'),
    (5, '2026-04-30 17:29', 5, 'workday', '2026-05-11 23:59:59'),
    (6, '2026-04-30 17:30', 5, 'workday', '2026-05-12 23:59:59'),
    (7, '2026-09-18 11:00', 2, 'workday', '2026-09-21 23:59:59'),
    (8, '2026-09-30 15:00', 15, 'workday', '2026-10-27 23:59:59'),
    (9, '2026-12-31 09:00', 1, 'workday', '2027-01-04 23:59:59 provisional'),
    (10, '2026-02-13 16:30', 120, 'workhour', '2026-02-14 09:30:00'),
    (11, '2026-03-02 11:30', 60, 'workhour', '2026-03-02 15:00:00'),
    (12, '2026-02-14 17:00', 120, 'workhour', '2026-02-24 10:00:00'),
    (13, '2026-02-28 23:00', 60, 'workhour', '2026-03-02 09:30:00'),
    (14, '2026-03-06 17:29', 2, 'workhour', '2026-03-09 08:31:00')
) as v(n, start, budget, unit, due);

-- Our own

select is(pg_temp.due(start, budget, unit), due, name)
from (values
    ('before opening the clock waits for half past eight', '2018-03-01 07:00', 60, 'workhour', '2018-03-01 09:30:00'),
    ('in the lunch break it waits for half past two', '2018-03-01 13:00', 30, 'workhour', '2018-03-01 15:00:00'),
    ('what ends exactly at noon ends at noon', '2018-03-01 11:00', 60, 'workhour', '2018-03-01 12:00:00'),
    ('what ends exactly at closing time ends at closing time', '2018-03-01 16:30', 60, 'workhour', '2018-03-01 17:30:00'),
    ('a whole morning from the very opening ends at noon', '2018-03-02 08:30', 210, 'workhour', '2018-03-02 12:00:00'),
    ('a whole working day ends the same evening', '2018-03-02 08:30', 390, 'workhour', '2018-03-02 17:30:00'),
    ('one minute more ends the next workday', '2018-03-02 08:30', 391, 'workhour', '2018-03-05 08:31:00'),
    ('no budget at opening time is due at once', '2018-03-02 08:30', 0, 'workhour', '2018-03-02 08:30:00'),
    ('no budget in the lunch break is due at once', '2018-03-02 13:00', 0, 'workhour', '2018-03-02 13:00:00'),
    ('no budget on a rest day is due at once', '2018-03-03 10:00', 0, 'workhour', '2018-03-03 10:00:00'),
    ('no workdays are the end of this workday', '2018-03-02 10:00', 0, 'workday', '2018-03-02 23:59:59'),
    ('no workdays after closing are the end of the next one', '2018-03-02 18:00', 0, 'workday', '2018-03-05 23:59:59'),
    ('a Sunday worked before the Spring Festival counts', '2018-02-09 10:00', 3, 'workday', '2018-02-13 23:59:59'),
    ('over the Spring Festival of 2018 to the Saturday worked for it', '2018-02-14 17:30', 2, 'workday', '2018-02-24 23:59:59'),
    ('half an hour before the Spring Festival, the rest after it', '2018-02-14 17:00', 120, 'workhour', '2018-02-22 10:00:00'),
    ('hours of a Sunday that is worked', '2018-02-11 09:00', 60, 'workhour', '2018-02-11 10:00:00'),
    ('after closing before the Tomb-Sweeping days', '2018-04-04 18:00', 1, 'workday', '2018-04-09 23:59:59'),
    ('from a Saturday that is worked over Labour Day', '2018-04-28 09:00', 1, 'workday', '2018-05-02 23:59:59'),
    ('a weekend worked before the National Day', '2018-09-28 16:00', 3, 'workday', '2018-10-08 23:59:59'),
    ('over New Year 2019 with its Saturday', '2018-12-28 15:00', 2, 'workday', '2019-01-02 23:59:59'),
    ('received on a Saturday, day 0 is Monday', '2018-03-03 10:00', 1, 'workday', '2018-03-06 23:59:59'),
    ('hours run through the night', '2018-02-15 09:10', 24, 'hour', '2018-02-16 09:10:00'),
    ('minutes run at any time', '2018-02-15 23:58', 5, 'minute', '2018-02-16 00:03:00'),
    ('days end at midnight whatever they are', '2018-02-15 09:00', 3, 'day', '2018-02-18 23:59:59'),
    ('an unpublished year has 1 October off and is provisional', '2027-09-30 10:00', 1, 'workday', '2027-10-04 23:59:59 provisional'),
    ('an unpublished year has no other holiday', '2027-10-04 10:00', 1, 'workday', '2027-10-05 23:59:59 provisional'),
    ('1 January of an unpublished year is off', '2029-12-31 10:00', 1, 'workday', '2030-01-02 23:59:59 provisional'),
    ('1 May of an unpublished year is off', '2028-04-28 10:00', 1, 'workday', '2028-05-02 23:59:59 provisional'),
    ('working hours in an unpublished year are provisional', '2026-12-31 17:00', 60, 'workhour', '2027-01-04 09:00:00 provisional'),
    ('hours of the day are never provisional', '2026-12-31 17:00', 24, 'hour', '2027-01-01 17:00:00')
) as v(name, start, budget, unit, due);

select is(pg_temp.due('2018-02-15 23:00', 1, 'workday', 2), '2018-02-16 23:59:59', 'who is always open has a workday on every day');
select is(pg_temp.due('2018-02-15 23:00', 120, 'workhour', 2), '2018-02-16 01:00:00', 'who is always open works through the night');
select is(pg_temp.due('2031-01-01 10:00', 1, 'workday', 2), '2031-01-02 23:59:59', 'who is always open needs no published year');

-- Calendars as they are numbered

select is((select count(*)::int from workday where calendar_id = 1 and is_work and extract(year from day) = 2018), 250, '2018 had 250 workdays');
select is((select count(*)::int from workday where calendar_id = 1 and is_work and extract(year from day) = 2026), 248, '2026 has 248 workdays');
select is_empty(
    $$select day from (select day, is_work, seq, lag(seq, 1, 0) over (order by day) as before from workday where calendar_id = 1) w
      where seq <> before + is_work::int$$,
    'the number of a day grows by one with each workday'
);
select ok((select provisional from workday where calendar_id = 1 and day = '2027-06-01')
    and not (select provisional from workday where calendar_id = 1 and day = '2026-06-01'), 'only unpublished years are provisional');

-- Yellow: remaining at most min(1 workday, 20 % of the budget), at least 2 working hours; hour clocks 30 %

select is(pg_temp.warn(start, budget, unit, cal), at, name)
from (values
    ('five workdays turn yellow one workday before', '2026-03-02 10:00', 5, 'workday', 1, '2026-03-06 23:59:59'),
    ('ten workdays turn yellow one workday before', '2026-03-02 10:00', 10, 'workday', 1, '2026-03-13 23:59:59'),
    ('one workday turns yellow two working hours before closing', '2026-03-02 10:00', 1, 'workday', 1, '2026-03-03 15:30:00'),
    ('two workdays turn yellow 156 working minutes before closing', '2026-03-02 10:00', 2, 'workday', 1, '2026-03-04 14:54:00'),
    ('three workdays turn yellow 234 working minutes before closing', '2026-03-02 10:00', 3, 'workday', 1, '2026-03-05 11:06:00'),
    ('four workdays turn yellow 312 working minutes before closing', '2026-03-02 10:00', 4, 'workday', 1, '2026-03-06 09:48:00'),
    ('24 hours turn yellow with 7 h 12 left', '2026-03-02 10:00', 24, 'hour', 1, '2026-03-03 02:48:00'),
    ('48 hours turn yellow with 14 h 24 left', '2026-03-02 10:00', 48, 'hour', 1, '2026-03-03 19:36:00'),
    ('ten minutes turn yellow with three left', '2026-03-02 10:00', 10, 'minute', 1, '2026-03-02 10:07:00'),
    ('four working hours turn yellow with 72 minutes left', '2026-03-02 10:00', 240, 'workhour', 1, '2026-03-02 15:18:00'),
    ('two working hours over a night turn yellow with 36 minutes left', '2026-03-02 16:30', 120, 'workhour', 1, '2026-03-03 08:54:00'),
    ('yellow never comes before the start', '2026-03-02 16:30', 0, 'workday', 1, '2026-03-02 16:30:00'),
    ('who is always open has 20 % of a whole day', '2026-03-02 10:00', 1, 'workday', 2, '2026-03-03 19:11:59')
) as v(name, start, budget, unit, cal, at);
select is(
    hotline.clock_warn(1, '2026-03-02 10:00+08', '2026-03-05 10:00+08', 24, 'hour'), '2026-03-05 02:48+08'::timestamptz,
    'a pause moves yellow with the due time and does not widen it'
);

-- Deep red: one more workday has gone by

select is(pg_temp.deep('2026-03-06 23:59:59'), '2026-03-09 23:59:59', 'due on Friday, deep red after Monday');
select is(pg_temp.deep('2026-03-03 10:00'), '2026-03-04 23:59:59', 'due on Tuesday morning, deep red after Wednesday');
select is(pg_temp.deep('2026-03-07 10:00'), '2026-03-09 23:59:59', 'due on Saturday, deep red after Monday');
select is(pg_temp.deep('2026-02-14 23:59:59'), '2026-02-24 23:59:59', 'due before the Spring Festival, deep red after the first day of work');
select is(pg_temp.deep('2026-03-06 23:59:59', 2), '2026-03-07 23:59:59', 'who is always open is deep red a day later');

-- Lights

select is(light('2026-03-06 12:00+08', '2026-03-05 12:00+08', '2026-03-09 12:00+08', false, at), colour, colour || ' at ' || at)
from (values
    ('2026-03-05 11:59:59+08'::timestamptz, 'green'), ('2026-03-05 12:00+08', 'yellow'), ('2026-03-06 12:00+08', 'yellow'),
    ('2026-03-06 12:00:01+08', 'red'), ('2026-03-09 12:00+08', 'red'), ('2026-03-09 12:00:01+08', 'deep_red')
) as v(at, colour);
select is(light('2026-03-06 12:00+08', '2026-03-05 12:00+08', '2026-03-09 12:00+08', true, '2026-03-10 12:00+08'), 'blue', 'a paused clock is blue');
select is(light(null, null, null, false, '2026-03-10 12:00+08'), 'none', 'no clock, no light');

-- Pauses: the same amount of the clock's own unit is added

select is(pg_temp.paused(due, unit, from_, to_), now_due, name)
from (values
    ('two workdays of pause are two workdays more', '2026-03-09 23:59:59', 'workday', '2026-03-03 10:00', '2026-03-05 09:00', '2026-03-11 23:59:59'),
    ('a pause within one workday costs nothing', '2026-03-09 23:59:59', 'workday', '2026-03-03 08:30', '2026-03-03 17:00', '2026-03-09 23:59:59'),
    ('a weekend of pause costs nothing', '2026-03-09 23:59:59', 'workday', '2026-03-06 18:00', '2026-03-08 12:00', '2026-03-09 23:59:59'),
    ('a pause over the Spring Festival is two workdays', '2026-02-14 23:59:59', 'workday', '2026-02-13 10:00', '2026-02-24 10:00', '2026-02-25 23:59:59'),
    ('paused working hours come back as working hours', '2026-03-02 15:00', 'workhour', '2026-03-02 14:45', '2026-03-03 09:00', '2026-03-03 09:15:00'),
    ('a night of pause costs no working hours', '2026-03-03 10:00', 'workhour', '2026-03-02 17:30', '2026-03-03 08:30', '2026-03-03 10:00:00'),
    ('a lunch break of pause costs no working hours', '2026-03-03 16:00', 'workhour', '2026-03-03 12:00', '2026-03-03 14:30', '2026-03-03 16:00:00'),
    ('hours of pause are hours more', '2026-03-02 15:00', 'hour', '2026-03-02 14:00', '2026-03-03 09:30', '2026-03-03 10:30:00'),
    ('minutes of pause are minutes more', '2026-03-02 15:00', 'minute', '2026-03-02 14:00', '2026-03-02 14:07', '2026-03-02 15:07:00'),
    ('days of pause are days more', '2026-03-02 23:59:59', 'day', '2026-03-01 14:00', '2026-03-04 09:30', '2026-03-05 23:59:59')
) as v(name, due, unit, from_, to_, now_due);
select is(
    pg_temp.paused(pg_temp.paused('2026-03-09 23:59:59', 'workday', '2026-03-03 10:00', '2026-03-05 09:00'), 'workday', '2026-03-06 16:00', '2026-03-09 09:00'),
    '2026-03-12 23:59:59', 'two pauses add up'
);
select is(
    pg_temp.paused(pg_temp.paused('2026-03-02 15:00', 'workhour', '2026-03-02 10:00', '2026-03-02 11:00'), 'workhour', '2026-03-02 15:30', '2026-03-02 17:30'),
    '2026-03-03 09:00:00', 'two pauses of working hours add up over the night'
);
select is(pg_temp.paused('2018-02-16 23:59:59', 'workday', '2018-02-15 23:00', '2018-02-17 01:00', 2), '2018-02-18 23:59:59',
    'who is always open pauses by days');

select * from finish();
rollback;
