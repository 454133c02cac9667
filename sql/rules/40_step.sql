-- One action on one ticket, from the question "may it?" to the event.  Everything that changes a ticket comes through here.

-- Check a person's inputs against the action's table; null when they are good.
create or replace function hotline.check_inputs(action_ text, x jsonb) returns api.answer
language plpgsql stable as $$
declare
    i hotline.action_input;
    v jsonb;
    bad jsonb := '[]';
    unknown jsonb := x;
    name_ text;
    wrong text;
begin
    if x = '{}' and not exists (select from hotline.action_input where action = action_) then
        return null;
    end if;
    for i in select * from hotline.action_input where action = action_ order by ord loop
        unknown := unknown - i.name;
        v := x->i.name;
        if v is null or v = 'null' or v = '""' then
            if i.must then
                bad := bad || hotline.field(i.name, 'required', i.zh || '必须填写。', i.en || ' is needed.');
            end if;
        else
            wrong := hotline.input_wrong(i, v);
            if wrong is not null then
                bad := bad || hotline.field(i.name, wrong, i.zh || hotline.wrong_text(i, wrong, 'zh') || '。', i.en || hotline.wrong_text(i, wrong, 'en') || '.');
            end if;
        end if;
    end loop;
    if unknown <> '{}' then
        for name_ in select k from jsonb_object_keys(unknown) k loop
            bad := bad || hotline.field(name_, 'unknown_field', '没有这一项。', 'There is no such field.');
        end loop;
    end if;
    if bad <> '[]' then
        return hotline.bad_inputs(bad);
    end if;
    return null;
end $$;

-- What was given: an input that is null, or empty and not a text, was not given.
create or replace function hotline.given(action_ text, x jsonb) returns jsonb
language plpgsql stable as $$
begin
    if not jsonb_path_exists(x, '$.* ? (@ == null || @ == "")') then
        return x;
    end if;
    return (select coalesce(jsonb_object_agg(k, v), '{}') from jsonb_each(x) as e(k, v)
            where v <> 'null' and (v <> '""' or exists (select from hotline.action_input i where i.action = action_ and i.name = k and i.type = 'text')));
end $$;

create or replace function hotline.limits_text(i hotline.action_input, lang text) returns text
language sql immutable as $$
    select case when i.max is null then ''
        when lang = 'en' then format(' (%s to %s%s)', coalesce(i.min, 0), i.max, case i.type when 'text' then ' characters' else '' end)
        else format('（%s–%s%s）', coalesce(i.min, 0), i.max, case i.type when 'text' then ' 字' else '' end) end
$$;

-- The code of what is wrong, in words that follow the input's label.
create or replace function hotline.wrong_text(i hotline.action_input, code text, lang text) returns text
language sql immutable as $$
    select case when lang = 'en' then en else zh end || case when limits then hotline.limits_text(i, lang) else '' end
    from (values
        ('wrong_type', '的类型不对', ' has the wrong type', false),
        ('too_short', '太短', ' is too short', true),
        ('too_long', '太长', ' is too long', true),
        ('too_few', '太少', ' are too few', true),
        ('too_many', '太多', ' are too many', true),
        ('out_of_range', '超出范围', ' is out of range', true),
        ('bad_character', '含有不能使用的字符', ' holds a character that cannot be used', false),
        ('bad_item', '中有一条为空或太长（1–500 字）', ' holds an entry that is empty or too long (1 to 500 characters)', false),
        ('bad_time', '不是正确的日期和时间', ' is not a date and time', false),
        ('unknown_word', '没有这个选项', ' has no such choice', false)
    ) as v(name, zh, en, limits)
    where name = code
    union all
    select case when lang = 'en' then case when code like '%_not_valid' then ' is not valid any more, or not yet' else ' does not exist' end
        else case when code like '%_not_valid' then '现在无效（已撤销或尚未启用），请另选' else '不存在' end end
    where code ~ '^unknown_(category|division|policy|unit|item|person|id)$|_not_valid$'
$$;

-- What is wrong with a value that was given, as a code; null when it fits.
create or replace function hotline.input_wrong(i hotline.action_input, v jsonb) returns text
language plpgsql stable as $$
declare
    s text := v #>> '{}';
    kind text := jsonb_typeof(v);
    wrong text;
