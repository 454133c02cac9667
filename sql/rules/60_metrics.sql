-- Figures: what counts, how it is kept, how it is read, how it is checked.

-- The bucket of a duration: 1 to 1440 are the minutes of the first day, above them quarter hours.
create or replace function hotline.bucket_of(minutes bigint) returns smallint
language sql immutable parallel safe as $$
    select least(case when minutes < 1440 then 1 + greatest(minutes, 0) else 1441 + (minutes - 1440) / 15 end, 32767)::smallint
$$;

-- The middle of a bucket, in hours.
create or replace function hotline.bucket_hours(bucket smallint) returns numeric
language sql immutable parallel safe as $$
    select case when bucket <= 1440 then (bucket - 0.5) / 60 else 24 + (bucket - 1441 + 0.5) / 4 end
$$;

-- Weights in tenths.  The graded index of satisfaction: 1, 0.8, 0.6, 0; resolution by the citizen: 1, 0.5, 0.
create or replace function hotline.graded_weight(rated smallint) returns int
language sql immutable parallel safe as $$ select case when rated >= 4 then 10 when rated = 3 then 8 when rated = 2 then 6 else 0 end $$;

create or replace function hotline.resolved_weight(resolved smallint) returns int
language sql immutable parallel safe as $$ select case resolved when 1 then 10 when 2 then 5 else 0 end $$;

-- How a ticket that has ended is listed: closed, or the way it left.
create or replace function hotline.ending(state smallint, close_kind smallint) returns text
language sql immutable parallel safe as $$
    select case when state < 70 then null
                when state <= 71 and close_kind = 7 then 'no_supplement'
                else (array['refused', 'withdrawn', 'voided', 'merged', 'referred', 'terminated'])[state - 79] end
$$;

-- ---- facts ---------------------------------------------------------------------------------------------------------

-- What this ticket contributes, as it is.  Facts named of_… lie on the day of acceptance (the cohort), the others on their own.
create or replace function hotline.ticket_facts(t hotline.ticket)
returns table (day date, fact text, bucket smallint, n bigint)
language plpgsql immutable as $$
declare
    acc date := hotline.day_of(t.accepted_at);
    fin date;
    how text;
    minutes bigint;
begin
    bucket := 0;
    n := 1;
    if t.state >= 70 then
        fin := hotline.day_of(t.ended_at);
        how := hotline.ending(t.state, t.close_kind);
    end if;
    if acc is null then
        if t.state >= 70 then
            day := fin; fact := case when how = 'refused' then 'refused' else 'unaccepted' end; return next;
        end if;
        return;
    end if;

    day := acc;
    fact := 'accepted'; return next;
    if t.dispatched_at is not null then
        fact := 'of_dispatched'; return next;
        day := hotline.day_of(t.dispatched_at); fact := 'dispatched'; return next;
        day := acc;
    end if;
    if t.state < 70 then
        fact := 'of_open'; return next;
        if t.dispatched_at is null then
            fact := 'of_waiting'; return next;
        end if;
        return;
    end if;

    fact := 'of_ended'; return next;
    if t.state <= 71 then
        fact := 'of_closed'; return next;
    end if;
    if how in ('voided', 'merged') then
        fact := 'of_set_aside'; return next;
    end if;
    if t.dispatched_at is null then
        fact := case when how is not null then 'of_left_' || how when t.close_kind = 1 then 'of_direct' end;
        if fact is not null then
            return next;
        end if;
    end if;

    day := fin;
    fact := 'ended'; return next;
    if t.state <= 71 then
        fact := 'closed'; return next;
    end if;
    if how is not null then
        fact := how; return next;
    end if;
    if t.dispatched_at is not null then
        fact := 'ended_dispatched'; return next;
    else
        fact := case when how is not null then 'left_' || how when t.close_kind = 1 then 'direct' end;
        if fact is not null then
            return next;
        end if;
    end if;
    if t.state > 71 then
        return;
    end if;

    if t.rated is not null then
        fact := 'called'; return next;
        if t.rated > 0 then
            fact := 'rated'; return next;
            if t.rated >= 4 then
                fact := 'satisfied'; return next;
            end if;
            if t.rated > 1 then
                fact := 'graded'; n := hotline.graded_weight(t.rated); return next;
                n := 1;
            end if;
        end if;
    end if;
    if t.resolved is not null then
        fact := 'asked_resolved'; return next;
        if t.resolved < 3 then
            fact := 'resolved'; n := hotline.resolved_weight(t.resolved); return next;
            n := 1;
        end if;
    end if;
    if t.replied_at is not null and t.dispatched_at is not null then
        minutes := floor(extract(epoch from t.replied_at - t.dispatched_at) / 60);
        fact := 'handled'; return next;
        fact := 'took'; bucket := hotline.bucket_of(minutes); return next;
        fact := 'handled_minutes'; bucket := 0; n := minutes; return next;
    end if;
end $$;

-- What a main assignment contributes.  The marks sign_counted and due_counted are set by the sweep when the due time passes.
-- What was returned or cancelled is charged to nobody; what was cancelled by the centre was never given, what was returned was.
create or replace function hotline.assignment_facts(a hotline.assignment)
returns table (day date, fact text, bucket smallint, n bigint)
language plpgsql immutable as $$
begin
    if a.role is distinct from 1 or a.state = 9 then
        return;
    end if;
    bucket := 0;
    n := 1;
    day := hotline.day_of(a.dispatched_at); fact := 'received'; return next;
    if a.return_asked_at is not null then
        for day in select hotline.day_of(at) from unnest(a.return_asked_at) at loop
            fact := 'return_asked'; return next;
        end loop;
    end if;
    if a.state = 8 then
        return;
    end if;
    if a.sign_counted then
        day := hotline.day_of(a.dispatched_at); fact := 'sign_due'; return next;
        if not a.deemed_signed and a.signed_at <= a.sign_due_at then
            fact := 'sign_ontime'; return next;
        end if;
    end if;
    if a.due_counted then
        day := hotline.day_of(a.unit_due_at); fact := 'due'; return next;
        if a.accepted_at is not null then
            fact := 'due_replied'; return next;
            if a.replied_at <= a.unit_due_at then
                fact := 'due_ontime'; return next;
            end if;
        end if;
    end if;
    if a.round > 0 then
        day := hotline.day_of(a.dispatched_at); fact := 'reworked'; return next;
    end if;
    if a.accepted_at is not null then
        day := hotline.day_of(a.accepted_at); fact := 'reply_accepted'; return next;
    end if;
end $$;

-- Does this change of a ticket row change what it contributes?  was is null for a new row.
create or replace function hotline.ticket_counts(was hotline.ticket, is_ hotline.ticket) returns boolean
language plpgsql immutable as $$
begin
    if is_.accepted_at is null and was.accepted_at is null and is_.state < 70 and coalesce(was.state, 0) < 70 then
        return false;
    end if;
    return not coalesce(was.accepted_at is not distinct from is_.accepted_at
       and greatest(was.state, 69) = greatest(is_.state, 69)
       and was.unit_id is not distinct from is_.unit_id
       and was.category_id is not distinct from is_.category_id
       and was.channel = is_.channel
       and left(was.division, 6) is not distinct from left(is_.division, 6)
       and was.dispatched_at is not distinct from is_.dispatched_at
       and (is_.state < 70
            or was.ended_at = is_.ended_at
               and was.close_kind is not distinct from is_.close_kind
               and was.rated is not distinct from is_.rated
               and was.resolved is not distinct from is_.resolved
               and was.replied_at is not distinct from is_.replied_at), false);
end $$;

-- The same for an assignment; the ticket gives category, channel and district.
create or replace function hotline.assignment_counts(was hotline.assignment, is_ hotline.assignment, t_was hotline.ticket,
    t_is hotline.ticket) returns boolean
language plpgsql immutable as $$
begin
    if is_.role is distinct from 1 then
        return false;
    end if;
    if was.id is null then
        return true;
    end if;
    return not coalesce(was.sign_counted = is_.sign_counted
          and was.due_counted = is_.due_counted
          and was.accepted_at is not distinct from is_.accepted_at
          and was.unit_id = is_.unit_id
          and was.dispatched_at = is_.dispatched_at
          and greatest(was.state, 7) = greatest(is_.state, 7)
          and was.return_asked_at is not distinct from is_.return_asked_at
          and t_was.category_id is not distinct from t_is.category_id
          and t_was.channel = t_is.channel
          and left(t_was.division, 6) is not distinct from left(t_is.division, 6)
          and (not is_.sign_counted
               or was.signed_at is not distinct from is_.signed_at
                  and was.deemed_signed = is_.deemed_signed
                  and was.sign_due_at is not distinct from is_.sign_due_at)
          and (not is_.due_counted
               or was.unit_due_at is not distinct from is_.unit_due_at
                  and was.replied_at is not distinct from is_.replied_at), false);
end $$;

-- Leave the differences that calls make by their tickets and main assignments.
create or replace function hotline.count_calls(calls hotline.call[]) returns void
language plpgsql as $$
begin
    insert into hotline.fact_delta (ticket_id, day, fact, bucket, unit_id, category_id, channel, district, n)
    select ticket_id, day, fact, bucket, unit_id, category_id, channel, district, sum(n)
    from (
        select (c.t).id as ticket_id, f.day, f.fact, f.bucket, coalesce((s.t).unit_id, 0) as unit_id, coalesce((s.t).category_id, 0) as category_id,
            (s.t).channel as channel, coalesce(left((s.t).division, 6), '') as district, s.sign * f.n as n
        from unnest(calls) c
        cross join lateral (select c.t as t, 1 as sign union all select c.was, -1 where (c.was).id is not null) s
        cross join lateral hotline.ticket_facts(s.t) f
        where hotline.ticket_counts(c.was, c.t)
        union all
        select (c.t).id, f.day, f.fact, f.bucket, (s.a).unit_id, coalesce((s.t).category_id, 0),
            (s.t).channel, coalesce(left((s.t).division, 6), ''), s.sign * f.n
        from unnest(calls) c
        cross join lateral (select case when (c.a).id = (c.a_was).id then c.a_was end as old) before
        cross join lateral (select c.t as t, c.a as a, 1 as sign union all select c.was, old, -1 where (old).id is not null) s
        cross join lateral hotline.assignment_facts(s.a) f
        where hotline.assignment_counts(old, c.a, c.was, c.t)
    ) d
    group by ticket_id, day, fact, bucket, unit_id, category_id, channel, district
    having sum(n) <> 0;
end $$;

-- The difference that the change of one assignment leaves.
create or replace function hotline.count_assignment(was hotline.assignment, is_ hotline.assignment, t_was hotline.ticket,
    t_is hotline.ticket) returns void
