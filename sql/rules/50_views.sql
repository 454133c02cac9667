-- What people see of tickets.

create or replace function hotline.unit_json(id_ int) returns jsonb
language plpgsql stable as $$
begin
    return (select jsonb_build_object('id', id::text, 'name', name, 'short_name', short_name, 'name_en', name_en) from hotline.unit where id = id_);
end $$;

create or replace function hotline.category_json(id_ int) returns jsonb
language plpgsql stable as $$
begin
    return (select jsonb_build_object('code', code, 'name', name, 'name_en', name_en) from hotline.category where id = id_);
end $$;

-- A place by its code, with the names above it below the city.
create or replace function hotline.division_json(code_ text) returns jsonb
language plpgsql stable as $$
begin
    return (
        select jsonb_build_object('code', d.code, 'name', (select string_agg(n.name, '' order by n.level)
                from hotline.division n where n.level > 1 and n.code in (left(code_, 6), left(code_, 9), code_)),
            'name_en', coalesce(d.name_en, d.name))
        from hotline.division d where d.code = code_
    );
end $$;

-- Lines of a list, in the order of the ids.  One statement for all of them, and with a plan that is kept: a list asks for plans of its
-- own, and each would cost more here than what it finds.  whole: who asks reads the very words of tickets whose secrecy hides the citizen.
drop function if exists hotline.ticket_rows(bigint[]);
create or replace function hotline.ticket_rows(ids bigint[], whole boolean) returns jsonb
language plpgsql stable set plan_cache_mode = force_generic_plan as $$
begin
    return (
        select coalesce(jsonb_agg(jsonb_build_object('id', t.id::text, 'number', t.ticket_no,
            'title', case when whole or t.secrecy = 0 then t.title else (hotline.veiled(t)).title end, 'type', hotline.name_of('appeal_type', t.appeal_type),
            'state', hotline.name_of('state', t.state), 'assignment_state', hotline.name_of('assignment_state', a.state),
            'light', hotline.light(i.due_at, i.warn_at, i.deep_at, i.paused, hotline.now()), 'due_at', hotline.time_text(i.due_at), 'due_kind', i.due_kind,
            'unit', case when u.id is not null then jsonb_build_object('id', u.id::text, 'name', u.name, 'short_name', u.short_name, 'name_en', u.name_en) end,
            'category', case when g.id is not null then jsonb_build_object('code', g.code, 'name', g.name, 'name_en', g.name_en) end,
            'channel', hotline.name_of('channel', t.channel), 'division', place.said, 'urgency', hotline.name_of('urgency', t.urgency), 'round', t.round, 'version', t.version,
            'submitted_at', hotline.time_text(t.submitted_at), 'closed_at', hotline.time_text(t.closed_at),
            'flags', to_jsonb(array_remove(array[case when a.deemed_signed then 'deemed_signed' end, case when t.round > 0 then 'rework' end,
                case when i.waits_for is not null then 'approval_waiting' end,
                case when t.route->'surprises' <> '[]' then 'spool_surprise' end,
                case when t.state = 11 and t.title || t.content ~ (select value #>> '{}' from hotline.setting where name = 'intake.danger') then 'danger' end,
                case when exists (select from hotline.supervision_order o where o.ticket_id = t.id and o.closed_at is null) then 'supervised' end,
                case when exists (select from hotline.case_group_member m where m.ticket_id = t.id) then 'grouped' end,
                case when t.state = 40 and hotline.progress_owed(t.id, a.id) is not null then 'progress_owed' end], null))) order by w.ord), '[]')
        from unnest(ids) with ordinality as w(id, ord)
        join hotline.ticket t on t.id = w.id
        -- (Limits, since the kept plan expects a ticket in each month, and would read the whole table rather than look a row up in it.)
        left join lateral (select * from hotline.inbox b where b.ticket_id = t.id limit 1) i on true
        left join lateral (
            select m.id, m.state, m.deemed_signed from hotline.assignment m
            where m.ticket_id = t.id and m.role = 1 and m.round = t.round and m.state not in (8, 9) order by m.id desc limit 1) a on true
        left join lateral (select * from hotline.unit n where n.id = t.unit_id limit 1) u on true
        left join lateral (select * from hotline.category n where n.id = t.category_id limit 1) g on true
        left join lateral (
            select jsonb_build_object('code', d.code, 'name', string_agg(n.name, '' order by n.level) filter (where n.level > 1),
                'name_en', coalesce(d.name_en, d.name)) as said
            from hotline.division d join hotline.division n on n.code in (left(d.code, 6), left(d.code, 9), d.code)
            where d.code = t.division group by d.code) place on true
    );
end $$;

-- Since when a unit owes the citizen a word on how it stands: half of a time of more than ten workdays has passed, and nothing was noted.
create or replace function hotline.progress_owed(tid bigint, aid bigint) returns timestamptz
language plpgsql stable as $$
declare
    half timestamptz := (
        select (w.day + time '23:59:59') at time zone 'Asia/Shanghai'
        from hotline.clock k
        join hotline.workday d on d.calendar_id = k.calendar_id and d.day = hotline.day_of(k.due_at)
        join hotline.workday w on w.calendar_id = k.calendar_id and w.is_work and w.seq = d.seq - k.budget / 2
        where k.ticket_id = tid and k.assignment_id = aid and k.kind = 'unit' and k.unit = 'workday' and k.budget > 10
          and k.met_at is null and k.stopped_at is null and k.paused_at is null);
begin
    if half is null or half > hotline.now() or exists (select from hotline.event where ticket_id = tid and assignment_id = aid and transition = 'T44') then
        return null;
    end if;
    return half;
end $$;

-- One line of a list, of a ticket as it may be shown.
create or replace function hotline.ticket_row(t hotline.ticket) returns jsonb
language plpgsql stable as $$
begin
    return hotline.ticket_rows(array[t.id], true)->0 || jsonb_build_object('title', t.title);
end $$;

drop function if exists hotline.flags(hotline.assignment, text, smallint);

create or replace function hotline.person_json(id_ int, role text default null) returns jsonb
language plpgsql stable as $$
begin
    return (
        select case when id_ is null then jsonb_build_object('id', null, 'name', case role when 'CIT' then '诉求人' else '系统' end, 'role', role)
            else (select jsonb_build_object('id', id::text, 'name', name, 'role', role) from hotline.person where id = id_) end
    );
end $$;

-- Where the promise to the citizen stands.
create or replace function hotline.promise_state(t hotline.ticket) returns text
language plpgsql stable as $$
begin
    return (
        select case when k.id is null then null when k.paused_at is not null then 'paused'
            when t.state = 41 and exists (select from hotline.suspension where ticket_id = t.id and code = 'pause_3' and resumed_at is null)
                then 'statutory'
            when coalesce(k.met_at, k.stopped_at, hotline.now()) > k.due_at then 'late' when k.met_at is not null then 'kept'
            when k.stopped_at is not null then 'ended' else 'running' end
        from (select 1) one left join lateral (select * from hotline.clock where ticket_id = t.id and kind = 'promise' order by id desc limit 1) k on true
    );
end $$;

-- May this person ask to see the contact data?  Units never see it above secrecy 0, nor when the ticket has ended.
create or replace function hotline.may_reveal(who hotline.actor, t hotline.ticket) returns boolean
language sql stable as $$
    select hotline.role_for(who, 'contact.reveal', t, hotline.main_of(t)) is not null
        and (who.centre or t.secrecy = 0 and t.state < 70)
$$;

create or replace function hotline.contact_json(who hotline.actor, t hotline.ticket) returns jsonb
language plpgsql stable as $$
begin
    return (
        select jsonb_build_object('phone_mask', case when who.centre or t.secrecy < 1 then phone_mask end,
            'name_mask', case when who.centre or t.secrecy < 2 then name_mask end,
            'has_phone', phone_enc is not null, 'may_reveal', phone_enc is not null and hotline.may_reveal(who, t))
        from hotline.ticket_contact where ticket_id = t.id
    );
end $$;

-- One ticket whole, as this person may see it.
create or replace function hotline.ticket_json(who hotline.actor, t hotline.ticket) returns jsonb
language plpgsql stable as $$
declare
    now_ timestamptz := hotline.now();
    pol jsonb;
    whole boolean := hotline.reads_all(who, t.secrecy);
begin
    t := hotline.shown(who, t);
    select jsonb_build_object('code', code, 'version', version, 'name', name, 'name_en', name_en) into pol
    from hotline.policy where code = t.policy and version = t.policy_version;
    return hotline.ticket_row(t) || jsonb_build_object('content', t.content, 'address', t.address, 'lng', t.lng, 'lat', t.lat, 'secrecy', t.secrecy,
        'anonymous', t.anonymous, 'reply_wanted', t.reply_wanted, 'publish', hotline.name_of('publish', t.publish),
        'promise_due_at', hotline.time_text(t.promise_due_at), 'promise_state', hotline.promise_state(t),
        'close_kind', hotline.name_of('close_kind', t.close_kind), 'accepted_at', hotline.time_text(t.accepted_at),
        'contact', hotline.contact_json(who, t), 'policy', pol,
        'progress_owed_since', case when t.state = 40 then hotline.time_text(hotline.progress_owed(t.id, (hotline.main_of(t)).id)) end,
        'route', case when who.centre then jsonb_build_object('candidates', hotline.candidates_of(t), 'found', t.route->'found') end)
    || hotline.attachments_json(who, t)
    || jsonb_build_object(
        'assignments', (select coalesce(jsonb_agg(jsonb_build_object('id', id::text, 'role', hotline.name_of('assignment_role', role),
                'unit', hotline.unit_json(unit_id), 'round', round, 'state', hotline.name_of('assignment_state', state),
                'dispatched_at', hotline.time_text(dispatched_at), 'sign_due_at', hotline.time_text(sign_due_at), 'signed_at', hotline.time_text(signed_at),
                'deemed_signed', deemed_signed, 'handler', case when handler_id is not null then hotline.person_json(handler_id) end,
                'unit_due_at', hotline.time_text(unit_due_at), 'replied_at', hotline.time_text(replied_at), 'done_at', hotline.time_text(done_at),
                'instruction', instruction, 'forbid_return', forbid_return, 'policy', policy) order by id), '[]')
            from hotline.assignment where ticket_id = t.id),
        'clocks', (select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'start_at', hotline.time_text(start_at), 'due_at', hotline.time_text(due_at),
                'warn_at', hotline.time_text(warn_at), 'met_at', hotline.time_text(met_at), 'stopped_at', hotline.time_text(stopped_at),
                'breached_at', hotline.time_text(breached_at), 'provisional', provisional, 'paused', paused_at is not null,
                'light', case when met_at is null and stopped_at is null then hotline.light(due_at, warn_at, deep_at, paused_at is not null, now_) end)
                order by id), '[]') from hotline.clock where ticket_id = t.id),
        'replies', (select coalesce(jsonb_agg(jsonb_build_object('id', id::text, 'round', round, 'version', version, 'result', hotline.name_of('result', result),
                'fact_finding', fact_finding, 'content', content, 'measures', measures, 'legal_basis', legal_basis, 'public_text', public_text,
                'public_suggestion', public_suggestion, 'told_at', hotline.time_text(told_at), 'told_way', told_way,
                'submitted_by', hotline.person_json(submitted_by), 'submitted_at', hotline.time_text(submitted_at), 'verdict', verdict,
                'reject_code', reject_code) order by id), '[]') from hotline.reply where ticket_id = t.id),
        'contacts', (select coalesce(jsonb_agg(jsonb_build_object('contacted', contacted, 'at', hotline.time_text(at), 'way', way, 'attempts', attempts,
                'fail_reason', fail_reason, 'by', hotline.person_json(by_person)) order by event_id), '[]') from hotline.first_contact where ticket_id = t.id),
        'attempts', (select coalesce(jsonb_agg(jsonb_build_object('round', round, 'outcome', hotline.name_of('outcome', outcome), 'at', hotline.time_text(at),
                'quiet', quiet, 'by', hotline.person_json(by_person)) order by event_id), '[]') from hotline.callback_attempt where ticket_id = t.id),
        'callbacks', (select coalesce(jsonb_agg(jsonb_build_object('round', round, 'contacted_by_unit', contacted_by_unit,
                'resolved', hotline.name_of('resolved', resolved), 'sat_process', hotline.name_of('satisfaction', sat_process),
                'sat_result', hotline.name_of('satisfaction', sat_result), 'at', hotline.time_text(at)) order by round), '[]')
            from hotline.callback where ticket_id = t.id),
        'approvals', (select coalesce(jsonb_agg(jsonb_build_object('id', p.id::text, 'kind', p.kind, 'kind_zh', k.zh, 'kind_en', k.en, 'action', p.action,
                'asked_by', hotline.person_json(p.asked_by, case when p.asked_by is null then 'CIT' end), 'asked_at', hotline.time_text(p.asked_at), 'asks', p.asks, 'decider_role', p.decider_role,
                'due_at', hotline.time_text(p.due_at), 'verdict', p.verdict, 'opinion', p.opinion, 'decided_at', hotline.time_text(p.decided_at)) order by p.id), '[]')
            from hotline.approval p join hotline.approval_kind k on k.kind = p.kind where p.ticket_id = t.id),
        'overlays', hotline.overlays_json(who, t),
        'texts', (select coalesce(jsonb_agg(jsonb_build_object('n', n, 'title', case when whole then title else coalesce(masked->>'title', title) end,
                'content', case when whole then content else coalesce(masked->>'content', content) end, 'at', hotline.time_text(at)) order by n), '[]')
            from hotline.ticket_text where ticket_id = t.id and (whole or masked is not null)),
        'events', (select coalesce(jsonb_agg(jsonb_build_object('id', e.id::text, 'n', e.n, 'at', hotline.time_text(e.at), 'action', e.action,
                'action_zh', r.zh, 'action_en', r.en, 'transition', e.transition, 'actor', hotline.person_json(e.actor_id, e.actor_role),
                'unit', hotline.unit_json(e.unit_id), 'from', hotline.name_of('state', e.from_state), 'to', hotline.name_of('state', e.to_state),
                'data', e.payload, 'notes', hotline.notes_json(t.id, e.id, whole)) order by e.n), '[]')
            from hotline.event e join hotline.transition r on r.id = e.transition where e.ticket_id = t.id and e.id >= t.id - (86400000::bigint << 20)));