begin
    case i.type
        when 'bool' then
            return case when kind <> 'boolean' then 'wrong_type' end;
        when 'text' then
            return case when kind <> 'string' then 'wrong_type'
                when char_length(s) > coalesce(i.max, 10000) then 'too_long'
                when char_length(btrim(s, E' \t\r\n\u3000')) < coalesce(i.min, 0) then 'too_short'
                when s ~ '[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]' then 'bad_character' end;
        when 'int', 'number' then
            if kind <> 'number' or i.type = 'int' and s !~ '^-?[0-9]+$' then
                return 'wrong_type';
            end if;
            return case when s::numeric not between coalesce(i.min, -2147483648) and coalesce(i.max, 2147483647) then 'out_of_range' end;
        when 'word' then
            return case when kind <> 'string' then 'wrong_type'
                when s = any (coalesce(i.choices, '{}')) then null
                when i.words is null or not exists (select from hotline.word where word.kind = i.words and name = s) then 'unknown_word' end;
        when 'time' then
            return case when kind <> 'string' then 'wrong_type'
                when s !~ '^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$' or not hotline.is_time(s) then 'bad_time' end;
        when 'list' then
            return case when kind <> 'array' then 'wrong_type'
                when jsonb_array_length(v) > coalesce(i.max, 50) then 'too_many'
                when jsonb_array_length(v) < coalesce(i.min, 0) then 'too_few'
                when exists (select from jsonb_array_elements(v) e where jsonb_typeof(e) <> 'string') then 'wrong_type'
                when exists (select from jsonb_array_elements_text(v) e where char_length(e) not between 1 and 500) then 'bad_item' end;
        when 'units' then
            if kind <> 'array' then
                return 'wrong_type';
            elsif jsonb_array_length(v) > coalesce(i.max, 20) then
                return 'too_many';
            end if;
            for s, kind in select e #>> '{}', jsonb_typeof(e) from jsonb_array_elements(v) e loop
                if kind not in ('number', 'string') then
                    return 'wrong_type';
                end if;
                wrong := hotline.reference_wrong('unit', s);
                exit when wrong is not null;
            end loop;
            return wrong;
        when 'files' then
            return case when kind <> 'array' then 'wrong_type'
                when jsonb_array_length(v) > coalesce(i.max, 9) then 'too_many'
                when jsonb_array_length(v) < coalesce(i.min, 1) then 'too_few'
                when exists (select from jsonb_array_elements(v) e where jsonb_typeof(e) <> 'string') then 'wrong_type' end;
        when 'phone' then
            return case when kind <> 'string' then 'wrong_type' end;
        when 'ids' then
            return case when kind not in ('string', 'number') then 'wrong_type' when s !~ '^[0-9]{1,18}$' then 'unknown_id' end;
        when 'category', 'division', 'policy' then
            return case when kind <> 'string' then 'wrong_type' else hotline.reference_wrong(i.type, s) end;
        else
            return case when kind not in ('string', 'number') then 'wrong_type' else hotline.reference_wrong(i.type, s) end;
    end case;
end $$;

-- The same for what is named by its code or its number: it exists, and it is valid today.
create or replace function hotline.reference_wrong(type_ text, s text) returns text
language plpgsql stable as $$
declare
    valid boolean;
    n int;
begin
    case type_
        when 'category' then
            select bool_or(valid_to is null) into valid from hotline.category where scheme = 'local' and code = s;
        when 'division' then
            select true into valid from hotline.division where code = s;
        when 'policy' then
            select bool_or(valid_to is null) into valid from hotline.policy where code = s and code <> 'W1';
        else
            if s !~ '^[0-9]{1,9}$' then
                return 'unknown_' || type_;
            end if;
            n := s;
            case type_
                when 'unit' then select hotline.is_valid(u) into valid from hotline.unit u where u.id = n;
                when 'item' then select d.valid_to is null into valid from hotline.directory_item d where d.id = n;
                when 'person' then select p.disabled_at is null into valid from hotline.person p where p.id = n;
            end case;
    end case;
    return case when valid is null then 'unknown_' || type_ when not valid then type_ || '_not_valid' end;
end $$;

create or replace function hotline.is_time(s text) returns boolean
language plpgsql stable as $$
begin
    perform s::timestamptz;
    return true;
exception when others then
    return false;
end $$;

create or replace function hotline.is_valid(u hotline.unit) returns boolean
language sql stable as $$
    select u.valid_from <= hotline.day_of(hotline.now()) and (u.valid_to is null or u.valid_to > hotline.day_of(hotline.now()))
$$;

create or replace function hotline.is_date(s text) returns boolean
language plpgsql stable as $$
begin
    return s ~ '^\d{4}-\d\d-\d\d$' and s::date between '2000-01-01' and '2100-01-01';
exception when others then
    return false;
end $$;

-- The live main assignment of the current round.
create or replace function hotline.main_of(t hotline.ticket) returns hotline.assignment
language plpgsql stable as $$
declare
    a hotline.assignment;
begin
    select * into a from hotline.assignment
    where ticket_id = t.id and role = 1 and round = t.round and state not in (8, 9) order by id desc limit 1;
    return a;
end $$;

-- The rows of the table that fit this ticket now.
create or replace function hotline.rule_for(action_ text, t hotline.ticket, a hotline.assignment) returns hotline.transition
language plpgsql stable as $$
declare
    r hotline.transition;