language plpgsql as $$
begin
    if not hotline.assignment_counts(was, is_, t_was, t_is) then
        return;
    end if;
    insert into hotline.fact_delta (ticket_id, day, fact, bucket, unit_id, category_id, channel, district, n)
    select is_.ticket_id, day, fact, bucket, unit_id, category_id, channel, district, sum(n)
    from (
        select f.day, f.fact, f.bucket, is_.unit_id as unit_id, coalesce(t_is.category_id, 0) as category_id,
               t_is.channel as channel, coalesce(left(t_is.division, 6), '') as district, f.n
        from hotline.assignment_facts(is_) f
        union all
        select f.day, f.fact, f.bucket, was.unit_id, coalesce(t_was.category_id, 0), t_was.channel,
               coalesce(left(t_was.division, 6), ''), -f.n
        from hotline.assignment_facts(was) f
        where was.id is not null
    ) d
    group by day, fact, bucket, unit_id, category_id, channel, district
    having sum(n) <> 0;
end $$;

-- ---- what is published ---------------------------------------------------------------------------------------------

do $$
begin
    delete from hotline.metric_identity;
    delete from hotline.metric_formula;
    delete from hotline.metric_term;
    delete from hotline.metric_count;
end $$;

-- terms: span:fact with a sign; b before, i in, a after the period.
with given as (
    select ord, name, shown, terms, zh, en
    from (values
        (10, 'accepted', true, '+i:accepted -i:of_set_aside', '受理', 'Accepted'),
        (11, 'set_aside', true, '+i:of_set_aside', '受理后作废或并案', 'Accepted, later voided or merged'),
        (12, 'carried_in', true, '+b:accepted -b:ended', '上期结转', 'Carried in'),
        (13, 'on_hand', true, '+b:accepted -b:ended +i:accepted -i:of_set_aside', '受理与结转合计', 'Carried in and accepted'),
        (14, 'refused', true, '+i:refused', '不予受理', 'Refused'),
        (15, 'unaccepted', true, '+i:unaccepted', '未受理即撤销', 'Left before acceptance'),
        (20, 'direct', true, '+i:of_direct', '直接办结', 'Answered directly'),
        (21, 'dispatched', true, '+i:dispatched', '本期首次派单', 'First dispatched in the period'),
        (30, 'closed', true, '+i:closed', '本期办结', 'Closed in the period'),
        (31, 'closed_of_accepted', true, '+i:of_closed', '本期受理中已办结', 'Closed by now, of those accepted'),
        (32, 'withdrawn', true, '+i:withdrawn', '撤诉', 'Withdrawn'),
        (33, 'voided', true, '+i:voided', '作废', 'Voided'),
        (34, 'merged', true, '+i:merged', '并案', 'Merged'),
        (35, 'referred', true, '+i:referred', '转出', 'Referred out'),
        (36, 'terminated', true, '+i:terminated', '终止办理', 'Terminated'),
        (37, 'no_supplement', true, '+i:no_supplement', '逾期未补充（计入办结）', 'No supplement (counted as closed)'),
        (38, 'open_at_end', true, '+b:of_open +i:of_open +a:ended -a:of_ended', '期末在办', 'Still open at the end'),
        (40, 'due', true, '+i:due', '应办结', 'Replies due'),
        (41, 'due_replied', true, '+i:due_replied', '应办结中已办复', 'Replied, of those due'),
        (42, 'due_ontime', true, '+i:due_ontime', '应办结中按时办复', 'Replied in time, of those due'),
        (43, 'sign_due', true, '+i:sign_due', '应签收', 'Signatures due'),
        (44, 'sign_ontime', true, '+i:sign_ontime', '按时签收', 'Signed in time'),
        (45, 'reply_accepted', true, '+i:reply_accepted', '审核通过的答复', 'Replies accepted'),
        (46, 'reworked', true, '+i:reworked', '重办', 'Reworks started'),
        (47, 'received', true, '+i:received', '派给单位', 'Given to units'),
        (48, 'return_asked', true, '+i:return_asked', '退单申请', 'Returns asked for'),
        (50, 'called', true, '+i:called', '应回访', 'Callbacks due'),
        (51, 'rated', true, '+i:rated', '参评', 'Rated'),
        (52, 'satisfied', true, '+i:satisfied', '满意及以上', 'At least satisfied'),
        (53, 'graded', false, '+i:graded', '满意度加权（十分之一）', 'Graded verdicts (tenths)'),
        (55, 'asked_resolved', true, '+i:asked_resolved', '诉求人答复是否解决', 'Asked whether resolved'),
        (56, 'resolved', false, '+i:resolved', '解决加权（十分之一）', 'Resolved verdicts (tenths)'),
        (60, 'handled', false, '+i:handled', '有办理时长的办结', 'Closed with a handling time'),
        (61, 'handled_minutes', false, '+i:handled_minutes', '办理分钟数', 'Minutes of handling'),
        (70, 'fate_direct', false, '+b:of_direct +i:of_direct -b:direct', '直接办结', 'Answered directly'),
        (71, 'fate_dispatched', false, '+b:of_dispatched +i:of_dispatched -b:ended_dispatched', '已派单（含结转中此前已派）', 'Dispatched (those carried in may have been before)'),
        (72, 'fate_waiting', false, '+b:of_waiting +i:of_waiting', '待派单', 'Waiting for dispatch'),
        (73, 'fate_withdrawn', false, '+b:of_left_withdrawn +i:of_left_withdrawn -b:left_withdrawn', '派单前撤诉', 'Withdrawn before dispatch'),
        (74, 'fate_voided', false, '+b:of_left_voided +i:of_left_voided -b:left_voided', '派单前作废', 'Voided before dispatch'),
        (75, 'fate_merged', false, '+b:of_left_merged +i:of_left_merged -b:left_merged', '派单前并案', 'Merged before dispatch'),
        (76, 'fate_referred', false, '+b:of_left_referred +i:of_left_referred -b:left_referred', '派单前转出', 'Referred out before dispatch'),
        (77, 'fate_terminated', false, '+b:of_left_terminated +i:of_left_terminated -b:left_terminated', '派单前终止', 'Terminated before dispatch'),
        (78, 'fate_no_supplement', false, '+b:of_left_no_supplement +i:of_left_no_supplement -b:left_no_supplement', '派单前逾期未补充', 'No supplement before dispatch')
    ) as t(ord, name, shown, terms, zh, en)
), counted as (
    insert into hotline.metric_count (name, ord, shown, zh, en)
    select name, ord, shown, zh, en from given
)
insert into hotline.metric_term (name, span, fact, sign)
select name, case substr(term, 2, 1) when 'b' then 'before' when 'i' then 'in' else 'after' end, substr(term, 4),
       (substr(term, 1, 1) || '1')::smallint
from given cross join lateral regexp_split_to_table(terms, ' ') as term;

insert into hotline.metric_formula (name, ord, rule_version, num, den, scale, zh, en, numerator_zh, numerator_en, denominator_zh, denominator_en)
values
    ('closure_rate_cohort', 1, 1, 'closed_of_accepted', 'accepted', 1, '办结率（受理口径）', 'Closure rate (cohort)',
     '本期受理、至快照时已办结或归档', 'Accepted in the period and closed or archived by the snapshot',
     '本期受理（不含其后作废、并案）', 'Accepted in the period (without those voided or merged since)'),
    ('closure_rate_flow', 2, 1, 'closed', 'on_hand', 1, '办结率（收支口径）', 'Closure rate (flow)',
     '本期内办结，不论何时受理', 'Closed in the period, whenever accepted',
     '上期结转与本期受理之和', 'Carried in plus accepted in the period'),
    ('closure_rate_due', 3, 1, 'due_replied', 'due', 1, '办结率（应办口径）', 'Closure rate (due)',
     '应办结中至快照时答复已审核通过', 'Of those due, the reply was accepted by the snapshot',
     '主办单位办理时限落在本期且已届满的派单', 'Main assignments whose time limit lay in the period and has passed'),
    ('ontime_sign_rate', 4, 1, 'sign_ontime', 'sign_due', 1, '按时签收率', 'Signed in time',
     '签收时间不晚于签收时限；视同签收算未按时', 'Signed by the limit; deemed signed counts as late',
     '本期派单且签收时限已届满', 'Dispatched in the period and the limit for signing has passed'),
    ('ontime_close_rate', 5, 1, 'due_ontime', 'due', 1, '按时办结率', 'Closed in time',
     '应办结中，最终审核通过的那次答复由单位审签的时间不晚于时限', 'Of those due, the reply finally accepted left the unit by the limit',
     '主办单位办理时限落在本期且已届满的派单', 'Main assignments whose time limit lay in the period and has passed'),
    ('direct_answer_rate', 6, 1, 'direct', 'accepted', 1, '直接办结率', 'Answered directly',
     '本期受理、由热线中心直接办结', 'Accepted in the period and answered by the centre itself',
     '本期受理（不含其后作废、并案）', 'Accepted in the period (without those voided or merged since)'),
    ('return_rate', 7, 2, 'return_asked', 'received', 1, '退单率', 'Return rate',
     '本期内经单位审批提出的退单申请，不论是否同意', 'Returns asked for in the period with the unit''s approval, granted or not',
     '本期派给主办单位的派单（含重办与其后退单的，不含热线中心撤销的）', 'Main assignments given in the period (reworks and those returned since included, those the centre cancelled left out)'),
    ('rework_rate', 8, 1, 'reworked', 'reply_accepted', 1, '重办率', 'Rework rate',
     '本期开始的重办', 'Reworks started in the period',
     '本期审核通过的答复', 'Replies accepted in the period'),
    ('satisfaction_rate', 9, 1, 'satisfied', 'rated', 1, '满意率', 'Satisfaction',
     '对结果评价为满意或非常满意；基本满意不计入', 'Rated the result satisfied or very satisfied; basically satisfied does not count',
     '本期办结并作出评价；未评价不计入，以办结那一轮的评价为准', 'Closed in the period and rated; not rated is left out, the verdict of the closing round counts'),
    ('satisfaction_coverage', 10, 1, 'rated', 'called', 1, '有效回访率', 'Coverage of satisfaction',
     '本期办结并作出评价', 'Closed in the period and rated',
     '本期应回访的办结（含联系不上、未评价；免回访和直接办结不计入）', 'Closed in the period with a callback due (unreachable included; waived and directly answered left out)'),
    ('graded_satisfaction', 11, 1, 'graded', 'rated', 10, '满意度（加权）', 'Graded satisfaction',
     '满意及以上计 1，基本满意计 0.8，一般计 0.6，不满意计 0', 'Satisfied or better 1, basically satisfied 0.8, so-so 0.6, unsatisfied 0',
     '本期办结并作出评价', 'Closed in the period and rated'),
    ('resolve_rate', 12, 1, 'resolved', 'asked_resolved', 10, '解决率（诉求人评价）', 'Resolved, says the citizen',
     '诉求人认为已解决计 1，部分解决计 0.5，未解决计 0', 'Resolved 1, partly 0.5, not resolved 0, as the citizen says',
     '本期办结且诉求人答复了是否解决', 'Closed in the period and the citizen said whether it is resolved'),
    ('handling', 13, 1, null, null, 1, '办理时长', 'Handling time',
     '从首次派单到最终答复审签的自然小时，平均数与中位数', 'Calendar hours from the first dispatch to the final reply, mean and median',
     '本期办结的派单工单', 'Dispatched tickets closed in the period');