end $$;

-- The texts of an event.  Who may not know the citizen reads the masked copy of what the citizen said.
create or replace function hotline.notes_json(tid bigint, event_ bigint, whole boolean) returns jsonb
language plpgsql stable as $$
begin
    return (
        select coalesce(jsonb_object_agg(n.name, case when whole then n.body else coalesce(m.body, n.body) end), '{}')
        from hotline.event_note n
        left join hotline.event_note m on m.ticket_id = n.ticket_id and m.event_id = n.event_id and m.name = n.name || '.masked'
        where n.ticket_id = tid and n.event_id = event_ and n.name not like '%.masked'
    );
end $$;

-- The choices an input offers, or null where the page knows them (units, categories, places).
create or replace function hotline.input_choices(c hotline.call, i hotline.action_input) returns jsonb
language plpgsql stable as $$
declare
    found jsonb;
begin
    if i.words is not null then
        select jsonb_agg(jsonb_build_object('value', name, 'zh', zh, 'en', en) order by code) into found from hotline.word where kind = i.words;
    elsif i.choices is not null then
        select jsonb_agg(jsonb_build_object('value', v, 'zh', v, 'en', v)) into found from unnest(i.choices) v;
    elsif i.type = 'person' then
        select jsonb_agg(jsonb_build_object('value', p.id::text, 'zh', p.name, 'en', p.name) order by p.name) into found
        from hotline.person p join hotline.person_role r on r.person_id = p.id and r.role = 'UHD'
        where p.disabled_at is null
          and p.unit_id = case when i.action = 'sub_sign' then (hotline.part_of(c.t, c.actor, 3)).unit_id else (c.a).unit_id end;
    elsif i.name = 'sub_unit' then
        select jsonb_agg(jsonb_build_object('value', u.id::text, 'zh', u.name, 'en', coalesce(u.name_en, u.name)) order by u.id) into found
        from hotline.unit u, hotline.own_assignment(c) above
        where above.unit_id = any (u.path) and u.id <> above.unit_id and u.level <= 4 and hotline.is_valid(u);
    elsif i.name = 'new_main' then
        select jsonb_agg(jsonb_build_object('value', u.id::text, 'zh', u.name, 'en', coalesce(u.name_en, u.name)) order by u.id) into found
        from hotline.assignment a join hotline.unit u on u.id = a.unit_id
        where a.ticket_id = (c.t).id and a.role = 2 and a.round = (c.t).round and a.state not in (8, 9);
    elsif i.name in ('master', 'lead') then
        select jsonb_agg(jsonb_build_object('value', k->'id', 'zh', (k->>'number') || ' ' || (k->>'title'), 'en', (k->>'number') || ' ' || (k->>'title')))
        into found from jsonb_array_elements(hotline.similar_open(c.t, c.actor)) k
        where (k->>'why' = 'same caller') = (i.name = 'master'); -- what one citizen filed is merged, not grouped
    elsif i.name = 'order' then
        select jsonb_agg(jsonb_build_object('value', id::text, 'zh', number, 'en', number) order by id) into found
        from hotline.supervision_order o where ticket_id = (c.t).id and closed_at is null
          and case i.action when 'answer_supervision' then replied_at is null else hotline.may_close(c.actor, o) end;
    elsif i.type = 'policy' then
        select jsonb_agg(jsonb_build_object('value', code, 'zh', code || ' ' || name, 'en', code || ' ' || name_en) order by code) into found
        from hotline.policy where code <> 'W1' and valid_to is null;
    elsif i.type = 'item' then
        select jsonb_agg(jsonb_build_object('value', k->'item'->'id', 'zh', k->'item'->'name', 'en', k->'item'->'name')) into found
        from jsonb_array_elements(hotline.candidates_of(c.t)) k;
    end if;
    return found;
