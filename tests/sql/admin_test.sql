-- Administration: what may be changed, what must not, what follows from it, and that it is on record.

begin;
\ir play.psql

select no_plan();

create function play.put(kind text, code text, inputs jsonb, more jsonb default '{}') returns api.answer
language plpgsql as $$
begin
    return api.admin_put(jsonb_build_object('session', 'admin1', 'kind', kind, 'code', code, 'inputs', inputs, 'at', play.clock()) || more);
end $$;
create function play.puts(kind text, code text, inputs jsonb, more jsonb default '{}') returns text
language sql as $$ select case when a.status = 200 then '200' else play.says(a) end from play.put(kind, code, inputs, more) a $$;
create function play.item(kind text, code text) returns jsonb
language sql as $$ select (api.admin_get(jsonb_build_object('session', 'admin1', 'kind', kind, 'code', code, 'at', play.clock()))).body::jsonb->'item' $$;
create function play.unit(code_ text) returns int language sql as $$ select id from hotline.unit where code = code_ $$;
-- The field's own code of a refusal.
create function play.why(a api.answer) returns text language sql as $$ select concat_ws(' ', a.status, a.body->>'code', a.body->'fields'->0->>'name', a.body->'fields'->0->>'code') $$;

-- ---- who ----

select is_empty($$select login, kind from (select login from person where demo and login !~ '^admin') p, unnest(admin_kinds()) kind
    where (api.admin_put(jsonb_build_object('session', login, 'kind', kind, 'code', 'X', 'inputs', '{}'::jsonb, 'at', play.clock()))).status <> 403$$, 'nobody but administrators changes anything');
select is_empty($$select login from person where demo and login !~ '^admin'
    and ((api.admin_list(jsonb_build_object('session', login, 'kind', 'unit', 'at', play.clock()))).status <> 403
      or (api.admin_get(jsonb_build_object('session', login, 'kind', 'unit', 'code', 'ST-GAJ', 'at', play.clock()))).status <> 403)$$, 'nor reads it here');
select is(play.puts('weather', 'X', '{}'), '404 no_such_kind', 'no such kind');
select is(play.says(api.admin_get(jsonb_build_object('session', 'admin1', 'kind', 'unit', 'code', 'NONE', 'at', play.clock()))), '404 no_such_item', 'no such item');
select is(play.puts('unit', 'ST-GAJ', '{"colour": "red"}'), '422 bad_inputs colour', 'an unknown field is named');
select is(play.puts('unit', 'ST-GAJ', '{"name": "x", "valid_to": "31.1.2026"}'), '422 bad_inputs name,valid_to', 'so are bad values');
select is(play.puts('unit', 'ST-GAJ', '{"valid_to": "2026-02-30"}'), '422 bad_inputs valid_to', 'a date that is none');
select is_empty('select * from admin_change', 'what is refused is not on record');

-- ---- units ----

