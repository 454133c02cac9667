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
-- What was returned or cancelled is charged to nobody.
create or replace function hotline.assignment_facts(a hotline.assignment)
returns table (day date, fact text, bucket smallint, n bigint)
language plpgsql immutable as $$
begin
    if a.role is distinct from 1 or a.state in (8, 9) then
        return;
    end if;
    bucket := 0;
    n := 1;
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

-- Leave the difference that a change of a ticket row makes.  was is null for a new row.
create or replace function hotline.count_ticket(was hotline.ticket, is_ hotline.ticket) returns void
language plpgsql as $$
begin
    if is_.accepted_at is null and was.accepted_at is null and is_.state < 70 and coalesce(was.state, 0) < 70 then
        return;
    end if;
    if was.accepted_at is not distinct from is_.accepted_at
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
               and was.replied_at is not distinct from is_.replied_at) then
        return;
    end if;
    insert into hotline.fact_delta (ticket_id, day, fact, bucket, unit_id, category_id, channel, district, n)
    select is_.id, day, fact, bucket, unit_id, category_id, channel, district, sum(n)
    from (
        select f.day, f.fact, f.bucket, coalesce(is_.unit_id, 0) as unit_id, coalesce(is_.category_id, 0) as category_id,
               is_.channel as channel, coalesce(left(is_.division, 6), '') as district, f.n
        from hotline.ticket_facts(is_) f
        union all
        select f.day, f.fact, f.bucket, coalesce(was.unit_id, 0), coalesce(was.category_id, 0),
               was.channel, coalesce(left(was.division, 6), ''), -f.n
        from hotline.ticket_facts(was) f
        where was.id is not null
    ) d
    group by day, fact, bucket, unit_id, category_id, channel, district
    having sum(n) <> 0;
end $$;

-- The same for an assignment; the ticket gives category, channel and district, so it is called too when those of the ticket change.
create or replace function hotline.count_assignment(was hotline.assignment, is_ hotline.assignment, t_was hotline.ticket,
    t_is hotline.ticket) returns void
language plpgsql as $$
begin
    if is_.role <> 1 then
        return;
    end if;
    if was.id is null then
        if is_.round = 0 and not is_.sign_counted and not is_.due_counted then
            return;
        end if;
    elsif was.sign_counted = is_.sign_counted
          and was.due_counted = is_.due_counted
          and was.accepted_at is not distinct from is_.accepted_at
          and was.unit_id = is_.unit_id
          and was.dispatched_at = is_.dispatched_at
          and was.state in (8, 9) = is_.state in (8, 9)
          and t_was.category_id is not distinct from t_is.category_id
          and t_was.channel = t_is.channel
          and left(t_was.division, 6) is not distinct from left(t_is.division, 6)
          and (not is_.sign_counted
               or was.signed_at is not distinct from is_.signed_at
                  and was.deemed_signed = is_.deemed_signed
                  and was.sign_due_at is not distinct from is_.sign_due_at)
          and (not is_.due_counted
               or was.unit_due_at is not distinct from is_.unit_due_at
                  and was.replied_at is not distinct from is_.replied_at) then
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

-- ---- folding -------------------------------------------------------------------------------------------------------

-- Move up to limit_ differences into the tables, all of it in one statement, so that no reading sees one twice or not at all.
-- One folder at a time: a second one answers 0.  Locks the rows of the tables that it adds to, in key order.
create or replace function hotline.fold(limit_ int default 20000) returns int
language plpgsql as $$
declare
    moved int;
