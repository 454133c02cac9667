-- One action on one ticket, from the question "may it?" to the event.  Everything that changes a ticket comes through here.

-- Check a person's inputs against the action's table; null when they are good.
create or replace function hotline.check_inputs(action_ text, x jsonb) returns api.answer
language plpgsql stable as $$
declare
    i hotline.action_input;
    v jsonb;
    bad jsonb := '[]';
    name_ text;
begin
    for name_ in
        select k from jsonb_object_keys(x) k
        where not exists (select from hotline.action_input f where f.action = action_ and f.name = k)
    loop
        bad := bad || hotline.field(name_, 'unknown_field', '没有这一项。', 'There is no such field.');
    end loop;
    for i in select * from hotline.action_input where action = action_ order by ord loop
        v := x->i.name;
        if v is null or v = 'null' or v = '""' then
            if i.must then
                bad := bad || hotline.field(i.name, 'required', i.zh || '必须填写。', i.en || ' is needed.');
            end if;
            continue;
        end if;
        if hotline.input_fits(i, v) is not true then
            bad := bad || hotline.field(i.name, 'bad_value', i.zh || '填写不对' || hotline.limits_text(i, 'zh') || '。',
                i.en || ' is not valid' || hotline.limits_text(i, 'en') || '.');
        end if;
    end loop;
    return case when bad <> '[]' then hotline.bad_inputs(bad) end;
end $$;

-- What was given: an input that is null, or empty and not a text, was not given.
create or replace function hotline.given(action_ text, x jsonb) returns jsonb
language plpgsql stable as $$
begin
    return (select coalesce(jsonb_object_agg(k, v), '{}') from jsonb_each(x) as e(k, v)
            where v <> 'null' and (v <> '""' or exists (select from hotline.action_input i where i.action = action_ and i.name = k and i.type = 'text')));
end $$;

create or replace function hotline.limits_text(i hotline.action_input, lang text) returns text
language sql immutable as $$
    select case when i.max is null then ''
        when lang = 'en' then format(' (%s to %s%s)', coalesce(i.min, 0), i.max, case i.type when 'text' then ' characters' else '' end)
        else format('（%s–%s%s）', coalesce(i.min, 0), i.max, case i.type when 'text' then ' 字' else '' end) end
$$;

create or replace function hotline.input_fits(i hotline.action_input, v jsonb) returns boolean
language plpgsql stable as $$
declare
    s text := v #>> '{}';
    kind text := jsonb_typeof(v);
    n bigint;
