-- Guards of the unit's side: returns, sub-units, assisting units, more time, pauses, the ledger.

insert into hotline.scanned_input (action, input, kinds, secrecy) values
    ('progress_note', 'text', '{mobile,identity,card}', 0);

-- Until when the unit may ask to return it: within the time to sign, a workday after dispatch at most (half an hour where it is
-- urgent); deemed signed, it is over; a shift lead may open it again.
create or replace function hotline.return_window(a hotline.assignment) returns timestamptz
language plpgsql stable as $$
begin
    return greatest(a.return_until, case when not a.deemed_signed then (
        select least(a.sign_due_at, (hotline.clock_due(u.calendar_id, a.dispatched_at, k.budget, k.unit)).due_at)
        from hotline.policy_clock k, hotline.unit u
        where k.policy = a.policy and k.version = a.policy_version and k.kind = 'return' and u.id = a.unit_id) end);
end $$;

create or replace function hotline.returns_of(c hotline.call, verdict_ text default null) returns int
language plpgsql stable as $$
begin
    return (select count(*) from hotline.return_request
            where ticket_id = (c.t).id and unit_id = (c.a).unit_id and (verdict_ is null or verdict = verdict_));
end $$;

-- The window is judged when it is asked, not when the unit's approver gets to it.
create or replace function hotline.may_return(c hotline.call) returns api.answer
language plpgsql as $$
declare
    bad jsonb := '[]';
begin
    if (c.a).forbid_return then
        return hotline.problem(409, 'return_forbidden', '这张工单不能退回。', 'This ticket cannot be given back.');
    elsif hotline.returns_of(c) >= 2 then
        return hotline.problem(409, 'returns_used_up', '本单位已申请退单两次，不能再退。', 'The unit has asked twice and cannot ask again.');
    elsif (c.approval).id is null and coalesce(hotline.return_window(c.a), '-infinity') < c.at then
        return hotline.problem(409, 'return_window_closed', '已过退单时限，不能再申请退单。', 'The time to give it back is over.',
            jsonb_build_object('window', hotline.time_text(hotline.return_window(c.a))));
    end if;
    if c.x is null then
        return null;
    end if;
    if c.x->>'return_code' in ('R01', 'R02', 'R07') and not c.x ? 'suggested_unit' then
        bad := bad || hotline.field('suggested_unit', 'required', '请指出应由哪个单位办理。', 'Say which unit is responsible.');
    elsif (c.x->>'suggested_unit')::int in (1, (c.a).unit_id) then
        bad := bad || hotline.field('suggested_unit', 'not_another_unit', '请指出另一个承办单位。', 'Name another unit.');
    end if;
    return case when bad <> '[]' then hotline.bad_inputs(bad) end;
end $$;

