-- Guards of what the citizen may still say and of what the centre does about it.

create or replace function hotline.citizen_actor() returns hotline.actor
language sql immutable as $$ select row(null, '诉求人', null, '{CIT}'::text[], false, null)::hotline.actor $$;

create or replace function hotline.input_fault(name text, code text, zh text, en text) returns api.answer
language sql stable as $$ select hotline.bad_inputs(jsonb_build_array(hotline.field(name, code, zh, en))) $$;

-- Is this ticket one that people still work on?
create or replace function hotline.is_open(state_ smallint) returns boolean
language sql immutable as $$ select state_ between 11 and 69 $$;

-- Who works on the ticket asks: the acceptor, then the dispatcher, then the unit's handler.
create or replace function hotline.may_ask_more(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if not ((case (c.t).state when 11 then 'ACC' when 20 then 'DSP' else 'UHD' end) = any ((c.actor).roles)) then
        return hotline.forbidden();
    end if;
    if (c.t).anonymous or not exists (select from hotline.ticket_contact where ticket_id = (c.t).id and phone_enc is not null) then
        return hotline.problem(409, 'not_contactable', '诉求人没有留下联系方式，无法请其补充。', 'The citizen left no way to be asked.');
    end if;
    if (select count(*) from hotline.supplement where ticket_id = (c.t).id) >= hotline.setting_int('supplement.times') then
        return hotline.problem(409, 'supplements_used_up', '已请诉求人补充过两次，不能再请。', 'The citizen was asked twice already, which is the most.');
    end if;
    if (c.x->>'deadline')::timestamptz <= c.at then
        return hotline.input_fault('deadline', 'in_past', '补充期限须晚于现在。', 'The time lies in the past.');
    elsif (c.x->>'deadline')::timestamptz > hotline.supplement_until(c.at) then
        return hotline.input_fault('deadline', 'too_late', '补充期限最长 3 个工作日。', 'Three workdays are the most.');
    end if;
    return null;
end $$;

create or replace function hotline.supplement_until(at timestamptz) returns timestamptz
language plpgsql stable as $$
begin
    return (hotline.clock_due(1, at, hotline.setting_int('supplement.days'), 'workday')).due_at;
end $$;

-- Two reminders went out, and the time is up.
create or replace function hotline.may_stop_waiting(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if not exists (select from hotline.supplement
                   where ticket_id = (c.t).id and ended_at is null and reminded >= 2 and deadline <= c.at) then
        return hotline.problem(409, 'may_still_supplement', '补充期限未到或提醒不足两次。', 'The citizen may still add the facts.');
    end if;
    return null;
end $$;

-- Whoever took the call at the other end is named, unless it went as data.
create or replace function hotline.may_transfer(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if c.x is not null and c.x->>'mode' <> 'data' and not c.x ? 'agency_agent_no' then
        return hotline.input_fault('agency_agent_no', 'required', '请登记对方工号。', 'Give the number of who took the call.');
    end if;
    return null;
end $$;

-- Same citizen, another ticket, still open.  The engine locks the second ticket too.
create or replace function hotline.may_merge(c hotline.call) returns api.answer
language plpgsql as $$
declare
    other hotline.ticket;
    phone text := (select phone_hmac from hotline.ticket_contact where ticket_id = (c.t).id);
begin
    if phone is null then
        return hotline.problem(409, 'no_caller', '这张工单没有来电号码，无法确认是同一人。', 'This ticket has no phone number that says who filed it.');
    end if;
    if c.x is null then
        if not exists (select from hotline.inbox i join hotline.ticket k on k.id = i.ticket_id
                       where i.phone_hmac = phone and i.ticket_id <> (c.t).id and hotline.is_open(i.state) and hotline.sees(c.actor, k)) then
            return hotline.problem(409, 'nothing_to_merge_into', '该诉求人没有其他在办工单。', 'This citizen has no other open ticket.');
        end if;
        return null;
    end if;
    select * into other from hotline.ticket where id = (c.x->>'master')::bigint;
    if not found or not hotline.sees(c.actor, other) or other.id = (c.t).id then
        return hotline.input_fault('master', 'no_such_ticket', '没有这张工单。', 'There is no such ticket.');
    elsif not hotline.is_open(other.state) then
        return hotline.input_fault('master', 'not_open', '要并入的工单已经结束。', 'The ticket to merge into has ended.');
    elsif not exists (select from hotline.ticket_contact where ticket_id = other.id and phone_hmac = phone) then
        return hotline.input_fault('master', 'another_citizen', '不是同一诉求人：不同的人反映同一件事请用串并。',
            'Another citizen filed it; group them instead.');
    end if;
    return null;
end $$;

-- Different citizens, one matter.  The lead may be this ticket itself.
create or replace function hotline.may_group(c hotline.call) returns api.answer
language plpgsql as $$
declare
    lead_ hotline.ticket;
begin
    if exists (select from hotline.case_group_member where ticket_id = (c.t).id) then
        return hotline.problem(409, 'in_a_group', '工单已在一个串并组里。', 'The ticket belongs to a group already.');
    end if;
    if c.x is null then
        return null;
    end if;
    select * into lead_ from hotline.ticket where id = (c.x->>'lead')::bigint;
    if not found or not hotline.sees(c.actor, lead_) then
        return hotline.input_fault('lead', 'no_such_ticket', '没有这张工单。', 'There is no such ticket.');
    elsif not hotline.is_open(lead_.state) then
        return hotline.input_fault('lead', 'not_open', '主单已经结束。', 'The lead ticket has ended.');
    elsif lead_.id <> (c.t).id and exists (select from hotline.ticket_contact a join hotline.ticket_contact b on b.phone_hmac = a.phone_hmac
            where a.ticket_id = lead_.id and b.ticket_id = (c.t).id) then
        return hotline.input_fault('lead', 'same_citizen', '与主单是同一诉求人：请用并案。', 'The same citizen filed the lead ticket; merge them instead.');
    end if;
    return null;
end $$;

-- The lead ticket's reply has passed the audit, and this ticket lies with the same unit.
create or replace function hotline.may_share_reply(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if not exists (select from hotline.case_group_member m join hotline.case_group g on g.id = m.group_id
                   join hotline.ticket lead_ on lead_.id = g.lead_ticket_id
                   where m.ticket_id = (c.t).id and lead_.unit_id = (c.a).unit_id
                     and exists (select from hotline.reply r where r.ticket_id = lead_.id and r.verdict = 'passed')) then
        return hotline.problem(409, 'no_shared_reply', '主单还没有可用的答复。', 'The lead ticket has no reply for this one.');
    end if;
    return null;
end $$;

-- The citizen was reached and contradicts what the unit put on record.
create or replace function hotline.may_flag(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if (c.t).round >= 2 then
        return hotline.problem(409, 'rounds_used_up', '已重办两轮，不能再重办。', 'Two rework rounds are the most.');
    elsif not hotline.was_reached(c.t) then
        return hotline.not_reached();
    elsif c.x is null then
        return null;
    end if;
    if c.x->>'integrity_kind' = 'not_contacted' and c.x->'contacted_by_unit' = 'true' then
        return hotline.input_fault('contacted_by_unit', 'no_contradiction', '诉求人称联系过，没有矛盾。', 'The citizen says there was contact; nothing is contradicted.');
    elsif c.x->>'integrity_kind' = 'not_contacted' and not exists (select from hotline.first_contact
            where ticket_id = (c.t).id and assignment_id = (c.a).id and contacted) then
        return hotline.problem(422, 'nothing_claimed', '单位没有登记过联系，不构成矛盾。', 'The unit claims no contact, so nothing is contradicted.');
    elsif c.x->>'integrity_kind' = 'not_done' and c.x->>'resolved' = 'yes' then
        return hotline.input_fault('resolved', 'no_contradiction', '诉求人称已解决，没有矛盾。', 'The citizen says it is resolved; nothing is contradicted.');
    end if;
    return null;
end $$;

create or replace function hotline.days_since_closing(c hotline.call, days int) returns boolean
language sql stable as $$ select coalesce((c.t).closed_at, (c.t).ended_at) + make_interval(days => days) < c.at $$;

-- Once, within seven days, where the citizen was asked and did not rate.
create or replace function hotline.may_rate_late(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if (c.t).rated is distinct from 0 then
        return hotline.problem(409, 'rated_already', '这张工单不需要补充评价，或已经评价过。', 'This matter needs no rating, or has one.');
    elsif hotline.days_since_closing(c, hotline.setting_int('rating.late_days')) then
        return hotline.problem(409, 'too_late_to_rate', '办结已超过 7 天，不能再评价。', 'It was closed more than seven days ago.');
    end if;
    return null;
end $$;

create or replace function hotline.may_object(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if (c.approval).id is not null then
        return hotline.same_unit_fits(c); -- asked in time; only the decision comes later
    end if;
    if hotline.days_since_closing(c, hotline.setting_int(case (c.t).close_kind when 7 then 'objection.supplement_days' else 'objection.days' end)) then
        return hotline.problem(409, 'too_late_to_object', '已过提出异议的期限。', 'The time for an objection is over.');
    elsif exists (select from hotline.approval where ticket_id = (c.t).id and kind = 'objection' and asked_at >= (c.t).ended_at) then
        return hotline.problem(409, 'objected_already', '您已提出过异议，只能提出一次。', 'An objection was made already; it can be made once.');
    end if;
    return null;
end $$;

-- A matter that was closed for want of facts reopens by itself; any other objection is the shift lead's to decide.
create or replace function hotline.objection_needs_two(c hotline.call) returns boolean
language sql as $$ select (c.t).close_kind is distinct from 7 $$;

create or replace function hotline.may_reopen(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if hotline.days_since_closing(c, hotline.setting_int('reopen.days')) then
        return hotline.problem(409, 'too_late_to_reopen', '办结已超过 90 天，不能重启。', 'It was closed more than ninety days ago.');
    end if;
    return case when (c.rule).to_assignment is not null then hotline.same_unit_fits(c) end;
end $$;

-- A unit that stands in conflict does not get the ticket a second time.
create or replace function hotline.same_unit_fits(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if (c.a).id is not null and hotline.is_in_conflict((c.t).id, (c.a).unit_id) then
        return hotline.conflict_unit_refused('unit');
    end if;
    return null;
end $$;

-- Is this unit, or one it belongs to, named as standing in conflict with the ticket?
create or replace function hotline.is_in_conflict(tid bigint, unit_ int) returns boolean
language plpgsql stable as $$
begin
    return exists (select from hotline.conflict_unit k where k.ticket_id = tid and hotline.is_under(unit_, k.unit_id));
end $$;

create or replace function hotline.conflict_unit_refused(field_ text) returns api.answer
language sql stable as $$
    select hotline.problem(422, 'conflict_unit', '该单位被反映或有利害关系，不能承办这张工单。', 'The unit is complained about or in conflict; it cannot have this ticket.',
        jsonb_build_object('fields', jsonb_build_array(hotline.field(field_, 'conflict_unit', '请另选单位。', 'Choose another unit.'))))
$$;

create or replace function hotline.may_answer_urge(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if not exists (select from hotline.urge where ticket_id = (c.t).id and answered_at is null) then
        return hotline.problem(409, 'no_open_urge', '没有待答复的催办。', 'No urge waits for an answer.');
    end if;
    return null;
end $$;

create or replace function hotline.may_supervise(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if (c.x->>'due')::timestamptz <= c.at then
        return hotline.input_fault('due', 'in_past', '答复期限须晚于现在。', 'The time lies in the past.');
    elsif c.x->>'kind' = 'leader' and not ((c.actor).roles && '{LEA,SUP}') then
        return hotline.input_fault('kind', 'not_a_leader', '领导督办须由市领导或督办员签发。', 'Such an order is a city leader''s or a supervisor''s.');
    end if;
    return null;
end $$;

-- The orders on this ticket that still have no answer from the unit's head.
create or replace function hotline.may_answer_order(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if not exists (select from hotline.supervision_order where ticket_id = (c.t).id and replied_at is null and closed_at is null
                   and (c.x is null or id = (c.x->>'order')::bigint)) then
        return hotline.problem(409, 'no_open_order', '没有待答复的督办。', 'No supervision order waits for an answer.');
    end if;
    return null;
end $$;

-- Only who issued an order closes it; one that the system issued is any supervisor's.
create or replace function hotline.may_close_order(c hotline.call) returns api.answer
language plpgsql as $$
declare
    o hotline.supervision_order;
begin
    if c.x is null then
        if not exists (select from hotline.supervision_order s where s.ticket_id = (c.t).id and s.closed_at is null and hotline.may_close(c.actor, s)) then
            return hotline.problem(409, 'no_open_order', '没有可以销号的督办。', 'No supervision order of yours is open.');
        end if;
        return null;
    end if;
    select * into o from hotline.supervision_order where id = (c.x->>'order')::bigint and ticket_id = (c.t).id and closed_at is null;
    if not found then
        return hotline.problem(409, 'no_open_order', '没有可以销号的督办。', 'No supervision order of yours is open.');
    elsif not hotline.may_close(c.actor, o) then
        return hotline.problem(403, 'not_the_issuer', '督办由签发人销号。', 'An order is closed by who issued it.');
    end if;
    return null;
end $$;

create or replace function hotline.may_close(who hotline.actor, o hotline.supervision_order) returns boolean
language sql immutable as $$ select case when o.issued_by is null then 'SUP' = any (who.roles) else o.issued_by = who.id end $$;

-- Only the citizen withdraws: known by the query code, or by the number that called.
create or replace function hotline.may_withdraw(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if 'CIT' = any ((c.actor).roles) then
        return null;
    elsif (c.t).query_code_hash is null and not exists (select from hotline.ticket_contact where ticket_id = (c.t).id and phone_hmac is not null) then
        return hotline.problem(409, 'no_caller', '这张工单没有来电号码，也没有查询码，无法核对诉求人。', 'This ticket has neither number nor query code by which its citizen is known.');
    elsif c.x is null then
        return null;
    elsif not c.x ? 'recording_id' then
        return hotline.input_fault('recording_id', 'required', '请登记录音编号。', 'Give the number of the recording.');
    elsif c.extra->>'code_hash' is not distinct from (c.t).query_code_hash and (c.t).query_code_hash is not null then
        return null;
    elsif exists (select from hotline.ticket_contact where ticket_id = (c.t).id and phone_hmac = c.extra->'contact'->>'phone_hmac') then
        return null;
    end if;
    return hotline.problem(422, 'identity_not_proved', '来电号码与登记的不一致，查询码也不对，不能撤诉。',
        'Neither the calling number nor the query code is the citizen''s.',
        jsonb_build_object('fields', jsonb_build_array(hotline.field('phone', 'not_the_citizen', '须为登记的号码。', 'It must be the number on record.'))));
end $$;

-- A unit steps aside while it has the ticket; after its reply only the auditor takes the ticket from it.
create or replace function hotline.may_recuse(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if (c.t).state = 50 and not ('AUD' = any ((c.actor).roles)) then
        return hotline.not_now(c.t, c.a);
    end if;
    return null;
end $$;

create or replace function hotline.may_name_conflict(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if (c.x->>'unit')::int = 1 then
        return hotline.input_fault('unit', 'not_a_member_unit', '须为成员单位。', 'It must be a member unit.');
    elsif (c.a).id is not null and hotline.is_under((c.a).unit_id, (c.x->>'unit')::int) then
        return hotline.problem(409, 'has_the_ticket', '该单位正在承办，请用“回避”。', 'This unit has the ticket now: let it step aside instead.');
    end if;
    return null;
end $$;

create or replace function hotline.may_watch(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if exists (select from hotline.watch where ticket_id = (c.t).id and person_id = (c.actor).id) then
        return hotline.problem(409, 'watched_already', '您已关注这张工单。', 'You watch this ticket already.');
    end if;
    return null;
end $$;

create or replace function hotline.may_unwatch(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if not exists (select from hotline.watch where ticket_id = (c.t).id and person_id = (c.actor).id) then
        return hotline.problem(409, 'not_watched', '您没有关注这张工单。', 'You do not watch this ticket.');
    end if;
    return null;
end $$;