begin
    if not pg_try_advisory_xact_lock(hashtext('hotline.fold')) then
        return 0;
    end if;
    with gone as (
        delete from hotline.fact_delta d
        using (select id from hotline.fact_delta order by id limit limit_) o
        where d.id = o.id
        returning d.*
    ), piece as (
        select unit_id, category_id, channel, district, fact, bucket, n, g.grain, g.day
        from gone
        cross join lateral (values
            ((case bucket when 0 then 1 else 3 end)::smallint, gone.day),
            ((case bucket when 0 then 2 else 4 end)::smallint, date_trunc('month', gone.day)::date)) as g(grain, day)
    ), total as (
        insert into hotline.metric_total as m (grain, day, fact, bucket, n)
        select grain, day, fact, bucket, sum(n) from piece group by 1, 2, 3, 4 order by 1, 2, 3, 4
        on conflict (grain, day, fact, bucket) do update set n = m.n + excluded.n
    ), unit as (
        insert into hotline.metric_unit as m (unit_id, grain, day, fact, bucket, n)
        select unit_id, grain, day, fact, bucket, sum(n) from piece group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
        on conflict (unit_id, grain, day, fact, bucket) do update set n = m.n + excluded.n
    ), category as (
        insert into hotline.metric_category as m (category_id, grain, day, fact, bucket, n)
        select category_id, grain, day, fact, bucket, sum(n) from piece group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
        on conflict (category_id, grain, day, fact, bucket) do update set n = m.n + excluded.n
    ), channel as (
        insert into hotline.metric_channel as m (channel, grain, day, fact, bucket, n)
        select channel, grain, day, fact, bucket, sum(n) from piece group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
        on conflict (channel, grain, day, fact, bucket) do update set n = m.n + excluded.n
    ), district as (
        insert into hotline.metric_district as m (district, grain, day, fact, bucket, n)
        select district, grain, day, fact, bucket, sum(n) from piece group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
        on conflict (district, grain, day, fact, bucket) do update set n = m.n + excluded.n
    ), unit_category as (
        insert into hotline.metric_unit_category as m (unit_id, category_id, grain, day, fact, bucket, n)
        select unit_id, category_id, grain, day, fact, bucket, sum(n) from piece group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
        on conflict (unit_id, grain, day, category_id, fact, bucket) do update set n = m.n + excluded.n
    )
    select count(*) into moved from gone;
    return moved;
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
    ('return_rate', 7, 1, null, null, 1, '退单率', 'Return rate',
     '本期退单申请（尚未开始统计）', 'Returns asked for in the period (not counted yet)',
     '本期派给单位的工单（尚未开始统计）', 'Tickets given to units in the period (not counted yet)'),
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
select name, side, count, row_number() over (partition by name)
from (values
    ('intake', 'left', 'accepted set_aside carried_in'),
    ('intake', 'right', 'fate_direct fate_dispatched fate_waiting fate_withdrawn fate_voided fate_merged fate_referred fate_terminated fate_no_supplement'),
    ('flow', 'left', 'carried_in accepted set_aside'),
    ('flow', 'right', 'closed withdrawn voided merged referred terminated open_at_end')
) as t(name, side, counts)
cross join lateral regexp_split_to_table(counts, ' ') as count;

-- ---- reading -------------------------------------------------------------------------------------------------------

-- Which rows of a table answer for which part of time: whole months where a span holds them, days at its edges.
-- daily asks for days throughout the period.
create or replace function hotline.metric_span(from_ date, to_ date, daily boolean)
returns table (span text, grain smallint, first date, last date)
language sql immutable as $$
    with edge as (
        select date_trunc('month', from_)::date as from_month,
               (date_trunc('month', from_ + interval '1 month - 1 day'))::date as first_month,
               case when daily then from_ else date_trunc('month', to_)::date end as last_month,
               (date_trunc('month', to_ + interval '1 month - 1 day'))::date as after_month
    )
    select s.span, s.grain::smallint, s.first, s.last
    from edge
    cross join lateral (
        select *, first_month < last_month as has_months from (values (1)) as one
    ) m
    cross join lateral (values
        ('before', 2, '-infinity'::date, from_month),
        ('before', 1, from_month, from_),
        ('in', 1, from_, case when has_months then first_month else to_ end),
        ('in', 3, from_, case when has_months then first_month else to_ end),
        ('in', 2, first_month, case when has_months then last_month end),
        ('in', 4, first_month, case when has_months then last_month end),
        ('in', 1, case when has_months then last_month end, to_),
        ('in', 3, case when has_months then last_month end, to_),
        ('after', 1, to_, after_month),
        ('after', 2, after_month, 'infinity'::date)
    ) as s(span, grain, first, last)
    where s.first < s.last
