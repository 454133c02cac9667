-- The working calendar and the algebra of clocks.  Start day is day 0 (Civil Code art. 201); what comes in on a rest day or
-- at or after closing time has the next workday as day 0.

-- Number the workdays from 2010 to 2040.  What the city laid over a published day is stronger than it.  Of an unpublished year only weekends and 1 January, 1 May, 1 October are off, and
-- every date is provisional.
create or replace function hotline.calendar_build(cal int) returns void
language plpgsql as $$
begin
    delete from hotline.workday where calendar_id = cal;
    insert into hotline.workday (calendar_id, day, is_work, seq, provisional)
    select cal, day, is_work, (count(*) filter (where is_work) over (order by day))::int, provisional
    from (
        select d::date as day,
               c.always_open or coalesce(not o.is_off, not e.is_off,
                   extract(isodow from d) < 6 and (y.year is not null or to_char(d, 'MMDD') not in ('0101', '0501', '1001'))) as is_work,
               not c.always_open and y.year is null as provisional
        from hotline.calendar c
        cross join generate_series('2010-01-01'::timestamp, '2040-12-31', '1 day') d
        left join hotline.calendar_day e on e.calendar_id = c.id and e.day = d::date
        left join hotline.calendar_overlay o on o.calendar_id = c.id and o.day = d::date
        left join hotline.calendar_year y on y.calendar_id = c.id and y.year = extract(year from d)::int
        where c.id = cal
    ) days;
end $$;

-- Workdays: the number of day 0.
create or replace function hotline.day_zero(cal int, start timestamptz) returns int
language plpgsql stable as $$
begin
    return (select case when w.is_work and (c.always_open or (start at time zone 'Asia/Shanghai')::time < c.pm_close)
                        then w.seq else w.seq + 1 end
            from hotline.workday w join hotline.calendar c on c.id = w.calendar_id
            where w.calendar_id = cal and w.day = hotline.day_of(start));
end $$;

-- Seconds of office time from the calendar's first day to this moment.
create or replace function hotline.work_seconds(cal int, at timestamptz) returns bigint
language plpgsql stable as $$
declare
    c hotline.calendar;
    w hotline.workday;
    clock interval := (at at time zone 'Asia/Shanghai')::time - '00:00'::time;
    am interval;
    pm interval;
begin
    select * into c from hotline.calendar where id = cal;
    if c.always_open then
        return extract(epoch from at)::bigint;
    end if;
    select * into w from hotline.workday where calendar_id = cal and day = hotline.day_of(at);
    am := c.am_close - c.am_open;
    pm := c.pm_close - c.pm_open;
    if not w.is_work then
        return w.seq * extract(epoch from am + pm)::bigint;
    end if;
    return (w.seq - 1) * extract(epoch from am + pm)::bigint
        + extract(epoch from least(greatest(clock - (c.am_open - '00:00'::time), '0'), am)
                           + least(greatest(clock - (c.pm_open - '00:00'::time), '0'), pm))::bigint;
end $$;

-- The moment at which so many seconds of office time have passed: an interval that ends at 12:00 ends at 12:00, not at 14:30.
create or replace function hotline.work_moment(cal int, seconds bigint) returns timestamptz
language plpgsql stable as $$
declare
    c hotline.calendar;
    am bigint;
    len bigint;
    n int;
    rest bigint;
    found_day date;
begin
    select * into c from hotline.calendar where id = cal;
    if c.always_open then
        return to_timestamp(seconds);
    end if;
    am := extract(epoch from c.am_close - c.am_open);
    len := am + extract(epoch from c.pm_close - c.pm_open)::bigint;
    n := (seconds + len - 1) / len;
    rest := seconds - (n - 1) * len;
    select day into strict found_day from hotline.workday where calendar_id = cal and seq = n and is_work;
    return (found_day + case when rest <= am then c.am_open + make_interval(secs => rest)
                             else c.pm_open + make_interval(secs => rest - am) end) at time zone 'Asia/Shanghai';
end $$;

-- When a budget that starts now is used up.  workday and day end at 23:59:59 (Civil Code art. 203); hour and minute run day
-- and night from the very minute (art. 201); workhour counts the minutes of office hours.  Budgets of hour are in hours, of
-- workhour in minutes, of minute in minutes.
create or replace function hotline.clock_due(cal int, start timestamptz, budget int, unit text,
    out due_at timestamptz, out provisional boolean)
language plpgsql stable as $$
declare
    due_day date;
