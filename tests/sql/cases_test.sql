-- The cases of cases.md, read from the field's rules by hand: each row is one test.  A row starts in an empty city on Monday 2 March 2026,
-- ten o'clock; what it did is undone, so that no row stands on another.  The head of cases.md says how its cells read.

\set cases `cat tests/sql/cases.md`

begin;
\ir play.psql
\ir section.psql

-- "name=value …" → {"name": value, …}: a value that is JSON is that, anything else is text.
create function play.pairs(s text) returns jsonb
language plpgsql as $$
declare
    m text[];
    v jsonb;
    all_ jsonb := '{}';
begin
    for m in select regexp_matches(s, '([a-z_]+)=(\{[^ ]*\}|\[[^\]]*\]|"[^"]*"|[^ ]+)', 'g') loop
        begin
            v := m[2]::jsonb;
        exception when invalid_text_representation then
            v := to_jsonb(m[2]);
        end;
        all_ := all_ || jsonb_build_object(m[1], v);
    end loop;
    return all_;
end $$;

create function play.moment(s text) returns text
language sql immutable as $$ select '2026-' || s $$;

create function play.number_of(tid bigint) returns text
language plpgsql as $$
begin
    return (select ticket_no from hotline.ticket where id = tid);
end $$;

-- What a name with @ in front stands for.
create function play.named(s text, tids bigint[]) returns text
language plpgsql as $$
declare
    tid bigint := tids[cardinality(tids)];
begin
    return replace(replace(replace(replace(replace(s,
        '@asked', '"' || play.open_approval(tid) || '"'),
        '@other', coalesce('"' || tids[cardinality(tids) - 1] || '"', '')),
        '@this', coalesce('"' || tid || '"', '')),
        '@check', (play.good('submit', coalesce(tid, 0))->'dup_check')::text),
        '@order', coalesce((select '"' || max(id) || '"' from hotline.supervision_order where ticket_id = tid), ''));
end $$;

-- One thing that somebody does: what was answered, and the tickets there are then.
create function play.do(who text, does text, inout tids bigint[], out said text)
language plpgsql as $$
declare
    tid bigint := tids[cardinality(tids)];
    action text := split_part(does, ' ', 1);
    given jsonb := play.pairs(case when does like '%@%' then play.named(does, tids) else does end);
    extra jsonb := coalesce(given->'engine', '{}');
    a api.answer;
begin
    given := given - 'engine';
    if who = 'the clock' then
        perform play.go(play.moment(does));
        perform play.sweep();
        said := '–';
        return;
    end if;
    case
        when action = 'file' then
            a := api.intake(jsonb_build_object('principal', 'c', 'route', '/v1/tickets', 'key', 'file' || nextval('play.seq'), 'digest', 'd',
                'seq', currval('play.seq')::text, 'type', 'complaint', 'title', '夜间施工噪声', 'content', '工地夜里两点还在施工。', 'contact', play.contact(),
                'query_code_enc', 'v1.code', 'query_code_hash', 'code', 'grams', '[1, 2, 3]'::jsonb, 'hits', '[]'::jsonb, 'at', play.clock()) || given);
        when action = 'draft' then
            a := api.draft(jsonb_build_object('session', who, 'route', '/v1/desk/tickets', 'key', 'draft' || nextval('play.seq'), 'digest', 'd',
                'seq', currval('play.seq')::text, 'channel', 'phone', 'type', 'consult', 'title', '社保卡', 'content', '社保卡丢了。', 'contact', play.contact(),
                'query_code_enc', 'v1.code', 'query_code_hash', 'code', 'grams', '[1, 2, 3]'::jsonb, 'at', play.clock()) || given);
        when action = 'receive' and who = 'province' then
            a := api.receive_province(jsonb_build_object('external_id', 'P1', 'title', '占道经营', 'content', '夜市占道经营。', 'type', 'complaint', 'at', play.clock()) || given);
        when action = 'receive' then
            a := api.receive_from_110(jsonb_build_object('external_id', 'J1', 'title', '占道经营', 'content', '非警务事项。', 'type', 'complaint', 'at', play.clock())
                || case when who <> 'police_110' then jsonb_build_object('session', who) else '{}' end || given);
        when action = 'reveal' then
            a := api.reveal(jsonb_build_object('session', who, 'id', tid::text, 'route', 'r', 'key', 'k' || nextval('play.seq'), 'digest', 'd', 'at', play.clock()) || given);
        when who = 'citizen' then
            a := api.citizen(jsonb_build_object('number', play.number_of(tid), 'code_hash', 'code', 'id', tid::text, 'action', action, 'at', play.clock(), 'inputs',
                case action when 'rate' then play.good('late_rating', tid) when 'withdraw' then '{"reason": "已自行解决", "pressed": false}' else play.good(action, tid) end || given) || extra);
        when who = 'system' then
            perform hotline.begin(jsonb_build_object('at', play.clock()));
            a := hotline.step(tid, action, hotline.system_actor(), given);
        else
            a := play.act(who, tid, action, play.good(action, tid) || given, extra);
    end case;
    said := play.says(a);
    if a.status = 201 then
        tids := tids || (select ticket_id from hotline.ticket_ref where ticket_no = coalesce(a.body->>'number', ''));
    end if;