insert into hotline.metric_identity (name, side, count, ord)
select name, side, count, ord + case side when 'right' then 100 else 0 end
from (values
    ('intake', 'left', 'accepted set_aside carried_in'),
    ('intake', 'right', 'fate_direct fate_dispatched fate_waiting fate_withdrawn fate_voided fate_merged fate_referred fate_terminated fate_no_supplement'),
    ('flow', 'left', 'carried_in accepted set_aside'),
    ('flow', 'right', 'closed withdrawn voided merged referred terminated open_at_end')
) as t(name, side, counts)
cross join lateral string_to_table(counts, ' ') with ordinality as c(count, ord);

-- ---- keeping -------------------------------------------------------------------------------------------------------

-- The columns of metric_sheet that count: every fact that a figure reads.
create or replace function hotline.fact_columns() returns text[]
language sql stable as $$ select array_agg(distinct fact order by fact) from hotline.metric_term $$;

do $$
declare
    fact text;
begin
    foreach fact in array hotline.fact_columns() loop
        if not exists (select from pg_attribute where attrelid = 'hotline.metric_sheet'::regclass and attname = fact and not attisdropped) then
            execute format('alter table hotline.metric_sheet add column %I bigint', fact);
        end if;
    end loop;
end $$;

-- %1$s once for each fact, between commas.
create or replace function hotline.for_facts(template text) returns text
language sql stable as $$ select string_agg(format(template, fact), ', ') from unnest(hotline.fact_columns()) fact $$;

-- A histogram in one array: how many rough buckets there are, these, then the buckets, both in order.  A bucket is bucket * 2^32 + n;
-- a rough one is sixty-four of them, (rough * 2^12 + place of its last bucket) * 2^32 + n, so that a median reads one part of it.
create or replace function hotline.took_pack(bucket bigint, n bigint) returns bigint
language sql immutable parallel safe as $$ select (bucket << 32) + n $$;
create or replace function hotline.took_bucket(packed bigint) returns bigint
language sql immutable parallel safe as $$ select (packed + 2147483648) >> 32 $$;
create or replace function hotline.took_n(packed bigint) returns bigint
language sql immutable parallel safe as $$ select packed - ((packed + 2147483648) >> 32 << 32) $$;

-- From packed buckets in any order, some given twice; null when nothing is left.
create or replace function hotline.took_make(packed bigint[]) returns bigint[]
language plpgsql immutable as $$
begin
    return (
        with fine as (
            select b as bucket, n, row_number() over (order by b) as place
            from (select hotline.took_bucket(e) as b, sum(hotline.took_n(e))::bigint as n from unnest(packed) e group by 1) s where n <> 0
        ), rough as (
            select hotline.took_pack((bucket >> 6 << 12) + max(place), sum(n)::bigint) as e from fine group by bucket >> 6
        )
        select (select count(*) from rough) || array(select e from rough order by e) || array_agg(hotline.took_pack(bucket, n) order by bucket)
        from fine having count(*) > 0
    );
end $$;

-- Its buckets.
create or replace function hotline.took_fine(took bigint[]) returns bigint[]
language sql immutable parallel safe as $$ select took[took[1] + 2 :] $$;

create or replace function hotline.took_add(a bigint[], b bigint[]) returns bigint[]
language plpgsql immutable as $$
begin
    return case when b is null then a when a is null then b else hotline.took_make(hotline.took_fine(a) || hotline.took_fine(b)) end;
end $$;

-- Add rows of (kind, key, sub, day, fact, bucket, n), read by this query, to the sheet: their days, months and years.  before: a with
-- clause for it; ids are its $1.
create or replace function hotline.sheet_add(query text, before text default '', ids bigint[] default null) returns void
language plpgsql set work_mem = '64MB' as $$
begin
    execute before || format($q$
        insert into hotline.metric_sheet as m (kind, key, grain, day, sub, took, %2$s)
        select kind, key, grain, day, sub,
               hotline.took_make(array_agg(hotline.took_pack(bucket, n)) filter (where bucket > 0)), %3$s
        from (
            select p.kind, p.key, g.grain, g.day, p.sub, p.fact, p.bucket, sum(p.n)::bigint as n
            from (%1$s) p
            cross join lateral (values (1::smallint, p.day), (2::smallint, date_trunc('month', p.day)::date),
                (3::smallint, date_trunc('year', p.day)::date)) as g(grain, day)
            group by 1, 2, 3, 4, 5, 6, 7
        ) s
        group by 1, 2, 3, 4, 5
        order by 1, 2, 3, 4, 5
        on conflict (kind, key, grain, day, sub) do update set
            took = hotline.took_add(m.took, excluded.took), %4$s
        $q$, query, hotline.for_facts('%1$I'), hotline.for_facts('sum(n) filter (where fact = %1$L)'),
        hotline.for_facts('%1$I = coalesce(m.%1$I + excluded.%1$I, m.%1$I, excluded.%1$I)')) using ids;
end $$;

-- Databases from before the sheet: what their tables of days hold.
do $$
begin
    if to_regclass('hotline.metric_total') is not null then
        perform hotline.sheet_add($q$
            select 0::smallint as kind, 0 as key, 0 as sub, day, fact, bucket, n from hotline.metric_total where grain in (1, 3)
            union all select 1::smallint, unit_id, 0, day, fact, bucket, n from hotline.metric_unit where grain in (1, 3)
            union all select 2::smallint, category_id, 0, day, fact, bucket, n from hotline.metric_category where grain in (1, 3)
            union all select 3::smallint, channel, 0, day, fact, bucket, n from hotline.metric_channel where grain in (1, 3)
            union all select 4::smallint, coalesce(nullif(district, ''), '0')::int, 0, day, fact, bucket, n from hotline.metric_district where grain in (1, 3)
            union all select 5::smallint, unit_id, category_id, day, fact, bucket, n from hotline.metric_unit_category where grain in (1, 3)$q$);
        drop table hotline.metric_total, hotline.metric_unit, hotline.metric_category, hotline.metric_channel, hotline.metric_district,
            hotline.metric_unit_category;
    end if;
end $$;

-- Move up to limit_ differences into the sheet, all of it in one statement, so that no reading sees one twice or not at all.
-- One folder at a time: a second one answers 0.  Locks the rows that it adds to, in key order.
create or replace function hotline.fold(limit_ int default 20000) returns int
language plpgsql as $$
declare
    ids bigint[];
begin
    if not pg_try_advisory_xact_lock(hashtext('hotline.fold')) then
        return 0;
    end if;
    ids := array(select id from hotline.fact_delta order by id limit limit_);
    if cardinality(ids) > 0 then
        perform hotline.sheet_add($q$
            select k.kind::smallint, k.key, k.sub, g.day, g.fact, g.bucket, g.n
            from alike g
            cross join lateral (values (0, 0, 0), (1, unit_id, 0), (2, category_id, 0), (3, channel, 0),
                (4, coalesce(nullif(district, ''), '0')::int, 0), (5, unit_id, category_id)) as k(kind, key, sub)$q$,
            -- A ticket that moves takes from one fact what it gives to the next, so that much of what is alike is nothing.
            'with gone as (delete from hotline.fact_delta where id = any ($1) returning *), alike as (
                select day, unit_id, category_id, channel, district, fact, bucket, sum(n)::bigint as n from gone
                group by 1, 2, 3, 4, 5, 6, 7 having sum(n) <> 0)', ids);
    end if;
    return cardinality(ids);
end $$;

-- ---- reading -------------------------------------------------------------------------------------------------------

-- Forms that an upgraded database still has.
drop function if exists hotline.metric_span(date, date, boolean);
drop function if exists hotline.metric_stretch(date, date);
drop function if exists hotline.metric_cells(text, date, date, text, boolean, int[], int[], smallint, text);
drop function if exists hotline.metric_figures(jsonb, numeric);
drop function if exists hotline.sheet_took(int, int[], int[], date, date, text, int[], int[], int);
drop function if exists hotline.delta_cells(int[], int[], smallint, text, date, date, text, int[], int[], int);
drop function if exists hotline.delta_cells(boolean, int[], int[], smallint, text, date, date, text, int[], int[], int);
drop function if exists hotline.sheet_medians(int, int[], int[], int[], int[], smallint, text, date, date, text, int[], int[], int);

-- A stretch of time in months and days, or (given in months) in years and months: what is more than half of one at an edge is all of it
-- less the rest.
create or replace function hotline.stretch_parts(from_ date, to_ date, big text, small int, half int)
returns table (grain smallint, first date, last date, sign int)
language sql immutable as $$
    select v.grain::smallint, v.first::date, v.last::date, v.sign
    from (
        select date_trunc(big, from_ + ('1 ' || big)::interval - interval '1 day')::date as b0, date_trunc(big, to_)::date as b1,
               ('1 ' || big)::interval as step
    ) e
    cross join lateral (select b0 <= b1 and b0 - from_ > half as head, b0 <= b1 and to_ - b1 > half as tail, b0 > b1 and to_ - from_ > half as inside) o
    cross join lateral (values
        (small + 1, b0, b1::timestamp, 1),
        (small, from_, case when b0 <= b1 and not head then b0 end, 1),
        (small + 1, b0 - step, case when head then b0 end, 1),
        (small, b0 - step, case when head then from_ end, -1),
        (small, b1, case when b0 <= b1 and not tail then to_ end, 1),
        (small + 1, b1, case when tail or inside then b1 + step end, 1),
        (small, to_, case when tail or inside then b1 + step end, -1),
        (small, from_, case when b0 > b1 and not inside then to_ end, 1),
        (small, b1, case when inside then from_ end, -1)
    ) as v(grain, first, last, sign)
    where v.first < v.last
$$;

-- The rows of the sheet that make up a stretch of time, added or taken away.
create or replace function hotline.metric_stretch(from_ date, to_ date) returns table (grain smallint, first date, last date, sign int)
language sql immutable as $$
    select * from hotline.stretch_parts(from_, to_, 'month', 1, 15) m where m.grain = 1
    union all
    select y.grain, y.first, y.last, m.sign * y.sign
    from hotline.stretch_parts(from_, to_, 'month', 1, 15) m
    cross join lateral hotline.stretch_parts(m.first, m.last, 'year', 2, 183) y
    where m.grain = 2
$$;

