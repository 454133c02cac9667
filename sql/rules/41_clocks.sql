-- Clock effects: start, meet, stop, unmeet, breach; and the timers that the sweep works off.

-- The budget of a clock of this kind: the promise by type and urgency alone, what belongs to an assignment by its policy, the
-- centre's own steps by type and urgency.
create or replace function hotline.budget_of(c hotline.call, kind_ text, out budget int, out unit text)
language plpgsql stable as $$
declare
    p text := (c.a).policy;
    v int := (c.a).policy_version;
begin
    if kind_ = 'promise' or (c.a).id is null then
        p := hotline.policy_for((c.t).appeal_type, (c.t).urgency);
        v := hotline.policy_version(p, c.at);
    end if;
    if kind_ = 'promise' then
        select promise_budget, promise_unit into budget, unit from hotline.policy where code = p and version = v;
        return;
    end if;
    select k.budget, k.unit into budget, unit from hotline.policy_clock k
    where k.policy = p and k.version = v and k.kind = kind_;
end $$;

-- Start a clock; store_clocks writes it with the others of its transition, so no effect after a start may ask for it.
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
    select d.due_at, d.provisional into k.due_at, k.provisional from hotline.clock_due(k.calendar_id, k.start_at, k.budget, k.unit) d;
    k.warn_at := hotline.clock_warn(k.calendar_id, k.start_at, k.due_at, k.budget, k.unit);
    k.deep_at := hotline.clock_deep(k.calendar_id, k.due_at);
    c.clocks := c.clocks || k;
    if kind_ = 'sign' then
        c.a.sign_due_at := k.due_at;
    elsif kind_ = 'unit' then
        c.a.unit_due_at := k.due_at;
    elsif kind_ = 'promise' then
        c.t.promise_due_at := k.due_at;
        c.payload := c.payload || hotline.promise_told(k.due_at);
    end if;
    return c;
end $$;

-- Every event that sets or moves the promise says where to (invariant 4).
create or replace function hotline.promise_told(due timestamptz) returns jsonb
language sql stable as $$ select jsonb_build_object('promise_due_at', hotline.time_text(due)) $$;

create or replace function hotline.store_clocks(started hotline.clock[]) returns void
language plpgsql as $$
begin
    insert into hotline.clock select * from unnest(started);
    insert into hotline.timer (id, at, ticket_id, kind, clock_id)
    select hotline.new_id(), due_at, ticket_id, 'clock', id from unnest(started) where kind <> 'draft';
end $$;

-- A met sign or unit clock keeps its timer: when the due time has passed, the assignment enters the due-type figures.
create or replace function hotline.clock_meet(c hotline.call, kind_ text) returns void
language plpgsql as $$
begin
    with met as (
        update hotline.clock set met_at = c.at, breached_at = case when c.at > due_at then coalesce(breached_at, due_at) else breached_at end
        where ticket_id = (c.t).id and kind = kind_ and met_at is null and stopped_at is null
          and (assignment_id is null or assignment_id = (c.a).id)
        returning id, kind)
    delete from hotline.timer where ticket_id = (c.t).id and clock_id in (select id from met where kind not in ('sign', 'unit'));
end $$;

create or replace function hotline.clock_stop(c hotline.call, kind_ text) returns void
language plpgsql as $$
begin
    with stopped as (
        update hotline.clock set stopped_at = c.at, breached_at = case when c.at > due_at then coalesce(breached_at, due_at) else breached_at end
        where ticket_id = (c.t).id and (kind_ = '*' or kind = kind_) and met_at is null and stopped_at is null
        returning id)
    delete from hotline.timer where ticket_id = (c.t).id and clock_id in (select id from stopped);
end $$;

-- A clock that had been met runs again towards the same due time.
create or replace function hotline.clock_unmeet(c hotline.call, kind_ text) returns void
language plpgsql as $$
declare
    k hotline.clock;
begin
    select * into k from hotline.clock
    where ticket_id = (c.t).id and kind = kind_ and met_at is not null and (assignment_id is null or assignment_id = (c.a).id)
    order by id desc limit 1;
    if not found then
        return;
    end if;
    update hotline.clock set met_at = null, breached_at = case when c.at > due_at then coalesce(breached_at, due_at) end
    where ticket_id = k.ticket_id and id = k.id;
    insert into hotline.timer (id, at, ticket_id, kind, clock_id)
    select hotline.new_id(), k.due_at, k.ticket_id, 'clock', k.id
    where k.due_at >= c.at and not exists (select from hotline.timer where ticket_id = k.ticket_id and clock_id = k.id);