begin
    select * into r from hotline.transition
    where action = action_ and t.state = any (from_states) and (from_assignment is null or a.state = any (from_assignment)) limit 1;
    return r;
end $$;

create or replace function hotline.not_now(t hotline.ticket, a hotline.assignment) returns api.answer
language sql stable as $$
    select hotline.problem(409, 'not_allowed_now', '工单当前是“' || hotline.label_of('state', t.state) || '”，不能这样操作。',
        'The ticket is now "' || hotline.label_of('state', t.state) || '"; this is not possible.',
        jsonb_build_object('state', hotline.name_of('state', t.state), 'version', t.version))
$$;

-- May this person do this now?  Sets rule, role and, where it may not be, the refusal in said.
create or replace function hotline.permit(c hotline.call, action_ text) returns hotline.call
language plpgsql as $$
declare
    w hotline.approval;
begin
    c.rule := hotline.rule_for(action_, c.t, c.a);
    if (c.rule).id is null and action_ not in ('approve', 'reject') and not exists (select from hotline.transition where action = action_) then
        c.said := hotline.problem(422, 'unknown_action', '没有这种操作。', 'There is no such action.',
            jsonb_build_object('fields', jsonb_build_array(hotline.field('action', 'unknown_action', '没有这种操作。', 'There is no such action.'))));
        return c;
    end if;
    c.role := case when (c.approval).id is null then hotline.role_for(c.actor, action_, c.t, c.a) else hotline.decider_as(c.actor, c.approval) end;
    if c.role is null and ((c.rule).id is not null or not hotline.has_right(c.actor, action_)) then
        c.said := hotline.forbidden();
        return c;
    end if;
    if (c.rule).id is null then
        c.said := hotline.not_now(c.t, c.a);
        return c;
    end if;
    if (c.rule).approval is null then
        return c;
    end if;
    w := hotline.open_approval(c, (c.rule).approval);
    if (c.rule).decides is not null then
        if w.id is null or w.action <> (c.rule).action and not hotline.has_own_words(w) then
            c.said := hotline.not_now(c.t, c.a);
            return c;
        end if;
        c.role := hotline.decider_as(c.actor, w);
        if c.role is null then
            c.said := hotline.forbidden();
        elsif hotline.is_own_question(c.actor, w) then
            c.said := hotline.same_person();
        else
            c.approval := w;
        end if;
    elsif w.id is distinct from (c.approval).id and w.id is not null then
        c.said := hotline.problem(409, 'already_asked', '已经提交审批，请等待。', 'This was already asked; please wait for the decision.');
    end if;
    return c;
end $$;

-- What was asked of this kind and is not decided, or null.
create or replace function hotline.open_approval(c hotline.call, kind_ text) returns hotline.approval
language plpgsql stable as $$
declare
    w hotline.approval;
begin
    if c.waits is not null then
        foreach w in array c.waits loop
            if w.kind = kind_ then
                return w;
            end if;
        end loop;
    end if;
    return null;
end $$;

create or replace function hotline.same_person() returns api.answer
language sql stable as $$
    select hotline.problem(403, 'same_person', '提出的人不能自己审批，请由另一人决定。', 'Who asked cannot decide; another person must.')
$$;

-- Does this action, by this person, need a second one's word first?
create or replace function hotline.needs_two(c hotline.call) returns boolean
language plpgsql as $$
begin
    if (c.rule).approval is null or (c.rule).decides is not null or (c.approval).id is not null then
        return false;
    end if;
    return coalesce(hotline.run_needed(c, (c.rule).approval), true);
end $$;

-- The tickets of these ids, each with all that a step reads: one statement, however many there are.  In the order of the ids; where
-- there is no such ticket, t is null.  Locks nothing: who is going to change them holds them already.
create or replace function hotline.load(ids bigint[]) returns hotline.call[]
language plpgsql stable set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
begin
    return (
        select array_agg(row(t, a, null, null, null, null, null, null, null, null, null, clocks, null, null, t, a, waits,
            coalesce(others, false), units, null, null, null, null, null, null)::hotline.call order by n)
        from unnest(ids) with ordinality as u(id, n)
        left join lateral (select t from hotline.ticket t where t.id = u.id limit 1) ticket on true
        left join lateral (
            select m as a from hotline.assignment m
            where m.ticket_id = u.id and m.role = 1 and m.round = (t).round and m.state not in (8, 9) order by m.id desc limit 1) main on true
        left join lateral (select array_agg(k order by k.id) as clocks from hotline.clock k where k.ticket_id = u.id) clock on true
        left join lateral (
            select array_agg(w order by w.id) as waits from hotline.approval w where w.ticket_id = u.id and w.verdict is null) wait on true
        left join lateral (
            select coalesce(array_agg(distinct p order by p), '{}') as units, bool_or(m.role <> 1 and m.state <> 7) as others
            from hotline.assignment m join hotline.unit on unit.id = m.unit_id cross join lateral unnest(unit.path) p
            where m.ticket_id = u.id and m.state not in (8, 9) and (m.state <> 7 or not hotline.is_in_conflict(u.id, m.unit_id))) seen on true
    );