end $$;

-- What comes before: points of a ticket's way, steps that succeed, moments, roles.
create function play.given(s text, inout tids bigint[])
language plpgsql as $$
declare
    part text;
    said text;
    name text;
begin
    foreach part in array regexp_split_to_array(s, '\s*;\s*') loop
        name := split_part(part, ' ', 1);
        if part ~ '^(at|by) ' then
            perform play.go(play.moment(substr(part, 4)));
            if part ~ '^by' then
                perform play.sweep();
            end if;
        elsif part ~ ' is also ' then
            insert into hotline.person_role (person_id, role) select p.id, split_part(part, ' ', 4) from hotline.person p where p.login = split_part(part, ' ', 1);
        elsif part ~ '^setting ' then
            update hotline.setting k set value = split_part(part, '=', 2)::jsonb where k.name = split_part(substr(part, 9), '=', 1);
        elsif part ~ '^unit [0-9]+ has ended$' then
            update hotline.unit set valid_to = '2026-03-01' where id = split_part(part, ' ', 2)::int;
        elsif part ~ '^[a-z_]+( |$)' and part !~ '^(citizen|system|province) ' then
            tids := tids || play.ticket(name, play.pairs(part));
        elsif part <> '' then
            select d.tids, d.said into tids, said from play.do(name, substr(part, length(name) + 2), tids) d;
            if said !~ '^20' then
                raise exception 'given "%": %', part, said;
            end if;
        end if;
    end loop;
end $$;

create function play.last_clock(tid bigint, kind_ text, running boolean) returns hotline.clock
language plpgsql as $$
declare
    k hotline.clock;
begin
    select * into k from hotline.clock where ticket_id = tid and kind = kind_ and (not running or met_at is null and stopped_at is null) order by id desc limit 1;
    return k;
end $$;

create function play.day(at timestamptz) returns text
language sql as $$ select coalesce(to_char(at at time zone 'Asia/Shanghai', 'MM-DD HH24:MI'), 'none') $$;

-- What a fact of this name is now: "due unit 03-09 23:59" asks for that clock's due time and is the same text where it is so.
create function play.fact(tid bigint, s text) returns text
language plpgsql as $$
declare
    w text[] := string_to_array(s, ' ');
    t hotline.ticket;
    body jsonb;
    named text := w[1];
    v text;