select is(play.puts('unit', 'ST-NEW', jsonb_build_object('name', '新设局', 'kind', 'department', 'parent', 1)), '200', 'a new unit');
select is((select row(level, short_name, path = array[id], valid_from, calendar_id)::text from unit where code = 'ST-NEW'), '(2,新设局,t,2026-03-02,1)', 'complete, valid from today, below the centre');
select is(play.why(play.put('unit', 'ST-N2', '{"name": "缺类别"}')), '422 bad_inputs parent required', 'a new one without a parent');
select is(play.why(play.put('unit', 'bad code', jsonb_build_object('name', '某局', 'kind', 'department', 'parent', 1))), '422 bad_inputs code bad_code', 'a code that is none');
select is(play.why(play.put('unit', 'ST-12345', '{"valid_to": "2026-05-01"}')), '422 not_changeable', 'the centre does not end');
select is(play.puts('unit', 'ST-NEW', jsonb_build_object('name', '新设局', 'kind', 'department', 'parent', 1), '{"version": 0}'), '409 stale_version', 'a change of what was changed meanwhile');
select play.ticket('pending_accept') as t \gset
select play.must('acceptor1', :t, 'accept', play.good('accept', :t));
select play.must('dispatcher1', :t, 'dispatch', '{"main_unit": 101, "instruction": "请依法办理并答复诉求人。"}');
select is((play.put('unit', 'ST-GAJ', '{"valid_to": "2026-03-02"}')).body->>'code', 'in_use', 'a unit with work does not end today');
select is((play.put('unit', 'ST-GAJ', '{"valid_to": "2026-03-02"}')).body->'uses'->>'tickets', '1', 'it is said with how much');
select is(play.puts('unit', 'ST-GAJ', '{"valid_to": "2026-07-01"}'), '200', 'it may end later');
select is(play.item('unit', 'ST-GAJ')->>'valid_to', '2026-07-01', 'and that is what it says');
select is(play.puts('unit', 'ST-GAJ', '{"valid_to": ""}'), '200', 'the end is taken back');
select is(play.item('unit', 'ST-GAJ')->>'valid_to', null, 'and is gone');
-- A unit moves with its subtree, and open tickets with it.
select is((play.put('unit', 'ST-GAJ', jsonb_build_object('parent', play.unit('ST-NEW')))).body->'effect'->>'moved_tickets', '1', 'a unit moves below another with its open ticket');
select is((select units from inbox where ticket_id = :t), (select array_agg(u order by u) from unnest(array[101, play.unit('ST-NEW')]) u), 'which is now listed to both');
select is((select row(level, path)::text from unit where code = 'ST-GAJ'), format('(3,"{%s,101}")', play.unit('ST-NEW')), 'its level and path follow');
select is_empty(format($$select code from unit where %s = any (path) and id not in (%s, 101) and (path[1:2] <> array[%s, 101] or level <> 4)$$, 101, play.unit('ST-NEW'), play.unit('ST-NEW')), 'those of its subtree too');
select is(play.why(play.put('unit', 'ST-NEW', jsonb_build_object('parent', 101))), '422 bad_inputs parent own_subtree', 'not below itself');
select is(play.puts('unit', 'ST-GAJ', '{"parent": 1}'), '200', 'and back');
select is((select units from inbox where ticket_id = :t), '{101}', 'the ticket too');
select is(play.puts('unit', 'ST-NEW', '{"valid_to": "2026-03-03"}'), '200', 'a unit that nothing needs ends');
select play.go('2026-03-03 09:00') \g /dev/null
select is(play.tries('dispatcher1', (select play.ticket('pending_dispatch')), 'dispatch', jsonb_build_object('main_unit', play.unit('ST-NEW'), 'instruction', '请办理')), '422 bad_inputs main_unit', 'and gets no tickets from that day');

-- ---- people ----

select is(play.why(play.put('user', 'wang.f', jsonb_build_object('name', '王芳', 'unit', 101, 'roles', '["UHD"]'::jsonb))), '422 bad_inputs password required', 'an account needs a password');
select is(play.puts('user', 'wang.f', jsonb_build_object('name', '王芳', 'unit', 101, 'roles', '["UHD", "UDP"]'::jsonb), '{"password_hash": "$argon2id$x"}'), '200', 'an account');
select is(play.item('user', 'wang.f') - 'id', '{"name": "王芳", "unit": "101", "roles": ["UDP", "UHD"], "disabled": false}', 'as it was asked for');
select is((select body::text like '%argon2%' from api.admin_get(jsonb_build_object('session', 'admin1', 'kind', 'user', 'code', 'wang.f', 'at', play.clock()))), false, 'nobody reads a hash');
select is((select count(*)::int from admin_change c where c::text like '%argon2%'), 0, 'nor is it on record');
insert into session (hash, person_id, opened_at, expires_at) select 'wang.f', id, hotline.now(), '2030-01-01' from person where login = 'wang.f';
select is((play.put('user', 'wang.f', '{"roles": ["UHD"]}')).body->'effect'->>'ended_sessions', '1', 'other roles end the sessions');
select is(play.why(play.put('user', 'wang.f', '{"roles": ["LDR"]}')), '422 bad_inputs roles not_in_centre', 'a role of the centre is not for a unit''s people');
select is(play.why(play.put('user', 'wang.f', '{"roles": ["SYS"]}')), '422 bad_inputs roles unknown', 'the system''s role is nobody''s');
select is(play.why(play.put('user', 'wang.f', '{"roles": ["KING"]}')), '422 bad_inputs roles unknown', 'nor one that is not there');
select is(play.puts('user', 'admin1', '{"disabled": true}'), '409 own_account', 'nobody closes the own account');
select is(play.puts('user', 'admin1', '{"roles": ["OPR"]}'), '409 own_account', 'nor gives up its administration');
select is(play.puts('user', 'wang.f', '{"disabled": true}'), '200', 'an account is closed');
select isnt((select disabled_at from person where login = 'wang.f'), null, 'and is');
select is(play.puts('user', 'wang.f', '{"disabled": false}'), '200', 'and opened again');