end $$;

-- Lock one ticket and read all that a step reads.
create or replace function hotline.hold(tid bigint) returns hotline.call
language plpgsql as $$
begin
    perform from hotline.ticket where id = tid for update;
    return (hotline.load(array[tid]))[1];
end $$;

-- One action on a ticket that was loaded: the answer in said, and where that is 200 all that has changed, to be stored.  by_approval: the
-- decision by which a second person's word is already given.  at_: the moment its effects are dated (a due time for the sweep), never
-- before the ticket's last event.
create or replace function hotline.take(c hotline.call, action_ text, version_ int default null, by_approval hotline.approval default null,
    at_ timestamptz default null) returns hotline.call
language plpgsql as $$
declare
    state_was smallint := (c.t).state;
    a_id bigint := (c.a).id;
    a_state smallint := (c.a).state;
begin
    c.said := null;
    if (c.t).id is null or not hotline.sees(c.actor, c.t) then
        c.said := hotline.no_such_ticket();
        return c;
    end if;
    c.approval := by_approval;
    c.at := greatest(coalesce(at_, hotline.now()), (c.t).event_at);
    c.payload := '{}';
    if version_ is not null and version_ <> (c.t).version then
        c.said := hotline.problem(409, 'stale_version', '工单已被别人更新，请刷新后再操作。', 'The ticket has changed; please reload it.',
            jsonb_build_object('state', hotline.name_of('state', (c.t).state), 'version', (c.t).version));
        return c;
    end if;
    if action_ in ('approve', 'reject') then
        return hotline.decide(c, action_);
    end if;
    c := hotline.permit(c, action_);
    if (c.said).status is null and not ('SYS' = any ((c.actor).roles)) then
        c.said := hotline.check_inputs(action_, c.x);
        c.x := hotline.given(action_, c.x);
    end if;
    if (c.said).status is null and c.x ? 'attachments' then
        c.said := hotline.check_attachments(c);
    end if;
    if (c.said).status is null and (c.rule).guard is not null then
        c.said := hotline.run_guard(c);
    end if;
    if (c.said).status is not null then
        return c;
    end if;
    c.event := hotline.new_id();
    if hotline.needs_two(c) then
        return hotline.ask(c);
    end if;
    if (c.rule).effect is not null then
        c := hotline.run_effect(c);
    end if;
    if c.x ? 'attachments' then
        c.payload := c.payload || hotline.file_digests(c.extra->'files');
        perform hotline.store_files(array[c]);
    end if;
    if (c.approval).id is not null then
        c := hotline.close_approval(c, coalesce((c.rule).decides, 'approved'), coalesce((c.approval).opinion, c.x->>'opinion'));
    end if;
    c := hotline.enter_state(c);
    c := hotline.run_clocks(c);
    if (c.approval).stage = 1 and (c.rule).decides is null then
        c := hotline.next_stage(c);
    end if;
    c := hotline.record(c, state_was, a_id, a_state);
    if (c.rule).follow is not null then
        c := hotline.follow_up(c, (c.rule).follow);
    end if;
    return hotline.acted(c);
end $$;

-- The same from the ticket's id, read and written by itself.  Locks: the ticket row.
create or replace function hotline.step(tid bigint, action_ text, who hotline.actor, x jsonb, version_ int default null,
    extra_ jsonb default '{}', by_approval hotline.approval default null, at_ timestamptz default null) returns api.answer
language plpgsql as $$
declare
    c hotline.call := hotline.hold(tid);
begin
    c.actor := who;
    c.x := x;
    c.extra := extra_;
    c := hotline.take(c, action_, version_, by_approval, at_);
    if (c.said).status = 200 then
        perform hotline.store(array[c]);
    end if;
    return c.said;
end $$;