end $$;

-- What a form starts with: the ticket's own fields, the best candidate, the approval to decide.
create or replace function hotline.input_defaults(c hotline.call, action_ text) returns jsonb
language plpgsql stable as $$
declare
    best jsonb := hotline.candidates_of(c.t)->0;
begin
    if action_ in ('save_draft', 'submit', 'accept', 'answer_on_spot') then
        return jsonb_build_object('type', hotline.name_of('appeal_type', (c.t).appeal_type), 'title', (c.t).title, 'content', (c.t).content,
            'category', coalesce((select code from hotline.category where id = (c.t).category_id), hotline.proposed_category(best)),
            'division', hotline.finer_place((c.t).division, (c.t).route->'found'), 'address', (c.t).address,
            'urgency', hotline.name_of('urgency', (c.t).urgency), 'secrecy', (c.t).secrecy, 'reply_wanted', (c.t).reply_wanted,
            'publish', hotline.name_of('publish', (c.t).publish), 'anonymous', (c.t).anonymous);
    elsif action_ = 'dispatch' then
        select k into best from jsonb_array_elements(hotline.candidates_of(c.t)) k where k->'unit'->>'id' <> '1' limit 1;
        return jsonb_build_object('main_unit', best->'unit'->'id', 'item', best->'item'->'id', 'policy', best->'policy',
            'co_units', (select coalesce(jsonb_agg(u->'id'), '[]') from jsonb_array_elements(best->'co_units') u));
    elsif action_ in ('callback_ok', 'rework') then
        return (select jsonb_build_object('contacted_by_unit', contacted_by_unit, 'resolved', hotline.name_of('resolved', resolved),
                    'sat_process', hotline.name_of('satisfaction', sat_process), 'sat_result', hotline.name_of('satisfaction', sat_result))
                from hotline.callback where ticket_id = (c.t).id and round = (c.t).round);
    end if;
    return '{}';
