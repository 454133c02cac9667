-- Guards: may it happen now?  Null means yes.  When the list of actions is drawn there are no inputs yet (x is null), and a guard
-- then says only what the ticket itself forbids.

-- What a text that leaves the centre may not hold.  A unit's own telephone is no personal data; a name or a plate may be the matter
-- between a unit and the citizen, but not for everybody to read.
delete from hotline.scanned_input;
insert into hotline.scanned_input (action, input, kinds, secrecy) values
    ('answer_on_spot', 'answer_text', '{mobile,identity,card}', 0),
    ('refuse', 'told_text', '{mobile,identity,card}', 0),
    ('refuse', 'alternative_channel', '{mobile,identity,card}', 0),
    ('first_contact', 'fail_reason', '{mobile,identity,card}', 0),
    ('submit_reply', 'content', '{mobile,identity,card}', 0),
    ('submit_reply', 'measures', '{mobile,identity,card}', 0),
    ('submit_reply', 'public_text', '{mobile,identity,card,plate,email,account,name,house}', 0),
    ('refer_out', 'told_text', '{mobile,identity,card}', 0),
    ('dispatch', 'instruction', '{mobile,phone,identity,card,plate,email,account,name,house}', 1);

-- The inputs that hold what they may not, as 422; null when there are none.  c.extra.private is the engine's scan of the inputs:
-- {input: {"kinds": […], "masked": …}}.
create or replace function hotline.leaks(c hotline.call) returns api.answer
language plpgsql stable as $$
declare
    bad jsonb;
begin
    if coalesce(c.extra->'private', '{}') = '{}' then
        return null;
    end if;
    select jsonb_agg(hotline.field(s.input, 'personal_data', '含有' || found.zh || '，请删去后再提交。', 'It holds ' || found.en || '; take it out.')
                     order by s.input)
    into bad
    from hotline.scanned_input s
    cross join lateral (
        select string_agg(w.zh, '、' order by w.code) as zh, string_agg(w.en, ', ' order by w.code) as en
        from jsonb_array_elements_text(c.extra->'private'->s.input->'kinds') k join hotline.word w on w.kind = 'private' and w.name = k
        where k = any (s.kinds)
    ) found
    where s.action = (c.rule).action and (c.t).secrecy >= s.secrecy and found.zh is not null;
    return case when bad is not null then hotline.bad_inputs(bad) end;
end $$;

-- What was accepted once is not refused any more: it is referred, or terminated.
create or replace function hotline.may_refuse(c hotline.call) returns api.answer
language plpgsql stable as $$
begin
    if (c.t).accepted_at is not null then
        return hotline.problem(409, 'accepted_already', '工单已经受理过，不能再不予受理。', 'It was accepted before and cannot be refused.');
    end if;
    return hotline.leaks(c);
end $$;

create or replace function hotline.may_save(c hotline.call) returns api.answer
language sql as $$ select null::api.answer $$;