end $$;

create or replace function hotline.clock_breach(c hotline.call, kind_ text) returns void
language plpgsql as $$
begin
    update hotline.clock set breached_at = due_at, stopped_at = c.at
    where ticket_id = (c.t).id and kind = kind_ and met_at is null and stopped_at is null;
end $$;

-- The promise was made for the type the citizen chose; a type with a shorter one brings it forward, nothing here puts it off.
create or replace function hotline.shorten_promise(c hotline.call, urgency_ smallint) returns hotline.call
language plpgsql as $$
declare
    p text := hotline.policy_for((c.t).appeal_type, urgency_);
    k hotline.clock;
    due timestamptz;
begin
    select * into k from hotline.clock
    where ticket_id = (c.t).id and kind = 'promise' and met_at is null and stopped_at is null and paused_at is null;
    if not found then
        return c;
    end if;
    select promise_budget, promise_unit into k.budget, k.unit from hotline.policy where code = p and version = hotline.policy_version(p, k.start_at);
    due := (hotline.clock_due(k.calendar_id, k.start_at, k.budget, k.unit)).due_at;
    if due is null or due <= c.at or due >= k.due_at then
        return c;
    end if;
    update hotline.clock set budget = k.budget, unit = k.unit, due_at = due, warn_at = hotline.clock_warn(calendar_id, start_at, due, k.budget, k.unit),
        deep_at = hotline.clock_deep(calendar_id, due)
    where ticket_id = k.ticket_id and id = k.id;
    update hotline.timer set at = due where ticket_id = k.ticket_id and clock_id = k.id;
    c.t.promise_due_at := due;
    c.payload := c.payload || hotline.promise_told(due);
    return c;
end $$;

-- The effects of a row, in its order.
create or replace function hotline.run_clocks(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    e hotline.clock_effect;
begin
    for e in select * from hotline.clock_effect where transition = (c.rule).id order by ord loop
        case e.effect
            when 'start' then c := hotline.clock_start(c, e.kind);
            when 'meet' then perform hotline.clock_meet(c, e.kind);
            when 'stop' then perform hotline.clock_stop(c, e.kind);
            when 'unmeet' then perform hotline.clock_unmeet(c, e.kind);
            when 'breach' then perform hotline.clock_breach(c, e.kind);
        end case;
    end loop;
    return c;
end $$;

-- Stop the clock (same amount is added later); kept for the rows of the table that suspend, park or wait for the citizen.
create or replace function hotline.clock_pause(tid bigint, kind_ text, reason_ text, asked int, approved int, at_ timestamptz) returns void
language plpgsql as $$
begin
    insert into hotline.clock_pause (ticket_id, clock_id, reason, from_at, asked_by, approved_by)
    select tid, id, reason_, at_, asked, approved from hotline.clock
    where ticket_id = tid and kind = kind_ and met_at is null and stopped_at is null and paused_at is null;
    update hotline.clock set paused_at = at_
    where ticket_id = tid and kind = kind_ and met_at is null and stopped_at is null and paused_at is null;
    delete from hotline.timer where ticket_id = tid and clock_id in (select id from hotline.clock where ticket_id = tid and paused_at is not null);
end $$;

create or replace function hotline.clock_resume(tid bigint, kind_ text, at_ timestamptz) returns void
language plpgsql as $$
declare
    k hotline.clock;
begin
    for k in select * from hotline.clock where ticket_id = tid and kind = kind_ and paused_at is not null loop
        update hotline.clock_pause set to_at = at_ where clock_id = k.id and to_at is null;
        k.due_at := hotline.clock_after_pause(k.calendar_id, k.due_at, k.unit, k.paused_at, at_);
        update hotline.clock set paused_at = null, due_at = k.due_at,
            warn_at = hotline.clock_warn(calendar_id, start_at, k.due_at, budget, unit),
            deep_at = hotline.clock_deep(calendar_id, k.due_at)
        where ticket_id = tid and id = k.id;
        insert into hotline.timer (id, at, ticket_id, kind, clock_id) values (hotline.new_id(), k.due_at, tid, 'clock', k.id);
    end loop;
end $$;