end $$;

create or replace function hotline.proposed_category(candidate jsonb) returns text
language plpgsql stable as $$
begin
    return (select g.code from hotline.directory_item d join hotline.category g on g.id = d.category_id where d.id = (candidate->'item'->>'id')::int);
end $$;

create or replace function hotline.inputs_json(c hotline.call, action_ text, defaults jsonb) returns jsonb
language plpgsql stable as $$
begin
    return (
        select coalesce(jsonb_agg(jsonb_build_object('name', i.name, 'type', i.type, 'must', i.must, 'min', i.min, 'max', i.max,
            'choices', hotline.input_choices(c, i), 'zh', i.zh, 'en', i.en, 'default', defaults->i.name) order by i.ord), '[]')
        from hotline.action_input i where i.action = action_
    );
end $$;

-- Exactly what would succeed for this person now, with the inputs each needs.
create or replace function hotline.actions_json(who hotline.actor, t hotline.ticket) returns jsonb
language plpgsql as $$
declare
    c hotline.call;
    loaded hotline.call := (hotline.load(array[t.id]))[1];
    r record;
    p hotline.approval;
    may api.answer;
    found jsonb := '[]';
begin
    loaded.actor := who;
    loaded.at := hotline.now();
    for r in
        select distinct w.action, w.zh, w.en, w.ord, w.id from hotline.transition w
        join hotline.role_right g on g.action = w.action and g.role = any (who.roles)
        where t.state = any (w.from_states) order by w.ord, w.id
    loop
        c := hotline.permit(loaded, r.action);
        if (c.said).status is null and (c.rule).id = r.id then
            if (c.rule).guard is null or (hotline.run_guard(c)).status is null then
                found := found || jsonb_build_object('action', r.action, 'transition', r.id, 'zh', r.zh, 'en', r.en,
                    'asks_approval', hotline.needs_two(c), 'inputs', hotline.inputs_json(c, r.action, hotline.input_defaults(c, r.action)));
            end if;
        end if;
    end loop;
    c := loaded;
    for p in select w.* from unnest(loaded.waits) w loop
        if (hotline.may_decide(c, p)).status is null then
            may := hotline.may_approve(c, p);
            select found || jsonb_agg(jsonb_build_object('action', w.action, 'transition', w.id, 'zh', w.zh || '：' || k.zh, 'en', w.en || ': ' || k.en,
                'asks_approval', false, 'approval', p.id::text, 'asks', p.asks,
                'inputs', hotline.inputs_json(c, w.action, jsonb_build_object('approval', p.id::text))) order by w.ord)
            into found from hotline.transition w, hotline.approval_kind k where (w.action = 'reject' or w.action = 'approve' and may is null) and k.kind = p.kind;
        end if;
    end loop;
    return found;
