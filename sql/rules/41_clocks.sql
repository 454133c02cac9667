-- Clock effects: start, meet, stop, unmeet, breach, pause, resume, extend, restart; and the timers that the sweep works off.

-- The budget of a clock of this kind: the promise by type and urgency alone, what belongs to an assignment by its policy, the
-- centre's own steps by type and urgency.
create or replace function hotline.budget_of(c hotline.call, kind_ text, out budget int, out unit text)
language plpgsql stable as $$
declare
    p text := (c.a).policy;
    v int := (c.a).policy_version;
begin
    if kind_ = 'promise' then
        p := hotline.policy_for((c.t).appeal_type, (c.t).urgency);
        v := hotline.policy_version(p, c.at);
    elsif (c.a).id is null then
        p := hotline.policy_of(c.t);
        v := hotline.policy_version(p, c.at);
    end if;
    if kind_ = 'promise' then
        select promise_budget, promise_unit into budget, unit from hotline.policy where code = p and version = v;
        return;
    end if;
    select k.budget, k.unit into budget, unit from hotline.policy_clock k
    where k.policy = p and k.version = v and k.kind = kind_;
end $$;

-- A due time so many workdays later, or hours where the clock runs day and night.
create or replace function hotline.clock_later(cal int, due timestamptz, added int, unit text) returns timestamptz
language plpgsql stable as $$
begin
    if unit <> 'workday' then
        return due + make_interval(hours => added);
    end if;
    return (select (w.day + time '23:59:59') at time zone 'Asia/Shanghai'
            from hotline.workday d join hotline.workday w on w.calendar_id = cal and w.is_work and w.seq = d.seq + added
            where d.calendar_id = cal and d.day = hotline.day_of(due));
end $$;

-- A unit is done a workday before the outer authority's limit, or at the limit where no day is left.
create or replace function hotline.before_outer(cal int, outer_due timestamptz, at timestamptz) returns timestamptz
language plpgsql stable as $$
declare
    due timestamptz := hotline.clock_later(cal, outer_due, -1, 'workday');
begin
    return case when due > at then due else greatest(outer_due, at) end;
end $$;

-- What an outer authority's limit makes of a clock: it is the promise, and the unit is done before it.
create or replace function hotline.cap_clock(k hotline.clock, outer_due timestamptz) returns hotline.clock
language plpgsql stable as $$
begin
    if k.kind = 'promise' then
        k.due_at := outer_due;
    elsif k.kind = 'unit' then
        k.due_at := least(k.due_at, hotline.before_outer(k.calendar_id, outer_due, k.start_at));
    else
        return k;
    end if;
    k.warn_at := hotline.clock_warn(k.calendar_id, k.start_at, k.due_at, k.budget, k.unit);
    k.deep_at := hotline.clock_deep(k.calendar_id, k.due_at);
    return k;
end $$;

-- Start a clock.  All of this works on c.clocks; store_clocks writes them.
create or replace function hotline.clock_start(c hotline.call, kind_ text) returns hotline.call
language plpgsql as $$
declare
    k hotline.clock;
begin
    if kind_ = 'contact' and ((c.t).anonymous or not (c.t).reply_wanted) then
        return c;
    end if;
    k.id := hotline.new_id();
    k.ticket_id := (c.t).id;
    k.kind := kind_;
    k.calendar_id := 1;
    if kind_ in ('sign', 'contact', 'unit', 'redo') then
        k.assignment_id := (c.a).id;
        select calendar_id into k.calendar_id from hotline.unit where id = (c.a).unit_id;
    end if;
    k.start_at := c.at;
    select b.budget, b.unit into k.budget, k.unit from hotline.budget_of(c, kind_) b;
    if k.budget is null then
        return c;
    end if;
    return hotline.clock_run(c, hotline.clock_capped(c, hotline.clock_times(k, c.like_)));
end $$;

-- A consultation may have a time of its own, and what an outer authority allows is never passed.  A parked matter that nobody reports on
-- turns yellow when it falls due.
create or replace function hotline.clock_capped(c hotline.call, k hotline.clock) returns hotline.clock
language plpgsql stable as $$
begin
    if k.kind = 'consultation' and c.x ? 'due' then
        k.unit := 'minute';
        k.budget := ceil(extract(epoch from (c.x->>'due')::timestamptz - k.start_at) / 60);
        return hotline.clock_times(k);
    elsif k.kind = 'ledger' then
        k.warn_at := k.due_at;
    elsif (c.t).outer_due_at is not null then
        return hotline.cap_clock(k, (c.t).outer_due_at);
    end if;
    return k;
