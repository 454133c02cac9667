-- Effects of the dispatch side.

-- The present main assignment ends (8 returned, 9 cancelled): nobody is responsible until the next one.  What assisted it ends with it.
create or replace function hotline.end_assignment(c hotline.call, state_ int) returns hotline.call
language plpgsql as $$
begin
    if (c.a).id is null or (c.a).state in (8, 9) then
        return c;
    end if;
    c.a.state := state_;
    c.a.done_at := c.at;
    c.t.unit_id := null;
    c.payload := c.payload || jsonb_build_object('main_unit', null);
    return hotline.end_parts(c, 9);
end $$;

create or replace function hotline.end_parts(c hotline.call, state_ int, role_ int default null) returns hotline.call
language plpgsql as $$
begin
    if c.others then
        update hotline.assignment set state = state_, done_at = c.at
        where ticket_id = (c.t).id and role = coalesce(role_, role) and role in (2, 3) and state not in (7, 8, 9);
        c.units := null;
    end if;
    return c;
end $$;

-- The main assignment is cancelled and another follows in the same step: what was cancelled is written here, and named in the event.
create or replace function hotline.replace_assignment(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    was hotline.assignment := c.a;
begin
    c.a.state := 9;
    c.a.done_at := c.at;
    perform hotline.save_assignment(was, c.a, c.t, c.t);
    c.payload := c.payload || jsonb_build_object('old_assignment', was.id::text, 'old_unit', was.unit_id, 'cancelled', was.id::text);
    return c;
end $$;

create or replace function hotline.do_claim(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c.t.claimed_by := (c.actor).id;
    c.t.claimed_until := c.at + make_interval(mins => hotline.setting_int('claim.minutes'));
    return c;
end $$;

create or replace function hotline.do_unclaim(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c.t.claimed_by := null;
    c.t.claimed_until := null;
    return c;
end $$;

create or replace function hotline.do_dispatch_district(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c.x := c.x || jsonb_build_object('main_unit', hotline.district_unit(c.x->>'district'));
    return hotline.do_dispatch(c);
end $$;

-- From a return under review: who is to blame stays open, and the unit has it no more.
create or replace function hotline.do_consult(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    if (c.a).id is not null then
        update hotline.return_request set verdict = 'consulted', decided_by = (c.actor).id, decided_at = c.at
        where ticket_id = (c.t).id and verdict is null;
        c := hotline.end_assignment(c, 8);
    end if;
    insert into hotline.consultation (ticket_id, event_id, participants, question, opened_by, at)
    values ((c.t).id, c.event, array(select e::int from jsonb_array_elements_text(c.x->'participants') e), c.x->>'question', (c.actor).id, c.at);
    c.payload := c.payload || jsonb_build_object('participants', c.x->'participants');
    perform hotline.note_inputs(c, 'question');
    return hotline.ask_opinions(c, array(select e::int from jsonb_array_elements_text(c.x->'participants') e), c.x->>'question');
end $$;

-- Each unit that is asked sees the ticket until the consultation ends, and has as long as it lasts.  Who stands in conflict is not asked.
create or replace function hotline.ask_opinions(c hotline.call, units_ int[], question_ text) returns hotline.call
language plpgsql as $$
declare
    p text := hotline.policy_of(c.t);
    v int := hotline.policy_version(p, c.at);
    due timestamptz := coalesce((c.x->>'due')::timestamptz, (select (hotline.clock_due(1, c.at, k.budget, k.unit)).due_at from hotline.policy_clock k
        where k.policy = p and k.version = v and k.kind = 'consultation'));
begin
    insert into hotline.assignment (id, ticket_id, role, unit_id, round, state, instruction, policy, policy_version, dispatched_by, dispatched_at, unit_due_at)
    select hotline.new_id(), (c.t).id, 4, u, (c.t).round, 1, question_, p, v, (c.actor).id, c.at, due
    from unnest(units_) u where not hotline.is_in_conflict((c.t).id, u);
    c.others := true;
    c.units := null;
    return c;
end $$;

create or replace function hotline.do_give_opinion(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c := hotline.move_part(c, 4, 5);
    perform hotline.note_inputs(c, 'legal_basis');
    return c;
end $$;

-- The units that had it and gave it back, or wanted to, come together.
create or replace function hotline.do_arbitrate(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    units int[] := (select coalesce(array_agg(distinct u order by u), '{}') from hotline.return_request r, unnest(array[r.unit_id, r.suggested_unit_id]) u
                    where r.ticket_id = (c.t).id and u is not null);
begin
    c := hotline.end_assignment(c, 8);
    insert into hotline.consultation (ticket_id, event_id, participants, question, at)
    values ((c.t).id, c.event, units, '多次退单，须明确承办单位。', c.at);
    c.payload := c.payload || jsonb_build_object('participants', units);
    return hotline.ask_opinions(c, units, '多次退单，须明确承办单位。');
end $$;

-- The decision binds the unit, and is found again when the next ticket like this one is to be dispatched.
create or replace function hotline.do_conclude(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    update hotline.consultation set decision = c.x->>'decision_text', decided_by = (c.actor).id, decided_at = c.at,
        opinions = array(select u.short_name || '：' || (o.said).content from hotline.opinions_of((c.t).id) o join hotline.unit u on u.id = (o.a).unit_id
                         where (o.said).event_id is not null)
            || array(select e from jsonb_array_elements_text(coalesce(c.x->'opinions', '[]')) e)
    where ticket_id = (c.t).id and event_id = (hotline.consultation_of((c.t).id)).event_id;
    update hotline.assignment set state = 9, done_at = c.at where ticket_id = (c.t).id and role = 4 and state not in (8, 9);
    c.x := c.x || jsonb_build_object('instruction', c.x->'decision_text');
    c := hotline.do_dispatch(c);
    c.a.forbid_return := true;
    insert into hotline.directory_precedent (event_id, ticket_id, category_id, division, unit_id, co_unit_ids, legal_basis, decision, decided_by, at)
    values (c.event, (c.t).id, (c.t).category_id, (c.t).division, (c.a).unit_id,
        array(select e::int from jsonb_array_elements_text(coalesce(c.x->'co_units', '[]')) e), c.x->>'legal_basis', c.x->>'decision_text',
        (c.actor).id, c.at);
    perform hotline.note_inputs(c, 'legal_basis', 'opinions');
    return c;
end $$;

create or replace function hotline.do_send_back(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c.payload := c.payload || jsonb_build_object('taken_by', (c.t).created_by);
    perform hotline.note_inputs(c, 'missing');
    return hotline.do_unclaim(c);
end $$;

-- Type and urgency decide the times: of the dispatcher, and of a unit that has not signed yet.
create or replace function hotline.do_amend(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    was hotline.ticket := c.t;
    item_policy text;
begin
    c.payload := c.payload || jsonb_build_object('changed', hotline.amended(c));
    c := hotline.apply_fields(c);
    if (c.t).appeal_type <> was.appeal_type then
        c := hotline.shorten_promise(c, case when was.urgency = 5 then 5 else 4 end::smallint);
    end if;
    if (c.a).id is not null and ((c.t).appeal_type, (c.t).urgency) <> (was.appeal_type, was.urgency) then
        select policy into item_policy from hotline.directory_item where id = (c.a).directory_item_id;
        if (c.a).round = 0 and item_policy is null then
            c.a.policy := hotline.policy_for((c.t).appeal_type, (c.t).urgency);
            c.a.policy_version := hotline.policy_version((c.a).policy, (c.a).dispatched_at);
            c.t.policy := (c.a).policy;
            c.t.policy_version := (c.a).policy_version;
        end if;
    end if;
    perform hotline.note_inputs(c, 'reason');
    return c;
end $$;

create or replace function hotline.do_redispatch(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c := hotline.replace_assignment(c);
    c := hotline.end_parts(c, 9);
    c := hotline.do_dispatch(c);
    perform hotline.note_inputs(c, 'reason');
    return c;
end $$;

-- Main and assisting unit change places; the other assisting units stay.
create or replace function hotline.do_change_main(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    was hotline.assignment := c.a;
begin
    c := hotline.replace_assignment(c);
    c := hotline.end_parts(c, 9, 3);
    update hotline.assignment set state = 9, done_at = c.at
    where ticket_id = (c.t).id and role = 2 and round = (c.t).round and unit_id = (c.x->>'new_main')::int and state not in (8, 9);
    c.x := c.x || jsonb_build_object('main_unit', c.x->'new_main', 'co_units', jsonb_build_array(was.unit_id), 'instruction', c.x->'reason',
        'item', was.directory_item_id, 'policy', was.policy);
    c := hotline.do_dispatch(c);
    c.a.state := 3;
    c.a.forbid_return := true;
    c.payload := c.payload || jsonb_build_object('basis', c.x->>'basis');
    return c;
end $$;
