-- Steps of two people: ask, approve, reject, lapse.  Who asks never decides, and silence never approves.

create or replace function hotline.review_due(kind_ text, at timestamptz) returns timestamptz
language plpgsql stable as $$
begin
    return (select (hotline.clock_due(1, at, budget, unit)).due_at from hotline.approval_kind where kind = kind_ and budget is not null);
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
    insert into hotline.approval (id, ticket_id, assignment_id, kind, action, asked_by, asked_at, asks, decider_role, due_at)
    values (hotline.new_id(), (c.t).id, (c.a).id, k.kind, (c.rule).action, (c.actor).id, c.at, c.x, k.decider_role, hotline.review_due(k.kind, c.at))
    returning * into p;
    c.waits := c.waits || p;
    if p.due_at is not null then
        c := hotline.set_timer(c, 'review', p.due_at, p.id);
    end if;
    c.payload := jsonb_build_object('kind', k.kind, 'action', (c.rule).action, 'approval', p.id::text, 'decider', k.decider_role);
    c.approval := null;
    return hotline.acted(hotline.log_event(c, 'ASK'));
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

-- May this person decide what was asked?
create or replace function hotline.may_decide(c hotline.call, p hotline.approval) returns api.answer
language plpgsql as $$
begin
    if p.id is null then
        return hotline.problem(409, 'not_open', '这项审批已不在等待决定。', 'This is no longer waiting for a decision.',
            jsonb_build_object('state', hotline.name_of('state', (c.t).state), 'version', (c.t).version));
    end if;
    if p.kind = 'reply' or not (p.decider_role = any ((c.actor).roles)) then
        return hotline.forbidden();
    end if;
    if p.asked_by = (c.actor).id then
        return hotline.same_person();
    end if;
    return null;
end $$;

-- approve: the guard of what was asked is tested again and it happens now, with the decider as actor.  reject: it does not.
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
    if action_ = 'approve' then
        p.opinion := opinion_;
        c.x := p.asks;
        return hotline.take(c, p.action, null, p);
    end if;
    c.role := p.decider_role;
    c.event := hotline.new_id();
    c.approval := p;
    c.payload := jsonb_build_object('kind', p.kind);
    c := hotline.close_approval(c, 'rejected', opinion_);
    perform hotline.note_inputs(c, 'opinion');
    return hotline.acted(hotline.log_event(c, 'REJECT'));
end $$;

-- The review clock ran out: it goes one level up, and waits there.
create or replace function hotline.lapse(tid bigint, pid bigint, at_ timestamptz) returns void
language plpgsql as $$
declare
    p hotline.approval;
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
    select nullif(k.up_role, w.decider_role) into up
    from hotline.approval w join hotline.approval_kind k on k.kind = w.kind where w.id = pid;
    update hotline.approval set decider_role = coalesce(up, decider_role), lapses = lapses + 1,
        due_at = case when up is null then due_at else hotline.review_due(kind, c.at) end
    where id = pid returning * into p;
    if up is not null then
        c := hotline.set_timer(c, 'review', p.due_at, p.id);
    end if;
    c.waits := array(select case when w.id = pid then p else w end from unnest(c.waits) w);
    c.payload := jsonb_build_object('kind', p.kind, 'decider', p.decider_role);
    c.approval := p;
    perform hotline.store(array[hotline.acted(hotline.log_event(c, 'LAPSE'))]);
end $$;