$$;

-- Sums of facts by the member of a dimension (by_; null: none), differences that are not folded yet included.  source is the table
-- that holds the dimensions asked for; a null list or value does not restrict.  durations: the histogram instead of the counts.
create or replace function hotline.metric_cells(source text, from_ date, to_ date, by_ text, durations boolean, units int[],
    categories int[], channel_ smallint, district_ text)
returns table (member text, span text, fact text, bucket smallint, n bigint)
language plpgsql stable set plan_cache_mode = force_custom_plan as $$
declare
    daily boolean := by_ is not distinct from 'day';
begin
    if source = 'total' then
        return query
        select case when daily and s.span = 'in' then m.day::text end, s.span, m.fact, m.bucket, sum(m.n)::bigint
        from hotline.metric_span(from_, to_, daily) s
        join hotline.metric_total m on m.grain = s.grain and m.day >= s.first and m.day < s.last
        where (s.grain > 2) = durations
        group by 1, 2, 3, 4;
    elsif source = 'unit' then
        return query
        select case when daily and s.span = 'in' then d.day::text when by_ = 'unit' then d.unit_id::text end, s.span, d.fact, d.bucket,
               sum(d.n)::bigint
        from hotline.metric_span(from_, to_, daily) s
        cross join lateral (
            select m.unit_id, case when daily then m.day end as day, m.fact, m.bucket, sum(m.n) as n
            from hotline.metric_unit m
            where m.unit_id = any (units) and m.grain = s.grain and m.day >= s.first and m.day < s.last
            group by 1, 2, 3, 4
        ) d
        where (s.grain > 2) = durations
        group by 1, 2, 3, 4;
    elsif source = 'category' then
        return query
        select case when daily and s.span = 'in' then d.day::text when by_ = 'category' then d.category_id::text end, s.span, d.fact,
               d.bucket, sum(d.n)::bigint
        from hotline.metric_span(from_, to_, daily) s
        cross join lateral (
            select m.category_id, case when daily then m.day end as day, m.fact, m.bucket, sum(m.n) as n
            from hotline.metric_category m
            where m.category_id = any (categories) and m.grain = s.grain and m.day >= s.first and m.day < s.last
            group by 1, 2, 3, 4
        ) d
        where (s.grain > 2) = durations
        group by 1, 2, 3, 4;
    elsif source = 'channel' then
        return query
        select case when daily and s.span = 'in' then m.day::text when by_ = 'channel' then m.channel::text end, s.span, m.fact,
               m.bucket, sum(m.n)::bigint
        from hotline.metric_span(from_, to_, daily) s
        join hotline.metric_channel m on m.grain = s.grain and m.day >= s.first and m.day < s.last
        where (s.grain > 2) = durations and (channel_ is null or m.channel = channel_)
        group by 1, 2, 3, 4;
    elsif source = 'district' then
        return query
        select case when daily and s.span = 'in' then m.day::text when by_ = 'district' then m.district end, s.span, m.fact,
               m.bucket, sum(m.n)::bigint
        from hotline.metric_span(from_, to_, daily) s
        join hotline.metric_district m on m.grain = s.grain and m.day >= s.first and m.day < s.last
        where (s.grain > 2) = durations and (district_ is null or m.district = district_)
        group by 1, 2, 3, 4;
    else
        return query
        select case when daily and s.span = 'in' then d.day::text when by_ = 'unit' then d.unit_id::text
                    when by_ = 'category' then d.category_id::text end, s.span, d.fact, d.bucket, sum(d.n)::bigint
        from hotline.metric_span(from_, to_, daily) s
        cross join lateral (
            select case by_ when 'unit' then m.unit_id end as unit_id, case by_ when 'category' then m.category_id end as category_id,
                   case when daily then m.day end as day, m.fact, m.bucket, sum(m.n) as n
            from hotline.metric_unit_category m
            where m.unit_id = any (units) and m.category_id = any (categories)
              and m.grain = s.grain and m.day >= s.first and m.day < s.last
            group by 1, 2, 3, 4, 5
        ) d
        where (s.grain > 2) = durations
        group by 1, 2, 3, 4;
    end if;
    return query
    select case by_ when 'unit' then d.unit_id::text when 'category' then d.category_id::text when 'channel' then d.channel::text
                    when 'district' then d.district when 'day' then case when d.span = 'in' then d.day::text end end,
           d.span, d.fact, d.bucket, d.n
    from (
        select case by_ when 'unit' then f.unit_id end as unit_id, case by_ when 'category' then f.category_id end as category_id,
               case by_ when 'channel' then f.channel end as channel, case by_ when 'district' then f.district end as district,
               case when daily then f.day end as day,
               case when f.day < from_ then 'before' when f.day < to_ then 'in' else 'after' end as span,
               f.fact, f.bucket, sum(f.n)::bigint as n
        from hotline.fact_delta f
        where (f.bucket > 0) = durations
          and (units is null or f.unit_id = any (units))
          and (categories is null or f.category_id = any (categories))
          and (channel_ is null or f.channel = channel_)
          and (district_ is null or f.district = district_)
        group by 1, 2, 3, 4, 5, 6, 7, 8
    ) d;
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
    select m::text, u.id::text, u.short_name, coalesce(u.name_en, u.short_name), u.id::bigint, u.id <> top.id
    from top
    join hotline.unit u on u.parent_id = top.id or u.id = top.id
    cross join lateral unnest(case when u.id <> top.id then hotline.metric_units(u.id)
                                   when u.parent_id is null then array[u.id, 0] else array[u.id] end) m
    where by_ = 'unit'
    union all
    select m::text, c.code, c.name, coalesce(c.name_en, c.name), row_number() over (order by c.code), c.id is distinct from category_
    from hotline.category c
    cross join lateral unnest(case when c.id = category_ then array[c.id] else hotline.metric_categories(c.id) end) m
    where by_ = 'category' and (c.id = category_ or c.parent_id is not distinct from category_)
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