-- Which rows answer for which part of time, each once: how often they count before, in and after the period.  What lies in it is what
-- lies before its end less what lies before its start, so that an edge is one run of days for both.  daily asks for the days of the
-- period instead.  (plpgsql: planned once, not in each reading.)
create or replace function hotline.metric_spans(from_ date, to_ date, daily boolean)
returns table (grain smallint, first date, last date, before int, within int, after int, by_day boolean)
language plpgsql immutable rows 10 set plan_cache_mode = force_generic_plan as $$
begin
    return query
    with upto as materialized (
        select 1 as upto, s.* from hotline.metric_stretch('1900-01-01', from_) s
        union all
        select 2, s.* from hotline.metric_stretch('1900-01-01', to_) s
        union all
        select 3, s.* from hotline.metric_stretch('1900-01-01', '2200-01-01') s
    ), piece as (
        select p.grain, p.first, lead(p.first) over (partition by p.grain order by p.first) as last
        from (select u.grain, u.first from upto u union select u.grain, u.last from upto u) p
    ), counted as (
        select p.grain, p.first, p.last, coalesce(sum(u.sign) filter (where u.upto = 1), 0)::int as start,
               coalesce(sum(u.sign) filter (where u.upto = 2), 0)::int as end_, coalesce(sum(u.sign) filter (where u.upto = 3), 0)::int as all_
        from piece p join upto u on u.grain = p.grain and u.first <= p.first and u.last >= p.last
        group by 1, 2, 3
    )
    select c.grain, c.first, c.last, c.start, case when daily then 0 else c.end_ - c.start end, c.all_ - c.end_, false from counted c
    where c.start <> 0 or c.all_ <> c.end_ or not daily and c.end_ <> c.start
    union all
    select 1::smallint, from_, to_, 0, 1, 0, true where daily;
end $$;

-- The rows of the period alone.
create or replace function hotline.metric_within(from_ date, to_ date, daily boolean)
returns table (grain smallint, first date, last date, sign int)
language plpgsql immutable rows 10 set plan_cache_mode = force_generic_plan as $$
begin
    return query
    select s.* from hotline.metric_stretch(from_, to_) s where not daily
    union all
    select 1::smallint, from_, to_, 1 where daily;
end $$;

-- What the sheet holds for a table of figures: keys (and subs, null: all) are the members that count, members[i] stands in line
-- lines[i] of the table, others in line rest; by day the lines are the days of the period from 1 on.  Outside the period only the facts
-- are read that terms have there.  The text is made once more when there are new facts.
do $$
declare
    line constant text := $line$case when by_ = 'day' then case when s.by_day then m.day - from_ + 1 else 0 end
                        else coalesce(lines[array_position(members, case when kind_ = 5 and by_ = 'category' then m.sub else m.key end)], rest)
                   end$line$;
begin
    execute format($make$
        create or replace function hotline.sheet_counts(kind_ int, keys int[], subs int[], from_ date, to_ date, by_ text, members int[],
            lines int[], rest int) returns table (line int, span text, fact text, n bigint)
        language plpgsql stable rows 3000 as $body$
        begin
            return query
            with s as materialized (
                select * from hotline.metric_spans(from_, to_, by_ is not distinct from 'day')
            ), within as (
                select %1$s as line, %2$s
                from s
                join hotline.metric_sheet m on m.kind = kind_ and m.key = any (keys) and m.grain = s.grain and m.day >= s.first and m.day < s.last
                where s.within <> 0 and (subs is null or m.sub = any (subs))
                group by 1
            ), around as (
                select %1$s as line, %3$s
                from s
                join hotline.metric_sheet m on m.kind = kind_ and m.key = any (keys) and m.grain = s.grain and m.day >= s.first and m.day < s.last
                where (s.before <> 0 or s.after <> 0) and (subs is null or m.sub = any (subs))
                group by 1
            )
            select d.line, v.span, v.fact, v.n::bigint
            from within d cross join lateral (values %4$s) as v(span, fact, n)
            where v.n <> 0
            union all
            select d.line, v.span, v.fact, v.n::bigint
            from around d cross join lateral (values %5$s) as v(span, fact, n)
            where v.n <> 0;
        end $body$ $make$, line,
        (select string_agg(distinct format('sum(s.within * m.%1$I) as in_%1$s', fact), ', ') from hotline.metric_term),
        (select string_agg(distinct format('sum(s.%1$s * m.%2$I) as %1$s_%2$s', span, fact), ', ') from hotline.metric_term where span <> 'in'),
        (select string_agg(distinct format('(''in'', %1$L, d.in_%1$s)', fact), ', ') from hotline.metric_term),
        (select string_agg(distinct format('(%1$L, %2$L, d.%1$s_%2$s)', span, fact), ', ') from hotline.metric_term where span <> 'in'));
end $$;

-- The median of handling time by line, in hours: the middle of the bucket in which half of the handled tickets is reached.  First the
-- rough bucket of each line, then the buckets in it.  whole: nothing is left out.  fresh_lines, buckets and counts are what is not folded.
create or replace function hotline.sheet_medians(whole boolean, kind_ int, keys int[], subs int[], from_ date, to_ date, by_ text, members int[],
    lines int[], rest int, fresh_lines int[], fresh_buckets int[], fresh_counts bigint[]) returns table (line int, median numeric)
language plpgsql stable rows 100 as $$
begin
    return query
    with held as materialized (
        -- Everything, line 0, is what the lines have together, or a row of its own where nothing is left out.  (Nothing appended: the array
        -- is decompressed here, once.)
        select case when by_ = 'day' then m.day - from_ + 1
                    else coalesce(lines[array_position(members, case when kind_ = 5 and by_ = 'category' then m.sub else m.key end)], rest)
               end as line, s.sign, m.took || '{}'::bigint[] as took
        from hotline.metric_within(from_, to_, by_ is not distinct from 'day') s
        join hotline.metric_sheet m on m.kind = kind_ and m.key = any (keys) and m.grain = s.grain and m.day >= s.first and m.day < s.last
        where m.took is not null and (subs is null or m.sub = any (subs)) and by_ is not null
        union all
        select 0, s.sign, m.took || '{}'::bigint[]
        from hotline.metric_within(from_, to_, false) s
        join hotline.metric_sheet m on m.kind = case when whole then 0 else kind_ end and m.key = any (case when whole then '{0}' else keys end)
            and m.grain = s.grain and m.day >= s.first and m.day < s.last
        where m.took is not null and (whole or subs is null or m.sub = any (subs))
    ), fresh as materialized (
        select v.line, f.bucket, f.n
        from unnest(fresh_lines, fresh_buckets, fresh_counts) as f(line, bucket, n)
        cross join lateral (select 0 as line union all select f.line where by_ is not null) v
    ), rough as (
        select u.line, u.rough, sum(u.n) as n
        from (
            select r.line, hotline.took_bucket(r.e)::int >> 12 as rough, r.sign * hotline.took_n(r.e)::int as n
            from (select h.line, h.sign, unnest(h.took[2 : h.took[1] + 1]) as e from held h) r
            union all
            select f.line, f.bucket >> 6, f.n from fresh f
        ) u
        group by 1, 2
    ), passed as (
        select r.line, r.rough, r.n, sum(r.n) over (partition by r.line order by r.rough rows unbounded preceding) as so_far from rough r
    ), half as materialized (
        -- What a line has, the first rough bucket with which half of it is reached, and how many are below that.
        select distinct on (p.line) p.line, a.n as of_all, p.rough, p.so_far - p.n as below
        from passed p join (select r.line, sum(r.n) as n from rough r group by 1) a on a.line = p.line
        where a.n > 0 and p.so_far * 2 >= a.n
        order by p.line, p.rough
    ), fine as (
        select u.line, u.bucket, sum(u.n) as n
        from (
            select t.line, hotline.took_bucket(t.e)::int as bucket, t.sign * hotline.took_n(t.e)::int as n
            from (
                select h.line, h.sign, unnest(h.took[h.took[1] + 2 + p.before : h.took[1] + 1 + p.upto]) as e
                from half f
                join held h on h.line = f.line
                cross join lateral (
                    select max(place) filter (where r.rough <= f.rough) as upto, coalesce(max(place) filter (where r.rough < f.rough), 0) as before
                    from (
                        select hotline.took_bucket(e)::int >> 12 as rough, hotline.took_bucket(e)::int & 4095 as place
                        from unnest(h.took[2 : h.took[1] + 1]) e
                    ) r
                ) p
                where p.upto > p.before
            ) t
            union all
            select f.line, f.bucket, f.n from fresh f join half h on h.line = f.line and h.rough = f.bucket >> 6
        ) u
        group by 1, 2
    )
    select c.line, hotline.bucket_hours(min(c.bucket)::smallint)
    from (
        select f.line, f.bucket, h.of_all, h.below + sum(f.n) over (partition by f.line order by f.bucket rows unbounded preceding) as so_far
        from fine f join half h on h.line = f.line
    ) c
    where c.so_far * 2 >= c.of_all
    group by 1;
end $$;

-- What is not folded yet, in the same lines: counts have bucket 0, durations their own.
create or replace function hotline.delta_cells(units int[], categories int[], channel_ smallint, district_ text, from_ date, to_ date, by_ text,
    members int[], lines int[], rest int) returns table (line int, span text, fact text, bucket int, n bigint)
language plpgsql stable rows 1000 as $$
begin
    return query
    select case when by_ = 'day' then case when d.day >= from_ and d.day < to_ then d.day - from_ + 1 else 0 end
                else coalesce(lines[array_position(members, d.member)], rest) end,
           case when d.day < from_ then 'before' when d.day < to_ then 'in' else 'after' end,
           d.fact, d.bucket::int, sum(d.n)::bigint
    from (
        select case by_ when 'unit' then f.unit_id when 'category' then f.category_id when 'channel' then f.channel
                    when 'district' then coalesce(nullif(f.district, ''), '0')::int else 0 end as member,
               f.day, f.fact, f.bucket, sum(f.n) as n
        from hotline.fact_delta f
        where (units is null or f.unit_id = any (units))
          and (categories is null or f.category_id = any (categories))
          and (channel_ is null or f.channel = channel_)
          and (district_ is null or f.district = district_)
        group by 1, 2, 3, 4
    ) d
    group by 1, 2, 3, 4;
end $$;

-- A unit, a category and everything below; unit and category 0 (none yet) belong to the top.
create or replace function hotline.metric_units(top int) returns int[]
language sql stable as $$
    with recursive below as (
        select id, parent_id from hotline.unit where id = top
        union all
        select u.id, u.parent_id from hotline.unit u join below b on u.parent_id = b.id
    )
    select array_agg(id) || case when bool_or(parent_id is null) then array[0] else '{}' end from below
$$;

create or replace function hotline.metric_categories(top int) returns int[]
language sql stable as $$
    with recursive below as (
        select id from hotline.category where id = top
        union all
        select c.id from hotline.category c join below b on c.parent_id = b.id
    )
    select array_agg(id) from below
$$;