begin
    case i.type
        when 'bool' then return kind = 'boolean';
        when 'text' then
            return kind = 'string' and char_length(s) <= coalesce(i.max, 10000) and char_length(btrim(s, E' \t\r\n\u3000')) >= coalesce(i.min, 0)
                and s !~ '[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]';
        when 'int', 'number' then
            return kind = 'number' and (i.type = 'number' or s ~ '^-?[0-9]{1,9}$')
                and s::numeric between coalesce(i.min, -2147483648) and coalesce(i.max, 2147483647);
        when 'word' then
            return kind = 'string' and (s = any (coalesce(i.choices, '{}'))
                or i.words is not null and exists (select from hotline.word where word.kind = i.words and name = s));
        when 'time' then
            return kind = 'string' and s ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$' and hotline.is_time(s);
        when 'list' then
            return kind = 'array' and jsonb_array_length(v) between coalesce(i.min, 0) and coalesce(i.max, 50)
                and not exists (select from jsonb_array_elements(v) e where jsonb_typeof(e) <> 'string' or char_length(e #>> '{}') not between 1 and 500);
        when 'category' then
            return kind = 'string' and exists (select from hotline.category where scheme = 'local' and code = s and valid_to is null);
        when 'division' then
            return kind = 'string' and exists (select from hotline.division where code = s);
        when 'policy' then
            return kind = 'string' and exists (select from hotline.policy where code = s and code <> 'W1' and valid_to is null);
        when 'units' then
            return kind = 'array' and jsonb_array_length(v) <= coalesce(i.max, 20)
                and not exists (select from jsonb_array_elements(v) e where jsonb_typeof(e) not in ('number', 'string') or (e #>> '{}') !~ '^[0-9]{1,9}$'
                    or not exists (select from hotline.unit u where u.id = (e #>> '{}')::int and hotline.is_valid(u)));
        when 'ids' then return kind in ('string', 'number') and s ~ '^[0-9]{1,18}$';
        when 'phone' then return kind = 'string';
        else
            if kind not in ('string', 'number') or s !~ '^[0-9]{1,9}$' then
                return false;
            end if;
            n := s::bigint;
            return case i.type
                when 'unit' then exists (select from hotline.unit u where u.id = n and hotline.is_valid(u))
                when 'item' then exists (select from hotline.directory_item d where d.id = n and d.valid_to is null)
                when 'person' then exists (select from hotline.person p where p.id = n and p.disabled_at is null)
                else false end;
    end case;
end $$;

create or replace function hotline.is_time(s text) returns boolean
language plpgsql stable as $$
begin
    perform s::timestamptz;
    return true;
exception when others then
    return false;
end $$;

create or replace function hotline.is_valid(u hotline.unit) returns boolean
language sql stable as $$
    select u.valid_from <= hotline.day_of(hotline.now()) and (u.valid_to is null or u.valid_to > hotline.day_of(hotline.now()))
$$;

create or replace function hotline.is_date(s text) returns boolean
language plpgsql stable as $$
begin
    return s ~ '^\d{4}-\d\d-\d\d$' and s::date between '2000-01-01' and '2100-01-01';
exception when others then
    return false;
end $$;

-- The live main assignment of the current round.
create or replace function hotline.main_of(t hotline.ticket) returns hotline.assignment
language plpgsql stable as $$
declare
    a hotline.assignment;
begin
    select * into a from hotline.assignment
    where ticket_id = t.id and role = 1 and round = t.round and state not in (8, 9) order by id desc limit 1;
    return a;
end $$;

-- The rows of the table that fit this ticket now.
create or replace function hotline.rule_for(action_ text, t hotline.ticket, a hotline.assignment) returns hotline.transition
language plpgsql stable as $$
declare
    r hotline.transition;
begin
    select * into r from hotline.transition
    where action = action_ and t.state = any (from_states) and (from_assignment is null or a.state = any (from_assignment)) limit 1;
    return r;
end $$;

create or replace function hotline.ask_guard(c hotline.call) returns api.answer
language plpgsql as $$
declare
    said api.answer;
begin
    if (c.rule).guard is not null then
        execute format('select * from hotline.%I($1)', (c.rule).guard) into said using c;
    end if;
    return said;
end $$;

create or replace function hotline.not_now(t hotline.ticket, a hotline.assignment) returns api.answer
language sql stable as $$
    select hotline.problem(409, 'not_allowed_now', '工单当前是“' || hotline.label_of('state', t.state) || '”，不能这样操作。',
        'The ticket is now "' || hotline.label_of('state', t.state) || '"; this is not possible.',
        jsonb_build_object('state', hotline.name_of('state', t.state), 'version', t.version))
$$;

-- May this person do this now?  Null, or the refusal.  Sets rule and role in c.
create or replace function hotline.permit(inout c hotline.call, action_ text, out said api.answer)
language plpgsql as $$
begin
    if not exists (select from hotline.transition where action = action_) and action_ not in ('approve', 'reject') then
        said := hotline.problem(422, 'unknown_action', '没有这种操作。', 'There is no such action.');
        return;
    end if;
    if (c.approval).id is null and not hotline.has_right(c.actor, action_) then
        said := hotline.forbidden();
        return;
    end if;
    c.rule := hotline.rule_for(action_, c.t, c.a);
    if (c.rule).id is null then
        said := hotline.not_now(c.t, c.a);
        return;
    end if;
    c.role := coalesce((c.approval).decider_role, hotline.role_for(c.actor, action_, c.t, c.a));
    if c.role is null then
        said := hotline.forbidden();
        return;
    end if;
    if (c.rule).decides is not null then
        select w into c.approval from hotline.approval w
        where ticket_id = (c.t).id and kind = (c.rule).approval and verdict is null;
        if not found then
            said := hotline.not_now(c.t, c.a);
        elsif (c.approval).asked_by = (c.actor).id then
            said := hotline.same_person();
        end if;
    elsif (c.rule).approval is not null and exists (select from hotline.approval
            where ticket_id = (c.t).id and kind = (c.rule).approval and verdict is null and id is distinct from (c.approval).id) then
        said := hotline.problem(409, 'already_asked', '已经提交审批，请等待。', 'This was already asked; please wait for the decision.');
    end if;
end $$;

create or replace function hotline.same_person() returns api.answer
language sql stable as $$
    select hotline.problem(403, 'same_person', '提出的人不能自己审批，请由另一人决定。', 'Who asked cannot decide; another person must.')
$$;

-- Does this action, by this person, need a second one's word first?
create or replace function hotline.needs_two(c hotline.call) returns boolean
language plpgsql as $$
declare
    needed_ text;
    yes boolean := true;
begin
    if (c.rule).approval is null or (c.rule).decides is not null or (c.approval).id is not null then
        return false;
    end if;
    select needed into needed_ from hotline.approval_kind where kind = (c.rule).approval;
    if needed_ is not null then
        execute format('select hotline.%I($1)', needed_) into yes using c;
    end if;
    return yes;
end $$;

-- Apply one action.  Locks: the ticket row (the batch holds it already).  by_approval: the decision by which a second person's
-- word is already given.  at_: the moment its effects are dated (a due time for the sweep), never before the ticket's last event.
create or replace function hotline.step(tid bigint, action_ text, who hotline.actor, x jsonb, version_ int default null,
    extra_ jsonb default '{}', by_approval hotline.approval default null, at_ timestamptz default null) returns api.answer
language plpgsql as $$
declare
    c hotline.call;
    was hotline.ticket;
    a_was hotline.assignment;
    asked record;
    said api.answer;
begin
    select * into was from hotline.ticket where id = tid for update;
    if not found or not hotline.sees(who, was) then
        return hotline.no_such_ticket();
    end if;
    a_was := hotline.main_of(was);
    c.t := was;
    c.a := a_was;
    c.actor := who;
    c.x := x;
    c.extra := extra_;
    c.approval := by_approval;
    c.at := greatest(coalesce(at_, hotline.now()), was.event_at);
    c.payload := '{}';
    if version_ is not null and version_ <> was.version then
        return hotline.problem(409, 'stale_version', '工单已被别人更新，请刷新后再操作。', 'The ticket has changed; please reload it.',
            jsonb_build_object('state', hotline.name_of('state', was.state), 'version', was.version));
    end if;
    if action_ in ('approve', 'reject') then
        return hotline.decide(c, action_);
    end if;
    select * into asked from hotline.permit(c, action_);
    c := asked.c;
    said := asked.said;
    if said is null and not ('SYS' = any (who.roles)) then
        said := hotline.check_inputs(action_, x);
        c.x := hotline.given(action_, x);
    end if;
    if said is null then
        said := hotline.ask_guard(c);
    end if;
    if said is not null then
        return said;
    end if;
    c.event := hotline.new_id();
    if hotline.needs_two(c) then
        return hotline.ask(c);
    end if;
    if (c.rule).effect is not null then
        execute format('select * from hotline.%I($1)', (c.rule).effect) into c using c;
    end if;
    if (c.approval).id is not null then
        perform hotline.close_approval(c.approval, c.actor, c.at, coalesce((c.rule).decides, 'approved'), c.x->>'opinion');
    end if;
    c := hotline.enter_state(c);
    c := hotline.run_clocks(c);
    if c.clocks is not null then
        perform hotline.store_clocks(c.clocks);
    end if;
    perform hotline.save_call(c, was, a_was);
    if (c.rule).follow is not null then
        perform hotline.follow_up((c.t).id, (c.rule).follow);
    end if;
    return hotline.acted(tid, c);
end $$;

-- What was asked and cannot happen in this state any more is not waited for.
create or replace function hotline.drop_approvals(tid bigint, state_ smallint, at_ timestamptz) returns void
language plpgsql as $$
begin
    if not exists (select from hotline.approval where ticket_id = tid and verdict is null) then
        return; -- nearly always, and setting up the statement below would cost as much as all of the ticket's update
    end if;
    with dropped as (
        update hotline.approval p set verdict = 'dropped', decided_at = at_
        where ticket_id = tid and verdict is null
          and not exists (select from hotline.transition w where w.action = p.action and state_ = any (w.from_states))
        returning id)
    delete from hotline.timer where ticket_id = tid and kind = 'review' and clock_id in (select id from dropped);
end $$;

-- Ticket and main assignment take the states of the row, and the times that belong to them.
create or replace function hotline.enter_state(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    if (c.rule).to_assignment is not null then
        c.a.state := (c.rule).to_assignment;
        if (c.a).state in (7, 8, 9) then
            c.a.done_at := coalesce((c.a).done_at, c.at);
        end if;
    end if;
    c.t.version := (c.t).version + 1;
    if (c.rule).to_state is null or (c.rule).to_state = (c.t).state then
        return c;
    end if;
    c.t.state := (c.rule).to_state;
    if (c.rule).close_kind is not null then
        c.t.close_kind := (c.rule).close_kind;
    end if;
    perform hotline.drop_approvals((c.t).id, (c.t).state, c.at);
    if (c.t).state >= 70 and (c.t).ended_at is null then
        c.t.ended_at := c.at;
        update hotline.assignment set state = case (c.t).state when 70 then 7 else 9 end, done_at = coalesce(done_at, c.at)
        where ticket_id = (c.t).id and role <> 1 and state not in (7, 8, 9);
    end if;
    if (c.rule).to_state = 70 then
        c.t.closed_at := c.at;
        insert into hotline.timer (id, at, ticket_id, kind)
        values (hotline.new_id(), c.at + make_interval(days => hotline.setting_int('archive.days')), (c.t).id, 'archive');
    end if;
    return c;
end $$;

-- Write the ticket, its assignment, the event, the list row and the figures' deltas.
create or replace function hotline.save_call(c hotline.call, was hotline.ticket, a_was hotline.assignment) returns void
language plpgsql as $$
declare
    units int[];
begin
    if not exists (select from hotline.legal_pair
                   where ticket_state = (c.t).state and assignment_state = coalesce((c.a).state, 0)) then
        raise exception 'illegal pair of states % and % by %', (c.t).state, (c.a).state, (c.rule).id;
    end if;
    if (c.a).id is not distinct from a_was.id then
        perform hotline.save_assignment(a_was, c.a, was, c.t);
    elsif (c.a).id is not null then
        insert into hotline.assignment values ((c.a).*);
        perform hotline.count_assignment(null, c.a, was, c.t);
        c.payload := c.payload || jsonb_build_object('main_unit', (c.a).unit_id, 'round', (c.a).round,
            'sign_due_at', (c.a).sign_due_at, 'unit_due_at', (c.a).unit_due_at);
    end if;
    units := hotline.units_of((c.t).id);
    c := hotline.record_event(c, was.state, case when (c.a).id is not distinct from a_was.id then a_was.state end, units);
    perform hotline.save_ticket(was, c.t);
    perform hotline.refresh_inbox(c.t, c.a, units);
    if (c.rule).outbox is not null then
        insert into hotline.outbox (id, ticket_id, kind, args, at)
        values (hotline.new_id(), (c.t).id, (c.rule).outbox, jsonb_build_object('event', (c.event)::text), c.at);
    end if;
end $$;

create or replace function hotline.save_ticket(was hotline.ticket, is_ hotline.ticket) returns void
language plpgsql as $$
begin
    update hotline.ticket set
        version = is_.version, state = is_.state, appeal_type = is_.appeal_type, urgency = is_.urgency, secrecy = is_.secrecy,
        anonymous = is_.anonymous, publish = is_.publish, reply_wanted = is_.reply_wanted, category_id = is_.category_id,
        division = is_.division, address = is_.address, title = is_.title, content = is_.content, masked = is_.masked, unit_id = is_.unit_id,
        directory_item_id = is_.directory_item_id, policy = is_.policy, policy_version = is_.policy_version, round = is_.round,
        contact_count = is_.contact_count, route = is_.route, close_kind = is_.close_kind, submitted_at = is_.submitted_at,
        accepted_at = is_.accepted_at, dispatched_at = is_.dispatched_at, replied_at = is_.replied_at, closed_at = is_.closed_at,
        ended_at = is_.ended_at, archived_at = is_.archived_at, rated = is_.rated, resolved = is_.resolved,
        rework_count = is_.rework_count, promise_due_at = is_.promise_due_at, event_n = is_.event_n, event_at = is_.event_at,
        event_hash = is_.event_hash
    where id = is_.id;
    perform hotline.count_ticket(was, is_);
end $$;

create or replace function hotline.save_assignment(was hotline.assignment, is_ hotline.assignment, t_was hotline.ticket, t_is hotline.ticket)
returns void
language plpgsql as $$
begin
    if was is not distinct from is_ then
        return;
    end if;
    update hotline.assignment set
        state = is_.state, deemed_signed = is_.deemed_signed, forbid_return = is_.forbid_return, sign_due_at = is_.sign_due_at,
        signed_by = is_.signed_by, signed_at = is_.signed_at, handler_id = is_.handler_id, contacted_at = is_.contacted_at,
        unit_due_at = is_.unit_due_at, replied_at = is_.replied_at, accepted_at = is_.accepted_at, done_at = is_.done_at,
        rejected_count = is_.rejected_count, sign_counted = is_.sign_counted, due_counted = is_.due_counted
    where ticket_id = is_.ticket_id and id = is_.id;
    perform hotline.count_assignment(was, is_, t_was, t_is);
end $$;

-- The units that see a ticket: those of its live assignments and their parents.  (plpgsql keeps its plan; an SQL function would
-- be planned over all months at each call.)
create or replace function hotline.units_of(tid bigint) returns int[]
language plpgsql stable as $$
begin
    return (select coalesce(array_agg(distinct p order by p), '{}')
            from hotline.assignment a join hotline.unit u on u.id = a.unit_id cross join lateral unnest(u.path) p
            where a.ticket_id = tid and a.state not in (8, 9));
end $$;

-- What the chain is computed over: every column in order, the moment as epoch microseconds.
create or replace function hotline.event_text(e hotline.event) returns text
language plpgsql stable as $$
begin
    return concat_ws('|', e.id, e.ticket_id, e.n, e.transition, e.action, (extract(epoch from e.at) * 1000000)::bigint,
        coalesce(e.actor_id, 0), e.actor_role, coalesce(e.unit_id, 0), coalesce(e.assignment_id, 0), coalesce(e.from_state, 0),
        e.to_state, coalesce(e.assignment_from, 0), coalesce(e.assignment_to, 0), array_to_string(e.units, ','), e.payload::text);
end $$;

create or replace function hotline.event_hash(prev bytea, e hotline.event) returns bytea
language plpgsql stable as $$
begin
    return sha256(coalesce(prev, '') || convert_to(hotline.event_text(e), 'UTF8'));
end $$;

-- The next link of the ticket's chain, in c.record.  Texts go to event_note, where they can be erased; the payload holds codes, ids
-- and dates only.
create or replace function hotline.make_event(c hotline.call, state_was smallint, assignment_was smallint, units_ int[]) returns hotline.call
language plpgsql as $$
declare
    e hotline.event;
    t hotline.ticket := c.t; -- a field of c.t would be set by copying all of c.t
begin
    e.id := c.event;
    e.ticket_id := t.id;
    e.n := t.event_n + 1;
    e.transition := (c.rule).id;
    e.action := (c.rule).action;
    e.at := c.at;
    e.actor_id := (c.actor).id;
    e.actor_role := c.role;
    e.unit_id := t.unit_id;
    e.assignment_id := (c.a).id;
    e.from_state := state_was;
    e.to_state := t.state;
    e.assignment_from := assignment_was;
    e.assignment_to := (c.a).state;
    e.units := units_;
    e.payload := c.payload;
    if (c.approval).id is not null then
        e.payload := e.payload || jsonb_build_object('approval', (c.approval).id::text, 'asked_by', (c.approval).asked_by);
    end if;
    e.prev_hash := t.event_hash;
    e.hash := hotline.event_hash(e.prev_hash, e);
    t.event_n := e.n;
    t.event_at := e.at;
    t.event_hash := e.hash;
    c.t := t;
    c.record := e;
    return c;
end $$;

create or replace function hotline.record_event(c hotline.call, state_was smallint, assignment_was smallint, units_ int[]) returns hotline.call
language plpgsql as $$
begin
    c := hotline.make_event(c, state_was, assignment_was, units_);
    insert into hotline.event select (c.record).*;
    return c;
end $$;

-- Keep a text that belongs to an event.
create or replace function hotline.note(c hotline.call, name_ text, body_ text) returns void
language plpgsql as $$
begin
    insert into hotline.event_note (ticket_id, event_id, name, body)
    select (c.t).id, c.event, name_, body_ where body_ <> '';
end $$;

create or replace function hotline.note_inputs(c hotline.call, variadic names text[]) returns void
language plpgsql as $$
begin
    insert into hotline.event_note (ticket_id, event_id, name, body)
    select (c.t).id, c.event, n, case jsonb_typeof(c.x->n) when 'array' then
        (select string_agg(e, E'\n') from jsonb_array_elements_text(c.x->n) e) else c.x->>n end
    from unnest(names) n where coalesce(c.x->>n, '') <> '';
end $$;

-- The row that lists read, or none when the ticket is ended.  Its due time is that of the first clock people work against; it
-- waits for who must decide something, and an overdue audit (T62) for the shift lead.
create or replace function hotline.refresh_inbox(t hotline.ticket, a hotline.assignment, units_ int[]) returns void
language plpgsql as $$
declare
    k hotline.clock;
begin
    if t.state >= 70 then
        delete from hotline.inbox where ticket_id = t.id;
        return;
    end if;
    select * into k from hotline.clock
    where ticket_id = t.id and met_at is null and stopped_at is null
      and kind in ('accept', 'dispatch', 'sign', 'unit', 'redo', 'audit', 'callback', 'closing', 'consultation', 'draft')
    order by due_at limit 1;
    insert into hotline.inbox as i (ticket_id, ticket_no, version, state, assignment_state, title, appeal_type, urgency, secrecy, channel,
        category_id, division, unit_id, units, round, created_by, submitted_at, due_kind, due_at, warn_at, deep_at, paused,
        phone_hmac, waits_for)
    values (t.id, t.ticket_no, t.version, t.state, a.state, t.title, t.appeal_type, t.urgency, t.secrecy, t.channel, t.category_id,
        t.division, t.unit_id, units_, t.round, t.created_by, t.submitted_at, k.kind, k.due_at, k.warn_at, k.deep_at,
        k.paused_at is not null, (select phone_hmac from hotline.ticket_contact where ticket_id = t.id),
        coalesce((select min(decider_role) from hotline.approval where ticket_id = t.id and verdict is null),
            case when k.kind = 'audit' and k.breached_at is not null then 'LDR' end))
    on conflict (ticket_id) do update set
        version = excluded.version, state = excluded.state, assignment_state = excluded.assignment_state, title = excluded.title,
        appeal_type = excluded.appeal_type, urgency = excluded.urgency, secrecy = excluded.secrecy, category_id = excluded.category_id,
        division = excluded.division, unit_id = excluded.unit_id, units = excluded.units, round = excluded.round,
        submitted_at = excluded.submitted_at, due_kind = excluded.due_kind, due_at = excluded.due_at, warn_at = excluded.warn_at,
        deep_at = excluded.deep_at, paused = excluded.paused, phone_hmac = excluded.phone_hmac, waits_for = excluded.waits_for;
end $$;

-- What the engine does by itself after an action, in the same commit: dispatch where the directory is unambiguous, close where
-- no callback is wanted.  A refusal just leaves it to people.
create or replace function hotline.follow_up(tid bigint, action_ text) returns void
language plpgsql as $$
declare
    x jsonb := '{}';
    t hotline.ticket;
begin
    select * into t from hotline.ticket where id = tid;
    if action_ = 'dispatch' then
        x := hotline.auto_dispatch(t);
        if x is null then
            return;
        end if;
    end if;
    perform hotline.step(tid, action_, hotline.system_actor(), x);
end $$;

-- What a person hears back after an action.  Where something followed it, or the assignment went back, the ticket and its main
-- assignment are not those of the call any more.
create or replace function hotline.acted(tid bigint, c hotline.call) returns api.answer
language plpgsql stable as $$
declare
    t hotline.ticket := c.t;
    a hotline.assignment := c.a;
    i hotline.inbox;
    more jsonb := '{}';
begin
    if (c.rule).follow is not null or a.state in (8, 9) then
        select * into t from hotline.ticket where id = tid;
        a := hotline.main_of(t);
    end if;
    select * into i from hotline.inbox where ticket_id = tid;
    if (c.rule).id = 'T04' then
        select jsonb_build_object('query_code_enc', query_code_enc) into more from hotline.ticket_contact where ticket_id = tid;
    end if;
    return hotline.answer(200, jsonb_build_object('id', tid::text, 'number', t.ticket_no, 'state', hotline.name_of('state', t.state),
        'assignment_state', hotline.name_of('assignment_state', a.state), 'version', t.version,
        'event', (c.event)::text, 'light', hotline.light(i.due_at, i.warn_at, i.deep_at, i.paused, hotline.now()),
        'due_at', hotline.time_text(i.due_at), 'due_kind', i.due_kind, 'promise_due_at', hotline.time_text(t.promise_due_at)) || more);
end $$;