-- What was asked and cannot happen in this state any more, or was asked by a unit that has the ticket no more, is not waited for.
create or replace function hotline.drop_approvals(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    w hotline.approval;
    stay hotline.approval[];
begin
    foreach w in array c.waits loop
        if (w.assignment_id is null or w.assignment_id = (c.a).id and (c.a).state not in (8, 9))
                and exists (select from hotline.transition r where r.action = w.action and (c.t).state = any (r.from_states)) then
            stay := stay || w;
        else
            update hotline.approval set verdict = 'dropped', decided_at = c.at where id = w.id;
            delete from hotline.timer where ticket_id = w.ticket_id and kind = 'review' and clock_id = w.id;
        end if;
    end loop;
    c.waits := stay;
    return c;
end $$;

-- A timer of the ticket that is not a clock's.
create or replace function hotline.set_timer(c hotline.call, kind_ text, at_ timestamptz, for_ bigint default null) returns hotline.call
language plpgsql as $$
begin
    c.timers := c.timers || row(hotline.new_id(), at_, (c.t).id, kind_, for_, null, 0)::hotline.timer;
    return c;
end $$;

-- Ticket and main assignment take the states of the row, and the times that belong to them.
create or replace function hotline.enter_state(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    t hotline.ticket := c.t; -- a field of c.t would be set by copying all of c.t
    rule hotline.transition := c.rule;
begin
    if rule.to_assignment is not null and (c.a).id is not null then
        c.a.state := rule.to_assignment;
        if rule.to_assignment in (7, 8, 9) then
            c.a.done_at := coalesce((c.a).done_at, c.at);
        end if;
    end if;
    t.version := t.version + 1;
    if rule.to_state is null or rule.to_state = t.state then
        c.t := t;
        if c.waits is not null and c.payload ? 'cancelled' then
            return hotline.drop_approvals(c);
        end if;
        return c;
    end if;
    if t.state >= 70 and rule.to_state < 70 then
        t.ended_at := null;
        t.closed_at := null;
        t.close_kind := null;
        delete from hotline.timer where ticket_id = t.id and kind = 'archive';
    end if;
    t.state := rule.to_state;
    if rule.close_kind is not null then
        t.close_kind := rule.close_kind;
    end if;
    if t.state >= 70 and t.ended_at is null then
        t.ended_at := c.at;
        if c.others then
            update hotline.assignment set state = case t.state when 70 then 7 else 9 end, done_at = coalesce(done_at, c.at)
            where ticket_id = t.id and role <> 1 and state not in (7, 8, 9);
            c.units := null;
        end if;
    end if;
    if t.state = 70 then
        t.closed_at := c.at;
        c := hotline.set_timer(c, 'archive', c.at + make_interval(days => hotline.setting_int('archive.days')));
    end if;
    c.t := t;
    if c.waits is not null then
        return hotline.drop_approvals(c);
    end if;
    return c;
end $$;

-- The event of what has happened, and the notice that goes with it.  state_was, a_was, a_state: ticket and main assignment as they were.
create or replace function hotline.record(c hotline.call, state_was smallint, a_was bigint, a_state smallint) returns hotline.call
language plpgsql as $$
declare
    a hotline.assignment := c.a;
    units_was int[] := c.units;
    links int[];
begin
    if a.id is distinct from a_was then
        c.units := null;
        if a.id is not null then
            c.payload := c.payload || jsonb_build_object('main_unit', a.unit_id, 'round', a.round, 'sign_due_at', a.sign_due_at,
                'unit_due_at', a.unit_due_at);
        end if;
    end if;
    if c.units is null or a.state in (8, 9) and a_state not in (8, 9) then
        c.units := hotline.units_of(c);
    end if;
    c := hotline.make_event(c, state_was, case when a.id is not distinct from a_was then a_state end, c.units);
    if (c.rule).outbox is not null then
        c := hotline.notify(c, (c.rule).outbox, jsonb_build_object('event', (c.event)::text));
    end if;
    -- A unit that has just lost the ticket hears of that too; of a sealed matter nobody does.
    links := case when (c.t).secrecy < 3 then hotline.links_of(c.units || units_was) end;
    if links is not null then
        c := hotline.notify(c, 'step', jsonb_build_object('event', (c.event)::text, 'action', (c.rule).action, 'n', (c.t).event_n, 'links', links));
    end if;
    return c;
end $$;

-- The units that see a ticket: those of its live assignments and their parents, the main one as it is in the call.  What a unit did in an
-- earlier round shows it nothing any more once it stands in conflict.
create or replace function hotline.units_of(c hotline.call) returns int[]
language plpgsql stable as $$
begin
    return (
        select coalesce(array_agg(distinct p order by p), '{}')
        from (select unit_id from hotline.assignment
              where ticket_id = (c.t).id and id is distinct from (c.a).id and state not in (8, 9)
                and (state <> 7 or not hotline.is_in_conflict(ticket_id, unit_id))
              union all select (c.a).unit_id where (c.a).state not in (8, 9)) live
        join hotline.unit u on u.id = live.unit_id cross join lateral unnest(u.path) p
    );
end $$;

-- Write what calls have changed: tickets, assignments, clocks and their timers, events, list rows, notices and the figures' deltas, one
-- statement a table.  A ticket is in it once.
create or replace function hotline.store(calls hotline.call[]) returns void
language plpgsql set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
declare
    bad text;
    has record;
begin
    select format('illegal pair of states %s and %s of ticket %s', (c.t).state, (c.a).state, (c.t).id) into bad
    from unnest(calls) c
    where not exists (select from hotline.legal_pair where ticket_state = (c.t).state
                      and assignment_state = case when (c.a).state in (8, 9) then 0 else coalesce((c.a).state, 0) end) limit 1;
    if found then
        raise exception '%', bad;
    end if;
    -- A statement that finds nothing to write costs as much as one that does.
    select bool_or(c.records is not null) as records, bool_or(c.timers is not null) as timers, bool_or(c.notices is not null) as notices,
        bool_or((c.a).id = (c.a_was).id and c.a is distinct from c.a_was) as changed,
        bool_or((c.a).id is distinct from (c.a_was).id and (c.a).id is not null) as begun,
        bool_or(c.started is not null or c.touched is not null) as clocks
    into has from unnest(calls) c;
    if has.records then
        update hotline.ticket o set
            version = (c.t).version, state = (c.t).state, appeal_type = (c.t).appeal_type, urgency = (c.t).urgency, secrecy = (c.t).secrecy,
            anonymous = (c.t).anonymous, publish = (c.t).publish, reply_wanted = (c.t).reply_wanted, category_id = (c.t).category_id,
            division = (c.t).division, address = (c.t).address, title = (c.t).title,
            -- What is long and has not changed stays as it is stored: it would be compressed anew.
            content = case when (c.t).content = (c.was).content then o.content else (c.t).content end,
            masked = case when (c.t).masked is not distinct from (c.was).masked then o.masked else (c.t).masked end,
            route = case when (c.t).route is not distinct from (c.was).route then o.route else (c.t).route end,
            unit_id = (c.t).unit_id, directory_item_id = (c.t).directory_item_id, policy = (c.t).policy, policy_version = (c.t).policy_version, round = (c.t).round,
            contact_count = (c.t).contact_count, close_kind = (c.t).close_kind, submitted_at = (c.t).submitted_at,
            accepted_at = (c.t).accepted_at, dispatched_at = (c.t).dispatched_at, replied_at = (c.t).replied_at, closed_at = (c.t).closed_at,
            ended_at = (c.t).ended_at, archived_at = (c.t).archived_at, claimed_by = (c.t).claimed_by, claimed_until = (c.t).claimed_until,
            outer_due_at = (c.t).outer_due_at, rated = (c.t).rated, resolved = (c.t).resolved,
            rework_count = (c.t).rework_count, promise_due_at = (c.t).promise_due_at, event_n = (c.t).event_n, event_at = (c.t).event_at,
            event_hash = (c.t).event_hash
        from unnest(calls) c where o.id = (c.t).id and c.records is not null;
    end if;
    if has.changed then
        perform hotline.store_assignments(array(
            select c.a from unnest(calls) c where (c.a).id = (c.a_was).id and c.a is distinct from c.a_was));
    end if;
    if has.begun then
        insert into hotline.assignment
        select (c.a).* from unnest(calls) c where (c.a).id is distinct from (c.a_was).id and (c.a).id is not null;
    end if;
    if has.records then
        insert into hotline.event select e.* from unnest(calls) c cross join lateral unnest(c.records) e;
    end if;
    if has.clocks then
        perform hotline.store_clocks(calls);
    end if;
    if has.timers then
        insert into hotline.timer select m.* from unnest(calls) c cross join lateral unnest(c.timers) m;
    end if;
    if has.notices then
        insert into hotline.outbox select n.* from unnest(calls) c cross join lateral unnest(c.notices) n;
    end if;
    if has.records then
        perform hotline.store_inbox(calls);
    end if;
    perform hotline.count_calls(calls);
    if exists (select from unnest(calls) c where (c.was).accepted_at is not null and hotline.counts_elsewhere(c.was, c.t)) then
        perform hotline.count_assignment(o, o, c.was, c.t)
        from unnest(calls) c cross join lateral (select o from hotline.assignment o where o.ticket_id = (c.t).id and o.role = 1) earlier
        where hotline.counts_elsewhere(c.was, c.t) and (o).id is distinct from (c.a).id;
    end if;
end $$;

-- Figures of a ticket's earlier assignments go where the ticket goes.
create or replace function hotline.counts_elsewhere(was hotline.ticket, is_ hotline.ticket) returns boolean
language plpgsql immutable as $$
begin
    return was.category_id is distinct from is_.category_id or left(was.division, 6) is distinct from left(is_.division, 6);
end $$;

-- Assignments that are there, as they are now.
create or replace function hotline.store_assignments(changed hotline.assignment[]) returns void
language plpgsql set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
begin
    update hotline.assignment o set
        policy = a.policy, policy_version = a.policy_version, return_until = a.return_until, return_asked_at = a.return_asked_at,
        state = a.state, deemed_signed = a.deemed_signed, forbid_return = a.forbid_return, sign_due_at = a.sign_due_at,
        signed_by = a.signed_by, signed_at = a.signed_at, handler_id = a.handler_id, contacted_at = a.contacted_at,
        unit_due_at = a.unit_due_at, replied_at = a.replied_at, accepted_at = a.accepted_at, done_at = a.done_at,
        rejected_count = a.rejected_count, sign_counted = a.sign_counted, due_counted = a.due_counted
    from unnest(changed) a
    where o.ticket_id = a.ticket_id and o.id = a.id;
end $$;

-- A change of an assignment that is not the call's main one any more.
create or replace function hotline.save_assignment(was hotline.assignment, is_ hotline.assignment, t_was hotline.ticket, t_is hotline.ticket)
returns void
language plpgsql as $$
begin
    if was is not distinct from is_ then
        return;
    end if;
    perform hotline.store_assignments(array[is_]);
    perform hotline.count_assignment(was, is_, t_was, t_is);
end $$;

-- What the chain is computed over: every column in order, the moment as epoch microseconds.
create or replace function hotline.event_text(e hotline.event) returns text
language plpgsql stable as $$
begin
    return concat_ws('|', e.id, e.ticket_id, e.n, e.transition, e.action, (extract(epoch from e.at) * 1000000)::bigint,
        coalesce(e.actor_id, 0), e.actor_role, coalesce(e.unit_id, 0), coalesce(e.assignment_id, 0), coalesce(e.from_state, 0),
        e.to_state, coalesce(e.assignment_from, 0), coalesce(e.assignment_to, 0), array_to_string(e.units, ','), e.payload::text);
end $$;

create or replace function hotline.event_hash(prev bytea, e hotline.event) returns bytea
language plpgsql stable as $$
begin
    return sha256(coalesce(prev, '') || convert_to(hotline.event_text(e), 'UTF8'));
end $$;

-- The next link of the ticket's chain, in c.records.  Texts go to event_note, where they can be erased; the payload holds codes, ids
-- and dates only.
create or replace function hotline.make_event(c hotline.call, state_was smallint, assignment_was smallint, units_ int[]) returns hotline.call
language plpgsql as $$
declare
    e hotline.event;
    t hotline.ticket := c.t; -- a field of c.t would be set by copying all of c.t
begin
    e.id := c.event;
    e.ticket_id := t.id;
    e.n := t.event_n + 1;
    e.transition := (c.rule).id;
    e.action := (c.rule).action;
    e.at := c.at;
    e.actor_id := (c.actor).id;
    e.actor_role := c.role;
    e.unit_id := t.unit_id;
    e.assignment_id := (c.a).id;
    e.from_state := state_was;
    e.to_state := t.state;
    e.assignment_from := assignment_was;
    e.assignment_to := (c.a).state;
    e.units := units_;
    e.payload := c.payload;
    if (c.approval).id is not null then
        e.payload := e.payload || jsonb_build_object('approval', (c.approval).id::text, 'asked_by', (c.approval).asked_by);
    end if;
    e.prev_hash := t.event_hash;
    e.hash := hotline.event_hash(e.prev_hash, e);
    t.event_n := e.n;
    t.event_at := e.at;
    t.event_hash := e.hash;
    c.t := t;
    c.records := c.records || e;
    return c;
end $$;

-- Keep a text that belongs to an event.
create or replace function hotline.note(c hotline.call, name_ text, body_ text) returns void
language plpgsql as $$
begin
    insert into hotline.event_note (ticket_id, event_id, name, body)
    select (c.t).id, c.event, name_, body_ where body_ <> '';
end $$;

create or replace function hotline.note_inputs(c hotline.call, variadic names text[]) returns void
language plpgsql as $$
begin
    if not c.x ?| names then
        return;
    end if;
    insert into hotline.event_note (ticket_id, event_id, name, body)
    select (c.t).id, c.event, n, case jsonb_typeof(c.x->n) when 'array' then
        (select string_agg(e, E'\n') from jsonb_array_elements_text(c.x->n) e) else c.x->>n end
    from unnest(names) n where coalesce(c.x->>n, '') <> '';
end $$;

-- The rows that lists read, or none where a ticket is ended and nobody is to decide on an objection.  A row's due time is that of the first clock people work against; it
-- waits for who must decide something, and an overdue audit (T62) for the shift lead.
create or replace function hotline.store_inbox(calls hotline.call[]) returns void
language plpgsql set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
declare
    ended bigint[];
begin
    select array_agg((c.t).id) into ended from unnest(calls) c where (c.t).state >= 70 and cardinality(c.waits) > 0 is not true;
    if ended is not null then
        delete from hotline.inbox where ticket_id = any (ended);
    end if;
    insert into hotline.inbox as i (ticket_id, ticket_no, version, state, assignment_state, title, appeal_type, urgency, secrecy, channel,
        category_id, division, unit_id, units, round, created_by, submitted_at, due_kind, due_at, warn_at, deep_at, paused,
        phone_hmac, waits_for)
    select (c.t).id, (c.t).ticket_no, (c.t).version, (c.t).state, case when (c.a).state not in (8, 9) then (c.a).state end, (c.t).title, (c.t).appeal_type, (c.t).urgency,
        (c.t).secrecy, (c.t).channel, (c.t).category_id, (c.t).division, (c.t).unit_id, c.units, (c.t).round, (c.t).created_by,
        (c.t).submitted_at, (c.head).kind, (c.head).due_at, (c.head).warn_at, case when (c.t).state <> 42 then (c.head).deep_at end,
        (c.head).paused_at is not null or (c.t).state = 42,
        (select k.phone_hmac from hotline.ticket_contact k where k.ticket_id = (c.t).id),
        coalesce((select min(w.decider_role) from unnest(c.waits) w),
            case when (c.head).kind = 'audit' and (c.head).breached_at is not null then 'LDR' end)
    from unnest(calls) c
    where ((c.t).state < 70 or cardinality(c.waits) > 0) and c.records is not null
    on conflict (ticket_id) do update set
        version = excluded.version, state = excluded.state, assignment_state = excluded.assignment_state, title = excluded.title,
        appeal_type = excluded.appeal_type, urgency = excluded.urgency, secrecy = excluded.secrecy, category_id = excluded.category_id,
        division = excluded.division, unit_id = excluded.unit_id, units = excluded.units, round = excluded.round,
        submitted_at = excluded.submitted_at, due_kind = excluded.due_kind, due_at = excluded.due_at, warn_at = excluded.warn_at,
        deep_at = excluded.deep_at, paused = excluded.paused, phone_hmac = excluded.phone_hmac, waits_for = excluded.waits_for;
end $$;

-- Calls on tickets as they are stored, with all that their list rows need.
create or replace function hotline.as_stored(ids bigint[]) returns hotline.call[]
language plpgsql stable as $$
declare
    calls hotline.call[];
    c hotline.call;
begin
    foreach c in array coalesce(hotline.load(ids), '{}') loop
        c.head := hotline.head_clock(c.clocks);
        c.records := '{}';
        calls := calls || c;
    end loop;
    return calls;
end $$;

-- A notice to the citizen or the unit, sent from the outbox after the commit.
create or replace function hotline.notify(c hotline.call, kind_ text, args_ jsonb) returns hotline.call
language plpgsql as $$
begin
    c.notices := c.notices || row(hotline.new_id(), (c.t).id, kind_, args_, c.at, null)::hotline.outbox;
    return c;
end $$;

-- What the engine does by itself after an action, in the same commit: dispatch where the directory is unambiguous, close where
-- no callback is wanted.  Of several, the first that is allowed.  A refusal just leaves it to people.
create or replace function hotline.follow_up(c hotline.call, action_ text) returns hotline.call
language plpgsql as $$
declare
    one text;
    f hotline.call;
begin
    foreach one in array string_to_array(action_, ' ') loop
        f := c;
        f.x := '{}';
        if one = 'dispatch' then
            f.x := hotline.auto_dispatch(c.t);
        elsif one = 'urge' then
            f.x := hotline.auto_urge(c.t);
        elsif one = 'supervise' then
            f.x := hotline.auto_order(c.t, 'unsatisfied', c.at);
        end if;
        continue when f.x is null;
        f.actor := hotline.system_actor();
        f := hotline.take(f, one);
        if (f.said).status = 200 then
            f.event := c.event; -- the person hears of the own step
            f.rule := c.rule;
            return f;
        end if;
    end loop;
    return c;
end $$;

-- What a person hears back after an action.
create or replace function hotline.acted(c hotline.call) returns hotline.call
language plpgsql as $$
declare
    t hotline.ticket := c.t;
    a hotline.assignment := c.a;
    k hotline.clock := hotline.head_clock(c.clocks);
    more jsonb := '{}';
begin
    if t.state >= 70 then
        k := null;
    end if;
    c.head := k;
    if a.state in (8, 9) then
        a := null;
    end if;
    if (c.rule).id = 'T04' then
        select jsonb_build_object('query_code_enc', query_code_enc) into more from hotline.ticket_contact where ticket_id = t.id;
    end if;
    c.said := hotline.answer(200, jsonb_build_object('id', t.id::text, 'number', t.ticket_no, 'state', hotline.name_of('state', t.state),
        'assignment_state', hotline.name_of('assignment_state', a.state), 'version', t.version,
        'event', (c.event)::text, 'light', hotline.light(k.due_at, k.warn_at, case when t.state <> 42 then k.deep_at end,
            k.paused_at is not null or t.state = 42, hotline.now()),
        'due_at', hotline.time_text(k.due_at), 'due_kind', k.kind, 'promise_due_at', hotline.time_text(t.promise_due_at)) || more);
    return c;
end $$;
