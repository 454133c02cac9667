-- Guards of the dispatch side: the pool's lease, districts, consultations, amendments, what the centre takes back.

insert into hotline.scanned_input (action, input, kinds, secrecy)
select a, i, '{mobile,phone,identity,card,plate,email,account,name,house}', 1
from (values ('dispatch_to_district', 'instruction'), ('decide', 'decision_text'), ('redispatch', 'instruction'), ('sub_dispatch', 'instruction'),
    ('request_co_unit', 'question'), ('change_main', 'reason'), ('open_consultation', 'question')) as v(a, i);

-- Who holds the lease of a ticket in the pool works on it alone; a shift lead is not stopped by it.
create or replace function hotline.claimed_by_other(c hotline.call) returns api.answer
language plpgsql stable as $$
begin
    if c.role = 'DSP' and (c.t).claimed_until > c.at and (c.t).claimed_by <> (c.actor).id then
        return hotline.problem(409, 'claimed', '工单已被' || (select name from hotline.person where id = (c.t).claimed_by) || '领取，请稍后再试。',
            'The ticket is claimed by a colleague; try again later.',
            jsonb_build_object('claimed_until', hotline.time_text((c.t).claimed_until), 'state', hotline.name_of('state', (c.t).state), 'version', (c.t).version));
    end if;
    return null;
end $$;

create or replace function hotline.may_claim(c hotline.call) returns api.answer
language plpgsql as $$ begin return hotline.claimed_by_other(c); end $$;

