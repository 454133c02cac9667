-- Steps of two people: ask, approve, reject, lapse.  Who asks never decides, and silence never approves.

create or replace function hotline.review_due(kind_ text, at timestamptz) returns timestamptz
language plpgsql stable as $$
begin
    return (select (hotline.clock_due(1, at, budget, unit)).due_at from hotline.approval_kind where kind = kind_ and budget is not null);
end $$;

-- An event that changes no state.
create or replace function hotline.log_event(c hotline.call, transition_ text) returns hotline.call
language plpgsql as $$
declare
    was hotline.ticket := c.t;
    units int[] := hotline.units_of((c.t).id);
begin
    select w into c.rule from hotline.transition w where id = transition_;
    c.t.version := (c.t).version + 1;
    c := hotline.record_event(c, (c.t).state, (c.a).state, units);
    perform hotline.save_ticket(was, c.t);
    perform hotline.refresh_inbox(c.t, c.a, units);
    return c;
end $$;

create or replace function hotline.ask(c hotline.call) returns api.answer
language plpgsql as $$
declare
    k hotline.approval_kind;
    p hotline.approval;
    on_ask text;
begin
    select * into k from hotline.approval_kind where kind = (c.rule).approval;
    if k.on_ask is not null then
        execute format('select hotline.%I($1)', k.on_ask) using c;
    end if;
    p.id := hotline.new_id();
    p.due_at := hotline.review_due(k.kind, c.at);
    insert into hotline.approval (id, ticket_id, assignment_id, kind, action, asked_by, asked_at, asks, decider_role, due_at)
    values (p.id, (c.t).id, (c.a).id, k.kind, (c.rule).action, (c.actor).id, c.at, c.x, k.decider_role, p.due_at);
    if p.due_at is not null then
        insert into hotline.timer (id, at, ticket_id, kind, clock_id) values (hotline.new_id(), p.due_at, (c.t).id, 'review', p.id);
    end if;
    c.payload := jsonb_build_object('kind', k.kind, 'action', (c.rule).action, 'approval', p.id::text, 'decider', k.decider_role);
    c.approval := null;
    c := hotline.log_event(c, 'ASK');
    return hotline.acted((c.t).id, c);
end $$;

create or replace function hotline.close_approval(p hotline.approval, who hotline.actor, at_ timestamptz, verdict_ text, opinion_ text)
returns void
language plpgsql as $$
begin
    update hotline.approval set verdict = verdict_, decided_by = who.id, decided_at = at_, opinion = coalesce(opinion_, opinion) where id = p.id;
    delete from hotline.timer where ticket_id = p.ticket_id and kind = 'review' and clock_id = p.id;
end $$;

-- May this person decide what was asked?
create or replace function hotline.may_decide(c hotline.call, p hotline.approval) returns api.answer
language plpgsql as $$
begin
    if p.id is null or p.ticket_id <> (c.t).id or p.verdict is not null then
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
create or replace function hotline.decide(c hotline.call, action_ text) returns api.answer
language plpgsql as $$
declare
    p hotline.approval;
    said api.answer;
begin
    if not hotline.has_right(c.actor, action_) then
        return hotline.forbidden();
    end if;
    said := hotline.check_inputs(action_, c.x);
    if said is not null then
        return said;
    end if;
    select * into p from hotline.approval where id = (c.x->>'approval')::bigint for update;
    said := hotline.may_decide(c, p);
    if said is not null then
        return said;
    end if;
    if action_ = 'approve' then
        p.opinion := c.x->>'opinion';
        said := hotline.step((c.t).id, p.action, c.actor, p.asks, null, c.extra, p);
        if said.status = 200 then
            update hotline.approval set opinion = p.opinion where id = p.id;
        end if;
        return said;
    end if;
    c.role := p.decider_role;
    c.event := hotline.new_id();
    c.approval := p;
    c.payload := jsonb_build_object('kind', p.kind);
    perform hotline.close_approval(p, c.actor, c.at, 'rejected', c.x->>'opinion');
    perform hotline.note_inputs(c, 'opinion');
    c := hotline.log_event(c, 'REJECT');
    return hotline.acted((c.t).id, c);
end $$;

-- The review clock ran out: it goes one level up, and waits there.
create or replace function hotline.lapse(pid bigint, at_ timestamptz) returns void
language plpgsql as $$
declare
    p hotline.approval;
    c hotline.call;
    up text;
begin
    select * into p from hotline.approval where id = pid and verdict is null for update;
    if not found then
        return;
    end if;
    select w into c.t from hotline.ticket w where id = p.ticket_id for update;
    c.a := hotline.main_of(c.t);
    c.actor := hotline.system_actor();
    c.role := 'SYS';
    c.at := greatest(at_, (c.t).event_at);
    c.event := hotline.new_id();
    select nullif(up_role, p.decider_role) into up from hotline.approval_kind where kind = p.kind;
    update hotline.approval set decider_role = coalesce(up, decider_role), lapses = lapses + 1,
        due_at = case when up is null then due_at else hotline.review_due(kind, c.at) end
    where id = pid returning * into p;
    if up is not null then
        insert into hotline.timer (id, at, ticket_id, kind, clock_id) values (hotline.new_id(), p.due_at, p.ticket_id, 'review', p.id);
    end if;
    c.payload := jsonb_build_object('kind', p.kind, 'decider', p.decider_role);
    c.approval := p;
    perform hotline.log_event(c, 'LAPSE');
end $$;