begin
    if unit = 'workday' then
        select day into strict due_day from hotline.workday
        where calendar_id = cal and is_work and seq = hotline.day_zero(cal, start) + budget;
        due_at := (due_day + time '23:59:59') at time zone 'Asia/Shanghai';
    elsif unit = 'day' then
        due_at := (hotline.day_of(start) + budget + time '23:59:59') at time zone 'Asia/Shanghai';
    elsif unit = 'hour' then
        due_at := start + make_interval(hours => budget);
    elsif unit = 'minute' then
        due_at := start + make_interval(mins => budget);
    else
        due_at := greatest(start, hotline.work_moment(cal, hotline.work_seconds(cal, start) + budget * 60));
    end if;
    select w.provisional into provisional from hotline.workday w where w.calendar_id = cal and w.day = hotline.day_of(due_at);
    provisional := coalesce(provisional, true) and unit in ('workday', 'workhour');
end $$;

-- When the light turns yellow: remaining at most min(1 workday, 20 % of the budget), at least 2 working hours; hour clocks 30 %.
create or replace function hotline.clock_warn(cal int, start timestamptz, due timestamptz, budget int, unit text) returns timestamptz
language plpgsql stable as $$
declare
    due_seq int;
begin
    if unit in ('hour', 'minute') then
        return due - budget * 0.3 * case unit when 'hour' then interval '1 hour' else interval '1 minute' end;
    elsif unit = 'workhour' then
        return hotline.work_moment(cal, hotline.work_seconds(cal, due) - budget * 18);
    end if;
    if budget >= 5 then
        select seq into due_seq from hotline.workday where calendar_id = cal and day = hotline.day_of(due);
        return (select (day + time '23:59:59') at time zone 'Asia/Shanghai' from hotline.workday
                where calendar_id = cal and is_work and seq = due_seq - 1);
    end if;
    return greatest(start, hotline.work_moment(cal,
        hotline.work_seconds(cal, due) - greatest(7200, budget * hotline.day_seconds(cal) / 5)));
end $$;

create or replace function hotline.day_seconds(cal int) returns bigint
language plpgsql stable as $$
begin
    return (
        select case when always_open then 86400
                    else extract(epoch from (am_close - am_open) + (pm_close - pm_open))::bigint end
        from hotline.calendar where id = cal
    );
end $$;

-- When red turns deep red: the end of the first workday after the due day.
create or replace function hotline.clock_deep(cal int, due timestamptz) returns timestamptz
language plpgsql stable as $$
declare
    deep_day date;
begin
    select n.day into strict deep_day from hotline.workday d join hotline.workday n on n.calendar_id = cal and n.is_work and n.seq = d.seq + 1
    where d.calendar_id = cal and d.day = hotline.day_of(due);
    return (deep_day + time '23:59:59') at time zone 'Asia/Shanghai';
end $$;

-- Add what a pause took: the same amount of the clock's own unit that passed while it was paused.  A clock paused on the evening of its
-- last day has that evening left, whenever it goes on: at least the first workday from then.  What was late when it was paused stays late.
create or replace function hotline.clock_after_pause(cal int, due timestamptz, unit text, paused_at timestamptz, resumed_at timestamptz)
returns timestamptz
language plpgsql stable as $$
begin
    if unit = 'workday' then
        return (select (w.day + time '23:59:59') at time zone 'Asia/Shanghai' from hotline.workday w
                join hotline.workday d on d.calendar_id = cal and d.day = hotline.day_of(due)
                join hotline.workday r on r.calendar_id = cal and r.day = hotline.day_of(resumed_at)
                where w.calendar_id = cal and w.is_work
                  and w.seq = greatest(d.seq + hotline.day_zero(cal, resumed_at) - hotline.day_zero(cal, paused_at),
                      case when paused_at <= due then r.seq + (not r.is_work)::int else 0 end));
    elsif unit = 'day' then
        return due + make_interval(days => hotline.day_of(resumed_at) - hotline.day_of(paused_at));
    elsif unit in ('hour', 'minute') then
        return due + (resumed_at - paused_at);
    end if;
    return hotline.work_moment(cal, hotline.work_seconds(cal, due)
        + hotline.work_seconds(cal, resumed_at) - hotline.work_seconds(cal, paused_at));
end $$;

-- The colour of a clock, computed when it is read.  What is parked has no deep: it is blue, and yellow when nobody has reported on it.
create or replace function hotline.light(due timestamptz, warn timestamptz, deep timestamptz, paused boolean, at timestamptz) returns text
language sql immutable as $$
    select case when due is null then 'none' when paused then case when deep is null and at >= warn then 'yellow' else 'blue' end when at > deep then 'deep_red'
                when at > due then 'red' when at >= warn then 'yellow' else 'green' end
$$;