create or replace function hotline.may_unclaim(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if (c.t).claimed_by is distinct from (c.actor).id or (c.t).claimed_until <= c.at then
        return hotline.problem(409, 'not_claimed', '您没有领取这张工单。', 'You have not claimed this ticket.');
    end if;
    return null;
end $$;

create or replace function hotline.may_dispatch_first(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if (c.t).claimed_until > c.at and hotline.claimed_by_other(c) is not null then
        return hotline.claimed_by_other(c);
    end if;
    return hotline.may_dispatch(c);
end $$;

-- The government of a district, by the district's code.
create or replace function hotline.district_unit(division_ text) returns int
language plpgsql stable as $$
begin
    return (select id from hotline.unit u where kind = 'district' and division = left(division_, 6) and hotline.is_valid(u));
end $$;

-- Where the unit cannot be told, the place must be.
create or replace function hotline.may_dispatch_district(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if hotline.claimed_by_other(c) is not null then
        return hotline.claimed_by_other(c);
    end if;
    if c.x is not null then
        if hotline.district_unit(c.x->>'district') is null then
            return hotline.bad_inputs(jsonb_build_array(hotline.field('district', 'no_district_unit', '请选择区（县）。', 'Choose a district.')));
        elsif hotline.is_in_conflict((c.t).id, hotline.district_unit(c.x->>'district')) then
            return hotline.conflict_unit_refused('district');
        end if;
        c.x := c.x || jsonb_build_object('main_unit', hotline.district_unit(c.x->>'district'));
    end if;
    return hotline.may_dispatch(c);
end $$;

create or replace function hotline.may_consult(c hotline.call) returns api.answer
language plpgsql as $$
declare
    bad jsonb := '[]';
    n int;
begin
    if (c.t).state = 20 and hotline.claimed_by_other(c) is not null then
        return hotline.claimed_by_other(c);
    end if;
    if c.x is null then
        return null;
    end if;
    select count(distinct e) into n from jsonb_array_elements_text(c.x->'participants') e;
    if n < jsonb_array_length(c.x->'participants') or n < 1 or exists (select from jsonb_array_elements_text(c.x->'participants') e
            join hotline.unit u on u.id = e::int where u.level = 1) then
        bad := bad || hotline.field('participants', 'not_member_units', '参加单位须是各不相同的成员单位。', 'Participants are member units, each named once.');
    end if;
    if exists (select from jsonb_array_elements_text(c.x->'participants') e where hotline.is_in_conflict((c.t).id, e::int)) then
        return hotline.conflict_unit_refused('participants');
    end if;
    if (c.x->>'due')::timestamptz <= c.at then
        bad := bad || hotline.field('due', 'in_past', '会商时限须晚于现在。', 'The time must lie in the future.');
    elsif (c.x->>'due')::timestamptz > (hotline.clock_due(1, c.at, 10, 'workday')).due_at then
        bad := bad || hotline.field('due', 'too_late', '会商不超过 10 个工作日。', 'A consultation lasts ten workdays at most.');
    end if;
    return case when bad <> '[]' then hotline.bad_inputs(bad) else hotline.leaks(c) end;
end $$;

-- The last consultation of a ticket.
create or replace function hotline.consultation_of(tid bigint) returns hotline.consultation
language plpgsql stable as $$
declare
    k hotline.consultation;
begin
    select * into k from hotline.consultation where ticket_id = tid order by event_id desc limit 1;
    return k;
end $$;

-- The units that were asked in a consultation under way, each with what it said, null where it has said nothing.
create or replace function hotline.opinions_of(tid bigint) returns table (a hotline.assignment, said hotline.part_reply)
language plpgsql stable as $$
begin
    return query
    select m, r from hotline.assignment m left join hotline.part_reply r on r.ticket_id = m.ticket_id and r.assignment_id = m.id
    where m.ticket_id = tid and m.role = 4 and m.state not in (8, 9) order by m.id;
end $$;

-- Once: what a unit has said stands.
create or replace function hotline.may_give_opinion(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if (hotline.part_of(c.t, c.actor, 4)).state is distinct from 1 then
        return hotline.problem(409, 'opinion_given', '本单位已提出意见。', 'The unit has given its opinion.');
    end if;
    return hotline.leaks(c);
end $$;

-- It is decided when the units' opinions are on record, or its time is over.
create or replace function hotline.may_conclude(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if c.x is null then
        return hotline.may_dispatch(c);
    end if;
    if not c.x ? 'opinions' and exists (select from unnest(c.clocks) k where kind = 'consultation'
            and met_at is null and stopped_at is null and due_at > c.at)
            and not (select coalesce(bool_and((o.said).event_id is not null), false) from hotline.opinions_of((c.t).id) o) then
        return hotline.bad_inputs(jsonb_build_array(hotline.field('opinions', 'required', '会商时限未到，请记录各参加单位的意见。',
            'The consultation is not over: record the opinions of the units.')));
    end if;
    return hotline.may_dispatch(c);
end $$;

create or replace function hotline.may_send_back(c hotline.call) returns api.answer
language plpgsql as $$ begin return hotline.claimed_by_other(c); end $$;

create or replace function hotline.may_amend(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if (c.t).state = 20 and hotline.claimed_by_other(c) is not null then
        return hotline.claimed_by_other(c);
    end if;
    if c.x is not null and hotline.amended(c) = '{}' then
        return hotline.problem(422, 'nothing_amended', '没有改动任何内容。', 'Nothing was changed.');
    end if;
    return null;
end $$;

-- What an amendment changes: field → [before, after]; of texts only that they change.
create or replace function hotline.amended(c hotline.call) returns jsonb
language plpgsql stable as $$
declare
    t hotline.ticket := c.t;
begin
    return (
        select coalesce(jsonb_object_agg(name, case when texts then 'true' else jsonb_build_array(was, is_) end), '{}')
        from (values
            ('type', hotline.name_of('appeal_type', t.appeal_type), c.x->>'type', false),
            ('urgency', hotline.name_of('urgency', t.urgency), c.x->>'urgency', false),
            ('category', (select code from hotline.category where id = t.category_id), c.x->>'category', false),
            ('division', t.division, c.x->>'division', false),
            ('secrecy', t.secrecy::text, c.x->>'secrecy', false),
            ('reply_wanted', t.reply_wanted::text, c.x->>'reply_wanted', false),
            ('title', t.title, c.x->>'title', true),
            ('content', t.content, c.x->>'content', true),
            ('address', t.address, c.x->>'address', true)) as v(name, was, is_, texts)
        where nullif(is_, '') is not null and is_ is distinct from was
    );
end $$;

create or replace function hotline.may_redispatch(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if c.x is not null and (c.x->>'main_unit')::int = (c.a).unit_id then
        return hotline.bad_inputs(jsonb_build_array(hotline.field('main_unit', 'same_unit', '工单正由该单位办理，请另选单位。',
            'This unit has it already; choose another.')));
    end if;
    return hotline.may_dispatch(c);
end $$;

-- Two units have given it back, or it was asked to be given back three times: who is responsible is decided together.
create or replace function hotline.is_arbitration_due(c hotline.call) returns api.answer
language plpgsql as $$
declare
    asked int;
    units int;
begin
    select count(*), count(distinct unit_id) filter (where verdict = 'approved') into asked, units
    from hotline.return_request
    where ticket_id = (c.t).id and event_id > coalesce((hotline.consultation_of((c.t).id)).event_id, 0);
    if units < 2 and asked < 3 or exists (select from hotline.return_request where ticket_id = (c.t).id and verdict is null) then
        return hotline.problem(409, 'arbitration_not_due', '还不需要强制会商。', 'A consultation is not due.');
    end if;
    return null;
end $$;

-- A unit takes a lead from one that assists.
create or replace function hotline.may_change_main(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if not exists (select from hotline.assignment where ticket_id = (c.t).id and role = 2 and round = (c.t).round and state not in (8, 9)) then
        return hotline.problem(409, 'no_co_unit', '没有可改为主办的协办单位。', 'There is no assisting unit to take the lead.');
    end if;
    if c.x is null then
        return null;
    end if;
    if not exists (select from hotline.assignment where ticket_id = (c.t).id and role = 2 and round = (c.t).round and state not in (8, 9)
            and unit_id = (c.x->>'new_main')::int) then
        return hotline.bad_inputs(jsonb_build_array(hotline.field('new_main', 'not_a_co_unit', '新主办单位须是本工单的协办单位。',
            'The new main unit must be one that assists here.')));
    end if;
    if c.x->>'basis' = 'consultation' and (hotline.consultation_of((c.t).id)).decided_at is null then
        return hotline.bad_inputs(jsonb_build_array(hotline.field('basis', 'no_consultation', '本工单没有会商结论。', 'No consultation was decided on this ticket.')));
    end if;
    return hotline.leaks(c);
end $$;
