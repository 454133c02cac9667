-- What falls due: the timers of a commit, marked by set where nothing but the mark follows, else done together as actions are.

-- A closed ticket that cannot be archived yet, for an open decision or a longer term set meanwhile, is asked again a day later.
create or replace function hotline.archive_or_wait(m hotline.timer) returns void
language plpgsql as $$
begin
    if (hotline.step(m.ticket_id, 'archive', hotline.system_actor(), '{}', at_ => m.at)).status <> 200 then
        insert into hotline.timer (id, at, ticket_id, kind)
        select hotline.new_id(), m.at + interval '1 day', id, 'archive' from hotline.ticket where id = m.ticket_id and state = 70;
    end if;
end $$;

-- A timer of a clock came up: mark the breach in memory, and do what follows from it.
create or replace function hotline.fired(c hotline.call, m hotline.timer) returns hotline.call
language plpgsql as $$
declare
    ks hotline.clock[] := c.clocks;
    n int;
    k hotline.clock;
    a hotline.assignment;
begin
    select i into n from generate_subscripts(ks, 1) i where (ks[i]).id = m.clock_id;
    k := ks[n];
    if m.kind = 'clock' and k.kind in ('sign', 'unit') then
        if k.assignment_id = (c.a).id then
            if k.kind = 'sign' then
                c.a.sign_counted := true;
            else
                c.a.due_counted := true;
            end if;
        else
            select * into a from hotline.assignment where ticket_id = m.ticket_id and id = k.assignment_id;
            perform hotline.save_assignment(a, hotline.counted(a, k.kind), c.t, c.t);
        end if;
    end if;
    if k.id is null or k.met_at is not null or k.stopped_at is not null then
        return c;
    end if;
    c.x := '{}';
    c.actor := hotline.system_actor();
    if m.kind = 'yellow' then
        return hotline.turned_yellow(c, k, m.at);
    end if;
    k.breached_at := k.due_at;
    ks[n] := k;
    c.clocks := ks;
    c.touched := c.touched || k.id;
    if k.kind = 'sign' then
        if k.unit in ('hour', 'minute') then
            c := hotline.set_timer(c, 'urgent_late', k.due_at, k.id);
        end if;
        return hotline.take(c, 'deemed_sign', at_ => k.due_at);
    elsif k.kind = 'audit' then
        return hotline.take(c, 'audit_timeout', at_ => k.due_at);
    end if;
    return c;
end $$;

-- A unit's time runs short: it is urged, unless an urge already waits for its answer.
create or replace function hotline.turned_yellow(c hotline.call, k hotline.clock, at_ timestamptz) returns hotline.call
language plpgsql as $$
begin
    if k.paused_at is not null or k.due_at <= at_ or exists (select from hotline.urge where ticket_id = (c.t).id and answered_at is null) then
        return c;
    end if;
    c.x := jsonb_build_object('text', '办理时限将到，请抓紧办理并答复诉求人。');
    return hotline.take(c, 'urge', at_ => at_);
end $$;

-- An assignment whose due time has passed: it counts in the due-type figures, unless it went back.
create or replace function hotline.counted(a hotline.assignment, kind_ text) returns hotline.assignment
language plpgsql immutable as $$
begin
    a.sign_counted := a.sign_counted or kind_ = 'sign' and a.state not in (8, 9);
    a.due_counted := a.due_counted or kind_ = 'unit' and a.state not in (8, 9);
    return a;
end $$;

-- Timers of clocks that ask for no action: the breach is marked, an assignment enters the due-type figures, a unit that is late is looked
-- at again when it has been late for long.  Answers the others.
create or replace function hotline.mark_due(due hotline.timer[]) returns hotline.timer[]
language plpgsql set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
declare
    left_ hotline.timer[];
    clocks hotline.clock[];