begin
    select * into t from hotline.ticket where id = tid;
    case w[1]
        when 'state' then v := play.state(tid);
        when 'clocks' then v := play.clocks(tid);
        when 'paused' then v := (select string_agg(kind, ' ' order by kind) from hotline.clock where ticket_id = tid and paused_at is not null and met_at is null and stopped_at is null);
        when 'promise' then v := play.day(t.promise_due_at);
        when 'promised' then v := hotline.promise_state(t);
        when 'light' then v := (select hotline.light(due_at, warn_at, deep_at, paused, hotline.now()) from hotline.inbox where ticket_id = tid);
        when 'story' then v := (select string_agg(transition, ' ' order by n) from hotline.event where ticket_id = tid);
        when 'last' then v := (select transition || ' ' || play.day(at) || ' ' || actor_role from hotline.event where ticket_id = tid order by n desc limit 1);
        when 'asked' then v := (select string_agg(kind || ' ' || stage || ' ' || decider_role, ', ' order by id) from hotline.approval where ticket_id = tid and verdict is null);
        when 'decided' then v := (select string_agg(kind || ' ' || verdict, ', ' order by id) from hotline.approval where ticket_id = tid and verdict is not null);
        when 'review' then v := (select play.day(due_at) from hotline.approval where ticket_id = tid and verdict is null);
        when 'close' then v := hotline.name_of('close_kind', t.close_kind);
        when 'round' then v := t.round::text;
        when 'policy' then v := coalesce((hotline.main_of(t)).policy, t.policy);
        when 'rated' then v := hotline.name_of('satisfaction', t.rated);
        when 'resolved' then v := hotline.name_of('resolved', t.resolved);
        when 'calls' then v := t.contact_count::text;
        when 'accepted' then v := play.day(t.accepted_at);
        when 'archived' then v := play.day(t.archived_at);
        when 'units' then v := (select string_agg(hotline.name_of('assignment_role', role) || ' ' || unit_id || ' ' || hotline.name_of('assignment_state', state), ', ' order by id)
            from hotline.assignment where ticket_id = tid);
        when 'orders' then v := (select string_agg(cause, ' ' order by id) from hotline.supervision_order where ticket_id = tid);
        when 'cases' then v := (select string_agg(hotline.name_of('integrity_kind', kind), ' ' order by id) from hotline.integrity_case where ticket_id = tid);
        when 'urges' then v := (select count(*)::text from hotline.urge where ticket_id = tid);
        when 'returns' then v := (select string_agg(verdict || coalesce(' ' || blame, ''), ', ' order by event_id) from hotline.return_request where ticket_id = tid);
        when 'replies' then v := (select string_agg(round || ' ' || verdict, ', ' order by id) from hotline.reply where ticket_id = tid);
        when 'quiet' then v := (select string_agg(quiet::text, ' ' order by at) from hotline.callback_attempt where ticket_id = tid);
        when 'child' then v := (select play.state(ticket_id) || ' ' || play.clocks(ticket_id) from hotline.ticket_link where other_id = tid);
        when 'feedback' then v := (select count(*)::text from hotline.directory_feedback where ticket_id = tid);
        when 'precedents' then v := (select string_agg(unit_id::text, ' ') from hotline.directory_precedent where ticket_id = tid);
        when 'due', 'met', 'breached' then
            named := w[1] || ' ' || w[2];
            v := play.day(case w[1] when 'due' then (play.last_clock(tid, w[2], true)).due_at when 'met' then (play.last_clock(tid, w[2], false)).met_at
                else (play.last_clock(tid, w[2], false)).breached_at end);
        when 'told' then
            named := w[1] || ' ' || w[2];
            v := (select count(*)::text from hotline.outbox where ticket_id = tid and kind = w[2]);
        else
            named := w[1] || ' ' || w[2];
            if w[1] = 'citizen' then
                body := (api.follow(jsonb_build_object('number', t.ticket_no, 'code_hash', 'code', 'at', play.clock()))).body;
                if w[2] = 'may' then
                    v := (select string_agg(e, ' ') from jsonb_array_elements_text(body->'may') e);
                else
                    named := named || ' ' || w[3];
                    v := body #>> string_to_array(w[3], '.');
                end if;
            elsif w[2] in ('may', 'may-not') then
                v := w[3];
                named := w[1] || case when exists (select from json_array_elements((api.actions(jsonb_build_object('session', w[1], 'id', tid::text, 'at', play.clock()))).body->'actions') e
                    where e->>'action' = w[3]) then ' may' else ' may-not' end;
            elsif w[2] = 'decides' then -- how many tickets wait in this person's list
                v := (select count(*)::text from json_array_elements((api.tickets(jsonb_build_object('session', w[1], 'waits', 'decision', 'at', play.clock()))).body->'tickets'));
            elsif w[2] = 'sees' then
                v := (api.ticket(jsonb_build_object('session', w[1], 'id', tid::text, 'at', play.clock()))).status::text;
            elsif w[2] = 'reads' then
                named := named || ' ' || w[3];
                v := (api.ticket(jsonb_build_object('session', w[1], 'id', tid::text, 'at', play.clock()))).body::jsonb #>> string_to_array(w[3], '.');
            else
                raise exception 'no such fact: %', s;
            end if;
    end case;
    return named || ' ' || coalesce(nullif(v, ''), 'none');
end $$;

-- A row as it should be and as it is.
create table play.row_of as
select row_number() over (order by n) as n, trim(c[1]) as source, trim(c[2]) as rule, trim(c[3]) as given, trim(c[4]) as who, trim(c[5]) as does,
    trim(c[6]) as answer, trim(c[7]) as facts
from regexp_split_to_table(:'cases', E'\n') with ordinality as l(line, n)
cross join lateral string_to_array(trim(both '|' from line), '|') as c
where line ~ '^\| *[§I]' and trim(c[1]) <> '§';

create function play.case(r play.row_of) returns text
language plpgsql as $$
declare
    tids bigint[] := '{}';
    said text;
    facts text := '';
    broken text;
begin
    begin
        tids := play.given(r.given, tids);
        select d.tids, d.said into tids, said from play.do(r.who, r.does, tids) d;
        if r.facts <> '' then
            facts := (select string_agg(play.fact(tids[cardinality(tids)], f), '; ' order by n)
                      from regexp_split_to_table(r.facts, '\s*;\s*') with ordinality as l(f, n));
        end if;
        broken := (select string_agg(v::text, ', ') from hotline.check_invariants() v);
        raise exception using errcode = 'PL000', message = 'undo';
    exception when sqlstate 'PL000' then
        null;
    end;
    return said || case when facts <> '' then ' | ' || facts else '' end || coalesce(' | broken: ' || broken, '');
exception when others then
    return sqlstate || ' ' || sqlerrm;
end $$;

select no_plan();

select cmp_ok((select count(*) from play.row_of), '>=', 150::bigint, 'the table has its hundred and fifty cases');
select is_empty('select source, rule from play.row_of group by 1, 2 having count(*) > 1', 'each case says something of its own');
select is_empty($$select n, rule from play.row_of where num_nulls(source, given, who, does, answer, facts) > 0$$, 'no row lacks a cell');
select is(play.case(r), r.answer || case when r.facts <> '' then ' | ' || regexp_replace(r.facts, '\s*;\s*', '; ', 'g') else '' end, r.source || ': ' || r.rule)
from play.row_of r order by n;

select * from finish();
rollback;