-- The rows of a table of figures and who is in each.  Units and categories: the children of the one asked for (else of the
-- top) with all below them, and the one itself with what it holds directly.
create or replace function hotline.metric_rows(by_ text, unit_ int, category_ int)
returns table (member text, key text, label text, label_en text, ord bigint, always boolean)
language sql stable as $$
    with top as (
        select coalesce(unit_, (select id from hotline.unit where parent_id is null order by id limit 1)) as id
    )
    select m.id::text, u.id::text, u.short_name, coalesce(u.name_en, u.short_name), u.id::bigint, u.id <> top.id
    from top
    join hotline.unit u on u.parent_id = top.id or u.id = top.id
    cross join lateral (
        select d.id from hotline.unit d where d.id = u.id or u.id <> top.id and u.id = any (d.path)
        union all
        select 0 where u.id = top.id and u.parent_id is null
    ) m
    where by_ = 'unit'
    union all
    select b.id::text, c.code, c.name, coalesce(c.name_en, c.name), dense_rank() over (order by c.code), c.id is distinct from category_
    from (
        with recursive below as (
            select id as top, id from hotline.category where id = category_ or parent_id is not distinct from category_
            union all
            select b.top, c.id from hotline.category c join below b on c.parent_id = b.id where b.top is distinct from category_
        )
        select * from below
    ) b
    join hotline.category c on c.id = b.top
    where by_ = 'category'
    union all
    select '0', '', '未分类', 'Without a category', 1000000, false
    where by_ = 'category' and category_ is null
    union all
    select w.code::text, w.name, w.zh, w.en, w.code, false from hotline.word w where by_ = 'channel' and w.kind = 'channel'
    union all
    select d.code, d.code, d.name, coalesce(d.name_en, d.name), d.code::bigint, true
    from hotline.division d where by_ = 'district' and d.level = 2
    union all
    select v.code, v.code, v.zh, v.en, v.ord, false
    from (values ('', '区域不明', 'Place unknown', 1000000), ('other', '市外或全市', 'Elsewhere or the whole city', 1000001)) v(code, zh, en, ord)
    where by_ = 'district'
$$;

-- Whether the two sides add up, term by term.
create or replace function hotline.metric_identity_of(name_ text, c jsonb) returns jsonb
language sql stable as $$
    select jsonb_build_object(
        'terms', jsonb_agg(jsonb_build_object('name', m.name, 'side', i.side, 'zh', m.zh, 'en', m.en, 'n', v.n) order by i.ord),
        'left', sum(v.n) filter (where i.side = 'left'),
        'right', sum(v.n) filter (where i.side = 'right'),
        'balanced', sum(v.n) filter (where i.side = 'left') = sum(v.n) filter (where i.side = 'right'))
    from hotline.metric_identity i
    join hotline.metric_count m on m.name = i.count
    cross join lateral (select coalesce((c->>m.name)::bigint, 0) as n) v
    where i.name = name_
$$;

create or replace function hotline.metric_formulas() returns jsonb
language sql stable as $$
    select jsonb_object_agg(name, to_jsonb(f) - '{name,ord,num,den,scale}'::text[]) from hotline.metric_formula f
$$;

-- The closure figures of a period (to_ exclusive) at this moment: one snapshot, the sheet and what is not folded yet together.
-- Units and categories are given by id; by day the figures that need a stock have the stock of that day.  Line 0 is the total.
create or replace function hotline.metrics_read(from_ date, to_ date, by_ text, unit_ int, category_ int, channel_ smallint,
    district_ text) returns jsonb
language plpgsql stable set work_mem = '64MB' as $$
declare
    kind int := case when (unit_ is not null or by_ = 'unit') and (category_ is not null or by_ = 'category') then 5
        when unit_ is not null or by_ = 'unit' then 1
        when category_ is not null or by_ = 'category' then 2
        when channel_ is not null or by_ = 'channel' then 3
        when district_ is not null or by_ = 'district' then 4
        else 0 end;
    units int[] := case when kind in (1, 5) and unit_ is not null then hotline.metric_units(unit_) end;
    categories int[] := case when kind in (2, 5) and category_ is not null then hotline.metric_categories(category_) end;
    sheet_keys int[] := case
        when kind in (1, 5) then coalesce(units, array(select id from hotline.unit) || 0)
        when kind = 2 then coalesce(categories, array(select id from hotline.category) || 0)
        when kind = 3 then case when channel_ is null then array(select code from hotline.word w where w.kind = 'channel') else array[channel_] end
        when kind = 4 then case when district_ is null then array(select distinct m.key from hotline.metric_sheet m where m.kind = 4 and m.grain = 3)
            else array[coalesce(nullif(district_, ''), '0')::int] end
        else '{0}' end;
    subs int[] := case when kind = 5 then categories end;
    members int[];
    lines int[];
    rest int := 0;
    labels jsonb[];
    told jsonb;
begin
    with r as materialized (
        select r.*, dense_rank() over (order by r.ord, r.key)::int as line from hotline.metric_rows(by_, unit_, category_) r
    )
    select array_agg(coalesce(nullif(r.member, ''), '0')::int) filter (where r.member <> 'other'), array_agg(r.line) filter (where r.member <> 'other'),
           coalesce(max(r.line) filter (where r.member = 'other'), 0),
           (select array_agg(jsonb_build_object('line', l.line, 'key', l.key, 'label', l.label, 'label_en', l.label_en, 'always', l.always))
            from (select distinct on (r.line) r.* from r order by r.line) l)
    into members, lines, rest, labels
    from r;

    with fresh as materialized (
        select * from hotline.delta_cells(units, categories, channel_, district_, from_, to_, by_, members, lines, rest)
    ), took as materialized (
        select array_agg(f.line) as fresh_lines, array_agg(f.bucket) as fresh_buckets, array_agg(f.n) as fresh_counts from fresh f where f.bucket > 0 and f.span = 'in'
    ), cell as materialized (
        select c.line, c.span, c.fact, sum(c.n)::bigint as n
        from (
            select * from hotline.sheet_counts(kind, sheet_keys, subs, from_, to_, by_, members, lines, rest)
            union all
            select f.line, f.span, f.fact, f.n from fresh f where f.bucket = 0
        ) c
        group by 1, 2, 3
    ), stock as (
        -- What a day begins or ends with: the sum outside the period and the days of the period between.
        select d.line, s.span, s.fact,
               s.n + coalesce(sum(c.n) over (
                   partition by s.span, s.fact order by case s.span when 'before' then d.line else -d.line end
                   rows between unbounded preceding and 1 preceding), 0) as n
        from (select g as line from generate_series(1, to_ - from_) g where by_ = 'day') d
        cross join (
            select t.span, t.fact, coalesce(sum(c.n), 0) as n
            from (select distinct span, fact from hotline.metric_term where span <> 'in') t
            left join cell c on c.span = t.span and c.fact = t.fact
            group by 1, 2
        ) s
        left join cell c on c.span = 'in' and c.line = d.line and c.fact = s.fact
    ), counted as materialized (
        select k.line, t.name, sum(t.sign * k.n)::bigint as n
        from (
            select 0 as line, span, fact, sum(n) as n from cell group by 2, 3
            union all
            select line, span, fact, n from cell where line > 0
            union all
            select line, span, fact, n from stock
        ) k
        join hotline.metric_term t on t.span = k.span and t.fact = k.fact
        group by 1, 2
    ), labelled as (
        select (l->>'line')::int as line, l->>'key' as key, l->>'label' as label, l->>'label_en' as label_en, (l->>'always')::boolean as always
        from unnest(labels) l
        union all
        select g, d::text, d::text, d::text, true
        from generate_series(1, to_ - from_) g cross join lateral (select from_ + g - 1 as d) day where by_ = 'day'
    ), line as materialized (
        select l.* from labelled l where l.always or l.line in (select c.line from counted c where c.n <> 0)
        union all
        select 0, null, null, null, true
    ), counts as (
        select l.line, jsonb_object_agg(m.name, coalesce(c.n, 0)) as said
        from line l cross join hotline.metric_count m left join counted c on c.line = l.line and c.name = m.name
        where m.shown
        group by 1
    ), rates as (
        select v.line, jsonb_object_agg(v.name, jsonb_build_object('num', case when v.parts then trim_scale(v.num) end,
            'den', case when v.parts then v.den end, 'rate', round(v.num / nullif(v.den, 0), 6))) as said
        from (
            select l.line, f.name, f.num is not null as parts, round(coalesce(n.n, 0)::numeric / f.scale, 1) as num, coalesce(d.n, 0) as den
            from line l cross join hotline.metric_formula f
            left join counted n on n.line = l.line and n.name = f.num
            left join counted d on d.line = l.line and d.name = f.den
            where f.name <> 'handling'
        ) v
        group by 1
    ), figure as materialized (
        select l.*, jsonb_build_object('counts', c.said, 'rates', r.said, 'handling', jsonb_build_object('n', coalesce(h.n, 0),
            'avg_hours', round(coalesce(t.n, 0)::numeric / 60 / nullif(h.n, 0), 2), 'median_hours', round(m.median, 2),
            'median_error', '± one bucket')) as said
        from line l
        join counts c on c.line = l.line
        join rates r on r.line = l.line
        left join counted h on h.line = l.line and h.name = 'handled'
        left join counted t on t.line = l.line and t.name = 'handled_minutes'
        left join (
            select m.* from took
            cross join hotline.sheet_medians(units is null and categories is null and channel_ is null and district_ is null, kind, sheet_keys, subs,
                from_, to_, by_, members, lines, rest, took.fresh_lines, took.fresh_buckets, took.fresh_counts) m
        ) m on m.line = l.line
    ), totals as (
        select coalesce(jsonb_object_agg(name, n), '{}') as c from counted where line = 0
    )
    select jsonb_build_object(
        'total', (select said from figure where line = 0),
        'rows', coalesce((
            select jsonb_agg(jsonb_build_object('key', key, 'label', label, 'label_en', label_en) || said order by line)
            from figure where line > 0), '[]'),
        'identity', hotline.metric_identity_of('intake', t.c),
        'decompositions', jsonb_build_object('flow', hotline.metric_identity_of('flow', t.c)))
    into told
    from totals t;
    return told;
end $$;

-- ---- questions -----------------------------------------------------------------------------------------------------

create or replace function hotline.date_of(s text) returns date
language plpgsql immutable as $$
begin
    return case when s ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' then s::date end;
exception when datetime_field_overflow then
    return null;
end $$;

-- Read and check the question {"from","to","by"?,"unit"?,"category"?,"channel"?,"district"?} of this person.
-- Only units and categories are counted together; a unit's people are held to their own subtree.
create or replace function hotline.metric_ask(who hotline.actor, x jsonb) returns hotline.metric_question
language plpgsql stable as $$
declare
    q hotline.metric_question;
    bad jsonb := '[]';
    scope text := hotline.scope_of(who, 'metrics.read');
    dims text[];