begin
    with fell as materialized (
        select m, k, k.met_at is null and k.stopped_at is null as runs
        from unnest(due) m left join hotline.clock k on k.ticket_id = m.ticket_id and k.id = m.clock_id
                and m.kind in ('clock', 'yellow', 'overdue', 'ledger_late')
    )
    select array_agg(m order by (m).at, (m).id) filter (where case
               when (m).kind = 'clock' then runs and (k).kind in ('sign', 'audit')
               when (m).kind in ('yellow', 'overdue', 'ledger_late') then runs else true end),
           array_agg(k) filter (where (m).kind = 'clock' and (k).id is not null and not (runs and (k).kind in ('sign', 'audit')))
    into left_, clocks
    from fell;
    if clocks is null then
        return left_;
    end if;
    update hotline.clock o set breached_at = o.due_at
    from unnest(clocks) k
    where o.ticket_id = k.ticket_id and o.id = k.id and o.met_at is null and o.stopped_at is null;
    insert into hotline.timer (id, at, ticket_id, kind, clock_id)
    select hotline.new_id(), v.at, k.ticket_id, v.kind, k.id
    from unnest(clocks) k
    cross join lateral (values ('overdue', k.deep_at, k.kind = 'unit'), ('ledger_late', k.due_at, k.kind = 'ledger'),
        ('urgent_late', k.due_at, k.kind in ('contact', 'unit') and k.unit in ('hour', 'minute'))) as v(kind, at, fits)
    where v.fits and k.met_at is null and k.stopped_at is null;
    with was as materialized (
        select a, t, d.sign, d.unit
        from (
            select k.ticket_id, k.assignment_id, bool_or(k.kind = 'sign') as sign, bool_or(k.kind = 'unit') as unit
            from unnest(clocks) k where k.kind in ('sign', 'unit') group by 1, 2
        ) d
        join hotline.assignment a on a.ticket_id = d.ticket_id and a.id = d.assignment_id
        join hotline.ticket t on t.id = d.ticket_id
    ), step as materialized (
        select a as was, hotline.counted(case when sign then hotline.counted(a, 'sign') else a end, case when unit then 'unit' else '' end) as is_, t from was
    ), put as (
        update hotline.assignment o set sign_counted = (s.is_).sign_counted, due_counted = (s.is_).due_counted
        from step s
        where o.ticket_id = (s.was).ticket_id and o.id = (s.was).id and s.is_ is distinct from s.was
    )
    insert into hotline.fact_delta (ticket_id, day, fact, bucket, unit_id, category_id, channel, district, n)
    select (s.t).id, f.day, f.fact, f.bucket, (v.a).unit_id, coalesce((s.t).category_id, 0), (s.t).channel, coalesce(left((s.t).division, 6), ''),
           sum(v.sign * f.n)
    from step s
    cross join lateral (values (s.is_, 1), (s.was, -1)) as v(a, sign)
    cross join lateral hotline.assignment_facts(v.a) f
    where s.is_ is distinct from s.was
    group by 1, 2, 3, 4, 5, 6, 7, 8
    having sum(v.sign * f.n) <> 0;
    return left_;
end $$;

-- Timers of clocks that ask for an action, on as many tickets.
create or replace function hotline.clocks_fired(due hotline.timer[]) returns void
language plpgsql as $$
declare
    loaded hotline.call[] := hotline.load(array(select ticket_id from unnest(due) with ordinality as m order by ordinality));
begin
    for n in 1 .. cardinality(due) loop
        loaded[n] := hotline.fired(loaded[n], due[n]);
    end loop;
    perform hotline.store(loaded);
end $$;

-- Whatever else a timer is for.
create or replace function hotline.fire(m hotline.timer) returns void
language plpgsql as $$
begin
    case m.kind
        when 'clock', 'yellow' then perform hotline.clocks_fired(array[m]);
        when 'review' then perform hotline.lapse(m.ticket_id, m.clock_id, m.at);
        when 'archive' then perform hotline.archive_or_wait(m);
        when 'calendar' then perform hotline.calendar_fired(m);
        when 'resume' then perform hotline.step(m.ticket_id, 'resume', hotline.system_actor(), '{}', at_ => m.at);
        when 'unreachable' then perform hotline.step(m.ticket_id, 'close_unreachable', hotline.system_actor(), '{}', at_ => m.at);
        else perform hotline.timer_fired(m);
    end case;
end $$;

-- The timers of a commit: those of one ticket in the order in which they fell due.
create or replace function hotline.sweep_all(calls jsonb[]) returns table (i bigint, status int, body json)
language plpgsql as $$
declare
    due hotline.timer[];
    left_ hotline.timer[];
    together hotline.timer[];
    m hotline.timer;
begin
    perform hotline.begin(calls[1]);
    with gone as (
        -- case: by their ids, and not through all that is due.
        delete from hotline.timer o
        where id = any (array(select (x->>'timer')::bigint from unnest(calls) x)) and case when at <= hotline.now() then true end
        returning o.*
    )
    select array_agg(g order by at, id) into due from gone g;
    left_ := hotline.mark_due(due);
    together := array(
        select u from unnest(left_) u
        where u.kind in ('clock', 'yellow') and u.ticket_id in (select o.ticket_id from unnest(left_) o group by 1 having count(*) = 1));
    if cardinality(together) > 0 then
        perform hotline.clocks_fired(together);
    end if;
    foreach m in array coalesce(left_, '{}') loop
        if not m.id = any (select u.id from unnest(together) u) then
            perform hotline.fire(m);
        end if;
    end loop;
    return query
    select u.n, case when d.id is null then 204 else 200 end, case when d.id is not null then json_build_object('ticket', d.ticket_id::text, 'kind', d.kind) end
    from unnest(calls) with ordinality as u(x, n) left join unnest(due) d on d.id = (u.x->>'timer')::bigint;
end $$;
