-- Effects of what the citizen still says and of what the centre does about it.

-- A timer that is the ticket's own; its kind is the action that the system then takes, or a case of hotline.timer_fired.
create or replace function hotline.put_timer(c hotline.call, kind_ text, at_ timestamptz, of_ bigint default null) returns void
language plpgsql as $$
begin
    insert into hotline.timer (id, at, ticket_id, kind, clock_id) values (hotline.new_id(), at_, (c.t).id, kind_, of_);
end $$;

create or replace function hotline.drop_timers(c hotline.call, variadic kinds text[]) returns void
language plpgsql as $$
begin
    delete from hotline.timer where ticket_id = (c.t).id and kind = any (kinds);
end $$;

-- The first moment from then on at which people may be disturbed.
create or replace function hotline.after_quiet(at timestamptz) returns timestamptz
language plpgsql immutable as $$
declare
    local_ timestamp := at at time zone 'Asia/Shanghai';
begin
    return case when not hotline.in_quiet_hours(at) then at
        when local_::time >= '20:00' then (local_::date + 1 + time '08:30') at time zone 'Asia/Shanghai'
        when local_::time < '08:30' then (local_::date + time '08:30') at time zone 'Asia/Shanghai'
        else (local_::date + time '14:30') at time zone 'Asia/Shanghai' end;
end $$;

-- Keep a citizen's words of an event, and beside them what people read from whom the citizen's identity is hidden: the masked copy where the
-- scan found something, nothing of the words where nobody scanned them.
create or replace function hotline.note_words(c hotline.call, name_ text) returns void
language plpgsql as $$
begin
    perform hotline.note_inputs(c, name_);
    if not c.x ? name_ then
        return;
    elsif not c.extra ? 'private' then
        perform hotline.note(c, name_ || '.masked', '（内容尚未脱敏）');
    elsif c.extra->'private' ? name_ then
        perform hotline.note(c, name_ || '.masked', c.extra->'private'->name_->>'masked');
    end if;
end $$;

-- The scan of a text of a ticket, as a call carries it; null where it was never scanned.
create or replace function hotline.scan_of(t hotline.ticket) returns jsonb
language plpgsql immutable as $$
begin
    return case when t.masked is not null then
        (select coalesce(jsonb_object_agg(key, jsonb_build_object('masked', value)), '{}') from jsonb_each(t.masked)) end;
end $$;

-- A ticket that comes out of another: its words, place and kind, with what x says differently.  It stands accepted.
create or replace function hotline.new_child(c hotline.call, transition_ text, kind_ text, x jsonb) returns bigint
language plpgsql as $$
declare
    t hotline.ticket := c.t;
    made hotline.call;
begin
    made := hotline.new_ticket(jsonb_strip_nulls(jsonb_build_object('seq', nextval('hotline.ticket_no_seq')::text,
            'channel', hotline.name_of('channel', t.channel), 'type', hotline.name_of('appeal_type', t.appeal_type), 'title', t.title,
            'content', t.content, 'division', t.division, 'address', t.address, 'lng', t.lng, 'lat', t.lat,
            'category', (select code from hotline.category where id = t.category_id), 'secrecy', t.secrecy, 'urgency', 'normal',
            'grams', coalesce((select to_jsonb(grams) from hotline.ticket_gram where ticket_id = t.id), '[]'), 'hits', t.route->'hits',
            'found', t.route->'found', 'private', hotline.scan_of(t))) || x, hotline.system_actor(), transition_, 'SYS');
    insert into hotline.ticket_link (ticket_id, kind, other_id, at) values ((made.t).id, kind_, t.id, c.at);
    return (made.t).id;
end $$;

-- ---- more facts ----