end $$;

-- What follows from a due time that is not start and budget alone.
create or replace function hotline.clock_lights(k hotline.clock) returns hotline.clock
language plpgsql stable as $$
begin
    k.provisional := coalesce((select w.provisional from hotline.workday w where w.calendar_id = k.calendar_id and w.day = hotline.day_of(k.due_at)), true)
        and k.unit in ('workday', 'workhour');
    k.warn_at := hotline.clock_warn(k.calendar_id, k.start_at, k.due_at, k.budget, k.unit);
    k.deep_at := hotline.clock_deep(k.calendar_id, k.due_at);
    return k;
end $$;

-- Due time and lights of a clock from its start, budget and unit.  like_: clocks that were computed before; one that starts at the same
-- moment with the same budget falls due at the same moment.
create or replace function hotline.clock_times(k hotline.clock, like_ hotline.clock[] default null) returns hotline.clock
language plpgsql stable as $$
declare
    other hotline.clock;
begin
    if like_ is not null then
        foreach other in array like_ loop
            if other.start_at = k.start_at and other.budget = k.budget and other.unit = k.unit and other.calendar_id = k.calendar_id then
                k.due_at := other.due_at;
                k.provisional := other.provisional;
                k.warn_at := other.warn_at;
                k.deep_at := other.deep_at;
                return k;
            end if;
        end loop;
    end if;
    select d.due_at, d.provisional into k.due_at, k.provisional from hotline.clock_due(k.calendar_id, k.start_at, k.budget, k.unit) d;
    k.warn_at := hotline.clock_warn(k.calendar_id, k.start_at, k.due_at, k.budget, k.unit);
    k.deep_at := hotline.clock_deep(k.calendar_id, k.due_at);
    return k;
end $$;

-- A new clock of the call, and the due time that ticket and assignment show.
create or replace function hotline.clock_run(c hotline.call, k hotline.clock) returns hotline.call
language plpgsql as $$
begin
    c.clocks := c.clocks || k;
    c.started := c.started || k.id;
    if k.kind in ('sign', 'unit', 'promise') then
        return hotline.show_due(c, k);
    end if;
    return c;
end $$;

create or replace function hotline.show_due(c hotline.call, k hotline.clock) returns hotline.call
language plpgsql as $$
begin
    if k.kind = 'sign' then
        c.a.sign_due_at := k.due_at;
    elsif k.kind = 'unit' then
        c.a.unit_due_at := k.due_at;
    elsif k.kind = 'promise' then
        c.t.promise_due_at := k.due_at;
        c.payload := c.payload || hotline.promise_told(k.due_at);
    end if;
    return c;
end $$;

-- Every event that sets or moves the promise says where to (invariant 4).
create or replace function hotline.promise_told(due timestamptz) returns jsonb
language sql stable as $$ select jsonb_build_object('promise_due_at', hotline.time_text(due)) $$;

-- One change of the clocks of a kind ('*' is every one) that it fits: meet, stop or breach those that run, unmeet the last that was met
-- or ended with the ticket.
-- What belongs to an assignment is met and unmet for the main one alone.
create or replace function hotline.clock_change(c hotline.call, kind_ text, effect_ text) returns hotline.call
language plpgsql as $$
declare
    ks hotline.clock[] := c.clocks;
    k hotline.clock;
begin
    for i in reverse coalesce(cardinality(ks), 0) .. 1 loop
        k := ks[i];
        if kind_ <> '*' and k.kind <> kind_
                or effect_ in ('meet', 'unmeet') and k.assignment_id is distinct from (c.a).id and k.assignment_id is not null
                or effect_ = 'unmeet' and k.met_at is null and k.stopped_at is null
                or effect_ <> 'unmeet' and (k.met_at is not null or k.stopped_at is not null) then
            continue;
        end if;
        case effect_
            when 'meet' then k.met_at := c.at;
            when 'stop' then k.stopped_at := c.at;
            when 'unmeet' then
                k.met_at := null;
                k.stopped_at := null;
            when 'breach' then k.stopped_at := c.at;
        end case;
        if effect_ = 'breach' then
            k.breached_at := k.due_at;
        elsif effect_ = 'unmeet' then
            k.breached_at := case when c.at > k.due_at then coalesce(k.breached_at, k.due_at) end;
        elsif c.at > k.due_at then
            k.breached_at := coalesce(k.breached_at, k.due_at);
        end if;
        ks[i] := k;
        c.touched := c.touched || k.id;
        exit when effect_ = 'unmeet';
    end loop;
    c.clocks := ks;
    return c;
