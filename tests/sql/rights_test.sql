-- Who sees and does what: every role, every function, tickets of every level of secrecy; and the engine's own role.

begin;
\ir play.psql

select no_plan();

-- ---- the engine's role ----

select settle() \g /dev/null
select is_empty(
    $$select proname from pg_proc p join pg_namespace n on n.oid = pronamespace where nspname = 'api' and not prosecdef$$, 'every api function is security definer'
);
select is_empty(
    $$select proname, proconfig from pg_proc p join pg_namespace n on n.oid = pronamespace where nspname = 'api'
      and not coalesce(proconfig @> '{"search_path=hotline, pg_temp"}', false)$$, 'with a fixed search path'
);
select is_empty(
    $$select proname from pg_proc p join pg_namespace n on n.oid = pronamespace
      where nspname in ('api', 'hotline') and exists (select from aclexplode(coalesce(proacl, acldefault('f', proowner))) where grantee = 0)$$,
    'public executes no function'
);
select is_empty(
    $$select proname from pg_proc p join pg_namespace n on n.oid = pronamespace where nspname = 'api' and not has_function_privilege('hotline_engine', p.oid, 'execute')$$,
    'the engine executes api'
);
select is_empty(
    $$select proname from pg_proc p join pg_namespace n on n.oid = pronamespace where nspname = 'hotline' and has_function_privilege('hotline_engine', p.oid, 'execute')$$,
    'and no function of the rules'
);
select is_empty(
    $$select relname from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = 'hotline' and relkind in ('r', 'p', 'v', 'm')
      and has_table_privilege('hotline_engine', c.oid, 'select, insert, update, delete, truncate, references, trigger')$$, 'and touches no table'
);
select is_empty(
    $$select relname from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = 'hotline' and case when relkind = 'S' then has_sequence_privilege('hotline_engine', c.oid, 'usage, select, update') end$$, 'nor a sequence'
);
select is_empty(
    $$select proname from pg_proc p join pg_namespace n on n.oid = pronamespace
      where nspname = 'api' and (proowner = 'hotline_engine'::regrole
          or proname not in ('lock', 'intake_all', 'draft_all', 'act_all', 'sweep_all') and (proargtypes <> '3802' or prorettype <> 'api.answer'::regtype))$$,
    'every api function takes one jsonb and gives an answer; lock and what takes a whole batch are the exceptions'
);
select ok(not has_schema_privilege('hotline_engine', 'hotline', 'usage, create') and not has_schema_privilege('hotline_engine', 'api', 'create')
    and not has_schema_privilege('hotline_engine', 'public', 'create'), 'the engine creates nothing');
select is((select row(rolsuper, rolcreaterole, rolcreatedb, rolbypassrls)::text from pg_roles where rolname = 'hotline_engine'), '(f,f,f,f)', 'and is nobody special');

create table play.denied (what text, state text);
do $$
declare
    what text;
begin
    set local role hotline_engine;
    begin
        perform api.boot('{}');
    exception when insufficient_privilege then
        raise exception 'the engine cannot execute api';
    end;
    reset role;
    foreach what in array '{select from hotline.ticket, insert into hotline.idem values (null), update hotline.event set n = 1, delete from hotline.event,
        truncate hotline.event, select hotline.now(), select hotline.step(1\, null\, null\, null), select nextval(''hotline.id_seq''), create table api.x (), create temp table x (), create schema x, create function api.x() returns int language sql as ''select 1'',
        drop function api.boot(jsonb), alter table hotline.event add x int}'::text[] loop
        begin
            set local role hotline_engine;
            execute what;
            reset role;
            insert into play.denied values (what, 'done');
        exception when others then
            reset role;
            insert into play.denied values (what, sqlstate);
        end;
    end loop;
end $$;
select is_empty($$select * from play.denied where state <> '42501'$$, 'what else the engine tries is refused');
select is((select count(*)::int from play.denied), 14, 'and it tried');

-- ---- without a session ----

create function play.status(name text, x jsonb) returns int language plpgsql as $$
declare
    a api.answer;
begin
    execute format('select * from api.%I($1)', name) into a using x;
    return a.status;