-- ---- roles ----

select is(play.why(play.put('role', 'SYS', '{"name": "系统二"}')), '422 not_changeable', 'the system''s role stays');
select is(play.why(play.put('role', 'DSP', '{"rights": ["dispatch:moon"]}')), '422 bad_inputs rights unknown', 'no such scope');
select is(play.why(play.put('role', 'DSP', '{"rights": ["fly:all"]}')), '422 bad_inputs rights unknown', 'no such action');
select is(play.puts('role', 'ADM', '{"rights": ["metrics.read:all"]}'), '409 own_account', 'administrators keep what they need');
select play.item('role', 'DSP')->'rights' as rights \gset
select is(play.puts('role', 'DSP', jsonb_build_object('rights', :'rights'::jsonb - 'dispatch:all')), '200', 'a right is taken from a role');
select is(play.tries('dispatcher1', (select play.ticket('pending_accept')), 'dispatch', play.good('dispatch', 1)), '403 forbidden', 'its people lose it at once');
select is(play.puts('role', 'NIGHT', '{"name": "夜班长", "name_en": "Night lead", "centre": true, "rights": ["ticket.read:all", "ticket.list:all", "dispatch:all"]}'), '200', 'a role of the city''s own');
select is(play.item('role', 'NIGHT')->'rights', '["dispatch:all", "ticket.list:all", "ticket.read:all"]', 'with its rights');
delete from role_right where role in ('DSP', 'NIGHT');
insert into role_right values ('DSP', 'dispatch', 'all'), ('DSP', 'ticket.read', 'all');
select local_rights() \g /dev/null
select is((select array_agg(role || ' ' || action || ' ' || scope order by role, action) from role_right where role in ('DSP', 'NIGHT')),
    '{DSP ticket.read all,NIGHT dispatch all,NIGHT ticket.list all,NIGHT ticket.read all}', 'a new version of the rules does not bring back what was taken nor lose what was given');
select is(play.puts('role', 'DSP', jsonb_build_object('rights', :'rights'::jsonb)), '200', 'and the right is given back');

-- ---- the directory ----

select is(play.why(play.put('directory', '01010199', '{"name": "共享单车乱停", "category": "010101", "keywords": ["占道经营"], "rule": "district"}')), '422 bad_inputs keywords taken', 'a keyword belongs to one item');
select is(play.why(play.put('directory', '01010199', '{"name": "共享单车乱停", "category": "010101", "keywords": ["单车堆积"], "rule": "unit"}')), '422 bad_inputs unit required', 'a unit''s item names the unit');
select is(play.why(play.put('directory', '01010199', '{"name": "共享单车乱停", "keywords": ["单车堆积"], "rule": "district"}')), '422 bad_inputs category required', 'an item has a category');
create table play.bikes as select play.ticket('pending_accept', '{"title": "单车堆积如山", "content": "路口单车堆积，行人过不去。", "division": "440507001"}') as tid from generate_series(1, 3);
select play.must('acceptor1', tid, 'accept', '{"title": "单车堆积如山", "category": "010101", "division": "440507001"}') from play.bikes;
select count(*) as changes from admin_change \gset
select is((select row(said->>'moved', said->'tickets'->0->'to'->>'name', (said->>'looked_at')::int >= 3)::text
    from (select (play.put('directory', '01010199', '{"name": "共享单车乱停", "category": "010101", "keywords": ["单车堆积"], "rule": "unit", "unit": 102}', '{"dry_run": true}')).body::jsonb->'effect' as said) x),
    (select format('(3,%s,t)', name) from unit where id = 102), 'a dry run says which of the last tickets would go elsewhere, and where to');