end $$;

-- What the unit wrote for the citizen to read while it works.
create or replace function hotline.progress_text(e hotline.event) returns text
language plpgsql stable as $$
begin
    if e.transition <> 'T44' then
        return '';
    end if;
    return coalesce((select ' ' || body from hotline.event_note where ticket_id = e.ticket_id and event_id = e.id and name = 'text'), '');
end $$;

-- The complaint's way in plain words, for the citizen: one responsible unit, no internal notes.
create or replace function hotline.citizen_json(t hotline.ticket) returns jsonb
language plpgsql stable as $$
declare
    unit_name text := (select name from hotline.unit where id = t.unit_id);
    unit_en text := (select coalesce(name_en, name) from hotline.unit where id = t.unit_id);
begin
    return jsonb_build_object('number', t.ticket_no, 'title', t.title, 'type', hotline.name_of('appeal_type', t.appeal_type),
        'state', hotline.name_of('state', t.state), 'state_text', hotline.label_of('state', t.state),
        'unit', hotline.say(unit_name, unit_en), 'promise_due_at', hotline.time_text(t.promise_due_at), 'promise_state', hotline.promise_state(t),
        'submitted_at', hotline.time_text(t.submitted_at),
        'reply', case when t.state >= 70 then (select content from hotline.reply where ticket_id = t.id and verdict = 'passed' order by id desc limit 1) end,
        'looks', (select coalesce(jsonb_agg(jsonb_build_object('unit', name, 'n', n) order by n desc, name), '[]')
            from (select hotline.say(u.name, coalesce(u.name_en, u.name)) as name, count(*) as n
                  from hotline.access_log l join hotline.unit u on u.id = l.unit_id where l.ticket_id = t.id group by u.id) seen),
        'answer', (select string_agg(n.body, E'\n') from hotline.event e join hotline.event_note n on n.ticket_id = t.id and n.event_id = e.id
                   where e.ticket_id = t.id and e.id >= t.id - (86400000::bigint << 20) and e.action in ('answer_on_spot', 'refuse', 'refer_out') and n.name in ('answer_text', 'told_text', 'alternative_channel', 'target_name')),
        'wanted', hotline.wanted_json(t), 'objection', hotline.objection_json(t), 'merged_into', hotline.merged_into(t), 'may', hotline.citizen_may(t),
        'reveals', hotline.reveals_json(t), 'attachments', hotline.citizen_files_json(t),
        'timeline', (select coalesce(jsonb_agg(jsonb_build_object('at', hotline.time_text(e.at), 'kind', e.action,
                'text', replace(s.zh, '{unit}', coalesce(u.name, '承办单位')) || hotline.progress_text(e), 'text_en', replace(s.en, '{unit}', coalesce(u.name_en, u.name, 'the unit')) || hotline.progress_text(e))
                order by e.n), '[]')
            from hotline.event e join hotline.plain_words s on s.transition = e.transition left join hotline.unit u on u.id = e.unit_id
            where e.ticket_id = t.id and (e.transition <> 'T44' or e.payload->'visible' = 'true') and e.id >= t.id - (86400000::bigint << 20)));