-- One row of figures from its counts.
create or replace function hotline.metric_figures(c jsonb, median numeric) returns jsonb
language sql stable as $$
    select jsonb_build_object(
        'counts', (select jsonb_object_agg(name, coalesce((c->>name)::bigint, 0)) from hotline.metric_count where shown),
        'rates', (
            select jsonb_object_agg(f.name, jsonb_build_object(
                'num', case when f.num is not null then trim_scale(v.num) end,
                'den', case when f.den is not null then v.den end,
                'rate', round(v.num / nullif(v.den, 0), 6)))
            from hotline.metric_formula f
            cross join lateral (
                select round(coalesce((c->>f.num)::numeric, 0) / f.scale, 1) as num, coalesce((c->>f.den)::bigint, 0) as den
            ) v
            where f.name <> 'handling'),
        'handling', jsonb_build_object(
            'n', coalesce((c->>'handled')::bigint, 0),
            'avg_hours', round((c->>'handled_minutes')::numeric / 60 / nullif((c->>'handled')::bigint, 0), 2),
            'median_hours', round(median, 2),
            'median_error', '± one bucket'))
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

-- The closure figures of a period (to_ exclusive) at this moment: one snapshot, tables and differences together.
-- Units and categories are given by id; by day the figures that need a stock have the stock of that day.
create or replace function hotline.metrics_read(from_ date, to_ date, by_ text, unit_ int, category_ int, channel_ smallint,
    district_ text) returns jsonb
language plpgsql stable set plan_cache_mode = force_custom_plan as $$
declare
    source text := case when (unit_ is not null or by_ = 'unit') and (category_ is not null or by_ = 'category') then 'unit_category'
        when unit_ is not null or by_ = 'unit' then 'unit'
        when category_ is not null or by_ = 'category' then 'category'
        when channel_ is not null or by_ = 'channel' then 'channel'
        when district_ is not null or by_ = 'district' then 'district'
        else 'total' end;
    units int[];
    categories int[];
    told jsonb;