select is((select count(*)::text from admin_change), :'changes', 'it is not on record');
select is_empty($$select from directory_item where code = '01010199'$$, 'and changed nothing');
select is(play.puts('directory', '01010199', '{"name": "共享单车乱停", "category": "010101", "keywords": ["单车堆积"], "rule": "unit", "unit": 102}', '{"version": 0}'), '200', 'then it is made');
select is((play.item('directory', '01010199') - 'id'), '{"name": "共享单车乱停", "category": "010101", "division": null, "keywords": ["单车堆积"], "rule": "unit", "unit": "102", "co_units": [], "policy": null, "types": [], "duty": false, "legal_basis": null, "valid_to": null, "version": 1}', 'version 1');
select is(play.puts('directory', '01010199', '{"keywords": ["单车堆积", "单车横陈"], "co_units": [101]}'), '200', 'and changed');
select is((select row(v.version, v.body->>'keywords', d.version)::text from directory_version v join directory_item d on d.id = v.item_id where d.code = '01010199'), '(1,"[""单车堆积""]",2)', 'the version before is kept');
select is((play.put('directory', '01010199', '{"legal_basis": "城市道路管理条例"}', '{"dry_run": true}')).body->'effect'->>'moved', '0', 'a change that moves nothing says so');
select play.good('accept', 1) \g /dev/null
select reference_version() as before \gset
select is(play.puts('directory', '01010199', '{"valid_to": "2026-03-03"}'), '200', 'an item ends');
select isnt(reference_version(), :'before', 'and the workers are told to read again');
select is(play.why(play.put('directory', '01010101', '{"policy": "Z9"}')), '422 bad_inputs policy unknown_policy', 'an unknown policy');

-- ---- categories ----

select is(play.puts('category', 'gbt39666:0101', '{"name": "市容管理"}'), '200', 'a code of another scheme');
select is(play.puts('category', 'gbt39666:010101', '{"name": "占道经营", "parent": "0101"}'), '200', 'and one below it');
select is(play.puts('category', 'local:010101', '{"maps": ["gbt39666:010101"]}'), '200', 'a local category in its code');
select is(play.item('category', 'local:010101')->'maps', '["gbt39666:010101"]', 'as it says');
select is(play.why(play.put('category', 'local:010101', '{"maps": ["gbt39666:9999"]}')), '422 bad_inputs maps unknown', 'not in a code that is not there');
select is(play.why(play.put('category', 'local:9901', '{"name": "无上级"}')), '422 bad_inputs parent unknown', 'a local one lies below another');
select is(play.puts('category', 'local:010199', '{"name": "其他市容"}'), '200', 'a new local one');
select is((select row(id, level, parent_id = (select id from category where scheme = 'local' and code = '0101'))::text from category where scheme = 'local' and code = '010199'), '(10199,3,t)', 'with the id its code means');
select is(play.puts('category', 'local:010101', '{"valid_to": "2026-04-01"}'), '409 in_use', 'one that the directory needs does not end');
select is(play.puts('category', 'local:010199', '{"valid_to": "2026-04-01"}'), '200', 'one that nothing needs does');
select is(play.why(play.put('category', 'local:010199', '{"parent": "0102"}')), '422 bad_inputs parent fixed', 'none moves');

-- ---- policies ----

select play.ticket('pending_sign') as old \gset
select is(play.why(play.put('policy', 'H1', '{"clocks": ["unit 5 workday", "unit 6 workday"]}')), '422 bad_inputs clocks bad_budget', 'a clock twice');
select is(play.why(play.put('policy', 'H1', '{"clocks": ["unit soon workday"]}')), '422 bad_inputs clocks bad_budget', 'no number');
select is(play.why(play.put('policy', 'H1', '{"clocks": ["lunch 5 workday"]}')), '422 bad_inputs clocks bad_budget', 'no such clock');
select is(play.why(play.put('policy', 'H1', '{"valid_from": "2026-03-01"}')), '422 bad_inputs valid_from in_past', 'not from a day that has passed');
select is(play.puts('policy', 'H1', '{"clocks": ["unit 3 workday"], "valid_from": "2026-03-04"}'), '200', 'from tomorrow units have three days');
select is((select row(a.policy_version, to_char(unit_due_at, 'MM-DD'))::text from assignment a where ticket_id = :old), '(1,03-10)', 'a ticket keeps the version of its dispatch');
select play.ticket('pending_sign') as today \gset
select is((select row(a.policy_version, to_char(unit_due_at, 'MM-DD'))::text from assignment a where ticket_id = :today), '(1,03-10)', 'today''s too');
select play.go('2026-03-04 09:00') \g /dev/null
select play.ticket('pending_sign') as new \gset
select is((select row(a.policy_version, to_char(unit_due_at, 'MM-DD'))::text from assignment a where ticket_id = :new), '(2,03-09)', 'tomorrow''s has the new one');
select is((select count(*) from policy_clock where policy = 'H1' and version = 2), (select count(*) from policy_clock where policy = 'H1' and version = 1), 'clocks that were not named stayed');
select is(play.item('policy', 'H1')->'extensions', '["1 5 workday", "2 10 workday"]', 'so did the extensions');
select play.does('st-gaj.d', :new, 'sign');
select is(play.tries('st-gaj.d', :new, 'request_extension', play.good('request_extension', :new) || '{"new_due": "2026-03-13T23:59:59+08:00"}'), '200', 'which a ticket of the new version may have');
select is(play.why(play.put('policy', 'H1', '{"extensions": ["2 10 workday"]}')), '422 bad_inputs extensions bad_budget', 'no second without a first');
select is(play.puts('policy', 'H1', '{"extensions": ["1 3 workday"]}'), '200', 'from now on one, of three days');
select play.ticket('handling') as other \gset
select is(play.tries('st-gaj.d', :other, 'request_extension', play.good('request_extension', :other) || '{"new_due": "2026-03-13T23:59:59+08:00"}'), '422 bad_inputs new_due', 'no more than that');
select play.does('st-gaj.d', :old, 'sign');
select play.does('st-gaj.h', :old, 'first_contact');
select play.replied(:old);
select is((select count(*)::int from clock k where ticket_id = :old and kind = 'audit' and budget = 1), 1, 'its later clocks are those of its version');