create or replace function hotline.may_reopen_return(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if (c.a).forbid_return or hotline.return_window(c.a) >= c.at then
        return hotline.problem(409, 'return_not_closed', case when (c.a).forbid_return then '这张工单不能退回。' else '退单时限未过，无需重开。' end,
            case when (c.a).forbid_return then 'This ticket cannot be given back.' else 'The time to give it back is not over.' end);
    end if;
    return null;
end $$;

create or replace function hotline.is_sign_overdue(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if exists (select from unnest(c.clocks) k where kind = 'sign' and assignment_id = (c.a).id
               and met_at is null and stopped_at is null and due_at <= c.at) then
        return null;
    end if;
    return hotline.problem(409, 'sign_not_overdue', '签收时限未过。', 'The time to sign is not over.');
end $$;

-- ---- inside the unit ----

-- Who hands work down: the main unit, or the sub-unit whose person this is.
create or replace function hotline.own_assignment(c hotline.call) returns hotline.assignment
language plpgsql stable as $$
begin
    if hotline.is_under((c.a).unit_id, (c.actor).unit) then
        return c.a;
    end if;
    return hotline.part_of(c.t, c.actor, 3);
end $$;

-- So many minutes of office time (of any time, where a clock runs day and night) before a due time.
create or replace function hotline.before_due(cal int, due timestamptz, minutes int, policy_ text, version_ int) returns timestamptz
language plpgsql stable as $$
begin
    if exists (select from hotline.policy_clock where policy = policy_ and version = version_ and kind = 'unit' and unit in ('hour', 'minute')) then
        return due - make_interval(mins => minutes);
    end if;
    return hotline.work_moment(cal, hotline.work_seconds(cal, due) - minutes * 60);
end $$;

-- The last moment a sub-unit's due time may have: four working hours before that of the unit above it.
create or replace function hotline.sub_due_limit(above hotline.assignment) returns timestamptz
language plpgsql stable as $$
begin
    return hotline.before_due((select calendar_id from hotline.unit where id = above.unit_id), above.unit_due_at, 240, above.policy, above.policy_version);
end $$;

create or replace function hotline.may_sub_dispatch(c hotline.call) returns api.answer
language plpgsql as $$
declare
    above hotline.assignment := hotline.own_assignment(c);
    u hotline.unit;
    bad jsonb := '[]';
begin
    if above.role = 3 and above.state <> 3 then
        return hotline.problem(409, 'sub_not_signed', '请先签收再转派。', 'Sign it first.');
    elsif not exists (select from hotline.unit w where above.unit_id = any (w.path) and w.id <> above.unit_id and w.level <= 4 and hotline.is_valid(w)) then
        return hotline.problem(409, 'no_sub_unit', '本单位没有下级单位。', 'The unit has nobody below it.');
    elsif hotline.sub_due_limit(above) <= c.at then
        return hotline.problem(409, 'too_late_to_hand_down', '距本单位时限已不足 4 个工作小时，不能再转派下级。',
            'Less than four working hours are left to the unit: it is too late to hand the work down.');
    end if;
    if c.x is null then
        return null;
    end if;
    select * into u from hotline.unit where id = (c.x->>'sub_unit')::int;
    if u.id = above.unit_id or not above.unit_id = any (u.path) or u.level > 4 then
        bad := bad || hotline.field('sub_unit', 'not_below', '只能转派给本单位的下级单位。', 'Only a unit below yours can be chosen.');
    elsif exists (select from hotline.assignment where ticket_id = (c.t).id and round = (c.t).round and unit_id = u.id and state not in (5, 7, 8, 9)) then
        bad := bad || hotline.field('sub_unit', 'already_there', '该单位已在办理这张工单。', 'This unit has a part in it already.');
    elsif hotline.is_in_conflict((c.t).id, u.id) then
        return hotline.conflict_unit_refused('sub_unit');
    end if;
    if (c.x->>'due')::timestamptz <= c.at then
        bad := bad || hotline.field('due', 'in_past', '时限须晚于现在。', 'The time must lie in the future.');
    elsif (c.x->>'due')::timestamptz > hotline.sub_due_limit(above) then
        bad := bad || hotline.field('due', 'too_late', '下级时限须早于本单位时限至少 4 个工作小时。',
            'It must be due at least four working hours before the unit''s own time limit.');
    end if;
    return case when bad <> '[]' then hotline.bad_inputs(bad) else hotline.leaks(c) end;
end $$;

-- A sub-unit's step: its assignment is in the state the step starts from.
create or replace function hotline.sub_is(c hotline.call, variadic states_ int[]) returns api.answer
language plpgsql as $$
declare
    s hotline.assignment := hotline.part_of(c.t, c.actor, 3);
begin
    if s.id is null or s.state <> all (states_) then
        return hotline.not_now(c.t, s);
    end if;
    return null;
end $$;

create or replace function hotline.may_sub_sign(c hotline.call) returns api.answer
language plpgsql as $$
begin
    return coalesce(hotline.sub_is(c, 1), hotline.handler_fits(c.x->>'handler', (hotline.part_of(c.t, c.actor, 3)).unit_id));
end $$;

create or replace function hotline.may_sub_return(c hotline.call) returns api.answer
language plpgsql as $$ begin return hotline.sub_is(c, 1, 3); end $$;

create or replace function hotline.no_numbers(c hotline.call, variadic names text[]) returns api.answer
language plpgsql as $$
declare
    bad jsonb;
begin
    select coalesce(jsonb_agg(hotline.field(n, 'personal_data', '含有手机号码或身份证号，请删去后再提交。',
            'It holds a mobile or identity number; take it out.')), '[]') into bad
    from unnest(names) n where hotline.has_personal_number(c.x->>n);
    return case when bad <> '[]' then hotline.bad_inputs(bad) end;
end $$;

create or replace function hotline.may_sub_reply(c hotline.call) returns api.answer
language plpgsql as $$ begin return hotline.sub_is(c, 3); end $$;

-- ---- assisting units ----

create or replace function hotline.may_ask_co(c hotline.call) returns api.answer
language plpgsql as $$
declare
    u int := (c.x->>'unit')::int;
begin
    if c.x is null then
        return null;
    end if;
    if u = 1 or u = (c.a).unit_id or exists (select from hotline.assignment
            where ticket_id = (c.t).id and round = (c.t).round and unit_id = u and role in (1, 2) and state not in (8, 9)) then
        return hotline.bad_inputs(jsonb_build_array(hotline.field('unit', 'already_there', '该单位已在办理，或不是成员单位。',
            'This unit has a part in it already, or is no member unit.')));
    elsif hotline.is_in_conflict((c.t).id, u) then
        return hotline.conflict_unit_refused('unit');
    end if;
    return hotline.leaks(c);
end $$;

-- The directory's own assisting units need nobody's word.
create or replace function hotline.co_is_unlisted(c hotline.call) returns boolean
language plpgsql stable as $$
begin
    return not exists (select from hotline.directory_item where id = coalesce((c.a).directory_item_id, (c.t).directory_item_id)
                       and (c.x->>'unit')::int = any (co_unit_ids));
end $$;

create or replace function hotline.may_co_reply(c hotline.call) returns api.answer
language plpgsql as $$
declare
    s hotline.assignment := hotline.part_of(c.t, c.actor, 2);
begin
    if s.id is null or s.state not in (1, 3) then
        return hotline.not_now(c.t, s);
    elsif s.unit_due_at < c.at then
        return hotline.problem(409, 'co_due_passed', '协办时限已过。', 'The time for this opinion is over.');
    end if;
    return null;
end $$;

-- ---- more time ----

create or replace function hotline.extensions_of(c hotline.call) returns int
language plpgsql stable as $$
begin
    return (select count(*) from hotline.extension where ticket_id = (c.t).id and assignment_id = (c.a).id and not waived);
end $$;

-- How much the asked due time adds, in the unit of the policy's extension: whole workdays, or hours begun.  Null where it adds nothing.
create or replace function hotline.extension_added(c hotline.call, new_due timestamptz, unit_ text) returns int
language plpgsql stable as $$
declare
    cal int := (select calendar_id from hotline.unit where id = (c.a).unit_id);
    added int;
begin
    if unit_ = 'hour' then
        added := ceil(extract(epoch from new_due - (c.a).unit_due_at) / 3600);
    else
        added := coalesce((select seq from hotline.workday where calendar_id = cal and day = hotline.day_of(new_due)),
                (select max(seq) + 1 from hotline.workday where calendar_id = cal and day < hotline.day_of(new_due))) -- past all that is reckoned
            - (select seq from hotline.workday where calendar_id = cal and day = hotline.day_of((c.a).unit_due_at));
    end if;
    return case when added > 0 then added end;
end $$;

-- What the policy allows for the next extension: so much of what.  A statutory procedure with its law is bound by the law, up to a limit.
create or replace function hotline.extension_allowed(c hotline.call, statutory boolean, out budget int, out unit text)
language plpgsql stable as $$
begin
    select e.budget, e.unit into budget, unit from hotline.policy_extension e
    where e.policy = (c.a).policy and e.version = (c.a).policy_version and e.n = hotline.extensions_of(c) + 1;
    if budget is not null and unit = 'workday' and statutory then
        budget := greatest(budget, hotline.setting_int('extension.statutory_days'));
    end if;
end $$;

create or replace function hotline.may_extend(c hotline.call) returns api.answer
language plpgsql as $$
declare
    allowed record;
    statutory boolean := coalesce(c.x->>'ext_code' = 'statutory', false);
    new_due timestamptz := (c.x->>'new_due')::timestamptz;
    added int;
    bad jsonb := '[]';
begin
    select * into allowed from hotline.extension_allowed(c, statutory);
    if hotline.extensions_of(c) >= 2 then
        return hotline.problem(409, 'extensions_used_up', '已延期两次，只能申请挂账。', 'It was extended twice; only parking is left.');
    elsif allowed.budget is null then
        return hotline.problem(409, 'extension_not_allowed', '按该时限政策不能延期。', 'This policy allows no extension.');
    elsif (c.rule).decides is null and c.at > hotline.before_due((select calendar_id from hotline.unit where id = (c.a).unit_id), (c.a).unit_due_at, 240,
            (c.a).policy, (c.a).policy_version) then
        return hotline.problem(409, 'too_late_to_extend', '须在到期 4 个工作小时以前申请延期。', 'It must be asked for four working hours before the due time.');
    end if;
    if c.x is null or (c.rule).decides is not null then
        return null;
    end if;
    if c.x->'told_citizen' <> 'true' then
        bad := bad || hotline.field('told_citizen', 'must_be_true', '延期须先告知诉求人。', 'The citizen must have been told.');
    end if;
    if statutory and coalesce(c.x->>'legal_basis', '') = '' then
        bad := bad || hotline.field('legal_basis', 'required', '法定程序延期须写明法律依据。', 'Name the law.');
    end if;
    added := hotline.extension_added(c, new_due, allowed.unit);
    if added is null then
        bad := bad || hotline.field('new_due', 'not_later', '新时限须晚于原时限。', 'It must be later than it is due now.');
    elsif added > allowed.budget then
        bad := bad || hotline.field('new_due', 'extension_too_long',
            format('最多延长 %s 个%s。', allowed.budget, case allowed.unit when 'hour' then '小时' else '工作日' end),
            format('At most %s %ss.', allowed.budget, allowed.unit));
    elsif new_due > (c.t).outer_due_at then
        bad := bad || hotline.field('new_due', 'past_outer_limit', '不能超过上级规定的时限。', 'It cannot pass the limit set from above.');
    end if;
    return case when bad <> '[]' then hotline.bad_inputs(bad) end;
end $$;

-- Up to five workdays the dispatcher decides, up to ten the shift lead, more the supervisor.
create or replace function hotline.extension_decider(c hotline.call, asks jsonb) returns text
language plpgsql stable as $$
declare
    unit_ text;
    added int;
begin
    select e.unit into unit_ from hotline.policy_extension e where e.policy = (c.a).policy and e.version = (c.a).policy_version and e.n = 1;
    added := hotline.extension_added(c, (asks->>'new_due')::timestamptz, unit_);
    return case when unit_ = 'hour' or added <= 5 then 'DSP' when added <= 10 then 'LDR' else 'SUP' end;
end $$;

-- The verdict: the decider may give less than was asked, never more.
create or replace function hotline.may_grant_extension(c hotline.call) returns api.answer
language plpgsql as $$
declare
    said api.answer := hotline.may_extend(c);
    asked timestamptz := ((c.approval).asks->>'new_due')::timestamptz;
begin
    if said is not null or c.x is null or not c.x ? 'new_due' then
        return said;
    end if;
    if (c.x->>'new_due')::timestamptz > asked or hotline.extension_added(c, (c.x->>'new_due')::timestamptz,
            (hotline.extension_allowed(c, true)).unit) is null then
        return hotline.bad_inputs(jsonb_build_array(hotline.field('new_due', 'not_within_asked', '须晚于原时限且不超过所申请的时限。',
            'It must be later than it is due now and no later than asked.')));
    end if;
    return null;
end $$;

create or replace function hotline.may_waive_extension(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if exists (select from hotline.extension where ticket_id = (c.t).id and assignment_id = (c.a).id) then
        return hotline.problem(409, 'already_waived', '已延期过或已批准免延期。', 'It was extended, or this was waived, already.');
    end if;
    return null;
end $$;

-- ---- pauses ----

create or replace function hotline.may_suspend(c hotline.call) returns api.answer
language plpgsql as $$
declare
    r hotline.pause_reason;
    until timestamptz := (c.x->>'until')::timestamptz;
    latest timestamptz;
    bad jsonb := '[]';
begin
    if c.x is null then
        return null;
    end if;
    select * into r from hotline.pause_reason where code = c.x->>'pause_code';
    if r.max_days is not null then
        latest := (hotline.clock_due(1, c.at, r.max_days, 'workday')).due_at;
    end if;
    if r.times <= (select count(*) from hotline.suspension where ticket_id = (c.t).id and code = r.code) then
        return hotline.problem(409, 'pauses_used_up', '该原因的中止次数已用完。', 'This reason has been used as often as it may.');
    end if;
    if r.code = 'pause_2' and ((c.a).contacted_at is not null or (select coalesce(sum(attempts), 0) from hotline.first_contact
            where ticket_id = (c.t).id and assignment_id = (c.a).id and not contacted) < 3) then
        return hotline.problem(409, 'not_unreachable', '联系不上须至少登记 3 次未接通的联系。', 'At least three failed attempts must be on record.');
    end if;
    if until <= c.at then
        bad := bad || hotline.field('until', 'in_past', '恢复时间须晚于现在。', 'It must lie in the future.');
    elsif until > latest then
        bad := bad || hotline.field('until', 'pause_too_long', format('该原因最多中止 %s 个工作日。', r.max_days), format('At most %s workdays for this reason.', r.max_days));
    elsif until > c.at + interval '366 days' then
        bad := bad || hotline.field('until', 'pause_too_long', '中止不超过一年。', 'A year at most.');
    end if;
    if r.needs_law and coalesce(c.x->>'legal_basis', '') = '' then
        bad := bad || hotline.field('legal_basis', 'required', '法定程序须写明法律依据。', 'Name the law.');
    end if;
    return case when bad <> '[]' then hotline.bad_inputs(bad) end;
end $$;

create or replace function hotline.pause_needs_two(c hotline.call) returns boolean
language plpgsql stable as $$
begin
    return (select coalesce(bool_or(decider_role is not null), true) from hotline.pause_reason where code = c.x->>'pause_code');
end $$;

create or replace function hotline.pause_decider(c hotline.call, asks jsonb) returns text
language plpgsql stable as $$
begin
    return (select decider_role from hotline.pause_reason where code = asks->>'pause_code');
end $$;

-- Parking comes after more time was given, or a shift lead has said that more time would not help.
create or replace function hotline.may_park(c hotline.call) returns api.answer
language plpgsql as $$
declare
    bad jsonb := '[]';
begin
    if not exists (select from hotline.extension where ticket_id = (c.t).id) then
        return hotline.problem(409, 'extension_first', '须先延期过，或由值班长批准免延期，才能挂账。', 'It must have been extended first, or a shift lead must waive that.');
    end if;
    if c.x is null then
        return null;
    end if;
    if c.x->'told_citizen' <> 'true' then
        bad := bad || hotline.field('told_citizen', 'must_be_true', '挂账须先告知诉求人。', 'The citizen must have been told.');
    end if;
    if (c.x->>'next_review')::timestamptz <= c.at or (c.x->>'next_review')::timestamptz > c.at + interval '366 days' then
        bad := bad || hotline.field('next_review', 'bad_date', '下次复查须在一年以内。', 'The next review lies within a year from now.');
    end if;
    return case when bad <> '[]' then hotline.bad_inputs(bad) end;
end $$;

create or replace function hotline.may_note_progress(c hotline.call) returns api.answer
language plpgsql as $$ begin return coalesce(hotline.no_numbers(c, 'text'), hotline.leaks(c)); end $$;

create or replace function hotline.may_terminate(c hotline.call) returns api.answer
language plpgsql as $$
begin
    if c.x is not null and c.x->'explanation_given' <> 'true' then
        return hotline.bad_inputs(jsonb_build_array(hotline.field('explanation_given', 'must_be_true', '终止前须向诉求人说明。',
            'It must have been explained to the citizen.')));
    end if;
    return null;
end $$;