create or replace function hotline.do_ask_more(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    until timestamptz := coalesce((c.x->>'deadline')::timestamptz, hotline.supplement_until(c.at));
begin
    insert into hotline.supplement (ticket_id, event_id, from_state, asked_by, asked_at, deadline)
    values ((c.t).id, c.event, (c.t).state, (c.actor).id, c.at, until);
    perform hotline.put_timer(c, 'remind_supplement', least(hotline.after_quiet(c.at + (until - c.at) / 3), until));
    perform hotline.put_timer(c, 'remind_supplement', least(hotline.after_quiet(c.at + (until - c.at) * 2 / 3), until));
    perform hotline.put_timer(c, 'supplement_timeout', until);
    c.payload := c.payload || jsonb_build_object('deadline', hotline.time_text(until), 'pause', 'pause_1');
    perform hotline.note_inputs(c, 'missing_items');
    return c;
end $$;

create or replace function hotline.end_supplement(c hotline.call, answered_ boolean) returns hotline.supplement
language plpgsql as $$
declare
    s hotline.supplement;
begin
    update hotline.supplement set ended_at = c.at, answered = answered_ where ticket_id = (c.t).id and ended_at is null returning * into s;
    perform hotline.drop_timers(c, 'remind_supplement', 'supplement_timeout');
    return s;
end $$;

-- The ticket goes back to where it was when the citizen was asked.
create or replace function hotline.do_supplement(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c.rule.to_state := (hotline.end_supplement(c, true)).from_state;
    insert into hotline.followup (ticket_id, event_id, kind, by_person, at)
    values ((c.t).id, c.event, hotline.code_of('followup_kind', 'supplement'), (c.actor).id, c.at);
    perform hotline.note_words(c, 'text');
    return c;
end $$;

create or replace function hotline.do_remind(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    update hotline.supplement set reminded = reminded + 1 where ticket_id = (c.t).id and ended_at is null;
    return c;
end $$;

-- Closed is closed, even where it was never accepted: it counts as accepted at that moment, and as left for want of facts.
create or replace function hotline.do_stop_waiting(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    perform hotline.end_supplement(c, false);
    c.t.accepted_at := coalesce((c.t).accepted_at, c.at);
    return c;
end $$;

-- ---- urgent transfer ----

create or replace function hotline.do_transfer(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    due timestamptz := c.at + make_interval(mins => hotline.setting_int(
        case c.x->>'mode' when 'data' then 'transfer.receipt_minutes' else 'transfer.check_minutes' end));
    rest bigint;
begin
    insert into hotline.transfer (id, ticket_id, agency, mode, agent_no, whole, by_person, at, check_at)
    values (c.event, (c.t).id, hotline.code_of('agency', c.x->>'agency'), hotline.code_of('transfer_mode', c.x->>'mode'),
        c.x->>'agency_agent_no', (c.rule).to_state is not null, (c.actor).id, c.at, due);
    perform hotline.put_timer(c, 'transfer_check', due, c.event);
    c.payload := c.payload || jsonb_build_object('agency', c.x->>'agency', 'mode', c.x->>'mode');
    if c.x ? 'rest' then
        rest := hotline.new_child(c, 'T11c', 'rest_of', hotline.contact_of(c.t)
            || jsonb_strip_nulls(jsonb_build_object('content', c.x->>'rest', 'private', case when c.extra ? 'private' then
                coalesce(hotline.scan_of(c.t), '{}') - 'content' || coalesce(jsonb_build_object('content', c.extra->'private'->'rest'), '{}') end)));
        c.payload := c.payload || jsonb_build_object('rest', rest::text);
    end if;
    if (c.t).state = 10 then
        c.t.submitted_at := c.at;
    end if;
    perform hotline.note_inputs(c, 'rest', 'part');
    return c;
end $$;

-- What a ticket of the same citizen takes over: contact and query code, as they are stored.
create or replace function hotline.contact_of(t hotline.ticket) returns jsonb
language plpgsql stable as $$
begin
    return (
        select jsonb_strip_nulls(jsonb_build_object('contact', jsonb_build_object('phone_enc', phone_enc, 'phone_hmac', phone_hmac,
                'phone_mask', phone_mask, 'name_enc', name_enc, 'name_mask', name_mask),
            'query_code_enc', query_code_enc, 'query_code_hash', t.query_code_hash, 'anonymous', t.anonymous,
            'reply_wanted', t.reply_wanted, 'publish', hotline.name_of('publish', t.publish)))
        from hotline.ticket_contact where ticket_id = t.id
    );
end $$;

-- ---- follow-ups, merging, grouping ----

create or replace function hotline.do_followup(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    insert into hotline.followup (ticket_id, event_id, kind, by_person, from_ticket, at)
    values ((c.t).id, c.event, hotline.code_of('followup_kind', c.x->>'kind'), (c.actor).id, (c.x->>'from_ticket')::bigint, c.at);
    c.t.contact_count := (c.t).contact_count + 1;
    c.payload := c.payload || jsonb_build_object('kind', c.x->>'kind', 'count', (c.t).contact_count);
    perform hotline.note_words(c, 'text');
    return c;
end $$;

-- The urge that a third follow-up makes by itself; null otherwise.
create or replace function hotline.auto_urge(t hotline.ticket) returns jsonb
language plpgsql stable as $$
begin
    return case when t.contact_count > 0 and t.contact_count % hotline.setting_int('urge.followups') = 0
        then jsonb_build_object('text', '诉求人已第 ' || t.contact_count || ' 次来电来信，请抓紧办理并联系诉求人。') end;
end $$;

create or replace function hotline.do_merge(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    insert into hotline.ticket_link (ticket_id, kind, other_id, at) values ((c.t).id, 'merged_into', (c.x->>'master')::bigint, c.at);
    -- What this one says is a further word on that one, which comes up at once and on its own: no action changes two tickets.
    insert into hotline.timer (id, at, ticket_id, kind, clock_id)
    values (hotline.new_id(), c.at, (c.x->>'master')::bigint, 'merged', (c.t).id);
    c.payload := c.payload || jsonb_build_object('master', c.x->>'master');
    perform hotline.note_inputs(c, 'reason');
    return c;
end $$;

create or replace function hotline.do_group(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    lead_ bigint := (c.x->>'lead')::bigint;
    g bigint := (select id from hotline.case_group where lead_ticket_id = lead_);
begin
    if g is null then
        g := c.event;
        insert into hotline.case_group (id, lead_ticket_id, category_id, division, made_by, made_at)
        values (g, lead_, (c.t).category_id, (c.t).division, (c.actor).id, c.at);
    end if;
    insert into hotline.case_group_member (ticket_id, group_id, confidence, at)
    values ((c.t).id, g, (c.x->>'confidence')::numeric, c.at);
    c.payload := c.payload || jsonb_build_object('group', g::text, 'lead', lead_::text);
    if (select count(*) from hotline.case_group_member where group_id = g) = (select n from hotline.supervision_rule where cause = 'group') then
        insert into hotline.timer (id, at, ticket_id, kind, clock_id) values (hotline.new_id(), c.at, lead_, 'group_order', g);
    end if;
    if exists (select from hotline.case_group where id = g and answered_at is not null) then
        perform hotline.put_timer(c, 'fan_out', c.at, g);
    end if;
    return c;
end $$;

-- Many complaints of one matter from one district in a short time are a group, whose lead is the first; more of them join it as long as the
-- lead is open.  The matter is the directory item that the words hit best.  Answers how many tickets were told to join.
create or replace function hotline.find_groups() returns int
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
    from_ bigint := hotline.id_at(hotline.now() - make_interval(mins => hotline.setting_int('group.minutes')));
    least_ int := nullif(hotline.setting_int('group.alert'), 0);
    k record;
    g hotline.case_group;
    told int := 0;
begin
    for k in
        select best.item, left(t.division, 6) as place, min(t.id) as first_,
               array_agg(t.id order by t.id) filter (where not exists (select from hotline.case_group_member m where m.ticket_id = t.id)
                   and not exists (select from hotline.timer w where w.ticket_id = t.id and w.kind = 'group')) as loose,
               count(distinct coalesce(i.phone_hmac, t.id::text)) as people
        from hotline.inbox i join hotline.ticket t on t.id = i.ticket_id
        cross join lateral (select (h->>'item')::int as item from jsonb_array_elements(t.route->'hits') h
                            order by (h->>'len')::int desc, (h->>'item')::int limit 1) best
        where i.ticket_id >= from_ and t.id >= from_ and hotline.is_open(i.state) and t.division is not null
        group by 1, 2
        having count(*) >= least_
    loop
        continue when k.people < least_ or k.loose is null;
        select * into g from hotline.case_group s
        where s.item = k.item and s.division = k.place and s.alert
          and exists (select from hotline.inbox i where i.ticket_id = s.lead_ticket_id and hotline.is_open(i.state)) order by id desc limit 1;
        if not found then
            insert into hotline.case_group (id, lead_ticket_id, item, division, made_at, alert)
            values (hotline.new_id(), k.first_, k.item, k.place, hotline.now(), true) returning * into g;
            insert into hotline.outbox (id, ticket_id, kind, args, at)
            values (hotline.new_id(), g.lead_ticket_id, 'group_alert', jsonb_build_object('group', g.id::text), hotline.now());
        end if;
        insert into hotline.timer (id, at, ticket_id, kind, clock_id)
        select hotline.new_id(), hotline.now(), tid, 'group', g.lead_ticket_id from unnest(k.loose) tid;
        told := told + cardinality(k.loose);
    end loop;
    return told;
end $$;

-- The reply of a lead ticket has passed: each ticket of its group gets it, and its own callback.
create or replace function hotline.fan_out(c hotline.call) returns void
language plpgsql as $$
declare
    g bigint := (select id from hotline.case_group where lead_ticket_id = (c.t).id);
begin
    if g is null then
        return;
    end if;
    update hotline.case_group set answered_at = coalesce(answered_at, c.at) where id = g;
    insert into hotline.timer (id, at, ticket_id, kind, clock_id)
    select hotline.new_id(), c.at, ticket_id, 'fan_out', g from hotline.case_group_member where group_id = g and ticket_id <> (c.t).id;
end $$;

-- Bring a ticket of the group to the lead's unit, if nobody has yet, and give it the reply.
create or replace function hotline.answer_member(m hotline.timer) returns void
language plpgsql as $$
declare
    t hotline.ticket;
    lead_ hotline.ticket;
    system constant hotline.actor := hotline.system_actor();
begin
    select * into t from hotline.ticket where id = m.ticket_id for update;
    select k.* into lead_ from hotline.case_group g join hotline.ticket k on k.id = g.lead_ticket_id where g.id = m.clock_id;
    if t.state = 11 then
        perform hotline.step(t.id, 'accept', system, jsonb_build_object('title', t.title,
            'category', (select code from hotline.category where id = coalesce(t.category_id, lead_.category_id)),
            'division', coalesce(t.division, lead_.division)), at_ => m.at);
        select * into t from hotline.ticket where id = m.ticket_id;
    end if;
    if t.state = 20 then
        perform hotline.step(t.id, 'dispatch', system, jsonb_build_object('main_unit', lead_.unit_id, 'policy', lead_.policy,
            'instruction', '与主单 ' || lead_.ticket_no || ' 为同一事项，随主单答复。'), at_ => m.at);
    end if;
    perform hotline.step(t.id, 'share_reply', system, '{}', at_ => m.at);
end $$;

create or replace function hotline.do_share_reply(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    r hotline.reply;
begin
    select p.* into r from hotline.case_group_member m join hotline.case_group g on g.id = m.group_id
    join hotline.reply p on p.ticket_id = g.lead_ticket_id and p.verdict = 'passed'
    where m.ticket_id = (c.t).id order by p.id desc limit 1;
    r.id := c.event;
    r.ticket_id := (c.t).id;
    r.assignment_id := (c.a).id;
    r.round := (c.t).round;
    r.version := (select coalesce(max(version), 0) + 1 from hotline.reply where ticket_id = (c.t).id);
    insert into hotline.reply select r.*;
    if (c.a).signed_at is null and not (c.a).deemed_signed then
        c.a.signed_at := c.at;
    end if;
    c.a.replied_at := c.at;
    c.a.accepted_at := c.at;
    c.t.replied_at := c.at;
    perform hotline.plan_link(c);
    c.payload := c.payload || jsonb_build_object('reply', c.event::text);
    return c;
end $$;

-- ---- callback ----

-- Who asks the citizen, drawn by the system when the reply has passed: a person calls for complaints, reports, rework and what is
-- supervised, and for a random share of the rest; the others get a link.
create or replace function hotline.draw_callback(c hotline.call) returns void
language plpgsql as $$
declare
    share int := hotline.setting_int('callback.sample');
begin
    if share >= 100 or (c.t).appeal_type in (3, 4) or (c.t).round > 0 or not (c.t).reply_wanted or (c.t).anonymous or (c.t).secrecy = 3
            or random() * 100 < share or exists (select from hotline.supervision_order where ticket_id = (c.t).id) then
        return;
    end if;
    perform hotline.plan_link(c);
end $$;

create or replace function hotline.plan_link(c hotline.call) returns void
language plpgsql as $$
begin
    insert into hotline.callback_plan (ticket_id, round, way, at) values ((c.t).id, (c.t).round, 2, c.at) on conflict do nothing;
    perform hotline.put_timer(c, 'callback_link', hotline.after_quiet(c.at));
end $$;

-- The next time band after this moment: 08:30, 14:30, 18:00.
create or replace function hotline.next_band(at timestamptz) returns timestamptz
language plpgsql immutable as $$
begin
    return (
        select min(b) from (
            select (hotline.day_of(at) + d + t) at time zone 'Asia/Shanghai' as b
            from generate_series(0, 1) d, unnest('{08:30, 14:30, 18:00}'::time[]) t) bands
        where b > at
    );
end $$;

-- After an attempt of the system that reached nobody: the next one, until the rules for an unreachable citizen are met.
create or replace function hotline.plan_attempt(c hotline.call) returns void
language plpgsql as $$
begin
    if exists (select from hotline.callback_plan where ticket_id = (c.t).id and round = (c.t).round and way = 2) then
        perform hotline.drop_timers(c, 'callback_link');
        perform hotline.put_timer(c, 'callback_link', hotline.next_band(c.at));
    end if;
end $$;

-- ---- verdicts, objections, reopening ----

create or replace function hotline.do_flag(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    insert into hotline.integrity_case (id, ticket_id, assignment_id, unit_id, kind, by_person, at)
    values (c.event, (c.t).id, (c.a).id, (c.a).unit_id, hotline.code_of('integrity_kind', c.x->>'integrity_kind'), (c.actor).id, c.at);
    perform hotline.issue_order(c, 1::smallint, 'integrity', hotline.order_due(c.at));
    perform hotline.keep_verdict(c);
    c := hotline.take_verdict(c);
    c := hotline.next_round(c, hotline.lines_of(c.x->'must_do'));
    c.t.rework_count := (c.t).rework_count + 1;
    c.payload := c.payload || jsonb_build_object('integrity', c.x->>'integrity_kind');
    perform hotline.note_words(c, 'contradiction');
    perform hotline.note_inputs(c, 'must_do');
    return c;
end $$;

create or replace function hotline.lines_of(list jsonb) returns text
language plpgsql immutable as $$
begin
    return (select string_agg(e, E'\n') from jsonb_array_elements_text(list) e);
end $$;

create or replace function hotline.do_rate_late(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    perform hotline.keep_verdict(c);
    c := hotline.take_verdict(c);
    perform hotline.note_words(c, 'comment');
    return c;
end $$;

-- The same unit again, in a round of its own.
create or replace function hotline.do_object_round(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c := hotline.next_round(c, '诉求人提出异议，经复核成立，请重新办理。');
    perform hotline.note_words(c, 'text');
    return c;
end $$;

create or replace function hotline.do_reopen_round(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c := hotline.next_round(c, hotline.lines_of(c.x->'must_do'));
    perform hotline.note_inputs(c, 'reason', 'must_do');
    return c;
end $$;

-- To the dispatcher: what a unit has done stays in the round it was done in.
create or replace function hotline.reopen_for_dispatch(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    if (c.a).id is not null then
        c.t.round := (c.t).round + 1;
        c.a := null;
    end if;
    return c;
end $$;

create or replace function hotline.do_object(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c := hotline.reopen_for_dispatch(c);
    perform hotline.note_words(c, 'text');
    return c;
end $$;

-- What was refused waits to be accepted again; a call that was refused before it was submitted is promised from now.
create or replace function hotline.do_object_refusal(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    if (c.t).submitted_at is null then
        c.t.submitted_at := c.at;
        c := hotline.clock_start(c, 'promise');
    end if;
    perform hotline.note_words(c, 'text');
    return c;
end $$;

create or replace function hotline.do_reopen(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c := hotline.reopen_for_dispatch(c);
    perform hotline.note_inputs(c, 'reason');
    return c;
end $$;

-- ---- urging and supervising ----

create or replace function hotline.do_urge(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    cal int := coalesce((select calendar_id from hotline.unit where id = (c.a).unit_id), 1);
    due timestamptz := (hotline.clock_due(cal, c.at, 1, 'workday')).due_at;
begin
    insert into hotline.urge (ticket_id, event_id, by_person, at, due_at) values ((c.t).id, c.event, (c.actor).id, c.at, due);
    perform hotline.put_timer(c, 'urge_late', due, c.event);
    c.payload := c.payload || jsonb_build_object('due_at', hotline.time_text(due));
    perform hotline.note_inputs(c, 'text');
    return c;
end $$;

create or replace function hotline.do_answer_urge(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    update hotline.urge set answered_at = c.at, answered_by = (c.actor).id where ticket_id = (c.t).id and answered_at is null;
    perform hotline.drop_timers(c, 'urge_late');
    perform hotline.note_inputs(c, 'text');
    return c;
end $$;

-- Three workdays for an order that nobody dated.
create or replace function hotline.order_due(at timestamptz) returns timestamptz
language plpgsql stable as $$
begin
    return (hotline.clock_due(1, at, 3, 'workday')).due_at;
end $$;

create or replace function hotline.issue_order(c hotline.call, kind_ smallint, cause_ text, due timestamptz) returns void
language plpgsql as $$
begin
    insert into hotline.supervision_order (id, number, ticket_id, unit_id, kind, cause, issued_by, issued_at, due_at)
    values (c.event, to_char(c.at at time zone 'Asia/Shanghai', 'YYYY') || '-' || lpad(nextval('hotline.supervision_seq')::text, 6, '0'),
        (c.t).id, coalesce((c.a).unit_id, (c.t).unit_id), kind_, cause_, case cause_ when 'person' then (c.actor).id end, c.at, due);
    perform hotline.put_timer(c, 'order_late', due, c.event);
end $$;

create or replace function hotline.do_supervise(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    perform hotline.issue_order(c, hotline.code_of('supervision_kind', c.x->>'kind'), coalesce(c.x->>'cause', 'person'),
        (c.x->>'due')::timestamptz);
    c.payload := c.payload || jsonb_build_object('order', c.event::text, 'kind', c.x->>'kind', 'cause', coalesce(c.x->>'cause', 'person'));
    perform hotline.note_inputs(c, 'requirement');
    return c;
end $$;

-- The order that the system issues for a cause of its own; null where there is none.  What is urgent and late is not ordered a second time
-- for being overdue.
create or replace function hotline.auto_order(t hotline.ticket, cause_ text, at_ timestamptz) returns jsonb
language plpgsql stable as $$
declare
    r hotline.supervision_rule;
begin
    select * into r from hotline.supervision_rule where cause = cause_ and active;
    if not found or hotline.setting_int('supervision.auto') = 0 or cause_ = 'unsatisfied' and t.round < r.n
            or exists (select from hotline.supervision_order where ticket_id = t.id and closed_at is null
                       and (cause = cause_ or cause = 'urgent' and cause_ = 'overdue')) then
        return null;
    end if;
    return jsonb_build_object('kind', 'routine', 'cause', cause_, 'due', hotline.time_text((hotline.clock_due(1, at_, r.days, 'workday')).due_at),
        'requirement', r.requirement);
end $$;

-- A timer came up at which the cause of an order may be there.  A group whose lead no unit has yet is looked at again in an hour.
create or replace function hotline.oversee(m hotline.timer) returns void
language plpgsql as $$
declare
    r hotline.supervision_rule;
    c hotline.call := (hotline.load(array[m.ticket_id]))[1];
    x jsonb;
begin
    select * into r from hotline.supervision_rule where timer = m.kind;
    if r.cause = 'group' and hotline.is_open((c.t).state) and ((c.a).id is null or (c.a).state in (8, 9)) then
        insert into hotline.timer (id, at, ticket_id, kind, clock_id)
        values (hotline.new_id(), greatest(m.at, hotline.now()) + interval '1 hour', m.ticket_id, m.kind, m.clock_id);
        return;
    end if;
    x := hotline.auto_order(c.t, r.cause, m.at);
    if x is not null and hotline.is_cause(c, r, m) then
        perform hotline.step(m.ticket_id, 'supervise', hotline.system_actor(), x, at_ => m.at);
    end if;
end $$;

-- Is the cause there?  Of a clock: it is late and runs, or was ended by that.  Not signed: the unit was told that it keeps
-- the ticket, and let the time to sign pass all the same.
create or replace function hotline.is_cause(c hotline.call, r hotline.supervision_rule, m hotline.timer) returns boolean
language plpgsql stable as $$
begin
    case r.cause
        when 'unsigned' then
            return (c.a).id = m.clock_id and (c.a).deemed_signed;
        when 'repeats' then
            return (select count(*) >= r.n from hotline.ticket_link where other_id = m.ticket_id and kind = 'merged_into');
        when 'group' then
            return (select count(*) >= r.n from hotline.case_group_member where group_id = m.clock_id);
        else
            return exists (select from unnest(c.clocks) k where k.id = m.clock_id and k.met_at is null and k.paused_at is null and k.due_at <= m.at
                           and (k.stopped_at is null or k.kind = 'sign' and k.assignment_id = (c.a).id and (c.a).deemed_signed));
    end case;
end $$;

create or replace function hotline.do_answer_order(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    update hotline.supervision_order set reply_event = c.event, replied_by = (c.actor).id, replied_at = c.at where id = (c.x->>'order')::bigint;
    delete from hotline.timer where ticket_id = (c.t).id and kind = 'order_late' and clock_id = (c.x->>'order')::bigint;
    c.payload := c.payload || jsonb_build_object('order', c.x->>'order');
    perform hotline.note_inputs(c, 'text');
    return c;
end $$;

create or replace function hotline.do_close_order(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    update hotline.supervision_order set closed_by = (c.actor).id, closed_at = c.at where id = (c.x->>'order')::bigint;
    delete from hotline.timer where ticket_id = (c.t).id and kind = 'order_late' and clock_id = (c.x->>'order')::bigint;
    c.payload := c.payload || jsonb_build_object('order', c.x->>'order');
    perform hotline.note_inputs(c, 'opinion');
    return c;
end $$;

-- ---- leaving ----

create or replace function hotline.do_void(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    if c.x->>'void_code' = 'harassment' then
        insert into hotline.abuse (id, phone_hmac, ticket_id, at)
        select c.event, phone_hmac, ticket_id, c.at from hotline.ticket_contact where ticket_id = (c.t).id and phone_hmac is not null;
    end if;
    c.payload := c.payload || jsonb_build_object('void_code', c.x->>'void_code');
    perform hotline.end_supplement(c, false);
    perform hotline.note_inputs(c, 'note');
    return c;
end $$;

-- A citizen may let a matter go; the city may not where others are in danger or an offence is reported.  The centre then goes on in its
-- own name: nothing of the citizen is in that ticket.
create or replace function hotline.do_withdraw(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    goes_on bigint;
begin
    if c.x->'pressed' = 'true' then
        insert into hotline.integrity_case (id, ticket_id, assignment_id, unit_id, kind, by_person, at)
        values (c.event, (c.t).id, (c.a).id, (c.a).unit_id, hotline.code_of('integrity_kind', 'pressure'), (c.actor).id, c.at);
    end if;
    if (c.t).appeal_type = 4 or (c.t).urgency in (1, 2) then
        goes_on := hotline.new_child(c, 'T77c', 'continues', jsonb_build_object('anonymous', true, 'reply_wanted', false,
            'title', coalesce((c.t).masked->>'title', (c.t).title), 'content', coalesce((c.t).masked->>'content', (c.t).content),
            'urgency', hotline.name_of('urgency', (c.t).urgency)));
        insert into hotline.conflict_unit (ticket_id, unit_id, event_id, named_by, at)
        select goes_on, unit_id, c.event, named_by, c.at from hotline.conflict_unit where ticket_id = (c.t).id;
    end if;
    c.payload := c.payload || jsonb_build_object('pressed', c.x->'pressed', 'continues', goes_on::text);
    perform hotline.end_supplement(c, false);
    perform hotline.note_words(c, 'reason');
    perform hotline.note_inputs(c, 'recording_id');
    return c;
end $$;

create or replace function hotline.do_refer(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c.payload := c.payload || jsonb_build_object('target', c.x->>'target');
    perform hotline.note_inputs(c, 'target_name', 'told_text', 'external_id');
    return c;
end $$;

-- ---- conflict of interest ----

-- From this commit on the unit does not see the ticket, and what it held of it is taken back.
create or replace function hotline.add_conflict(c hotline.call, unit_ int) returns hotline.call
language plpgsql as $$
begin
    insert into hotline.conflict_unit (ticket_id, unit_id, event_id, named_by, at)
    values ((c.t).id, unit_, c.event, (c.actor).id, c.at) on conflict do nothing;
    update hotline.assignment a set state = 9, done_at = c.at
    where a.ticket_id = (c.t).id and a.role <> 1 and a.state not in (7, 8, 9) and hotline.is_under(a.unit_id, unit_);
    c.payload := c.payload || jsonb_build_object('conflict_units', coalesce(c.payload->'conflict_units', '[]') || to_jsonb(unit_));
    c.units := null;
    return c;
end $$;

create or replace function hotline.name_conflicts(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    unit_ int;
begin
    for unit_ in select e::int from jsonb_array_elements_text(coalesce(c.x->'conflict_units', '[]')) e where e <> '1' loop
        c := hotline.add_conflict(c, unit_);
    end loop;
    return c;
end $$;

-- Nobody is responsible until the next dispatch; what assisted the unit ends with its part, and a return it asked for is not decided.
create or replace function hotline.do_recuse(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    update hotline.return_request set verdict = 'dropped', decided_at = c.at where ticket_id = (c.t).id and verdict is null;
    c := hotline.add_conflict(c, (c.a).unit_id);
    perform hotline.note_inputs(c, 'reason');
    return hotline.end_assignment(c, 9);
end $$;

create or replace function hotline.do_name_conflict(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    c := hotline.add_conflict(c, (c.x->>'unit')::int);
    perform hotline.note_inputs(c, 'reason');
    return c;
end $$;

-- ---- special attention ----

create or replace function hotline.do_watch(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    insert into hotline.watch (ticket_id, person_id, at) values ((c.t).id, (c.actor).id, c.at);
    return c;
end $$;

create or replace function hotline.do_unwatch(c hotline.call) returns hotline.call
language plpgsql as $$
begin
    delete from hotline.watch where ticket_id = (c.t).id and person_id = (c.actor).id;
    return c;
end $$;

-- ---- timers ----

-- What came up is one of these, or an action that the system takes by that name.
create or replace function hotline.timer_fired(m hotline.timer) returns void
language plpgsql as $$
declare
    t hotline.ticket;
begin
    case m.kind
        when 'urge_late' then
            update hotline.urge set late_at = m.at where ticket_id = m.ticket_id and event_id = m.clock_id and answered_at is null;
        when 'order_late' then
            update hotline.supervision_order set late_at = m.at where id = m.clock_id and replied_at is null;
        when 'transfer_check' then
            update hotline.transfer set late_at = m.at where id = m.clock_id and arrived is null;
            insert into hotline.outbox (id, ticket_id, kind, args, at)
            select hotline.new_id(), ticket_id, 'transfer_check', jsonb_build_object('transfer', id::text), m.at
            from hotline.transfer where id = m.clock_id and arrived is null;
        when 'overdue', 'urgent_late', 'unsigned', 'group_order', 'ledger_late' then
            perform hotline.oversee(m);
        when 'merged' then
            select * into t from hotline.ticket where id = m.clock_id;
            perform hotline.step(m.ticket_id, 'followup', hotline.system_actor(),
                jsonb_build_object('kind', 'supplement', 'text', left(t.content, 2000), 'from_ticket', t.id::text), at_ => m.at,
                extra_ => jsonb_strip_nulls(jsonb_build_object('private', case when t.masked is null then null
                    when t.masked ? 'content' then jsonb_build_object('text', jsonb_build_object('masked', left(t.masked->>'content', 2000))) else '{}' end)));
            m.kind := 'repeats';
            perform hotline.oversee(m);
        when 'group' then
            perform hotline.step(m.ticket_id, 'group', hotline.system_actor(), jsonb_build_object('lead', m.clock_id::text), at_ => m.at);
        when 'fan_out' then
            perform hotline.answer_member(m);
        when 'callback_link' then
            perform hotline.step(m.ticket_id, 'callback_attempt', hotline.system_actor(), '{"outcome": "link_sent"}', at_ => m.at);
        else
            perform hotline.step(m.ticket_id, m.kind, hotline.system_actor(), '{}', at_ => m.at);
    end case;
end $$;