-- ---- calendars ----

select play.go('2026-03-04 10:00') \g /dev/null
select to_char(promise_due_at, 'MM-DD') as promise, (select count(*) from event where ticket_id = ticket.id) as n from ticket where id = :new \gset
select is(:'promise'::text, '03-18', 'ten workdays');
select is(play.why(play.put('calendar', '1', '{"days": ["2026-03-05 maybe"]}')), '422 bad_inputs days bad_day', 'a day is off, worked or as published');
select is(play.why(play.put('calendar', '1', '{"days": ["2025-03-05 off"]}')), '422 bad_inputs days bad_day', 'last year is over');
select is(play.why(play.put('calendar', '9', '{"name": "夜班", "hours": ["18:00-12:00", "14:00-15:00"]}')), '422 bad_inputs hours bad_hours', 'hours that run backwards');
select (api.receive_province(jsonb_build_object('external_id', 'P1', 'title', '占道经营', 'content', '夜市占道经营。', 'type', 'complaint', 'outer_due_at', '2026-03-09T23:59:59+08:00', 'at', play.clock()))).body->>'number' as no \gset
select ticket_id as province from ticket_ref where ticket_no = :'no' \gset
select (api.receive_province(jsonb_build_object('external_id', 'P2', 'title', '占道经营', 'content', '夜市占道经营。', 'type', 'complaint', 'outer_due_at', '2026-03-09T23:59:59+08:00', 'at', play.clock()))).body->>'number' as no \gset
select ticket_id as extended from ticket_ref where ticket_no = :'no' \gset
select play.does('dispatcher1', :province, 'dispatch');
select play.does('dispatcher1', :extended, 'dispatch');
select play.does('st-gaj.d', :extended, 'sign');
select play.must('st-gaj.d', :extended, 'request_extension', play.good('request_extension', :extended) || '{"new_due": "2026-03-09T23:59:59+08:00"}');
select play.does('st-gaj.a', :extended, 'approve');
select play.does('dispatcher1', :extended, 'approve_extension');
select play.ticket('park_up') as parking, play.ticket('closed') as objected \gset
select (api.citizen(jsonb_build_object('number', (select ticket_no from ticket where id = :objected), 'code_hash', 'code', 'id', :'objected', 'action', 'object', 'inputs', '{"text": "夜里还在施工，没有解决。"}'::jsonb, 'at', play.clock()))).status \g /dev/null
select cmp_ok(((play.put('calendar', '1', '{"days": ["2026-03-05 off 台风停工"]}')).body->'effect'->>'tickets')::int, '>', 0, 'a storm: open tickets are looked at');
select is((select is_work from workday where calendar_id = 1 and day = '2026-03-05'), false, 'nobody works');
select is((select to_char(unit_due_at, 'MM-DD') from assignment where ticket_id = :new), '03-09', 'not in this moment');
select play.sweep() \g /dev/null
select is((select to_char(unit_due_at, 'MM-DD') from assignment where ticket_id = :new), '03-10', 'the sweep puts the unit''s time off by a day');
select is((select row(to_char(t.promise_due_at, 'MM-DD'), to_char(k.due_at, 'MM-DD'))::text from ticket t join clock k on k.ticket_id = t.id and k.kind = 'promise' where t.id = :new), '(03-19,03-19)', 'and the promise');
select is((select row(action, actor_role, payload->'clocks'->0->>'kind', payload ? 'change')::text from event where ticket_id = :new order by n desc limit 1), '(calendar_adjust,SYS,promise,t)', 'with one event that says which');
select is((select count(*)::int from event where ticket_id = :new), :n + 1, 'and one only');
select is((select to_char(due_at, 'MM-DD') from inbox where ticket_id = :new), (select to_char(min(due_at), 'MM-DD') from clock where ticket_id = :new and kind in ('sign', 'unit') and met_at is null and stopped_at is null), 'lists know');
select is((select count(*)::int from timer m join clock k on k.ticket_id = m.ticket_id and k.id = m.clock_id where m.ticket_id = :new and m.kind = 'clock' and m.at <> k.due_at), 0, 'so does the sweep');
-- A decision that is waited for has that day more too, and what the province allows is not passed.
select (select to_char(due_at, 'MM-DD HH24:MI') from approval where ticket_id = :parking and verdict is null) as review, (select to_char(due_at, 'MM-DD HH24:MI') from approval where ticket_id = :objected and verdict is null) as objection \gset
select is(:'review'::text || ', ' || :'objection', '03-06 23:59, 03-06 23:59', 'who decides has a workday, which is another one now');
select is((select count(*)::int from timer m join approval w on w.ticket_id = m.ticket_id and w.id = m.clock_id where m.ticket_id in (:parking, :objected) and m.kind = 'review' and m.at = w.due_at), 2, 'the sweep knows');
select is((select payload->'reviews'->0->>'kind' from event where ticket_id = :objected order by n desc limit 1), 'objection', 'an event says so');
select is((select to_char(promise_due_at, 'MM-DD') || ' ' || to_char(unit_due_at, 'MM-DD') from ticket t join assignment a on a.ticket_id = t.id where t.id = :province), '03-09 03-06', 'what the province set stays as it is');
select is((select to_char(unit_due_at, 'MM-DD') from assignment where ticket_id = :extended), '03-09', 'a unit that was given the day before is not given another');
-- The storm does not come: times stay, unless it is said that they may come earlier.
select is(play.puts('calendar', '1', '{"days": ["2026-03-05 published"]}'), '200', 'the storm does not come');
select play.sweep() \g /dev/null
select is((select to_char(unit_due_at, 'MM-DD') from assignment where ticket_id = :new), '03-10', 'what was put off stays');
select is((select count(*)::int from event where ticket_id = :new), :n + 1, 'without another event');
select is(play.puts('calendar', '1', '{"days": ["2026-03-07 work 补班"], "bring_forward": true}'), '200', 'a Saturday is worked, and times may come earlier');
select play.sweep() \g /dev/null
select is((select to_char(unit_due_at, 'MM-DD') from assignment where ticket_id = :new), '03-10', 'but not by one person''s word');
select play.item('calendar', '1')->>'waits_for' as change \gset
select is((api.admin_get(jsonb_build_object('session', 'leader1', 'kind', 'calendar', 'code', '1', 'at', play.clock()))).body->'item'->>'waits_for', :'change', 'the shift lead sees that it waits');
select is(play.puts('calendar', '1', jsonb_build_object('confirm', :'change')), '403 same_person', 'who made it does not confirm it');
select is(play.puts('calendar', '1', jsonb_build_object('confirm', :'change'), '{"session": "dispatcher1"}'), '403 forbidden', 'nor does just anybody');
select is(play.why(play.put('calendar', '1', '{"confirm": "17"}', '{"session": "leader1"}')), '422 bad_inputs confirm unknown', 'a change that there is');
select is(play.why(play.put('calendar', '1', jsonb_build_object('confirm', :'change', 'name', '新历'), '{"session": "leader1"}')), '422 bad_inputs confirm alone', 'and nothing else');
select is(play.puts('calendar', '1', '{"days": ["2026-03-08 work 补班"]}', '{"session": "leader1"}'), '403 forbidden', 'a shift lead makes no calendar');
select cmp_ok(((play.put('calendar', '1', jsonb_build_object('confirm', :'change'), '{"session": "leader1"}')).body->'effect'->>'tickets')::int, '>', 0, 'the shift lead confirms it');
select is(play.why(play.put('calendar', '1', jsonb_build_object('confirm', :'change'), '{"session": "leader1"}')), '422 bad_inputs confirm unknown', 'once');
select play.sweep() \g /dev/null
select is((select to_char(unit_due_at, 'MM-DD') from assignment where ticket_id = :new), '03-07', 'then they do');
select is((select payload->'clocks'->0->>'kind' from event where ticket_id = :new and action = 'calendar_adjust' order by n desc limit 1), 'promise', 'with its event');
select is(play.puts('calendar', '1', '{"days": ["2026-03-07 published"]}'), '200', 'and as published again');
select play.sweep() \g /dev/null
select is(play.item('calendar', '1')->'days', '[]', 'nothing of the city''s own is left');
select is((select to_char(unit_due_at, 'MM-DD') from assignment where ticket_id = :new), '03-09', 'the time is again what three workdays are');
-- What the province allows is never passed; and what was late and is not any more does not count as due.
select play.ticket('pending_dispatch') as outer \gset
update ticket set outer_due_at = '2026-03-10 18:00+08' where id = :outer;
select play.does('dispatcher1', :outer, 'dispatch');
select to_char(unit_due_at, 'MM-DD') as was from assignment where ticket_id = :outer \gset
select is(play.puts('calendar', '1', '{"days": ["2026-03-05 off 台风停工"]}'), '200', 'another storm');
select play.sweep() \g /dev/null
select is((select to_char(unit_due_at, 'MM-DD') from assignment where ticket_id = :outer), :'was', 'the unit is done a workday before the province''s limit, whatever the calendar');
select is((select count(*)::int from event where ticket_id = :outer and action = 'calendar_adjust' and payload->'clocks' @> '[{"kind": "unit"}]'), 0, 'and no event says otherwise');
select is(play.puts('calendar', '1', '{"days": ["2026-03-05 published"]}'), '200', 'it is over');
select play.ticket('handling') as overdue \gset
select play.go('2026-03-10 10:00') \g /dev/null
select play.sweep() \g /dev/null
select is((select row(due_counted, to_char(unit_due_at, 'MM-DD'))::text from assignment where ticket_id = :overdue), '(t,03-09)', 'a unit that is late');
select is(play.puts('calendar', '1', '{"days": ["2026-03-09 off 补假", "2026-03-10 off 补假"]}'), '200', 'the last two days are said to have been free');
select play.sweep() \g /dev/null
select is((select row(due_counted, to_char(unit_due_at, 'MM-DD'))::text from assignment where ticket_id = :overdue), '(f,03-11)', 'is late no more, and not counted as due');
select is(play.puts('calendar', '1', '{"days": ["2026-03-09 published", "2026-03-10 published"]}'), '200', 'as published again');
select play.sweep() \g /dev/null
-- A year that is published.
select play.go('2026-12-28 10:00') \g /dev/null
select partition_make('2026-12-01', '2026-12-31') \g /dev/null
select play.ticket('pending_sign') as late \gset
select is((select provisional from clock where ticket_id = :late and kind = 'promise'), true, 'into an unpublished year: provisional');
select is(play.puts('calendar', '1', '{"years": ["2027"], "days": ["2027-01-01 off 元旦", "2027-01-04 off 元旦"]}'), '200', 'the year is published');
select play.sweep() \g /dev/null
select is((select row(provisional, to_char(due_at, 'MM-DD'))::text from clock where ticket_id = :late and kind = 'promise'), '(f,01-13)', 'and the promise is sure, a day later');
select is(play.puts('calendar', '3', '{"name": "供水抢修", "hours": ["always"]}'), '200', 'a calendar of its own');
select is((select to_char(due_at at time zone 'Asia/Shanghai', 'MM-DD') from clock_due(3, '2026-10-01 10:00+08', 1, 'workday')), '10-02', 'that knows no holiday');
select is(play.puts('unit', 'ST-GAJ', '{"calendar": 3}'), '200', 'for a unit');
select is(play.why(play.put('unit', 'ST-GAJ', '{"calendar": 77}')), '422 bad_inputs calendar unknown', 'none that is not there');
select is(play.puts('unit', 'ST-GAJ', '{"calendar": 1}'), '200', 'and back');