end $$;

-- The clock people work against: of those that run, the one that falls due first; one that stands still where none else runs.
create or replace function hotline.head_clock(clocks hotline.clock[]) returns hotline.clock
language plpgsql immutable as $$
declare
    k hotline.clock;
    head hotline.clock;
begin
    if clocks is null then
        return null;
    end if;
    foreach k in array clocks loop
        if k.met_at is null and k.stopped_at is null and k.kind in ('accept', 'dispatch', 'sign', 'unit', 'redo', 'audit', 'callback',
                'closing', 'consultation', 'draft', 'ledger')
                and (head.due_at is null or (k.paused_at is not null, k.due_at) < (head.paused_at is not null, head.due_at)) then
            head := k;
        end if;
    end loop;
    return head;
end $$;

-- Write the clocks of calls that are new or changed, and their timers.  One that ended needs none any more; but a met sign or unit clock
-- keeps its own: when the due time has passed, the assignment enters the due-type figures.
create or replace function hotline.store_clocks(calls hotline.call[]) returns void
language plpgsql set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
declare
    urges boolean := hotline.setting_int('urge.yellow') <> 0;
begin
    insert into hotline.clock
    select k.* from unnest(calls) c cross join lateral unnest(c.clocks) k where k.id = any (c.started);
    insert into hotline.timer (id, at, ticket_id, kind, clock_id)
    select hotline.new_id(), v.at, k.ticket_id, v.kind, k.id
    from unnest(calls) c cross join lateral unnest(c.clocks) k
    cross join lateral (values ('clock', k.due_at), ('yellow', case when k.kind = 'unit' and urges then k.warn_at end)) as v(kind, at)
    where k.id = any (c.started) and case v.kind
        when 'clock' then k.kind <> 'draft' and (k.kind in ('sign', 'unit') or k.met_at is null and k.stopped_at is null)
        else v.at > c.at and k.met_at is null and k.stopped_at is null end;
    if not exists (select from unnest(calls) c where c.touched is not null) then
        return;
    end if;
    update hotline.clock o set
        start_at = k.start_at, budget = k.budget, unit = k.unit, due_at = k.due_at, warn_at = k.warn_at, deep_at = k.deep_at,
        provisional = k.provisional, met_at = k.met_at, stopped_at = k.stopped_at, breached_at = k.breached_at, paused_at = k.paused_at
    from unnest(calls) c cross join lateral unnest(c.clocks) k
    where k.id = any (c.touched) and o.ticket_id = k.ticket_id and o.id = k.id;
    delete from hotline.timer m
    using unnest(calls) c cross join lateral unnest(c.clocks) k
    where k.id = any (c.touched) and m.ticket_id = k.ticket_id and m.clock_id = k.id
      and (k.stopped_at is not null or k.paused_at is not null or k.met_at is not null and (m.kind = 'yellow' or k.kind not in ('sign', 'unit')));
    if not exists (select from unnest(calls) c cross join lateral unnest(c.clocks) k
                   where k.id = any (c.touched) and k.met_at is null and k.stopped_at is null and k.paused_at is null) then
        return;
    end if;
    update hotline.timer m set at = case m.kind when 'clock' then k.due_at else k.warn_at end
    from unnest(calls) c cross join lateral unnest(c.clocks) k
    where k.id = any (c.touched) and k.met_at is null and k.stopped_at is null and k.paused_at is null
      and m.ticket_id = k.ticket_id and m.clock_id = k.id and m.kind in ('clock', 'yellow') and m.at <> case m.kind when 'clock' then k.due_at else k.warn_at end;
    -- What was late and is not any more is not supervised for it.
    delete from hotline.timer m
    using unnest(calls) c cross join lateral unnest(c.clocks) k
    where k.id = any (c.touched) and k.breached_at is null and m.ticket_id = k.ticket_id and m.clock_id = k.id
      and m.kind in ('overdue', 'urgent_late', 'ledger_late');
    insert into hotline.timer (id, at, ticket_id, kind, clock_id)
    select hotline.new_id(), v.at, k.ticket_id, v.kind, k.id
    from unnest(calls) c cross join lateral unnest(c.clocks) k
    cross join lateral (values ('clock', k.due_at), ('yellow', case when k.kind = 'unit' and urges and k.warn_at > c.at then k.warn_at end)) as v(kind, at)
    where k.id = any (c.touched) and k.met_at is null and k.stopped_at is null and k.paused_at is null and k.kind <> 'draft' and k.breached_at is null
      and v.at is not null and not exists (select from hotline.timer m where m.ticket_id = k.ticket_id and m.clock_id = k.id and m.kind = v.kind);