end $$;
select bag_eq(
    $$select proname::text from pg_proc p join pg_namespace n on n.oid = pronamespace where nspname = 'api' and proname not in ('lock', 'boot', 'numbers', 'intake', 'intake_all', 'draft_all', 'act_all', 'sweep_all', 'drain', 'follow', 'phone_code', 'login_begin', 'session_open', 'session_close',
        'feed', 'notice_claim', 'notice_done', 'open311_requests', 'open311_updates', 'fold', 'import', 'known', 'rating', 'citizen', 'exchange', 'find_groups', 'receive_province', 'sweep_failed', 'upkeep', 'sweep', 'sweep_due', 'swept', 'ready', 'public_metrics', 'divisions', 'files_used', 'follow_file')$$,
    $$select unnest('{act, actions, admin_get, attachment, admin_list, admin_put, counts, draft, dup_check, metrics, metrics_tickets, receive_from_110, reference, reveal, route, sealed_name, session_get, ticket, tickets, transfer_check}'::text[])$$,
    'a function is either the engine''s own or asks who is there'
);
select play.ticket('handling') as t \gset
insert into session (hash, person_id, opened_at, expires_at, closed_at)
select kind, (select id from person where login = 'leader1'), '2026-01-01', case kind when 'expired' then hotline.now() else '2030-01-01' end,
    case kind when 'ended' then hotline.now() end
from unnest('{expired, ended}'::text[]) as kind;
insert into person (login, name, unit_id, password_hash, disabled_at) values ('gone', 'gone', 1, 'x', '2026-01-01');
insert into person_role select id, 'LDR' from person where login = 'gone';
insert into session select 'gone', id, '2026-01-01', '2030-01-01' from person where login = 'gone';
select is_empty(
    format($$select name, session, status from unnest('{act, actions, admin_get, admin_list, admin_put, counts, draft, dup_check, metrics, metrics_tickets, receive_from_110, reference, reveal, route, sealed_name, session_get, ticket, tickets, transfer_check}'::text[]) as name,
        unnest('{nobody, expired, ended, gone, null}'::text[]) as session,
        play.status(name, jsonb_build_object('session', session, 'id', '%s', 'action', 'save_draft', 'purpose', 'test', 'at', play.clock())) as status
      where status <> 401$$, :t),
    'without a session, with one that expired or was ended, or as a person who left: 401'
);

-- ---- with one ----

create table play.secret as select level, play.ticket('handling') as tid from generate_series(0, 3) as level;
update ticket t set secrecy = level from play.secret where t.id = tid;
update inbox i set secrecy = level from play.secret where ticket_id = tid;

create table play.actor as
select login from unnest('{operator1, operator2, acceptor1, leader1, dispatcher1, auditor1, callback1, supervisor1, efficiency1, media1, social1,
    cityleader1, admin1, st-gaj.d, st-gaj.h, st-gaj.a, st-jjzd.d, st-jjzd.h, st-jjzd.a}'::text[]) as login;
create function play.expect(text, out login text, out levels int[]) returns setof record language sql as $$
    select split_part(line, ':', 1), string_to_array(nullif(split_part(line, ':', 2), ''), ' ')::int[] from unnest(string_to_array($1, ', ')) as line
$$;

create function play.seen_by(name text, want int) returns table (login text, levels int[]) language sql as $$
    select a.login, (select array_agg(level order by level) from play.secret
        where play.status(name, jsonb_build_object('session', a.login, 'id', tid::text, 'purpose', '电话核实', 'at', play.clock())) = want)
    from play.actor a order by 1
$$;
create temp view readers as select login, case when login in ('leader1', 'supervisor1', 'efficiency1') then '{0,1,2,3}'
    when login in ('operator1', 'operator2', 'acceptor1', 'dispatcher1', 'auditor1', 'callback1', 'cityleader1', 'st-gaj.d', 'st-gaj.h', 'st-gaj.a') then '{0,1,2}' end::int[] as levels
from play.actor;
select results_eq('select * from play.seen_by(''ticket'', 200)', 'select * from pg_temp.readers order by 1', 'who reads which ticket');
select results_eq('select * from play.seen_by(''actions'', 200)', 'select * from pg_temp.readers order by 1', 'who reads it may ask what to do with it');
select results_eq(
    $$select a.login, (select array_agg(level order by level) from play.secret
        where exists (select from json_array_elements((api.tickets(jsonb_build_object('session', a.login, 'limit', 200, 'at', play.clock()))).body->'tickets') l where l->>'id' = tid::text))
      from play.actor a order by 1$$,
    'select * from pg_temp.readers order by 1', 'lists show the same'
);
select results_eq(
    $$select login from play.actor where play.status('counts', jsonb_build_object('session', login, 'at', play.clock())) = 403 order by 1$$,
    $$values ('media1'), ('social1')$$, 'outside supervisors list no tickets'
);
select is((api.tickets(jsonb_build_object('session', 'admin1', 'at', play.clock()))).body->>'tickets', '[]', 'an administrator lists what waits for an administrator');
select is_empty(
    $$select login, n, counted from play.actor,
        lateral (select count(*) from json_array_elements((api.tickets(jsonb_build_object('session', login, 'limit', 200, 'at', play.clock()))).body->'tickets')) l(n),
        lateral (select coalesce(sum(value::int), 0) from json_each_text((api.counts(jsonb_build_object('session', login, 'at', play.clock()))).body->'by_state')) c(counted)
      where n <> counted$$, 'and counts count what lists list'
);
select results_eq('select * from play.seen_by(''reveal'', 200)',
    $$select login, case login when 'leader1' then '{0,1,2,3}' when 'acceptor1' then '{0,1,2}' when 'callback1' then '{0,1,2}' when 'st-gaj.d' then '{0}' when 'st-gaj.h' then '{0}' end::int[]
      from play.actor order by 1$$, 'who may see the citizen''s number: a unit only where nothing is secret');
