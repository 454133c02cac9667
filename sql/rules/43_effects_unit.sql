-- Effects of the unit's side.

-- ---- returns ----

create or replace function hotline.do_return(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    insert into hotline.return_request (ticket_id, event_id, assignment_id, unit_id, code, legal_basis, suggested_unit_id, explain, evidence,
        asked_by, approved_by, at)
    values ((c.t).id, c.event, (c.a).id, (c.a).unit_id, c.x->>'return_code', c.x->>'legal_basis', (c.x->>'suggested_unit')::int, c.x->>'explain',
        array(select e from jsonb_array_elements_text(coalesce(c.x->'evidence', '[]')) e), (c.approval).asked_by, (c.actor).id, c.at);
    c.a.return_asked_at := (c.a).return_asked_at || c.at;
    c.payload := c.payload || jsonb_build_object('return_code', c.x->>'return_code', 'suggested_unit', (c.x->>'suggested_unit')::int);
    return c;
end $$;

create or replace function hotline.judge_return(c hotline.call, verdict_ text) returns hotline.return_request
language plpgsql as $$
declare
    r hotline.return_request;
begin
    update hotline.return_request set verdict = verdict_, blame = c.x->>'blame', decided_by = (c.actor).id, decided_at = c.at
    where ticket_id = (c.t).id and assignment_id = (c.a).id and verdict is null returning * into r;
    return r;
end $$;

create or replace function hotline.do_approve_return(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    r hotline.return_request := hotline.judge_return(c, 'approved');
begin
    insert into hotline.directory_feedback (event_id, ticket_id, directory_item_id, category_id, unit_id, suggested_unit_id, code, blame, at)
    values (c.event, (c.t).id, (c.a).directory_item_id, (c.t).category_id, r.unit_id, r.suggested_unit_id, r.code, r.blame, c.at);
    c.payload := c.payload || jsonb_build_object('blame', r.blame, 'returned_by', r.unit_id);
    perform hotline.note_inputs(c, 'opinion');
    return hotline.end_assignment(c, 8);
end $$;

-- Back to where it was asked from; who asks in vain twice asks no more.
create or replace function hotline.do_reject_return(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    perform hotline.judge_return(c, 'rejected');
    if (c.a).sign_due_at is not null and (c.a).signed_at is null and not (c.a).deemed_signed then
        c.rule.to_state := 30;
        c.rule.to_assignment := 1;
    else
        c.rule.to_state := 40;
        c.rule.to_assignment := 3;
    end if;
    c.a.forbid_return := (c.a).forbid_return or hotline.returns_of(c, 'rejected') >= 2;
    perform hotline.note_inputs(c, 'reason');
    return c;
end $$;

create or replace function hotline.do_reopen_return(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c.a.return_until := (select (hotline.clock_due(u.calendar_id, c.at, 1, 'workday')).due_at from hotline.unit u where u.id = (c.a).unit_id);
    perform hotline.note_inputs(c, 'reason');
    return c;
end $$;

-- ---- inside the unit ----

-- A part of the work for another unit: it assists (2), or works for the unit above it (3).
create or replace function hotline.add_part(c hotline.call, role_ int, unit_ int, above bigint, due timestamptz, instruction_ text) returns hotline.call
language plpgsql as $$
declare
    aid bigint := hotline.new_id();
begin
    insert into hotline.assignment (id, ticket_id, parent_id, role, unit_id, round, state, instruction, policy, policy_version, forbid_return,
        dispatched_by, dispatched_at, unit_due_at)
    values (aid, (c.t).id, above, role_, unit_, (c.t).round, 1, instruction_, (c.a).policy, (c.a).policy_version, false, (c.actor).id, c.at, due);
    c.others := true;
    c.units := null;
    c.payload := c.payload || jsonb_build_object('part', aid::text, 'part_unit', unit_);
    return c;
end $$;

create or replace function hotline.do_sub_dispatch(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    above hotline.assignment := hotline.own_assignment(c);
begin
    c := hotline.add_part(c, 3, (c.x->>'sub_unit')::int, above.id, (c.x->>'due')::timestamptz, c.x->>'instruction');
    perform hotline.note_inputs(c, 'instruction');
    return c;
end $$;

-- A step of an assisting or sub-unit on its own assignment.
create or replace function hotline.move_part(c hotline.call, role_ int, state_ int) returns hotline.call
language plpgsql as $$
declare
    s hotline.assignment := hotline.part_of(c.t, c.actor, role_);
begin
    update hotline.assignment set state = state_,
        signed_by = case when state_ = 3 then (c.actor).id else signed_by end, signed_at = case when state_ = 3 then c.at else signed_at end,
        handler_id = case when state_ = 3 then (c.x->>'handler')::int else handler_id end,
        replied_at = case when state_ = 5 then c.at else replied_at end, done_at = case when state_ = 8 then c.at else done_at end
    where ticket_id = s.ticket_id and id = s.id;
    c.units := null;
    if state_ = 8 then
        update hotline.assignment set state = 9, done_at = c.at
        where ticket_id = s.ticket_id and parent_id = s.id and state not in (5, 7, 8, 9);
    elsif state_ = 5 then
        insert into hotline.part_reply (ticket_id, event_id, assignment_id, content, measures, by_person, at)
        values (s.ticket_id, c.event, s.id, coalesce(c.x->>'content', c.x->>'opinion'), coalesce(c.x->>'measures', c.x->>'legal_basis'), (c.actor).id, c.at);
    end if;
    c.payload := c.payload || jsonb_build_object('part', s.id::text, 'part_unit', s.unit_id);
    return c;
end $$;

create or replace function hotline.do_sub_sign(c hotline.call) returns hotline.call
language plpgsql as $$ begin return hotline.move_part(c, 3, 3); end $$;

create or replace function hotline.do_sub_return(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    perform hotline.note_inputs(c, 'reason');
    return hotline.move_part(c, 3, 8);
end $$;

create or replace function hotline.do_sub_reply(c hotline.call) returns hotline.call
language plpgsql as $$ begin return hotline.move_part(c, 3, 5); end $$;

create or replace function hotline.do_co_reply(c hotline.call) returns hotline.call
language plpgsql as $$ begin return hotline.move_part(c, 2, 5); end $$;

-- An assisting unit has as long as the main one.
create or replace function hotline.do_ask_co(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    u hotline.unit;
begin
    select * into u from hotline.unit where id = (c.x->>'unit')::int;
    c := hotline.add_part(c, 2, u.id, null, (c.a).unit_due_at, c.x->>'question');
    if u.kind = 'department' and (select kind from hotline.unit where id = (c.a).unit_id) in ('district', 'street') then
        c.payload := c.payload || '{"should_lead": true}';
    end if;
    if (c.approval).id is null then
        perform hotline.note_inputs(c, 'question');
    end if;
    return c;
end $$;

create or replace function hotline.do_note_progress(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c.payload := c.payload || jsonb_build_object('visible', c.x->'visible_to_citizen');
    perform hotline.note_inputs(c, 'text');
    return c;
end $$;

-- ---- more time, pauses, the ledger ----

create or replace function hotline.do_grant_extension(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    asks jsonb := (c.approval).asks;
    unit_ text := (hotline.extension_allowed(c, true)).unit;
    n int := hotline.extensions_of(c) + 1;
    added int := hotline.extension_added(c, coalesce(c.x->>'new_due', asks->>'new_due')::timestamptz, unit_);
    new_due timestamptz;
begin
    -- The due time may have moved since it was asked for; what is granted never passes what was named.
    added := coalesce(added, 0);
    new_due := hotline.clock_later((select calendar_id from hotline.unit where id = (c.a).unit_id), (c.a).unit_due_at, added, unit_);
    insert into hotline.extension (ticket_id, event_id, assignment_id, n, code, added, unit, old_due_at, new_due_at, asked_by, decided_by, at)
    values ((c.t).id, c.event, (c.a).id, n, asks->>'ext_code', added, unit_, (c.a).unit_due_at, new_due, (c.approval).asked_by, (c.actor).id, c.at);
    c.payload := c.payload || jsonb_build_object('extension', jsonb_build_object('n', n, 'added', added, 'unit', unit_, 'code', asks->>'ext_code'));
    perform hotline.note_inputs(c, 'opinion');
    return c;
end $$;

create or replace function hotline.do_refuse_extension(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    perform hotline.note_inputs(c, 'opinion');
    return c;
end $$;

create or replace function hotline.do_waive_extension(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    insert into hotline.extension (ticket_id, event_id, assignment_id, waived, asked_by, at)
    values ((c.t).id, c.event, (c.a).id, true, (c.actor).id, c.at);
    perform hotline.note_inputs(c, 'reason');
    return c;
end $$;

create or replace function hotline.do_suspend(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    insert into hotline.suspension (ticket_id, event_id, assignment_id, code, until, asked_by, approved_by, at)
    values ((c.t).id, c.event, (c.a).id, c.x->>'pause_code', (c.x->>'until')::timestamptz, coalesce((c.approval).asked_by, (c.actor).id),
        case when (c.approval).id is not null then (c.actor).id end, c.at);
    c := hotline.set_timer(c, 'resume', (c.x->>'until')::timestamptz);
    c.payload := c.payload || jsonb_build_object('pause', c.x->>'pause_code', 'until', c.x->>'until');
    if (c.approval).id is null then
        perform hotline.note_inputs(c, 'evidence', 'legal_basis');
    end if;
    return c;
end $$;

create or replace function hotline.do_resume(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    update hotline.suspension set resumed_at = c.at, resumed_by = (c.actor).id where ticket_id = (c.t).id and resumed_at is null;
    delete from hotline.timer where ticket_id = (c.t).id and kind = 'resume';
    perform hotline.note_inputs(c, 'reason');
    return c;
end $$;

create or replace function hotline.do_park(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    insert into hotline.park (ticket_id, event_id, assignment_id, obstacle, plan, milestones, responsible_leader, next_review, asked_by, approved_by, at)
    values ((c.t).id, c.event, (c.a).id, c.x->>'obstacle_code', c.x->>'plan', array(select e from jsonb_array_elements_text(c.x->'milestones') e),
        c.x->>'responsible_leader', hotline.day_of((c.x->>'next_review')::timestamptz), (c.approval).asked_by, (c.actor).id, c.at);
    c.payload := c.payload || jsonb_build_object('pause', 'parked', 'obstacle', c.x->>'obstacle_code');
    return c;
end $$;

create or replace function hotline.do_note_park(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    update hotline.park set progress_at = c.at where ticket_id = (c.t).id and ended_at is null;
    perform hotline.note_inputs(c, 'text', 'milestone_state');
    return c;
end $$;

create or replace function hotline.do_unpark(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    update hotline.park set ended_at = c.at where ticket_id = (c.t).id and ended_at is null;
    return c;
end $$;

-- Ended without a solution: the unit is no longer at work on it, and is charged with nothing.
create or replace function hotline.do_terminate(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c.payload := c.payload || jsonb_build_object('terminate_code', c.x->>'code');
    return c;
end $$;
