-- Forms of an earlier version.
drop function if exists hotline.clock_reckon(hotline.clock);

-- When the calendar changes, the clocks that run by it are reckoned again: one event a ticket, by the sweep, so that a million of them
-- hold nobody up.  A due time moves only to a later moment, unless whoever changed the calendar said otherwise.

-- Build the calendar's days anew and have the open clocks looked at that the difference may touch.  change: the administrator's, for
-- what was said about earlier due times; null by a new version's seed.  Answers how many tickets.
create or replace function hotline.calendar_renew(cal int, change bigint, other_hours boolean default false) returns int
language plpgsql as $$
declare
    was text[] := (select array_agg(concat_ws(' ', day, is_work, provisional)) from hotline.workday where calendar_id = cal);
    first_day date;
    last_day date;
    n int;
begin
    perform hotline.calendar_build(cal);
    if was is null then
        return 0;
    end if;
    select min(d), max(d) into first_day, last_day from (
        select left(o, 10)::date as d from unnest(was) o
        where other_hours or o not in (select concat_ws(' ', day, is_work, provisional) from hotline.workday where calendar_id = cal)) changed;
    with touched as (
        select k.ticket_id
        from hotline.inbox i join hotline.clock k on k.ticket_id = i.ticket_id
        where k.calendar_id = cal and k.met_at is null and k.stopped_at is null and k.unit in ('workday', 'workhour')
          and k.due_at >= first_day::timestamp at time zone 'Asia/Shanghai'
          and k.start_at < (last_day + 1)::timestamp at time zone 'Asia/Shanghai'
        union
        select w.ticket_id from hotline.approval w
        where cal = 1 and w.verdict is null and w.due_at >= first_day::timestamp at time zone 'Asia/Shanghai'
          and w.due_from < (last_day + 1)::timestamp at time zone 'Asia/Shanghai'
    )
    insert into hotline.timer (id, at, ticket_id, kind, clock_id)
    select hotline.new_id(), hotline.now(), ticket_id, 'calendar', change from touched;
    get diagnostics n = row_count;
    return n;
end $$;

-- When a clock that runs falls due by the calendar as it is now: its budget from its start, then what each pause took; never later than
-- an outer authority allows.  A unit that was given more time has it up to that limit itself.
create or replace function hotline.clock_reckon(k hotline.clock, outer_due timestamptz) returns timestamptz
language plpgsql stable as $$
declare
    due timestamptz := (hotline.clock_due(k.calendar_id, k.start_at, k.budget, k.unit)).due_at;
    p hotline.clock_pause;
begin
    for p in select * from hotline.clock_pause where clock_id = k.id and to_at is not null order by from_at loop
        due := hotline.clock_after_pause(k.calendar_id, due, k.unit, p.from_at, p.to_at);
    end loop;
    if outer_due is null or k.kind not in ('promise', 'unit') then
        return due;
    elsif k.kind = 'promise' then
        return outer_due;
    elsif exists (select from hotline.extension where ticket_id = k.ticket_id and assignment_id = k.assignment_id and not waived) then
        return least(due, outer_due);
    end if;
    return least(due, hotline.before_outer(k.calendar_id, outer_due, k.start_at));
end $$;

-- When a decision that is waited for is due by the calendar as it is now.
create or replace function hotline.review_reckon(w hotline.approval, a hotline.assignment) returns timestamptz
language plpgsql stable as $$
declare
    kind hotline.approval_kind;
begin
    if w.due_at is null then
        return null;
    end if;
    select * into kind from hotline.approval_kind k where k.kind = w.kind;
    return hotline.review_due(kind, a, coalesce(w.due_from, w.asked_at));
end $$;

create or replace function hotline.is_moved(due timestamptz, was timestamptz, earlier boolean) returns boolean
language sql immutable as $$ select coalesce(due > was or earlier and due < was, false) $$;

-- Does the calendar now put an open clock of this ticket, or a decision that is waited for, elsewhere?
create or replace function hotline.clocks_shift(tid bigint, earlier boolean) returns boolean
language plpgsql stable as $$
declare
    c hotline.call := (hotline.load(array[tid]))[1];
begin
    return exists (select from unnest(c.clocks) k
                   where k.met_at is null and k.stopped_at is null and k.unit in ('workday', 'workhour')
                     and hotline.is_moved(hotline.clock_reckon(k, (c.t).outer_due_at), k.due_at, earlier))
        or exists (select from unnest(c.waits) w where hotline.is_moved(hotline.review_reckon(w, c.a), w.due_at, earlier));