-- ---- texts ----

select is(play.puts('template', 'instruction:noise', '{"title": "噪声", "body": "请于夜间到现场核查，依法处理并答复诉求人。", "category": "010101"}'), '200', 'an instruction to start from');
select is(play.puts('template', 'instruction:noise', '{"body": "请于夜间到现场核查，责令整改并答复诉求人。"}'), '200', 'changed');
select is((select array_agg(version order by version) from template where code = 'noise'), '{1,2}', 'both versions are kept');
select is(play.why(play.put('template', 'instruction:x', '{"title": "联系", "body": "请拨打 13800138000 联系。"}')), '422 bad_inputs body personal_data', 'no number in a text that goes out again and again');
select is(play.why(play.put('template', 'poem:x', '{"title": "一首诗", "body": "床前明月光"}')), '422 bad_inputs code bad_code', 'texts have kinds');
select is(play.puts('refusal', 'N05', '{"title": "可向法律援助中心咨询", "body": "您反映的内容涉及他人隐私，依规定不予受理。", "body_en": "It concerns the privacy of others."}'), '200', 'what is told with a refusal');
create function play.texts() returns jsonb language sql as $$
    select jsonb_object_agg(t->>'kind' || ':' || (t->>'code'), t - 'kind' - 'code')
    from jsonb_array_elements((api.reference(jsonb_build_object('session', 'dispatcher1', 'at', play.clock()))).body::jsonb->'templates') t