select is((select count(*)::int from access_log where purpose = '电话核实'), 12, 'and each look is on record');
select is(play.status('reveal', jsonb_build_object('session', 'leader1', 'id', :'t', 'purpose', ' ', 'at', play.clock())), 422, 'a look has a purpose');
select results_eq('select * from play.seen_by(''dup_check'', 200)',
    $$select login, case when login = 'leader1' or login = 'supervisor1' then '{0,1,2,3}' when login in ('operator1', 'operator2', 'acceptor1', 'dispatcher1', 'callback1') then '{0,1,2}' end::int[]
      from play.actor order by 1$$, 'who may look for earlier complaints of a caller');
select results_eq(
    $$select level, (api.ticket(jsonb_build_object('session', login, 'id', tid::text, 'at', play.clock()))).body->'contact'->>'phone_mask' is not null,
        (api.ticket(jsonb_build_object('session', login, 'id', tid::text, 'at', play.clock()))).body->'contact'->>'name_mask' is not null
      from play.secret, unnest('{st-gaj.h}'::text[]) as login where level < 3 order by 1$$,
    'values (0, true, true), (1, false, true), (2, false, false)', 'a unit sees the mask of the number below level 1, of the name below level 2'
);
select is_empty(
    $$select level from play.secret where level < 3
      and (api.ticket(jsonb_build_object('session', 'callback1', 'id', tid::text, 'at', play.clock()))).body->'contact'->>'phone_mask' is null$$, 'the centre always sees it'
);
select is_empty(
    $$select login, level from play.actor, play.secret where (api.ticket(jsonb_build_object('session', login, 'id', tid::text, 'at', play.clock()))).body::text ~ 'v1\.(phone|name|code)|hmac'$$,
    'nobody''s ticket holds ciphertext or hashes'
);
select results_eq(
    $$select login from play.actor where play.status('route', jsonb_build_object('session', login, 'at', play.clock())) = 403 order by 1$$,
    $$select login from play.actor where login like 'st-%' order by 1$$, 'proposals are the centre''s'
);
select results_eq(
    $$select login from play.actor where play.status('draft', jsonb_build_object('session', login, 'seq', nextval('play.seq')::text, 'channel', 'phone', 'at', play.clock())) = 201 order by 1$$,
    $$values ('operator1'), ('operator2')$$, 'operators open tickets'
);
select results_eq(
    $$select login from play.actor where play.status('metrics', jsonb_build_object('session', login, 'name', 'closure', 'from', '2026-03-01', 'to', '2026-04-01', 'at', play.clock())) = 200 order by 1$$,
    $$values ('admin1'), ('cityleader1'), ('dispatcher1'), ('efficiency1'), ('leader1'), ('st-gaj.a'), ('st-gaj.d'), ('st-jjzd.a'), ('st-jjzd.d'), ('supervisor1')$$, 'who reads figures'
);

-- The subtree of a unit: the district sees its street's tickets, the street not the district's.
select play.ticket('pending_accept') as street, play.ticket('pending_dispatch') as district \gset
select play.must('acceptor1', :street, 'accept', play.good('accept', :street) || jsonb_build_object('category',
    (select min(code) from category where level = 3 and not is_department_duty(id))));
select play.must('dispatcher1', :street, 'dispatch', jsonb_build_object('main_unit', (select min(id) from unit where parent_id = 201 and kind = 'street'), 'instruction', '请办理'));
select play.must('dispatcher1', :district, 'dispatch', '{"main_unit": 201, "instruction": "请办理"}');
select (select login from person p join unit u on u.id = p.unit_id where u.id = (select min(id) from unit where parent_id = 201 and kind = 'street') and login like '%.d') as street_login \gset
select is(play.status('ticket', jsonb_build_object('session', 'st-lh.d', 'id', :'street', 'at', play.clock())), 200, 'a district sees what its street has');
select is(play.status('ticket', jsonb_build_object('session', :'street_login', 'id', :'district', 'at', play.clock())), 404, 'a street does not see what its district has');
select is(play.tries('st-jp.d', :street, 'sign'), '404 no_such_ticket', 'another district neither');
select is(play.tries(:'street_login', :street, 'sign'), '200', 'the street signs');