begin
    if who.id is null then
        q.refused := hotline.no_session();
        return q;
    elsif scope is null or scope = 'own' then
        q.refused := hotline.forbidden();
        return q;
    end if;
    q.from_ := hotline.date_of(x->>'from');
    q.to_ := hotline.date_of(x->>'to');
    q.by_ := nullif(x->>'by', '');
    if q.from_ is null or q.from_ < '2000-01-01' then
        bad := bad || hotline.field('from', 'bad_date', '起始日期应写成 2018-01-01 的样子。', 'A date like 2018-01-01 is needed.');
    end if;
    if q.to_ is null or q.to_ > '2100-01-01' then
        bad := bad || hotline.field('to', 'bad_date', '截止日期应写成 2018-09-01 的样子。', 'A date like 2018-09-01 is needed.');
    elsif q.to_ <= q.from_ then
        bad := bad || hotline.field('to', 'not_after_from', '截止日期（不含当日）应晚于起始日期。', 'The end (exclusive) must be after the start.');
    elsif q.to_ > q.from_ + interval '10 years' or q.by_ = 'day' and q.to_ > q.from_ + interval '3 years' then
        bad := bad || hotline.field('to', 'period_too_long', '时段最长十年，按日最长三年。', 'At most ten years, by day three.');
    end if;
    if q.by_ not in ('unit', 'category', 'channel', 'district', 'day') then
        bad := bad || hotline.field('by', 'unknown_by', '只能按单位、类别、渠道、区县或日期分组。', 'One of unit, category, channel, district, day.');
    end if;
    if nullif(x->>'unit', '') is not null then
        select id into q.unit from hotline.unit where id::text = x->>'unit';
        if q.unit is null then
            bad := bad || hotline.field('unit', 'unknown_unit', '没有这个单位。', 'There is no such unit.');
        end if;
    end if;
    if nullif(x->>'category', '') is not null then
        select id into q.category from hotline.category where scheme = 'local' and code = x->>'category';
        if q.category is null then
            bad := bad || hotline.field('category', 'unknown_category', '没有这个类别。', 'There is no such category.');
        end if;
    end if;
    if nullif(x->>'channel', '') is not null then
        q.channel := hotline.code_of('channel', x->>'channel');
        if q.channel is null then
            bad := bad || hotline.field('channel', 'unknown_channel', '没有这个渠道。', 'There is no such channel.');
        end if;
    end if;
    if nullif(x->>'district', '') is not null then
        select code into q.district from hotline.division where code = x->>'district' and level = 2;
        if q.district is null then
            bad := bad || hotline.field('district', 'unknown_district', '没有这个区县。', 'There is no such district.');
        end if;
    end if;
    if scope = 'unit' and q.unit is not null and not q.unit = any (hotline.metric_units(who.unit)) then
        q.refused := hotline.forbidden();
        return q;
    elsif scope = 'unit' and q.unit is null then
        q.unit := who.unit;
    end if;
    -- The top is everybody.
    select case when parent_id is not null then id end into q.unit from hotline.unit where id = q.unit;
    dims := array_remove(array[q.by_, case when q.unit is not null then 'unit' end, case when q.category is not null then 'category' end,
        case when q.channel is not null then 'channel' end, case when q.district is not null then 'district' end], 'day');
    if bad = '[]' and not array_remove(dims, null) <@ '{unit,category}'
       and (select count(distinct d) from unnest(dims) d where d is not null) > 1 then
        bad := bad || hotline.field('by', 'not_counted_together', '只有单位与类别可以交叉统计。', 'Only units and categories are counted together.');
    end if;
    if bad <> '[]' then
        q.refused := hotline.bad_inputs(bad);
    end if;
    return q;
end $$;

create or replace function hotline.swept_to() returns timestamptz
language sql stable as $$ select swept_to from hotline.sweep $$;

-- ---- the tickets behind a figure -------------------------------------------------------------------------------------

-- Through which time a count of tickets runs: accepted in the period; in hand at some time of it (stock: not ended before its
-- start, left: not ended before its end, carried: accepted before its start); ended or dispatched in it; a: counts of assignments.
create or replace function hotline.count_basis(count_ text) returns text
language sql immutable as $$
    select case
        when count_ in ('accepted', 'set_aside', 'direct', 'closed_of_accepted') then 'accepted'
        when count_ = 'carried_in' then 'carried'
        when count_ = 'open_at_end' then 'left'
        when count_ = 'on_hand' or count_ like 'fate\_%' then 'stock'
        when count_ = 'dispatched' then 'dispatched'
        when count_ in ('sign_due', 'sign_ontime', 'reworked', 'received') then 'a_dispatched'
        when count_ = 'return_asked' then 'a_returns'
        when count_ in ('due', 'due_replied', 'due_ontime') then 'a_due'
        when count_ = 'reply_accepted' then 'a_accepted'
        when count_ <> 'handled_minutes' then 'ended'
    end
$$;

-- Is this ticket one of those, given that it lies on the count's basis?
create or replace function hotline.is_counted(count_ text, t hotline.ticket, t0 timestamptz, t1 timestamptz) returns boolean
language sql immutable as $$
    select case count_
        when 'accepted' then t.state not in (82, 83)
        when 'set_aside' then t.state in (82, 83)
        when 'on_hand' then t.accepted_at < t0 or t.state not in (82, 83)
        when 'direct' then t.state in (70, 71) and t.close_kind = 1 and t.dispatched_at is null
        when 'closed_of_accepted' then t.state in (70, 71)
        when 'carried_in' then true
        when 'open_at_end' then true
        when 'dispatched' then true
        when 'refused' then t.state = 80 and t.accepted_at is null
        when 'unaccepted' then t.state <> 80 and t.accepted_at is null
        when 'fate_direct' then t.dispatched_at is null and t.state in (70, 71) and t.close_kind = 1
        when 'fate_dispatched' then t.dispatched_at is not null
        when 'fate_waiting' then t.dispatched_at is null and t.state < 70
        when 'fate_withdrawn' then t.dispatched_at is null and t.state = 81
        when 'fate_voided' then t.dispatched_at is null and t.state = 82
        when 'fate_merged' then t.dispatched_at is null and t.state = 83
        when 'fate_referred' then t.dispatched_at is null and t.state = 84
        when 'fate_terminated' then t.dispatched_at is null and t.state = 85
        when 'fate_no_supplement' then t.dispatched_at is null and t.state in (70, 71) and t.close_kind = 7
        else t.accepted_at is not null and case count_
            when 'closed' then t.state in (70, 71)
            when 'withdrawn' then t.state = 81
            when 'voided' then t.state = 82
            when 'merged' then t.state = 83
            when 'referred' then t.state = 84
            when 'terminated' then t.state = 85
            when 'no_supplement' then t.state in (70, 71) and t.close_kind = 7
            else t.state in (70, 71) and case count_
                when 'called' then t.rated is not null
                when 'rated' then t.rated > 0
                when 'satisfied' then t.rated >= 4
                when 'graded' then t.rated >= 2
                when 'asked_resolved' then t.resolved is not null
                when 'resolved' then t.resolved <= 2
                when 'handled' then t.replied_at is not null and t.dispatched_at is not null
            end
        end
    end
$$;

-- Numerators that lie on another basis than their denominator: which part of the denominator they are.
create or replace function hotline.is_in_part(num text, den text, t hotline.ticket, t0 timestamptz, t1 timestamptz) returns boolean
language sql immutable as $$
    select case when num = 'closed' and den = 'on_hand' then coalesce(t.state in (70, 71) and t.ended_at < t1, false)
                else coalesce(hotline.is_counted(num, t, t0, t1), false) end
$$;

-- Only then is there a rest.
create or replace function hotline.is_part_of(num text, den text) returns boolean
language sql immutable as $$
    select num = 'closed' and den = 'on_hand' or hotline.count_basis(num) = hotline.count_basis(den)
$$;

create or replace function hotline.is_charged(count_ text, a hotline.assignment) returns boolean
language sql immutable as $$
    select case when count_ in ('received', 'return_asked') then a.state <> 9 else a.state not in (8, 9) end and case count_
        when 'received' then true
        when 'return_asked' then a.return_asked_at is not null
        when 'sign_due' then a.sign_counted
        when 'sign_ontime' then a.sign_counted and not a.deemed_signed and a.signed_at <= a.sign_due_at
        when 'reworked' then a.round > 0
        when 'due' then a.due_counted
        when 'due_replied' then a.due_counted and a.accepted_at is not null
        when 'due_ontime' then a.due_counted and a.accepted_at is not null and a.replied_at <= a.unit_due_at
        when 'reply_accepted' then true
    end
$$;

create or replace function hotline.is_of_district(t hotline.ticket, district_ text) returns boolean
language sql stable as $$
    select case when district_ is null then true
        when district_ = 'other' then t.division is not null
            and not exists (select from hotline.division d where d.level = 2 and d.code = left(t.division, 6))
        else coalesce(left(t.division, 6), '') = district_ end
$$;

-- One page of the tickets behind a count, newest first.  less: without those that count as well (the rest of a rate).
-- after_at, after_id: the last row of the page before.
create or replace function hotline.count_page(count_ text, less text, t0 timestamptz, t1 timestamptz, units int[], categories int[],
    channel_ smallint, district_ text, after_at timestamptz, after_id bigint, limit_ int)
returns table (at timestamptz, id bigint, t hotline.ticket, assignment bigint, round smallint)
language plpgsql stable set plan_cache_mode = force_custom_plan as $$
declare
    basis text := hotline.count_basis(count_);
begin
    if basis in ('accepted', 'carried', 'left', 'stock') then
        return query
        select k.accepted_at, k.id, k, null::bigint, null::smallint
        from hotline.ticket k
        where k.accepted_at < case basis when 'carried' then t0 else t1 end
          and k.accepted_at >= case basis when 'accepted' then t0 else '-infinity' end
          and case basis when 'accepted' then true
                         else k.ended_at is null or k.ended_at >= case basis when 'left' then t1 else t0 end end
          and (k.accepted_at, k.id) < (after_at, after_id)
          and (units is null or coalesce(k.unit_id, 0) = any (units))
          and (categories is null or coalesce(k.category_id, 0) = any (categories))
          and (channel_ is null or k.channel = channel_)
          and hotline.is_of_district(k, district_)
          and hotline.is_counted(count_, k, t0, t1)
          and (less is null or not hotline.is_in_part(less, count_, k, t0, t1))
        order by k.accepted_at desc, k.id desc
        limit limit_;
    elsif basis = 'ended' then
        return query
        select k.ended_at, k.id, k, null::bigint, null::smallint
        from hotline.ticket k
        where k.ended_at >= t0 and k.ended_at < t1
          and (k.ended_at, k.id) < (after_at, after_id)
          and (units is null or coalesce(k.unit_id, 0) = any (units))
          and (categories is null or coalesce(k.category_id, 0) = any (categories))
          and (channel_ is null or k.channel = channel_)
          and hotline.is_of_district(k, district_)
          and hotline.is_counted(count_, k, t0, t1)
          and (less is null or not hotline.is_in_part(less, count_, k, t0, t1))
        order by k.ended_at desc, k.id desc
        limit limit_;
    elsif basis = 'dispatched' then
        return query
        select k.dispatched_at, k.id, k, null::bigint, null::smallint
        from hotline.ticket k
        where k.dispatched_at >= t0 and k.dispatched_at < t1 and k.accepted_at is not null
          and (k.dispatched_at, k.id) < (after_at, after_id)
          and (units is null or coalesce(k.unit_id, 0) = any (units))
          and (categories is null or coalesce(k.category_id, 0) = any (categories))
          and (channel_ is null or k.channel = channel_)
          and hotline.is_of_district(k, district_)
        order by k.dispatched_at desc, k.id desc
        limit limit_;
    elsif basis = 'a_dispatched' then
        return query
        select a.dispatched_at, a.id, k, a.id, a.round
        from hotline.assignment a join hotline.ticket k on k.id = a.ticket_id
        where a.role = 1 and a.dispatched_at >= t0 and a.dispatched_at < t1
          and (a.dispatched_at, a.id) < (after_at, after_id)
          and (units is null or a.unit_id = any (units))
          and (categories is null or coalesce(k.category_id, 0) = any (categories))
          and (channel_ is null or k.channel = channel_)
          and hotline.is_of_district(k, district_)
          and hotline.is_charged(count_, a)
          and (less is null or not coalesce(hotline.is_charged(less, a), false))
        order by a.dispatched_at desc, a.id desc
        limit limit_;
    elsif basis = 'a_returns' then
        return query
        select r.at, a.id, k, a.id, a.round
        from hotline.assignment a join hotline.ticket k on k.id = a.ticket_id cross join lateral unnest(a.return_asked_at) as r(at)
        where a.role = 1 and a.return_asked_at is not null and r.at >= t0 and r.at < t1
          and (r.at, a.id) < (after_at, after_id)
          and (units is null or a.unit_id = any (units))
          and (categories is null or coalesce(k.category_id, 0) = any (categories))
          and (channel_ is null or k.channel = channel_)
          and hotline.is_of_district(k, district_)
          and hotline.is_charged(count_, a)
        order by r.at desc, a.id desc
        limit limit_;
    elsif basis = 'a_due' then
        return query
        select a.unit_due_at, a.id, k, a.id, a.round
        from hotline.assignment a join hotline.ticket k on k.id = a.ticket_id
        where a.role = 1 and a.unit_due_at >= t0 and a.unit_due_at < t1
          and (a.unit_due_at, a.id) < (after_at, after_id)
          and (units is null or a.unit_id = any (units))
          and (categories is null or coalesce(k.category_id, 0) = any (categories))
          and (channel_ is null or k.channel = channel_)
          and hotline.is_of_district(k, district_)
          and hotline.is_charged(count_, a)
          and (less is null or not coalesce(hotline.is_charged(less, a), false))
        order by a.unit_due_at desc, a.id desc
        limit limit_;
    elsif basis = 'a_accepted' then
        return query
        select a.accepted_at, a.id, k, a.id, a.round
        from hotline.assignment a join hotline.ticket k on k.id = a.ticket_id
        where a.role = 1 and a.accepted_at >= t0 and a.accepted_at < t1
          and (a.accepted_at, a.id) < (after_at, after_id)
          and (units is null or a.unit_id = any (units))
          and (categories is null or coalesce(k.category_id, 0) = any (categories))
          and (channel_ is null or k.channel = channel_)
          and hotline.is_of_district(k, district_)
          and hotline.is_charged(count_, a)
        order by a.accepted_at desc, a.id desc
        limit limit_;
    end if;