$$;
select is(play.texts(), '{"instruction:noise": {"title": "噪声", "body": "请于夜间到现场核查，责令整改并答复诉求人。", "body_en": null, "category": "010101"},
    "refusal:N05": {"title": "可向法律援助中心咨询", "body": "您反映的内容涉及他人隐私，依规定不予受理。", "body_en": "It concerns the privacy of others.", "category": null}}', 'everybody may start from them, in their last version');
select is(play.puts('template', 'instruction:noise', jsonb_build_object('valid_to', day_of(hotline.now()))), '200', 'one ends');
select is(play.texts() ? 'instruction:noise', false, 'and is offered no more');
select is(play.why(play.put('refusal', 'N77', '{"title": "没有", "body": "没有这个原因"}')), '422 bad_inputs code bad_code', 'for reasons that there are');

-- ---- on record ----

select results_eq($$select n, before->>'valid_to', after->>'valid_to' from admin_change where kind = 'unit' and key = 'ST-GAJ' order by n limit 2$$,
    $$values (1, null, '2026-07-01'), (2, '2026-07-01', null)$$, 'what was before and after');
select is((select row(h->'by'->>'name' = (select name from person where login = 'admin1'), h->>'version', h->'before'->>'name', h->'after'->>'name')::text
    from json_array_elements((api.admin_get(jsonb_build_object('session', 'admin1', 'kind', 'unit', 'code', 'ST-NEW', 'at', play.clock()))).body->'history') with ordinality as l(h, i) order by i desc limit 1),
    '(t,1,,新设局)', 'who made it, at the end of its history');
