-- Forms of an earlier version.
drop function if exists hotline.review_due(text, timestamptz);

-- Steps of two people: ask, approve, reject, lapse.  Who asks never decides, and silence never approves.

-- When a decision is due that was asked for now: the kind's own time, or the review time of the policy the unit works by.  What a unit's
-- own approver decides has no clock beside the unit's.
create or replace function hotline.review_due(k hotline.approval_kind, a hotline.assignment, at timestamptz) returns timestamptz
language plpgsql stable as $$
begin
    if k.by_policy then
        return (select (hotline.clock_due(1, at, budget, unit)).due_at from hotline.policy_clock
                where policy = a.policy and version = a.policy_version and kind = 'review');
    elsif k.budget is null then
        return null;
    end if;
    return (hotline.clock_due(1, at, k.budget, k.unit)).due_at;
end $$;

-- An event that changes no state.
create or replace function hotline.log_event(c hotline.call, transition_ text) returns hotline.call
language plpgsql as $$
begin
    select w into c.rule from hotline.transition w where id = transition_;
    c.t.version := (c.t).version + 1;
    return hotline.record(c, (c.t).state, (c.a).id, (c.a).state);
end $$;

create or replace function hotline.ask(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    k hotline.approval_kind;
    p hotline.approval;
begin
    select * into k from hotline.approval_kind where kind = (c.rule).approval;
    if k.on_ask is not null then
        execute format('select hotline.%I($1)', k.on_ask) using c;
    end if;
    p.kind := k.kind;
    p.action := (c.rule).action;
    p.asked_by := (c.actor).id;
    p.asks := c.x;
    c := hotline.open_stage(c, k, p, k.first_role is not null);
    p := c.waits[cardinality(c.waits)];
    c.payload := jsonb_build_object('kind', k.kind, 'action', (c.rule).action, 'approval', p.id::text, 'decider', p.decider_role);
    perform hotline.note_asked(c);
    c.approval := null;
    return hotline.acted(hotline.log_event(c, 'ASK'));
end $$;

-- Ask what p asks: first within the unit, or at the centre.
create or replace function hotline.open_stage(c hotline.call, k hotline.approval_kind, p hotline.approval, is_first boolean) returns hotline.call
language plpgsql as $$
begin
    p.after := p.id;
    p.id := hotline.new_id();
    p.ticket_id := (c.t).id;
    p.assignment_id := (c.a).id;
    p.stage := case when is_first or k.first_role is null then 1 else 2 end;
    p.asked_at := c.at;
    p.lapses := 0;
    p.verdict := null;
    p.opinion := null;
    if is_first then
        p.decider_role := k.first_role;
    else
        p.decider_role := k.decider_role;
        p.action := coalesce(k.runs, p.action);
        p.due_at := hotline.review_due(k, c.a, c.at);
        p.due_from := c.at;
        if k.decider is not null then
            execute format('select hotline.%I($1, $2)', k.decider) into p.decider_role using c, p.asks;
        end if;
    end if;
    insert into hotline.approval select p.*;
    c.waits := c.waits || p;
    if p.due_at is not null then
        return hotline.set_timer(c, 'review', p.due_at, p.id);
    end if;
    return c;
end $$;

-- The unit's approver has agreed: now the centre is asked.
create or replace function hotline.next_stage(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    k hotline.approval_kind;
begin
    select * into k from hotline.approval_kind where kind = (c.approval).kind;
    if k.first_role is not null and (c.approval).stage = 1 then
        return hotline.open_stage(c, k, c.approval, false);
    end if;
    return c;
end $$;

-- What was written when it was asked, for those who read the ticket's history.
create or replace function hotline.note_asked(c hotline.call) returns void
language plpgsql as $$
begin
    insert into hotline.event_note (ticket_id, event_id, name, body)
    select (c.t).id, c.event, i.name, c.x->>i.name
    from hotline.action_input i
    where i.action = (c.rule).action and i.type = 'text' and coalesce(c.x->>i.name, '') <> '' and i.action not in ('refuse', 'rework');
end $$;

-- The verdict on what c.approval asks.
create or replace function hotline.close_approval(c hotline.call, verdict_ text, opinion_ text) returns hotline.call
language plpgsql as $$
declare
    p hotline.approval := c.approval;
    w hotline.approval;
    stay hotline.approval[];
begin
    update hotline.approval set verdict = verdict_, decided_by = (c.actor).id, decided_at = c.at, opinion = coalesce(opinion_, opinion) where id = p.id;
    if p.due_at is not null then
        delete from hotline.timer where ticket_id = p.ticket_id and kind = 'review' and clock_id = p.id;
    end if;
    foreach w in array c.waits loop
        if w.id <> p.id then
            stay := stay || w;
        end if;
    end loop;
    c.waits := stay;
    return c;
end $$;

-- The role in which this person may give this verdict now, or null.
create or replace function hotline.decider_as(who hotline.actor, p hotline.approval) returns text
language plpgsql stable as $$
declare
    also text;
begin
    if p.decider_role = any (who.roles) then
        return p.decider_role;
    elsif p.lapses > 0 then
        return null;
    end if;
    select also_role into also from hotline.approval_kind where kind = p.kind and (first_role is null or p.stage = 2);
    return case when also = any (who.roles) then also end;
end $$;

-- Asker and decider differ, and so do the deciders of two stages.
create or replace function hotline.is_own_question(who hotline.actor, p hotline.approval) returns boolean
language plpgsql stable as $$
begin
    if p.asked_by = who.id or p.after is null then
        return p.asked_by = who.id;
    end if;
    return (select exists (select from hotline.approval where id = p.after and decided_by = who.id));
end $$;

-- Verdicts that are actions of their own: unit_approve, approve_return, reject_extension …
create or replace function hotline.has_own_words(p hotline.approval) returns boolean
language plpgsql stable as $$
begin
    return (select exists (select from hotline.transition where approval = p.kind and action = p.action and decides is not null));
end $$;

-- May this person decide what was asked?
create or replace function hotline.may_decide(c hotline.call, p hotline.approval) returns api.answer
language plpgsql as $$
begin
    if p.id is null then
        return hotline.problem(409, 'not_open', '这项审批已不在等待决定。', 'This is no longer waiting for a decision.',
            jsonb_build_object('state', hotline.name_of('state', (c.t).state), 'version', (c.t).version));
    end if;
    if hotline.has_own_words(p) or hotline.decider_as(c.actor, p) is null or not exists (
            select from hotline.role_right
            where role = hotline.decider_as(c.actor, p) and action = 'approve'
              and (scope = 'all' or scope = 'unit' and hotline.is_under((c.a).unit_id, (c.actor).unit))) then
        return hotline.forbidden();
    end if;
    if hotline.is_own_question(c.actor, p) then
        return hotline.same_person();
    end if;
    return null;
end $$;

-- Does the next approve make it happen, or does it open a second stage?
create or replace function hotline.runs_at_once(p hotline.approval) returns boolean
language plpgsql stable as $$
begin
    return (select first_role is null or p.stage = 2 or first_runs from hotline.approval_kind where kind = p.kind);
end $$;

-- Would it happen now, or does the ticket forbid it meanwhile?  Null: it would.
create or replace function hotline.may_approve(c hotline.call, p hotline.approval) returns api.answer
language plpgsql as $$
begin
    if not hotline.runs_at_once(p) then
        return null;
    end if;
    c.approval := p;
    c.x := p.asks;
    c.at := greatest(hotline.now(), (c.t).event_at);
    c := hotline.permit(c, p.action);
    if (c.said).status is not null or (c.rule).guard is null then
        return c.said;
    end if;
    return hotline.run_guard(c);
end $$;

-- approve: the guard of what was asked is tested again and it happens now, with the decider as actor; where the unit's approver agrees,
-- the centre is asked.  reject: it does not happen.
create or replace function hotline.decide(c hotline.call, action_ text) returns hotline.call
language plpgsql as $$
declare
    w hotline.approval;
    p hotline.approval;
    opinion_ text;
begin
    if not hotline.has_right(c.actor, action_) then
        c.said := hotline.forbidden();
        return c;
    end if;
    c.said := hotline.check_inputs(action_, c.x);
    if (c.said).status is not null then
        return c;
    end if;
    opinion_ := c.x->>'opinion';
    foreach w in array coalesce(c.waits, '{}') loop
        if w.id = (c.x->>'approval')::bigint then
            p := w;
        end if;
    end loop;
    c.said := hotline.may_decide(c, p);
    if (c.said).status is not null then
        return c;
    end if;
    if action_ = 'approve' and hotline.runs_at_once(p) then
        p.opinion := opinion_;
        c.x := p.asks;
        return hotline.take(c, p.action, null, p);
    end if;
    c.role := hotline.decider_as(c.actor, p);
    c.event := hotline.new_id();
    c.approval := p;
    c.payload := jsonb_build_object('kind', p.kind, 'stage', p.stage);
    c := hotline.close_approval(c, case action_ when 'approve' then 'approved' else 'rejected' end, opinion_);
    perform hotline.note_inputs(c, 'opinion');
    if action_ = 'approve' then
        c := hotline.next_stage(c);
    end if;
    return hotline.acted(hotline.log_event(c, upper(action_)));
end $$;

-- The review clock ran out: it goes one level up, and waits there.
create or replace function hotline.lapse(tid bigint, pid bigint, at_ timestamptz) returns void
language plpgsql as $$
declare
    p hotline.approval;
    k hotline.approval_kind;
    c hotline.call := hotline.hold(tid);
    up text;
begin
    if not exists (select from unnest(c.waits) w where w.id = pid) then
        return;
    end if;
    c.actor := hotline.system_actor();
    c.role := 'SYS';
    c.at := greatest(at_, (c.t).event_at);
    c.event := hotline.new_id();
    select w.* into p from unnest(c.waits) w where w.id = pid;
    select * into k from hotline.approval_kind where kind = p.kind;
    up := case when k.chain is null then nullif(k.up_role, p.decider_role) else k.chain[array_position(k.chain, p.decider_role) + 1] end;
    update hotline.approval set decider_role = coalesce(up, decider_role), lapses = lapses + 1,
        due_at = case when up is null then due_at else hotline.review_due(k, c.a, c.at) end,
        due_from = case when up is null then due_from else c.at end
    where id = pid returning * into p;
    if up is not null then
        c := hotline.set_timer(c, 'review', p.due_at, p.id);
    end if;
    c.waits := array(select case when w.id = pid then p else w end from unnest(c.waits) w);
    c.payload := jsonb_build_object('kind', p.kind, 'decider', p.decider_role);
    c.approval := p;
    perform hotline.store(array[hotline.acted(hotline.log_event(c, coalesce(k.lapse, 'LAPSE')))]);
end $$;