-- Drafts are their operator's and the lead's.
select play.ticket('draft') as d \gset
select results_eq(
    format($$select login, how from play.actor, (values ('open', '{}'::jsonb), ('all', '{"from": "2026-03-01", "to": "2026-04-01"}')) as v(how, x)
      where exists (select from json_array_elements((api.tickets(x || jsonb_build_object('session', login, 'limit', 200, 'at', play.clock()))).body->'tickets') l where l->>'id' = '%s') order by 1, 2$$, :d),
    $$values ('leader1', 'all'), ('leader1', 'open'), ('operator1', 'all'), ('operator1', 'open')$$, 'drafts are listed to their operator and the lead'
);
select api.dup_check(jsonb_build_object('session', 'operator2', 'id', :'d', 'grams', '[9]'::jsonb, 'at', play.clock())) \g /dev/null
select is((select grams from ticket_gram where ticket_id = :d), '{1,2,3}', 'nobody else changes the words a ticket is found by');
select api.dup_check(jsonb_build_object('session', 'operator1', 'id', :'d', 'grams', '[9]'::jsonb, 'at', play.clock())) \g /dev/null
select is((select grams from ticket_gram where ticket_id = :d), '{9}', 'its operator does');

-- Who wrote a sealed ticket down sees it.
update ticket set secrecy = 3 where id = :d;
select is(play.status('ticket', jsonb_build_object('session', 'operator1', 'id', :'d', 'at', play.clock())), 200, 'who wrote a sealed ticket down sees it');
select is(play.status('ticket', jsonb_build_object('session', 'operator2', 'id', :'d', 'at', play.clock())), 404, 'a colleague does not');

-- Signing in.
create function play.open(login_ text, ok boolean) returns int language sql as $$
    select (api.session_open(jsonb_build_object('user', (select id from hotline.person where login = login_), 'login', login_, 'session', 's' || nextval('play.seq'), 'ok', ok, 'at', play.clock()))).status
$$;
select is(play.open('media1', true), 200, 'the right password opens a session');
select results_eq('select play.open(''media1'', false) from generate_series(1, 5)', 'values (401), (401), (401), (401), (401)', 'a wrong one does not');
select is(play.open('media1', true), 429, 'five wrong ones lock the account');
select play.go('2026-03-02 10:15:01') \g /dev/null
select is(play.open('media1', true), 200, 'for a quarter of an hour');
select results_eq('select play.open(''nobody'', false) from generate_series(1, 6)', 'values (401), (401), (401), (401), (401), (429)',
    'a name that nobody has is locked like any other');

select is_empty('select * from check_invariants()', 'the eleven invariants hold');

-- ---- words where the secrecy hides the citizen ----

select play.ticket('pending_sign') as t \gset
update ticket set secrecy = 1, masked = '{"title": "某某家漏水"}', title = '陈某家漏水' where id = :t;
update inbox set secrecy = 1 where ticket_id = :t;
create function play.titles(login text, tid bigint) returns text[] language sql as $$
    select array[(api.tickets(jsonb_build_object('session', login, 'ids', tid::text, 'at', play.clock()))).body->'tickets'->0->>'title',
        (api.ticket(jsonb_build_object('session', login, 'id', tid::text, 'at', play.clock()))).body->>'title']
$$;
select is(play.titles('leader1', :t), '{陈某家漏水,陈某家漏水}', 'the centre reads a title, in the list and in the ticket');
select is(play.titles('st-gaj.d', :t), '{某某家漏水,某某家漏水}', 'a unit reads its masked copy in both');

update ticket_gram set grams = '{111, 222, 333}' where ticket_id = :t;
create function play.finds(login text, tid bigint, more jsonb default '{}') returns bool language sql as $$
    select (api.tickets(jsonb_build_object('session', login, 'grams', '["111", "333"]'::jsonb, 'at', play.clock()) || more)).body::jsonb->'tickets'
        @> jsonb_build_array(jsonb_build_object('id', tid::text))
$$;
select ok(play.finds('leader1', :t), 'the centre finds it by its words');
select ok(play.finds('leader1', :t, '{"from": "2026-01-01"}'), 'in any list');
select ok(not play.finds('st-gaj.d', :t) and not play.finds('st-gaj.d', :t, '{"from": "2026-01-01"}'), 'a unit does not');
update inbox set secrecy = 0 where ticket_id = :t;
update ticket set secrecy = 0 where id = :t;
select ok(play.finds('st-gaj.d', :t) and play.finds('st-gaj.d', :t, '{"from": "2026-01-01"}'), 'where nothing is hidden it does');
select ok(not play.finds('leader1', :t, '{"ids": "1"}'), 'ids and words narrow a list together');

select * from finish();
rollback;