create or replace function hotline.may_answer(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if c.x is null then
        return null;
    end if;
    if coalesce(c.x->>'title', (c.t).title) = '' then
        return hotline.bad_inputs(jsonb_build_array(hotline.field('title', 'required', '请填写标题。', 'Give it a title.')));
    end if;
    if not (select value ? coalesce(c.x->>'type', hotline.name_of('appeal_type', (c.t).appeal_type))
            from hotline.setting where name = 'answer.types') then
        return hotline.problem(422, 'type_not_answerable', '投诉和举报须转承办单位，不能直接办结。',
            'Complaints and reports go to a unit; they cannot be answered on the spot.');
    end if;
    if c.x->'appellant_ack' <> 'true' then
        return hotline.bad_inputs(jsonb_build_array(hotline.field('appellant_ack', 'must_be_true', '须诉求人知悉后才能办结。',
            'The citizen must have taken note.')));
    end if;
    if not c.x ? 'kb_article_ids' and coalesce(c.x->>'no_kb_reason', '') = '' then
        return hotline.bad_inputs(jsonb_build_array(hotline.field('no_kb_reason', 'required', '没有引用知识时，请写明原因。',
            'Say why no knowledge article was used.')));
    end if;
    return hotline.leaks(c);
end $$;

create or replace function hotline.may_submit(c hotline.call) returns api.answer
language plpgsql as $$
declare
    bad jsonb := '[]';
begin
    if c.x is null then
        return null;
    end if;
    if c.x->'readback' <> 'true' then
        bad := bad || hotline.field('readback', 'must_be_true', '请先向诉求人复述内容。', 'Read it back to the citizen first.');
    end if;
    if not exists (select from hotline.dup_check where id = (c.x->>'dup_check')::bigint and ticket_id = (c.t).id) then
        bad := bad || hotline.field('dup_check', 'no_dup_check', '请先查重。', 'Run the duplicate check first.');
    end if;
    if not coalesce((c.x->>'anonymous')::boolean, (c.t).anonymous) and c.extra->'contact'->>'phone_enc' is null
            and not exists (select from hotline.ticket_contact where ticket_id = (c.t).id and phone_enc is not null) then
        bad := bad || hotline.field('phone', 'required', '请填写联系电话，或选择匿名。', 'A phone number is needed unless the citizen stays anonymous.');
    end if;
    return case when bad <> '[]' then hotline.bad_inputs(bad) end;
end $$;

-- Invariant 8, seen from the other side: who audited a reply to a ticket does not dispatch it again.
create or replace function hotline.audited_by(c hotline.call) returns boolean
language plpgsql stable as $$
begin
    return (c.t).replied_at is not null and exists (select from hotline.reply where ticket_id = (c.t).id and audited_by = (c.actor).id);
end $$;

-- The department-duty guard: a matter that belongs to a department is not handed to a street or village (国办函〔2025〕66号).
create or replace function hotline.may_dispatch(c hotline.call) returns api.answer
language plpgsql as $$
declare
    u hotline.unit;
    item hotline.directory_item;
    co int[];
begin
    if hotline.audited_by(c) then
        return hotline.problem(403, 'auditor_cannot_dispatch', '审核过这张工单的人不能再派单。', 'Who audited a ticket cannot dispatch it.');
    elsif c.x is null then
        return null;
    end if;
    select * into u from hotline.unit where id = (c.x->>'main_unit')::int;
    if u.level = 1 then
        return hotline.bad_inputs(jsonb_build_array(hotline.field('main_unit', 'not_a_member_unit', '不能派给热线中心自己。',
            'The centre cannot dispatch to itself.')));
    end if;
    select coalesce(array_agg(e::int), '{}') into co from jsonb_array_elements_text(c.x->'co_units') e;
    if u.id = any (co) then
        return hotline.bad_inputs(jsonb_build_array(hotline.field('co_units', 'same_unit', '协办单位不能与主办单位相同。',
            'An assisting unit cannot be the main unit.')));
    elsif exists (select from hotline.unit where id = any (co) and level = 1) or cardinality(co) > (select count(distinct e) from unnest(co) e) then
        return hotline.bad_inputs(jsonb_build_array(hotline.field('co_units', 'not_member_units', '协办单位须是各不相同的成员单位。',
            'Assisting units are member units, each named once.')));
    end if;
    if hotline.is_in_conflict((c.t).id, u.id) then
        return hotline.conflict_unit_refused('main_unit');
    elsif exists (select from unnest(co) k where hotline.is_in_conflict((c.t).id, k)) then
        return hotline.conflict_unit_refused('co_units');
    end if;
    select * into item from hotline.directory_item where id = (c.x->>'item')::int;
    if u.grassroots and (item.exclude_grassroots
            or (item.category_id is distinct from (c.t).category_id or item.share is not null)
                and hotline.is_department_duty((c.t).category_id)) then
        return hotline.problem(422, 'department_duty', '这是职能部门的职责，不能派给街道、镇或村居。',
            'This is a department''s duty and cannot be handed to a street, town or village.',
            jsonb_build_object('fields', jsonb_build_array(hotline.field('main_unit', 'department_duty', '请改派职能部门。', 'Choose the department.'))));
    end if;
    return hotline.leaks(c);
end $$;

-- Every directory item of the category, or of those below it, is a department's.  What happened in the past says nothing about duty.
create or replace function hotline.is_department_duty(category int) returns boolean
language plpgsql stable as $$
begin
    return (
        -- (Offsets, so that rows are looked up: the kept plan expects more categories below than there are, and would read all items.)
        with recursive below as (
            select category as id
            union all
            select g.id from below b cross join lateral (select id from hotline.category where parent_id = b.id offset 0) g)
        select coalesce(bool_and(d.exclude_grassroots), false)
        from below b
        cross join lateral (select exclude_grassroots from hotline.directory_item
            where category_id = b.id and valid_to is null and share is null offset 0) d
    );
end $$;

-- The handler is one of the unit's own.
create or replace function hotline.handler_fits(handler text, unit_ int) returns api.answer
language plpgsql stable as $$
begin
    if handler is not null and not exists (
            select from hotline.person p join hotline.person_role r on r.person_id = p.id and r.role = 'UHD'
            where p.id = handler::int and hotline.is_under(p.unit_id, unit_)) then
        return hotline.bad_inputs(jsonb_build_array(hotline.field('handler', 'not_of_this_unit', '承办人须是本单位人员。',
            'The handler must belong to the unit.')));
    end if;
    return null;
end $$;

create or replace function hotline.may_sign(c hotline.call) returns api.answer
language plpgsql as $$ begin return hotline.handler_fits(c.x->>'handler', (c.a).unit_id); end $$;

create or replace function hotline.may_contact(c hotline.call) returns api.answer
language plpgsql as $$
declare
    bad jsonb := '[]';
begin
    if c.x is null then
        return null;
    end if;
    if c.x->'contacted' = 'false' then
        if coalesce((c.x->>'attempts')::int, 0) < 2 then
            bad := bad || hotline.field('attempts', 'too_few', '未联系上须至少尝试 2 次。', 'At least two attempts are needed.');
        end if;
        if coalesce(c.x->>'fail_reason', '') = '' then
            bad := bad || hotline.field('fail_reason', 'required', '请写明未联系上的原因。', 'Say why the citizen was not reached.');
        end if;
    end if;
    if (c.x->>'at')::timestamptz > c.at then
        bad := bad || hotline.field('at', 'in_future', '联系时间不能晚于现在。', 'The time lies in the future.');
    elsif (c.x->>'at')::timestamptz < (c.a).dispatched_at then
        bad := bad || hotline.field('at', 'before_dispatch', '联系时间不能早于派单。', 'The time lies before the dispatch.');
    end if;
    return case when bad <> '[]' then hotline.bad_inputs(bad) else hotline.leaks(c) end;
end $$;

-- A mobile number, or a resident identity number, in whatever digits stand together: what can be seen of a reply without the engine's
-- scan.  Citizens read a reply (invariant 6).
create or replace function hotline.has_personal_number(s text) returns boolean
language sql immutable as $$
    select translate(s, '０１２３４５６７８９－ -', '0123456789') ~ '(^|[^0-9])(86)?1[3-9][0-9]{9}([^0-9]|$)|(^|[^0-9])[1-9][0-9]{16}[0-9Xx]([^0-9]|$)'
$$;

-- The words of a reply without what divides them: a copy is one in other commas too.
create or replace function hotline.reply_print(content text) returns bigint
language sql immutable as $$
    select hashtextextended(lower(translate(regexp_replace(normalize(content, nfkc), '[[:space:][:punct:]]', '', 'g'), '，。、；：？！“”‘’（）《》〈〉【】…—·～', '')), 0)
$$;

-- Has this unit answered another matter in the same words of late?  Tickets of one group are one matter.
create or replace function hotline.is_copied(c hotline.call) returns boolean
language plpgsql stable as $$
begin
    if hotline.setting_int('reply.copy_days') = 0 then
        return false;
    end if;
    return exists (
        select from hotline.reply_print p
        where p.unit_id = (c.a).unit_id and p.print = hotline.reply_print(c.x->>'content') and p.ticket_id <> (c.t).id
          and p.at > c.at - make_interval(days => hotline.setting_int('reply.copy_days'))
          and not exists (select from hotline.case_group_member own join hotline.case_group_member theirs on theirs.group_id = own.group_id
                          where own.ticket_id = (c.t).id and theirs.ticket_id = p.ticket_id));
end $$;

create or replace function hotline.may_reply(c hotline.call) returns api.answer
language plpgsql as $$
declare
    bad jsonb;
begin
    if not (c.t).anonymous and (c.t).reply_wanted and (c.t).secrecy < 2
            and not exists (select from hotline.first_contact where ticket_id = (c.t).id and assignment_id = (c.a).id) then
        return hotline.problem(409, 'no_first_contact', '请先登记与诉求人的联系情况，再提交答复。',
            'Record the first contact with the citizen before replying.');
    end if;
    select coalesce(jsonb_agg(hotline.field(n, 'personal_data', '含有手机号码或身份证号，请删去后再提交。',
            'It holds a mobile or identity number; take it out.')), '[]') into bad
    from unnest('{content,measures,public_text}'::text[]) n where hotline.has_personal_number(c.x->>n);
    if hotline.leaks(c) is not null then
        return hotline.leaks(c);
    elsif bad <> '[]' then
        return hotline.bad_inputs(bad);
    end if;
    if (c.x->>'told_at')::timestamptz > c.at then
        return hotline.bad_inputs(jsonb_build_array(hotline.field('told_at', 'in_future', '答复时间不能晚于现在。', 'The time lies in the future.')));
    end if;
    if c.x is not null and hotline.is_copied(c) then
        return hotline.problem(422, 'copied_reply', '这份答复与本单位对另一张工单的答复相同，请针对本诉求答复。',
            'Your unit has answered another ticket in the same words; answer this one.', jsonb_build_object('fields', jsonb_build_array(
                hotline.field('content', 'copied_reply', '请写明本诉求的核查和处理情况。', 'Say what was found and done about this matter.'))));
    end if;
    return null;
end $$;

-- An audit that nobody made in time is the shift lead's too (T62).
create or replace function hotline.audit_is_overdue(t hotline.ticket) returns boolean
language plpgsql stable as $$
begin
    return exists (select from hotline.clock where ticket_id = t.id and kind = 'audit' and met_at is null and stopped_at is null
                   and breached_at is not null);
end $$;

-- Invariant 8: who dispatched a ticket, in whatever round, does not audit it.
create or replace function hotline.may_audit(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if c.role = 'LDR' and not hotline.audit_is_overdue(c.t) then
        return hotline.forbidden();
    end if;
    if exists (select from hotline.assignment where ticket_id = (c.t).id and dispatched_by = (c.actor).id) then
        return hotline.problem(403, 'dispatcher_cannot_audit', '派单人不能审核同一张工单。', 'Who dispatched a ticket cannot audit it.');
    end if;
    return null;
end $$;

-- The third rejection of a round is the supervisor's.
create or replace function hotline.may_audit_reject(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if (c.a).rejected_count >= hotline.setting_int('audit.rejections') and not ('SUP' = any ((c.actor).roles)) then
        return hotline.problem(403, 'supervisor_rejects', '本轮已退回两次，再退回须由督办员决定。',
            'This reply was rejected twice; only a supervisor may reject it again.');
    elsif (c.a).rejected_count < hotline.setting_int('audit.rejections') and not ((c.actor).roles && '{AUD,LDR}') then
        return hotline.forbidden();
    end if;
    return hotline.may_audit(c);
end $$;

-- The outcomes of an attempt by which the citizen has spoken.
create or replace function hotline.is_reached(outcome smallint) returns boolean
language sql immutable as $$ select outcome in (1, 8, 9, 10, 11) $$;

-- A verdict is given whole, and by somebody who was reached.
create or replace function hotline.may_attempt(c hotline.call) returns api.answer
language plpgsql as $$
declare
    bad jsonb := '[]';
    missing text;
begin
    if 'SYS' = any ((c.actor).roles) and hotline.in_quiet_hours(c.at) and not hotline.is_reached(hotline.code_of('outcome', c.x->>'outcome')) then
        return hotline.problem(409, 'quiet_hours', '现在是免打扰时段，系统不外呼。', 'These are quiet hours; the system disturbs nobody.');
    end if;
    if not c.x ?| '{resolved,sat_process,sat_result}' then
        return null;
    end if;
    for missing in select n from unnest('{resolved,sat_result}'::text[]) n where not c.x ? n loop
        bad := bad || hotline.field(missing, 'required', '请同时填写是否解决和结果满意度。', 'Give both: whether it is resolved, and how satisfied with the result.');
    end loop;
    if not hotline.is_reached(hotline.code_of('outcome', c.x->>'outcome')) then
        bad := bad || hotline.field('outcome', 'not_reached', '没有接通，不能登记评价。', 'Nobody was reached who could judge.');
    end if;
    return case when bad <> '[]' then hotline.bad_inputs(bad) end;
end $$;

create or replace function hotline.was_reached(t hotline.ticket) returns boolean
language plpgsql stable as $$
begin
    return (
        select exists (select from hotline.callback_attempt
                       where ticket_id = t.id and round = t.round and hotline.is_reached(outcome))
    );
end $$;

create or replace function hotline.not_reached() returns api.answer
language sql stable as $$
    select hotline.problem(409, 'not_reached', '请先登记一次接通的回访。', 'Record a callback that reached the citizen first.')
$$;

create or replace function hotline.is_unhappy(sat_result text, resolved text) returns boolean
language sql immutable as $$ select sat_result in ('unsatisfied', '1') or resolved in ('no', '3') $$;

-- A rework that was asked for is decided first.
create or replace function hotline.waits_for_decision(t hotline.ticket) returns api.answer
language plpgsql stable as $$
begin
    if exists (select from hotline.approval where ticket_id = t.id and verdict is null) then
        return hotline.problem(409, 'decision_open', '请先对重办申请作出决定。', 'Decide on the rework that was asked for first.');
    end if;
    return null;
end $$;

create or replace function hotline.may_close(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if not hotline.was_reached(c.t) then
        return hotline.not_reached();
    elsif hotline.waits_for_decision(c.t) is not null then
        return hotline.waits_for_decision(c.t);
    end if;
    if c.x is not null and hotline.is_unhappy(c.x->>'sat_result', c.x->>'resolved') then
        return hotline.problem(422, 'citizen_not_satisfied', '诉求人不满意或未解决，请申请重办或报值班长。',
            'The citizen is not satisfied or the matter is not resolved: ask for rework, or pass it to the shift lead.');
    end if;
    return null;
end $$;

create or replace function hotline.may_rework(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if (c.t).round >= 2 then
        return hotline.problem(409, 'rounds_used_up', '已重办两轮，不能再重办。', 'Two rework rounds are the most.');
    end if;
    if not hotline.was_reached(c.t) then
        return hotline.not_reached();
    end if;
    if c.x is not null and not hotline.is_unhappy(c.x->>'sat_result', c.x->>'resolved') then
        return hotline.problem(422, 'citizen_satisfied', '诉求人满意且已解决，无需重办。', 'The citizen is satisfied; there is nothing to do again.');
    end if;
    return null;
end $$;

create or replace function hotline.may_close_unsatisfied(c hotline.call) returns api.answer
language plpgsql as $$
declare
    b hotline.callback;
begin
    select * into b from hotline.callback where ticket_id = (c.t).id and round = (c.t).round;
    if not found or not hotline.is_unhappy(b.sat_result::text, b.resolved::text) then
        return hotline.problem(409, 'no_unsatisfied_verdict', '本轮没有不满意或未解决的回访结果。',
            'There is no unsatisfied verdict in this round.');
    end if;
    return hotline.waits_for_decision(c.t);
end $$;

-- Three attempts on two days and in two time bands, nobody reached, and the rating link unanswered for so many hours.
create or replace function hotline.unreachable_from(tid bigint, round_ smallint) returns timestamptz
language plpgsql stable as $$
begin
    return (
        select max(at) + make_interval(hours => hotline.setting_int('callback.sms_hours'))
        from hotline.callback_attempt where ticket_id = tid and round = round_
        having count(*) >= 3 and count(distinct hotline.day_of(at)) >= 2
           and count(distinct case when extract(hour from at at time zone 'Asia/Shanghai') < 12 then 1
                                   when extract(hour from at at time zone 'Asia/Shanghai') < 18 then 2 else 3 end) >= 2
           and not bool_or(hotline.is_reached(outcome))
    );
end $$;

create or replace function hotline.is_unreachable(c hotline.call) returns api.answer
language sql as $$
    select case when coalesce(hotline.unreachable_from((c.t).id, (c.t).round) > c.at, true) then
        hotline.problem(409, 'may_still_be_reached', '还不满足联系不上的条件。', 'The citizen may still be reached.') end
$$;

create or replace function hotline.is_waived(c hotline.call) returns api.answer
language sql as $$
    select case when not (c.t).anonymous and (c.t).secrecy < 3
            and ((c.t).reply_wanted or exists (select from hotline.park where ticket_id = (c.t).id)) then
        hotline.problem(409, 'callback_wanted', '诉求人需要回访。', 'The citizen wants a callback.') end
$$;

create or replace function hotline.may_archive(c hotline.call) returns api.answer
language plpgsql as $$
begin
    return (
        select case when (c.t).closed_at + make_interval(days => hotline.setting_int('archive.days')) > c.at
                or exists (select from hotline.approval where ticket_id = (c.t).id and verdict is null)
                or exists (select from hotline.supervision_order where ticket_id = (c.t).id and closed_at is null) then
            hotline.problem(409, 'too_early_to_archive', '还不到归档的时候。', 'It is too early to archive.') end
    );
end $$;

-- Refusals that need a second person's word.
create or replace function hotline.refuse_needs_two(c hotline.call) returns boolean
language sql as $$ select coalesce(c.x->>'refuse_code' in ('N05', 'N06', 'N08', 'N09', 'N10'), false) $$;