end $$;

-- The promise was made for the type the citizen chose; a type with a shorter one brings it forward, nothing here puts it off.
create or replace function hotline.shorten_promise(c hotline.call, urgency_ smallint) returns hotline.call
language plpgsql as $$
declare
    p text := hotline.policy_for((c.t).appeal_type, urgency_);
    ks hotline.clock[] := c.clocks;
    k hotline.clock;
    due timestamptz;
begin
    for i in 1 .. coalesce(cardinality(ks), 0) loop
        k := ks[i];
        if k.kind <> 'promise' or k.met_at is not null or k.stopped_at is not null or k.paused_at is not null then
            continue;
        end if;
        due := k.due_at;
        select promise_budget, promise_unit into k.budget, k.unit from hotline.policy where code = p and version = hotline.policy_version(p, k.start_at);
        k := hotline.clock_times(k);
        if k.due_at > c.at and k.due_at < due then
            ks[i] := k;
            c.clocks := ks;
            c.touched := c.touched || k.id;
            c.t.promise_due_at := k.due_at;
            c.payload := c.payload || hotline.promise_told(k.due_at);
        end if;
        return c;
    end loop;
    return c;
end $$;

-- The effects of a row, in its order.
create or replace function hotline.run_clocks(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    e text;
    effect text;
    kind text;
begin
    foreach e in array (c.rule).clocks loop
        effect := split_part(e, ' ', 1);
        kind := split_part(e, ' ', 2);
        case effect
            when 'start' then c := hotline.clock_start(c, kind);
            when 'pause' then c := hotline.clock_pause(c, kind, c.payload->>'pause', coalesce((c.approval).asked_by, (c.actor).id),
                case when (c.approval).id is not null then (c.actor).id end);
            when 'resume' then c := hotline.clock_resume(c, kind);
            when 'extend' then c := hotline.clock_extend(c, kind);
            when 'restart' then c := hotline.clock_restart(c, kind);
            else c := hotline.clock_change(c, kind, effect);
        end case;
    end loop;
    return c;
end $$;

-- Pause the running clocks of a kind; the pause is kept with its reason.  '*' is every clock that the reason stops: the promise and the
-- others are told apart, and the ledger of parked matters never stands still.
create or replace function hotline.clock_pause(c hotline.call, kind_ text, reason_ text, asked int, approved int) returns hotline.call
language plpgsql as $$
declare
    r hotline.pause_reason;
    ks hotline.clock[] := c.clocks;
    k hotline.clock;
begin
    select * into strict r from hotline.pause_reason where code = reason_;
    for i in 1 .. coalesce(cardinality(ks), 0) loop
        k := ks[i];
        if k.met_at is null and k.stopped_at is null and k.paused_at is null
                and (k.kind = kind_ or kind_ = '*' and case k.kind when 'promise' then r.stops_promise when 'ledger' then false else r.stops_unit end) then
            insert into hotline.clock_pause (ticket_id, clock_id, reason, from_at, asked_by, approved_by)
            values (k.ticket_id, k.id, reason_, c.at, asked, approved)
            on conflict (clock_id, from_at) do update set reason = excluded.reason, to_at = null, asked_by = excluded.asked_by,
                approved_by = excluded.approved_by; -- one that ended at the moment it began, and begins again
            k.paused_at := c.at;
            ks[i] := k;
            c.touched := c.touched || k.id;
        end if;
    end loop;
    c.clocks := ks;
    return c;
end $$;

-- Paused clocks of a kind ('*': all) run again with what was left of their budget, but not beyond an outer limit; assignment and promise
-- show the later due time.
create or replace function hotline.clock_resume(c hotline.call, kind_ text) returns hotline.call
language plpgsql as $$
declare
    k hotline.clock;
begin
    foreach k in array coalesce(c.clocks, '{}') loop
        if (kind_ = '*' or k.kind = kind_) and k.paused_at is not null and k.met_at is null and k.stopped_at is null then
            update hotline.clock_pause set to_at = c.at where clock_id = k.id and to_at is null;
            k.due_at := greatest(k.due_at, least(hotline.clock_after_pause(k.calendar_id, k.due_at, k.unit, k.paused_at, c.at), (c.t).outer_due_at));
            k.paused_at := null;
            c := hotline.clock_moved(c, k);
        end if;
    end loop;
    return c;
end $$;

-- More time, as payload.extension says ({"added", "unit"}).  An outer limit is never passed.
create or replace function hotline.clock_extend(c hotline.call, kind_ text) returns hotline.call
language plpgsql as $$
declare
    added int := (c.payload->'extension'->>'added')::int;
    unit_ text := c.payload->'extension'->>'unit';
    due timestamptz;
    k hotline.clock;
begin
    foreach k in array coalesce(c.clocks, '{}') loop
        if k.kind <> kind_ or k.met_at is not null or k.stopped_at is not null or k.assignment_id <> (c.a).id then
            continue;
        end if;
        if k.unit = 'workday' and unit_ = 'hour' then
            added := (added + 23) / 24;
        elsif k.unit <> 'workday' and unit_ = 'workday' then
            added := added * 24;
        end if;
        due := hotline.clock_later(k.calendar_id, k.due_at, added, k.unit);
        k.budget := k.budget + added * case k.unit when 'minute' then 60 else 1 end;
        k.due_at := greatest(k.due_at, least(due, (c.t).outer_due_at));
        c := hotline.clock_moved(c, k);
        exit;
    end loop;
    return c;
end $$;

-- The same clock with the budget that type, urgency and policy now give; what has become due by that is due so long after now, but
-- never later than it was.
create or replace function hotline.clock_restart(c hotline.call, kind_ text) returns hotline.call
language plpgsql as $$
declare
    was hotline.clock;
    k hotline.clock;
    p hotline.clock_pause;
begin
    foreach was in array coalesce(c.clocks, '{}') loop
        k := was;
        select b.budget, b.unit into k.budget, k.unit from hotline.budget_of(c, kind_) b;
        if k.kind <> kind_ or k.met_at is not null or k.stopped_at is not null or k.paused_at is not null or k.assignment_id <> (c.a).id
                or k.budget is null or (k.budget, k.unit) = (was.budget, was.unit) then
            continue;
        end if;
        k.due_at := (hotline.clock_due(k.calendar_id, k.start_at, k.budget, k.unit)).due_at;
        for p in select * from hotline.clock_pause where clock_id = k.id order by from_at loop
            k.due_at := hotline.clock_after_pause(k.calendar_id, k.due_at, k.unit, p.from_at, p.to_at);
        end loop;
        if k.due_at <= c.at then
            k.due_at := least(was.due_at, (hotline.clock_due(k.calendar_id, c.at, k.budget, k.unit)).due_at);
        end if;
        c := hotline.clock_moved(c, hotline.clock_capped(c, k));
    end loop;
    return c;
end $$;

-- Keep a clock whose due time moved.  What ticket and assignment say of it goes with it, and the event says so; what was late and is
-- not any more was not late.
create or replace function hotline.clock_moved(c hotline.call, k hotline.clock) returns hotline.call
language plpgsql as $$
declare
    is_late boolean := k.due_at <= c.at;
begin
    k := hotline.clock_lights(k);
    k.breached_at := case when is_late and k.breached_at is not null then k.due_at end;
    c.clocks[array_position(array(select (x).id from unnest(c.clocks) x), k.id)] := k;
    c.touched := c.touched || k.id;
    if k.assignment_id is not null and k.assignment_id <> (c.a).id then
        return c;
    end if;
    c := hotline.show_due(c, k);
    if k.kind = 'unit' then
        c.a.due_counted := (c.a).due_counted and is_late;
        c.payload := c.payload || jsonb_build_object('unit_due_at', k.due_at);
    elsif k.kind = 'sign' then
        c.a.sign_counted := (c.a).sign_counted and is_late;
        c.payload := c.payload || jsonb_build_object('sign_due_at', k.due_at);
    end if;
    return c;
end $$;