end $$;

-- The sweep comes to a ticket after a change of the calendar.
create or replace function hotline.calendar_fired(m hotline.timer) returns void
language plpgsql as $$
declare
    earlier boolean := coalesce((select (after->>'bring_forward')::boolean from hotline.admin_change where id = m.clock_id), false);
begin
    update hotline.clock k set provisional = not k.provisional
    from hotline.workday w
    where k.ticket_id = m.ticket_id and k.met_at is null and k.stopped_at is null and k.unit in ('workday', 'workhour')
      and w.calendar_id = k.calendar_id and w.day = hotline.day_of(k.due_at) and w.provisional <> k.provisional;
    if hotline.clocks_shift(m.ticket_id, earlier) then
        perform hotline.step(m.ticket_id, 'calendar_adjust', hotline.system_actor(), jsonb_build_object('change', m.clock_id::text, 'earlier', earlier),
            at_ => m.at);
    end if;
end $$;

create or replace function hotline.do_calendar_adjust(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    earlier boolean := (c.x->>'earlier')::boolean;
    ks hotline.clock[] := c.clocks;
    k hotline.clock;
    due timestamptz;
    moved jsonb := '[]';
begin
    for i in 1 .. coalesce(cardinality(ks), 0) loop
        k := ks[i];
        continue when k.met_at is not null or k.stopped_at is not null or k.unit not in ('workday', 'workhour');
        due := hotline.clock_reckon(k, (c.t).outer_due_at);
        continue when not hotline.is_moved(due, k.due_at, earlier);
        moved := moved || jsonb_build_object('kind', k.kind, 'from', hotline.time_text(k.due_at), 'to', hotline.time_text(due));
        ks[i] := hotline.clock_at(k, due, c.at);
        c.touched := c.touched || k.id;
        if k.assignment_id is null or k.assignment_id = (c.a).id then
            c := hotline.show_due(c, ks[i]);
            if k.kind = 'unit' then -- what is not late any more does not count as due
                c.a.due_counted := (c.a).due_counted and due <= c.at;
            elsif k.kind = 'sign' then
                c.a.sign_counted := (c.a).sign_counted and due <= c.at;
            end if;
        end if;
    end loop;
    c.clocks := ks;
    c := hotline.reviews_adjust(c, earlier);
    c.payload := c.payload || jsonb_build_object('change', c.x->'change', 'clocks', moved);
    if (c.a).id is not null then
        c.payload := c.payload || jsonb_build_object('sign_due_at', (c.a).sign_due_at, 'unit_due_at', (c.a).unit_due_at);
    end if;
    return c;
end $$;

-- The same for the decisions that are waited for.
create or replace function hotline.reviews_adjust(c hotline.call, earlier boolean) returns hotline.call
language plpgsql as $$
declare
    ws hotline.approval[] := c.waits;
    w hotline.approval;
    due timestamptz;
    moved jsonb := '[]';
begin
    for i in 1 .. coalesce(cardinality(ws), 0) loop
        w := ws[i];
        due := hotline.review_reckon(w, c.a);
        continue when not hotline.is_moved(due, w.due_at, earlier);
        moved := moved || jsonb_build_object('kind', w.kind, 'from', hotline.time_text(w.due_at), 'to', hotline.time_text(due));
        update hotline.approval set due_at = due where id = w.id;
        update hotline.timer set at = due where ticket_id = w.ticket_id and kind = 'review' and clock_id = w.id;
        w.due_at := due;
        ws[i] := w;
    end loop;
    c.waits := ws;
    if moved <> '[]' then
        c.payload := c.payload || jsonb_build_object('reviews', moved);
    end if;
    return c;
end $$;

-- The clock with another due time.  What was late and is not any more was not late.
create or replace function hotline.clock_at(k hotline.clock, due timestamptz, at timestamptz) returns hotline.clock
language plpgsql stable as $$
begin
    k.due_at := due;
    k.warn_at := hotline.clock_warn(k.calendar_id, k.start_at, due, k.budget, k.unit);
    k.deep_at := hotline.clock_deep(k.calendar_id, due);
    k.breached_at := case when k.breached_at is not null and due <= at then due end;
    k.provisional := coalesce((select w.provisional from hotline.workday w where w.calendar_id = k.calendar_id and w.day = hotline.day_of(due)), true);
    return k;
end $$;