end $$;

-- The ticket that this one was merged into, by its number.
create or replace function hotline.merged_into(t hotline.ticket) returns text
language plpgsql stable as $$
begin
    if t.state <> 83 then
        return null;
    end if;
    return (select k.ticket_no from hotline.ticket_link l join hotline.ticket k on k.id = l.other_id where l.ticket_id = t.id and l.kind = 'merged_into');
end $$;

-- What the citizen was asked for and has not given yet.
create or replace function hotline.wanted_json(t hotline.ticket) returns jsonb
language plpgsql stable as $$
begin
    if t.state <> 12 then
        return null;
    end if;
    return (
        select jsonb_build_object('items', (select body from hotline.event_note n where n.ticket_id = t.id and n.event_id = s.event_id and n.name = 'missing_items'),
            'deadline', hotline.time_text(s.deadline))
        from hotline.supplement s where s.ticket_id = t.id and s.ended_at is null
    );
end $$;

-- The last objection, and what was decided about it.
create or replace function hotline.objection_json(t hotline.ticket) returns jsonb
language plpgsql stable as $$
begin
    return (
        select jsonb_build_object('at', hotline.time_text(asked_at), 'verdict', verdict, 'opinion', case when verdict = 'rejected' then opinion end)
        from hotline.approval where ticket_id = t.id and kind = 'objection' order by id desc limit 1
    );