begin
    if source in ('unit', 'unit_category') then
        units := case when unit_ is not null then hotline.metric_units(unit_)
            else array(select id from hotline.unit) || 0 end;
    end if;
    if source in ('category', 'unit_category') then
        categories := case when category_ is not null then hotline.metric_categories(category_)
            else array(select id from hotline.category) || 0 end;
    end if;
    with line as materialized (
        select * from hotline.metric_rows(by_, unit_, category_)
    ), cell as materialized (
        select c.member, case when by_ = 'day' then c.member when by_ is not null then coalesce(l.key, 'other') end as key,
               c.span, c.fact, sum(c.n) as n
        from hotline.metric_cells(source, from_, to_, by_, false, units, categories, channel_, district_) c
        left join line l on l.member = c.member
        group by 1, 2, 3, 4
    ), stock as (
        -- What a day begins or ends with: the sum outside the period and the days of the period between.
        select d.day::text as key, s.span, s.fact,
               s.n + coalesce(sum(c.n) over (
                   partition by s.span, s.fact order by case s.span when 'before' then d.day - from_ else to_ - d.day end
                   rows between unbounded preceding and 1 preceding), 0) as n
        from (select g::date as day from generate_series(from_, to_ - 1, interval '1 day') g where by_ = 'day') d
        cross join (
            select t.span, t.fact, coalesce(sum(c.n), 0) as n
            from (select distinct span, fact from hotline.metric_term where span <> 'in') t
            left join cell c on c.span = t.span and c.fact = t.fact
            group by 1, 2
        ) s
        left join cell c on c.span = 'in' and c.member = d.day::text and c.fact = s.fact
    ), keyed as (
        select null::text as key, span, fact, n from cell
        union all
        select key, span, fact, n from cell where by_ <> 'day' or span = 'in'
        union all
        select key, span, fact, n from stock
    ), counted as (
        select k.key, t.name, sum(t.sign * k.n)::bigint as n
        from keyed k join hotline.metric_term t on t.span = k.span and t.fact = k.fact
        group by 1, 2
    ), took as materialized (
        select case when by_ = 'day' then c.member when by_ is not null then coalesce(l.key, 'other') end as key, c.bucket, sum(c.n) as n
        from hotline.metric_cells(source, from_, to_, by_, true, units, categories, channel_, district_) c
        left join line l on l.member = c.member
        where c.span = 'in'
        group by 1, 2
    ), middle as (
        -- The bucket in which half of the handled tickets is reached.
        select key, hotline.bucket_hours(min(bucket) filter (where so_far * 2 >= everything)) as median
        from (
            select key, bucket, sum(n) over (partition by key order by bucket) as so_far, sum(n) over (partition by key) as everything
            from (
                select null::text as key, bucket, sum(n) as n from took group by 2
                union all
                select key, bucket, n from took where by_ is not null
            ) h
        ) h
        where everything > 0
        group by key
    ), figure as (
        select key, jsonb_object_agg(name, n) as c, bool_or(n <> 0) as any_
        from counted group by key
    ), labelled as (
        select distinct on (key) key, label, label_en, ord, always from line
        union all
        select g::date::text, g::date::text, g::date::text, extract(epoch from g)::bigint, true
        from generate_series(from_, to_ - 1, interval '1 day') g where by_ = 'day'
    )
    select jsonb_build_object(
        'total', hotline.metric_figures(coalesce(t.c, '{}'), (select median from middle where key is null)),
        'rows', coalesce((
            select jsonb_agg(jsonb_build_object('key', l.key, 'label', l.label, 'label_en', l.label_en)
                || hotline.metric_figures(coalesce(f.c, '{}'), m.median) order by l.ord, l.key)
            from labelled l
            left join figure f on f.key = l.key
            left join middle m on m.key = l.key
            where l.always or f.any_), '[]'),
        'identity', hotline.metric_identity_of('intake', coalesce(t.c, '{}')),
        'decompositions', jsonb_build_object('flow', hotline.metric_identity_of('flow', coalesce(t.c, '{}'))))
    into told
    from (values (1)) one left join figure t on t.key is null;
    return told;
end $$;