end $$;

-- A row of such a list.  A ticket that this person may not open is there, since it was counted, but says nothing of itself.
create or replace function hotline.counted_row(who hotline.actor, t hotline.ticket) returns jsonb
language plpgsql stable as $$
begin
    if hotline.sees(who, t) then
        return hotline.ticket_row(hotline.shown(who, t));
    end if;
    return jsonb_build_object('id', null, 'number', null, 'title', hotline.say('（无权查看的工单）', '(a ticket you may not open)'),
        'state', hotline.name_of('state', t.state), 'hidden', true);
end $$;

-- ---- checking --------------------------------------------------------------------------------------------------------

-- Everything again from the events alone; nothing here calls what counted the first time.  A ticket as its events tell it:
create or replace function hotline.recount_tickets()
returns table (ticket_id bigint, state smallint, channel smallint, category_id int, division text, unit_id int, accepted_at timestamptz,
    dispatched_at timestamptz, replied_at timestamptz, ended_at timestamptz, ended_by text, rated smallint, resolved smallint)
language sql stable as $$
    select e.ticket_id,
        (array_agg(e.to_state order by e.n desc))[1],
        (array_agg((e.payload->>'channel')::smallint order by e.n) filter (where e.payload ? 'channel'))[1],
        (array_agg((e.payload->>'category')::int order by e.n desc) filter (where e.payload ? 'category'))[1],
        (array_agg(e.payload->>'division' order by e.n desc) filter (where e.payload ? 'division'))[1],
        (array_agg((e.payload->>'main_unit')::int order by e.n desc) filter (where e.payload ? 'main_unit'))[1],
        min(e.at) filter (where e.to_state between 20 and 71),
        min(e.at) filter (where e.to_state = 30),
        max(e.at) filter (where e.to_state = 50 and e.from_state <> 50 or e.transition = 'T15f'),
        max(e.at) filter (where e.to_state >= 70 and coalesce(e.from_state, 0) < 70),
        (array_agg(e.transition order by e.n desc) filter (where e.to_state >= 70 and coalesce(e.from_state, 0) < 70))[1],
        (array_agg(case when e.transition = 'T67' then 0 else (e.payload->>'sat_result')::smallint end order by e.n desc)
            filter (where e.transition in ('T64', 'T65', 'T66', 'T67', 'T68', 'T69', 'T70')))[1],
        (array_agg((e.payload->>'resolved')::smallint order by e.n desc)
            filter (where e.transition in ('T64', 'T65', 'T66', 'T67', 'T68', 'T69', 'T70')))[1]
    from hotline.event e
    group by e.ticket_id
$$;

-- A main assignment as its events tell it.
drop function if exists hotline.recount_facts();
drop function if exists hotline.recount_assignments();
create or replace function hotline.recount_assignments()
returns table (ticket_id bigint, assignment_id bigint, unit_id int, round smallint, dispatched_at timestamptz, sign_due_at timestamptz,
    unit_due_at timestamptz, signed_at timestamptz, deemed_signed boolean, replied_at timestamptz, accepted_at timestamptz, gone boolean,
    cancelled boolean, return_asked timestamptz[])
language sql stable as $$
    with undone as (
        select (e.payload->>'cancelled')::bigint as assignment_id from hotline.event e where e.payload ? 'cancelled'
    )
    select e.ticket_id, e.assignment_id,
        (array_agg((e.payload->>'main_unit')::int order by e.n) filter (where e.payload ? 'main_unit'))[1],
        (array_agg((e.payload->>'round')::smallint order by e.n) filter (where e.payload ? 'main_unit'))[1],
        min(e.at) filter (where e.payload ? 'main_unit'),
        (array_agg((e.payload->>'sign_due_at')::timestamptz order by e.n desc) filter (where e.payload ? 'sign_due_at'))[1],
        (array_agg((e.payload->>'unit_due_at')::timestamptz order by e.n desc) filter (where e.payload ? 'unit_due_at'))[1],
        min(e.at) filter (where e.transition in ('T30', 'T15f')),
        coalesce(bool_or(e.transition = 'T31'), false),
        max(e.at) filter (where e.to_state = 50 and e.from_state <> 50 or e.transition = 'T15f'),
        max(e.at) filter (where e.transition in ('T60', 'T15f')),
        coalesce((array_agg(e.assignment_to order by e.n desc))[1] in (8, 9), false) or e.assignment_id in (select u.assignment_id from undone u),
        coalesce((array_agg(e.assignment_to order by e.n desc))[1] = 9, false) or e.assignment_id in (select u.assignment_id from undone u),
        array_agg(e.at order by e.n) filter (where e.transition = 'T32')
    from hotline.event e
    where e.assignment_id is not null
    group by e.ticket_id, e.assignment_id
    having bool_or(e.payload ? 'main_unit')
$$;

-- Since when a ticket's clocks stand still, as its last event tells; null where they run.  What was not due then is not due meanwhile.
create or replace function hotline.stands_still(tid bigint) returns timestamptz
language plpgsql stable as $$
declare
    e hotline.event;
begin
    select * into e from hotline.event where ticket_id = tid order by n desc limit 1;
    if e.to_state not in (12, 41, 42) then
        return null;
    end if;
    return (select at from hotline.event where ticket_id = tid and to_state = e.to_state and from_state <> to_state order by n desc limit 1);
end $$;

-- The facts of both.  A due time before swept_to counts; between it and now the sweep may or may not have been there yet.
create or replace function hotline.recount_facts()
returns table (day date, fact text, bucket smallint, unit_id int, category_id int, channel smallint, district text, n bigint)
language sql stable as $$
    with t as materialized (
        select r.*, r.state in (70, 71) as is_closed, r.state >= 70 as is_ended, r.dispatched_at is null as undispatched,
               case when r.state in (70, 71) then case r.ended_by when 'T09' then 'no_supplement' end
                    when r.state = 80 then 'refused' when r.state = 81 then 'withdrawn' when r.state = 82 then 'voided'
                    when r.state = 83 then 'merged' when r.state = 84 then 'referred' when r.state = 85 then 'terminated' end as how,
               (r.accepted_at at time zone 'Asia/Shanghai')::date as acc_day,
               (r.dispatched_at at time zone 'Asia/Shanghai')::date as out_day,
               (r.ended_at at time zone 'Asia/Shanghai')::date as end_day,
               (extract(epoch from date_trunc('minute', r.replied_at - r.dispatched_at)) / 60)::bigint as minutes
        from hotline.recount_tickets() r
    ), given as (
        select r.*, t.category_id, t.channel, t.division
        from hotline.recount_assignments() r join t on t.ticket_id = r.ticket_id
        where not r.cancelled
    ), a as (
        select r.*, t.category_id, t.channel, t.division,
               r.sign_due_at <= s.swept_to or r.sign_due_at <= hotline.now() and k.sign_counted as sign_over,
               r.unit_due_at <= least(s.swept_to, case when t.state in (12, 41, 42) then hotline.stands_still(t.ticket_id) end) or r.unit_due_at <= hotline.now() and k.due_counted as due_over
        from hotline.recount_assignments() r
        join t on t.ticket_id = r.ticket_id
        left join hotline.assignment k on k.ticket_id = r.ticket_id and k.id = r.assignment_id
        cross join hotline.sweep s
        where not r.gone
    ), told as (
        select acc_day as day, v.fact, 0 as bucket, unit_id, category_id, channel, division, 1::bigint as n
        from t cross join lateral (values
            ('accepted', true),
            ('of_open', not is_ended),
            ('of_ended', is_ended),
            ('of_closed', is_closed),
            ('of_set_aside', state in (82, 83)),
            ('of_dispatched', not undispatched),
            ('of_waiting', undispatched and not is_ended),
            ('of_direct', is_closed and undispatched and ended_by = 'T03'),
            ('of_left_' || how, undispatched and how is not null)) v(fact, holds)
        where acc_day is not null and v.holds
        union all
        select out_day, 'dispatched', 0, unit_id, category_id, channel, division, 1 from t where out_day is not null
        union all
        select end_day, v.fact, 0, unit_id, category_id, channel, division, v.n
        from t cross join lateral (values
            ('ended', true, 1),
            ('closed', is_closed, 1),
            (how, how is not null, 1),
            ('ended_dispatched', not undispatched, 1),
            ('direct', undispatched and ended_by = 'T03', 1),
            ('left_' || how, undispatched and how is not null, 1),
            ('called', is_closed and rated is not null, 1),
            ('rated', is_closed and rated between 1 and 5, 1),
            ('satisfied', is_closed and rated in (4, 5), 1),
            ('graded', is_closed and rated in (2, 3, 4, 5), (array[0, 6, 8, 10, 10])[rated]),
            ('asked_resolved', is_closed and resolved is not null, 1),
            ('resolved', is_closed and resolved in (1, 2), (array[10, 5])[resolved]),
            ('handled', is_closed and minutes is not null, 1),
            ('handled_minutes', is_closed and minutes is not null and minutes <> 0, minutes)) v(fact, holds, n)
        where is_ended and acc_day is not null and v.holds
        union all
        select end_day, case state when 80 then 'refused' else 'unaccepted' end, 0, unit_id, category_id, channel, division, 1
        from t where is_ended and acc_day is null
        union all
        select end_day, 'took', case when minutes < 1440 then minutes + 1 else least(1441 + (minutes - 1440) / 15, 32767) end,
               unit_id, category_id, channel, division, 1
        from t where is_closed and minutes is not null
        union all
        select (a.dispatched_at at time zone 'Asia/Shanghai')::date, v.fact, 0, unit_id, category_id, channel, division, 1
        from a cross join lateral (values
            ('sign_due', sign_over),
            ('sign_ontime', sign_over and not deemed_signed and signed_at <= sign_due_at),
            ('reworked', round > 0)) v(fact, holds)
        where v.holds
        union all
        select (g.dispatched_at at time zone 'Asia/Shanghai')::date, 'received', 0, unit_id, category_id, channel, division, 1 from given g
        union all
        select (r.at at time zone 'Asia/Shanghai')::date, 'return_asked', 0, unit_id, category_id, channel, division, 1
        from given g cross join lateral unnest(g.return_asked) as r(at)
        union all
        select (a.unit_due_at at time zone 'Asia/Shanghai')::date, v.fact, 0, unit_id, category_id, channel, division, 1
        from a cross join lateral (values
            ('due', due_over),
            ('due_replied', due_over and accepted_at is not null),
            ('due_ontime', due_over and accepted_at is not null and replied_at <= unit_due_at)) v(fact, holds)
        where v.holds
        union all
        select (a.accepted_at at time zone 'Asia/Shanghai')::date, 'reply_accepted', 0, unit_id, category_id, channel, division, 1
        from a where accepted_at is not null
    )
    select day, fact, bucket::smallint, coalesce(unit_id, 0), coalesce(category_id, 0), channel, coalesce(substr(division, 1, 6), ''),
           sum(n)::bigint
    from told
    group by 1, 2, 3, 4, 5, 6, 7