end $$;

-- What the citizen may still do.
create or replace function hotline.citizen_may(t hotline.ticket) returns jsonb
language plpgsql stable as $$
declare
    c hotline.call;
    found jsonb := '[]';
begin
    if hotline.is_open(t.state) then
        found := '["followup", "withdraw"]';
        if t.state = 12 then
            found := found || '"supplement"';
        elsif t.state = 60 and hotline.may_rate(t) is null then
            found := found || '"rate"';
        end if;
    elsif t.state in (70, 80) then
        if t.state = 70 and hotline.may_rate(t) is null then
            found := found || '"rate"';
        end if;
        c.t := t;
        c.at := hotline.now();
        if hotline.may_object(c) is null then
            found := found || '"object"';
        end if;
    end if;
    return found;
end $$;

-- How often each unit has looked at the citizen's contact data.
create or replace function hotline.reveals_json(t hotline.ticket) returns jsonb
language plpgsql stable as $$
begin
    return (
        select coalesce(jsonb_agg(jsonb_build_object('unit', hotline.say(u.name, coalesce(u.name_en, u.name)), 'count', l.n) order by l.n desc, u.id), '[]')
        from (select unit_id, count(*) as n from hotline.access_log where ticket_id = t.id group by unit_id) l join hotline.unit u on u.id = l.unit_id
    );
end $$;

-- Overlays: records beside the state.  Who stands in conflict, and what is held against a unit's word, is the centre's to know.
create or replace function hotline.overlays_json(who hotline.actor, t hotline.ticket) returns jsonb
language plpgsql stable as $$
declare
    found jsonb;
    members jsonb;