select is((select count(*)::int from admin_change), (select count(*)::int from json_array_elements((api.admin_list(jsonb_build_object('session', 'admin1', 'kind', 'history', 'limit', 500, 'at', play.clock()))).body->'changes')), 'all changes together');
select is((select array_agg(c->>'code' order by i) from json_array_elements((api.admin_list(jsonb_build_object('session', 'admin1', 'kind', 'policy', 'limit', 2, 'cursor', 'C1', 'at', play.clock()))).body->'items') with ordinality as l(c, i)), '{H1,P1}', 'lists go on where the cursor stands');
select is((select count(*)::int from json_array_elements((api.admin_list(jsonb_build_object('session', 'admin1', 'kind', 'directory', 'q', '共享单车乱停', 'at', play.clock()))).body->'items')), 1, 'and find by name');
select is((api.admin_put(x)).status, 200, 'under a key: done') from jsonb_build_object('session', 'admin1', 'kind', 'refusal', 'code', 'N06', 'inputs', '{"title": "另行反映", "body": "请文明表达您的诉求。"}'::jsonb, 'key', 'k', 'route', 'r', 'digest', 'd', 'at', play.clock()) x;
select is((api.admin_put(x)).status, 200, 'the same key again') from jsonb_build_object('session', 'admin1', 'kind', 'refusal', 'code', 'N06', 'inputs', '{"title": "另行反映", "body": "请文明表达您的诉求。"}'::jsonb, 'key', 'k', 'route', 'r', 'digest', 'd', 'at', play.clock()) x;
select is((select max(version) from template where kind = 'refusal' and code = 'N06'), 1, 'was done once');

select is_empty('select * from check_invariants()', 'the eleven invariants hold');
select is_empty('select * from metrics_verify()', 'the figures agree with the events');
select settle() \g /dev/null
select is((select name from unit where code = 'ST-NEW'), '新设局', 'a deploy keeps it all');

select * from finish();
rollback;