$$;

-- What the sheet holds: a dimension's key, the grain and day, and a fact at a time.
create or replace function hotline.metric_sheet_facts()
returns table (dimension text, key text, grain smallint, day date, fact text, bucket smallint, n bigint)
language plpgsql stable as $$
begin
    return query execute format($q$
        select (array['total', 'unit', 'category', 'channel', 'district', 'unit_category'])[m.kind + 1],
               case when m.kind = 0 or m.kind = 4 and m.key = 0 then '' when m.kind = 5 then m.key || '/' || m.sub else m.key::text end,
               m.grain, m.day, v.fact, v.bucket, v.n
        from hotline.metric_sheet m
        cross join lateral (
            select u.fact, 0::smallint, u.n from (values %s) as u(fact, n) where u.n <> 0
            union all
            select 'took', hotline.took_bucket(e)::smallint, hotline.took_n(e) from unnest(hotline.took_fine(m.took)) e
        ) as v(fact, bucket, n) $q$, hotline.for_facts('(%1$L, m.%1$I)'));
end $$;

-- What the sheet and the differences hold, dimension by dimension and day by day.
create or replace function hotline.metric_held()
returns table (dimension text, key text, day date, fact text, bucket smallint, n bigint)
language sql stable as $$
    select dimension, key, day, fact, bucket, n from hotline.metric_sheet_facts() where grain = 1
    union all
    select v.dimension, v.key, d.day, d.fact, d.bucket, d.n
    from hotline.fact_delta d
    cross join lateral (values ('total', ''), ('unit', d.unit_id::text), ('category', d.category_id::text), ('channel', d.channel::text),
        ('district', d.district), ('unit_category', d.unit_id || '/' || d.category_id)) v(dimension, key)
$$;

-- Months and years that are not the sum of their days.
create or replace function hotline.metric_months()
returns table (dimension text, key text, month date, fact text, bucket smallint, days bigint, held bigint)
language sql stable as $$
    select m.dimension, m.key, p.first, m.fact, m.bucket,
           coalesce(sum(m.n) filter (where m.grain = 1), 0)::bigint, coalesce(sum(m.n) filter (where m.grain > 1), 0)::bigint
    from hotline.metric_sheet_facts() m
    cross join lateral (values (2, date_trunc('month', m.day)::date), (3, date_trunc('year', m.day)::date)) as p(grain, first)
    where m.grain in (1, p.grain)
    group by 1, 2, p.grain, 3, 4, 5
    having coalesce(sum(m.n) filter (where m.grain = 1), 0) <> coalesce(sum(m.n) filter (where m.grain > 1), 0)
$$;

-- Recount everything from the events and say what differs; no row on sound data.  STABLE: all of it is one snapshot, whatever the
-- transaction; `hotlinectl metrics verify` runs it in a REPEATABLE READ transaction.  Locks nothing.
--   figure      a dimension's day does not hold what the events tell
--   month       a month is not the sum of its days
--   ticket, assignment   a column does not hold what the events tell
--   chain       an event is missing, was changed, or does not follow from the one before
create or replace function hotline.metrics_verify()
returns table (problem text, what text, key text, day date, expected text, found text)
language plpgsql stable set work_mem = '256MB' set plan_cache_mode = force_custom_plan as $$
begin
    return query
    with told as materialized (
        select * from hotline.recount_facts()
    ), both_ as (
        select v.dimension, v.key, t.day, t.fact, t.bucket, t.n as told, 0::bigint as held
        from told t
        cross join lateral (values ('total', ''), ('unit', t.unit_id::text), ('category', t.category_id::text), ('channel', t.channel::text),
            ('district', t.district), ('unit_category', t.unit_id || '/' || t.category_id)) v(dimension, key)
        union all
        select h.dimension, h.key, h.day, h.fact, h.bucket, 0, h.n from hotline.metric_held() h
    )
    select 'figure', b.dimension || ' ' || b.fact || case when b.bucket > 0 then ' ' || b.bucket else '' end, b.key, b.day,
           sum(b.told)::text, sum(b.held)::text
    from both_ b
    group by b.dimension, b.key, b.day, b.fact, b.bucket
    having sum(b.told) <> sum(b.held);

    return query
    select 'month', m.dimension || ' ' || m.fact || case when m.bucket > 0 then ' ' || m.bucket else '' end, m.key, m.month,
           m.days::text, m.held::text
    from hotline.metric_months() m;

    return query
    select 'ticket', v.what, coalesce(t.id, r.ticket_id)::text, null::date, v.expected, v.found
    from hotline.ticket t
    full join hotline.recount_tickets() r on r.ticket_id = t.id
    cross join lateral (values
        ('id', r.ticket_id::text, t.id::text),
        ('state', r.state::text, t.state::text),
        ('channel', r.channel::text, t.channel::text),
        ('category_id', r.category_id::text, t.category_id::text),
        ('division', r.division, t.division),
        ('unit_id', r.unit_id::text, t.unit_id::text),
        ('accepted_at', r.accepted_at::text, t.accepted_at::text),
        ('dispatched_at', r.dispatched_at::text, t.dispatched_at::text),
        ('replied_at', r.replied_at::text, t.replied_at::text),
        ('ended_at', case when r.state >= 70 then r.ended_at::text end, t.ended_at::text),
        ('closed_at', case when r.state in (70, 71) then r.ended_at::text end, t.closed_at::text),
        ('close_kind', case when r.state in (70, 71) then case r.ended_by when 'T03' then '1' when 'T09' then '7' else 'other' end end,
            case when t.state in (70, 71) then case when t.close_kind in (1, 7) then t.close_kind::text else 'other' end end),
        ('rated', r.rated::text, t.rated::text),
        ('resolved', r.resolved::text, t.resolved::text)) v(what, expected, found)
    where v.expected is distinct from v.found;

    return query
    select 'assignment', v.what, coalesce(a.id, r.assignment_id)::text, null::date, v.expected, v.found
    from (select * from hotline.assignment where role = 1) a
    full join hotline.recount_assignments() r on r.ticket_id = a.ticket_id and r.assignment_id = a.id
    left join hotline.ticket t on t.id = a.ticket_id and t.state in (12, 41, 42)
    cross join hotline.sweep s
    cross join lateral (values
        ('id', r.assignment_id::text, a.id::text),
        ('unit_id', r.unit_id::text, a.unit_id::text),
        ('round', r.round::text, a.round::text),
        ('dispatched_at', r.dispatched_at::text, a.dispatched_at::text),
        ('sign_due_at', r.sign_due_at::text, a.sign_due_at::text),
        ('unit_due_at', r.unit_due_at::text, a.unit_due_at::text),
        ('signed_at', case when not r.deemed_signed then r.signed_at::text end, case when not a.deemed_signed then a.signed_at::text end),
        ('deemed_signed', r.deemed_signed::text, a.deemed_signed::text),
        ('replied_at', r.replied_at::text, a.replied_at::text),
        ('accepted_at', r.accepted_at::text, a.accepted_at::text),
        ('return_asked_at', r.return_asked::text, a.return_asked_at::text),
        ('sign_counted', case when not r.gone and r.sign_due_at <= s.swept_to then 'true' when r.sign_due_at <= hotline.now() or r.gone then 'any'
                              else 'false' end, a.sign_counted::text),
        ('due_counted', case when not r.gone and r.unit_due_at <= least(s.swept_to, case when t.id is not null then hotline.stands_still(t.id) end) then 'true' when r.unit_due_at <= hotline.now() or r.gone then 'any'
                             else 'false' end, a.due_counted::text)) v(what, expected, found)
    where v.expected is distinct from v.found and v.expected is distinct from 'any';

    return query
    select 'chain', c.what, c.ticket_id::text, null::date, c.n::text, c.id::text
    from (
        select e.id, e.ticket_id, e.n,
               case when e.hash <> hotline.event_hash(e.prev_hash, e) then 'changed'
                    when e.n <> coalesce(lag(e.n) over w, 0) + 1 then 'missing before'
                    when e.prev_hash is distinct from lag(e.hash) over w then 'does not follow'
                    when e.from_state is distinct from lag(e.to_state) over w then 'state does not follow'
                    when e.at < lag(e.at) over w then 'earlier than the one before' end as what
        from hotline.event e
        window w as (partition by e.ticket_id order by e.n, e.id)
    ) c
    where c.what is not null
    union all
    select 'chain', 'end of the chain', t.id::text, null, t.event_n::text, l.n::text
    from hotline.ticket t
    left join lateral (select e.n, e.hash from hotline.event e where e.ticket_id = t.id order by e.n desc limit 1) l on true
    where l.hash is distinct from t.event_hash or l.n is distinct from t.event_n;
end $$;