begin
    select jsonb_agg(jsonb_build_object('id', m.ticket_id::text, 'number', k.ticket_no, 'state', hotline.name_of('state', k.state)) order by m.ticket_id) into members
    from hotline.case_group_member m join hotline.ticket k on k.id = m.ticket_id
    where m.group_id in (select group_id from hotline.case_group_member where ticket_id = t.id union all select id from hotline.case_group where lead_ticket_id = t.id);
    found := jsonb_build_object(
        'followups', (select coalesce(jsonb_agg(jsonb_build_object('kind', hotline.name_of('followup_kind', kind), 'at', hotline.time_text(at),
                'by', hotline.person_json(by_person, case when by_person is null then 'CIT' end), 'from_ticket', from_ticket::text,
                'text', hotline.notes_json(t.id, event_id, hotline.reads_all(who, t.secrecy))->>'text') order by event_id), '[]')
            from hotline.followup f where ticket_id = t.id),
        'supplements', (select coalesce(jsonb_agg(jsonb_build_object('asked_by', hotline.person_json(asked_by), 'asked_at', hotline.time_text(asked_at),
                'deadline', hotline.time_text(deadline), 'reminded', reminded, 'ended_at', hotline.time_text(ended_at), 'answered', answered) order by event_id), '[]')
            from hotline.supplement where ticket_id = t.id),
        'urges', (select coalesce(jsonb_agg(jsonb_build_object('by', hotline.person_json(by_person, case when by_person is null then 'SYS' end),
                'at', hotline.time_text(at), 'due_at', hotline.time_text(due_at), 'answered_at', hotline.time_text(answered_at), 'late', late_at is not null) order by event_id), '[]')
            from hotline.urge where ticket_id = t.id),
        'orders', (select coalesce(jsonb_agg(jsonb_build_object('id', o.id::text, 'number', number, 'kind', hotline.name_of('supervision_kind', kind), 'cause', cause,
                'unit', hotline.unit_json(unit_id), 'issued_by', hotline.person_json(issued_by, case when issued_by is null then 'SYS' end),
                'issued_at', hotline.time_text(issued_at), 'due_at', hotline.time_text(due_at), 'replied_at', hotline.time_text(replied_at),
                'late', late_at is not null, 'closed_at', hotline.time_text(closed_at),
                'reply', (select body from hotline.event_note n where n.ticket_id = t.id and n.event_id = o.reply_event and n.name = 'text')) order by o.id), '[]')
            from hotline.supervision_order o where ticket_id = t.id),
        'group', (select jsonb_build_object('id', g.id::text, 'lead', g.lead_ticket_id::text, 'alert', g.alert, 'answered_at', hotline.time_text(g.answered_at),
                'size', jsonb_array_length(members), 'members', case when who.centre then members end)
            from hotline.case_group g where g.lead_ticket_id = t.id or g.id = (select group_id from hotline.case_group_member where ticket_id = t.id) limit 1),
        'watched', exists (select from hotline.watch where ticket_id = t.id and person_id = who.id))
        || hotline.unit_overlays_json(t, who.centre);
    if not who.centre then
        return found;
    end if;
    return found || jsonb_build_object(
        'links', (select coalesce(jsonb_agg(jsonb_build_object('kind', l.kind, 'ticket', k.id::text, 'number', k.ticket_no, 'from', l.ticket_id = t.id)), '[]')
            from hotline.ticket_link l join hotline.ticket k on k.id = case when l.ticket_id = t.id then l.other_id else l.ticket_id end
            where l.ticket_id = t.id or l.other_id = t.id),
        'transfers', (select coalesce(jsonb_agg(jsonb_build_object('id', id::text, 'agency', hotline.name_of('agency', agency), 'mode', hotline.name_of('transfer_mode', mode),
                'agent_no', agent_no, 'whole', whole, 'at', hotline.time_text(at), 'check_at', hotline.time_text(check_at), 'arrived', arrived, 'late', late_at is not null) order by id), '[]')
            from hotline.transfer where ticket_id = t.id),
        'conflicts', (select coalesce(jsonb_agg(hotline.unit_json(unit_id) order by unit_id), '[]') from hotline.conflict_unit where ticket_id = t.id),
        'integrity', (select coalesce(jsonb_agg(jsonb_build_object('kind', hotline.name_of('integrity_kind', kind), 'unit', hotline.unit_json(unit_id),
                'at', hotline.time_text(at)) order by id), '[]') from hotline.integrity_case where ticket_id = t.id));
end $$;
