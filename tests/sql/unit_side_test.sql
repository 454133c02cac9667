-- The dispatch side and the unit's side, as the field's rules read: claims, consultations, returns, sub- and assisting units, more time,
-- pauses, the ledger, termination.

begin;
\ir play.psql
\ir section.psql

select no_plan();

create function pg_temp.due(tid bigint, kind_ text) returns text language sql as $$
    select to_char(due_at, 'MM-DD HH24:MI') from hotline.clock where ticket_id = tid and kind = kind_ and met_at is null and stopped_at is null order by id desc limit 1
$$;
create function pg_temp.main_due(tid bigint) returns text language sql as $$
    select to_char((hotline.main_of(t)).unit_due_at, 'MM-DD HH24:MI') || ' ' || to_char(t.promise_due_at, 'MM-DD HH24:MI') from hotline.ticket t where id = tid
$$;
create function pg_temp.said(tid bigint) returns text language sql as $$
    select string_agg(transition, ' ' order by n) from hotline.event where ticket_id = tid
$$;
create function pg_temp.light(tid bigint) returns text language sql as $$
    select hotline.light(due_at, warn_at, deep_at, paused, hotline.now()) from hotline.inbox where ticket_id = tid
$$;
create function pg_temp.open(tid bigint) returns text language sql as $$
    select string_agg(kind || ' ' || stage || ' ' || decider_role, ', ' order by id) from hotline.approval where ticket_id = tid and verdict is null
$$;

-- ---- the pool ----

select play.ticket('pending_dispatch') as t \gset
select play.does('dispatcher1', :t, 'claim');
select is(play.tries('dispatcher2', :t, 'claim'), '409 claimed', 'what one dispatcher has claimed another does not claim');
select is(play.tries('dispatcher2', :t, 'dispatch', play.good('dispatch', :t)), '409 claimed', 'nor dispatch');
select play.go('2026-03-02 10:05') \g /dev/null
select is(play.tries('dispatcher1', :t, 'claim'), '200', 'who has it may renew it');
select play.go('2026-03-02 10:14:59') \g /dev/null
select is(play.tries('dispatcher2', :t, 'claim'), '409 claimed', 'a renewed lease lasts ten minutes from then');
select play.go('2026-03-02 10:15') \g /dev/null
select is(play.tries('dispatcher1', :t, 'unclaim'), '409 not_claimed', 'what has run out cannot be given back');
select is(play.tries('dispatcher2', :t, 'claim'), '200', 'and is free');
select is(play.tries('dispatcher2', :t, 'unclaim'), '200', 'a claim can be given back');
select is(play.tries('dispatcher1', :t, 'dispatch', play.good('dispatch', :t)), '200', 'and then anybody dispatches');
select is((select claimed_by from ticket where id = :t), null, 'dispatched, nobody has it');
select play.go('2026-03-02 10:00') \g /dev/null

select play.ticket('pending_dispatch') as t \gset
select is(play.tries('dispatcher1', :t, 'dispatch_to_district', '{"district": "44050", "instruction": "请办理"}'), '422 bad_inputs district', 'a district is a district');
select play.does('dispatcher1', :t, 'dispatch_to_district');
select is(play.state(:t) || ' ' || play.clocks(:t) || ' ' || (select unit_id from ticket where id = :t), 'pending_sign/pending_sign contact promise sign unit 201', 'the district''s government finds the unit');

select play.ticket('pending_dispatch') as t \gset
select play.does('dispatcher1', :t, 'send_back_to_intake');
select is(play.state(:t) || ' ' || play.clocks(:t), 'pending_accept accept promise', 'what lacks facts goes back to acceptance, and the promise runs on');
select is(play.tries('acceptor1', :t, 'refuse', play.good('refuse', :t)), '409 accepted_already', 'what was accepted once is not refused');
select play.go('2026-03-02 11:00') \g /dev/null
select play.does('acceptor1', :t, 'accept');
select is((select accepted_at from ticket where id = :t), '2026-03-02 10:00+08'::timestamptz, 'accepted is accepted: the first time counts');
select play.go('2026-03-02 10:00') \g /dev/null

-- ---- amendments ----

select play.ticket('pending_dispatch') as t \gset
select is(play.tries('dispatcher1', :t, 'amend', '{"type": "complaint", "reason": "更正"}'), '422 nothing_amended', 'an amendment changes something');
select play.must('dispatcher1', :t, 'amend', '{"urgency": "urgent", "title": "深夜施工噪声", "category": "010102", "reason": "有危险"}');
select results_eq(format('select payload->''changed'' from event where ticket_id = %s order by n desc limit 1', :t),
    $$select jsonb_build_object('urgency', '["normal", "urgent"]'::jsonb, 'title', true, 'category', '["010101", "010102"]'::jsonb)$$, 'the event says what was and what is, of texts only that they changed');
select is((select title from ticket_text where ticket_id = :t), '夜间施工噪声', 'the words before are kept');
select is(pg_temp.due(:t, 'dispatch') || ' ' || pg_temp.due(:t, 'promise'), '03-02 10:15 03-16 23:59', 'urgency shortens the dispatcher''s time and leaves the promise');
select play.ticket('pending_sign') as t \gset
select play.go('2026-03-02 14:30') \g /dev/null
select play.must('leader1', :t, 'amend', '{"urgency": "urgent", "reason": "停水"}');
select is(pg_temp.due(:t, 'sign') || ', ' || pg_temp.main_due(:t), '03-02 15:30, 03-03 10:00 03-16 23:59', 'a unit that has not signed has its times anew, none of them over before it could know');
select is((select a.policy || ' ' || a.sign_due_at::text from assignment a where ticket_id = :t), 'U2 2026-03-02 15:30:00+08', 'and the assignment says so');
select play.must('leader1', :t, 'amend', '{"type": "consult", "urgency": "normal", "reason": "是咨询"}');
select is(pg_temp.due(:t, 'sign') || ', ' || pg_temp.main_due(:t), '03-02 16:30, 03-04 23:59 03-06 23:59', 'a question has less time, and its promise comes forward');
select play.go('2026-03-02 10:00') \g /dev/null
select is(play.tries('leader1', play.ticket('handling'), 'amend', play.good('amend', 0)), '409 not_allowed_now', 'signed, nothing is amended');

-- ---- redispatch ----

select play.ticket('contacted') as t \gset
select is(play.tries('leader1', :t, 'redispatch', play.good('redispatch', :t) || '{"main_unit": 101}'), '422 bad_inputs main_unit', 'to another unit');
select play.go('2026-03-04 10:00') \g /dev/null
select play.does('leader1', :t, 'redispatch');
select is(play.state(:t) || ' ' || play.clocks(:t), 'pending_sign/pending_sign contact promise sign unit', 'the centre''s error: another unit starts');
select is(pg_temp.main_due(:t), '03-11 23:59 03-16 23:59', 'with its own time, the promise as it was');
select results_eq(format('select name_of(''assignment_state'', state), unit_id from assignment where ticket_id = %s order by id', :t), $$values ('cancelled', 101), ('pending_sign', 103)$$, 'the first is cancelled');
select is((api.ticket(jsonb_build_object('session', 'st-gaj.d', 'id', :'t', 'at', play.clock()))).status, 404, 'and does not see it any more');
select play.go('2026-03-02 10:00') \g /dev/null
select play.ticket('asked_return') as t \gset
select play.does('leader1', :t, 'redispatch');
select is((select verdict from approval where ticket_id = :t), 'dropped', 'what the first unit asked for is not waited for');

-- ---- returns ----

select play.ticket('pending_sign') as t \gset
select is(play.tries('st-gaj.d', :t, 'request_return', play.good('request_return', :t) - 'legal_basis'), '422 bad_inputs legal_basis', 'a return names the law');
select is(play.tries('st-gaj.d', :t, 'request_return', play.good('request_return', :t) - 'suggested_unit'), '422 bad_inputs suggested_unit', 'not our duty: then whose?');
select is(play.tries('st-gaj.d', :t, 'request_return', play.good('request_return', :t) || '{"suggested_unit": 101}'), '422 bad_inputs suggested_unit', 'another''s');
select is(play.tries('st-gaj.d', :t, 'request_return', '{"return_code": "R04", "legal_basis": "热线办法", "explain": "没有写明地点"}'), '200', 'facts are missing: nobody need be named');
select is(play.state(:t) || ' ' || pg_temp.open(:t), 'pending_sign/pending_sign return 1 UAP', 'the unit''s approver is asked first, and nothing has changed');
select is((select due_at from approval where ticket_id = :t), null, 'inside the unit''s own time');
select is(play.tries('st-jjzd.a', :t, 'approve', play.good('approve', :t)), '404 no_such_ticket', 'another unit''s approver has nothing to say');
select play.does('st-gaj.a', :t, 'approve');
select is(play.state(:t) || ' ' || pg_temp.open(:t) || ' ' || play.clocks(:t), 'return_review/return_req return 2 AUD contact promise sign unit', 'the unit has spoken: the centre reviews, the unit''s clocks run on');
select is((select to_char(due_at, 'MM-DD HH24:MI') from approval where ticket_id = :t and stage = 2), '03-02 12:00', 'within two working hours');
select is(pg_temp.said(:t), 'T05 T06 T18 ASK T32', 'asked, then requested');
select is(play.tries('supervisor1', :t, 'approve_return', play.good('approve_return', :t)), '403 forbidden', 'not yet the supervisor''s');
select play.must('auditor1', :t, 'approve_return', '{"blame": "facts"}');
select is(play.state(:t) || ' ' || play.clocks(:t), 'pending_dispatch dispatch promise', 'granted, it is to be dispatched again, and the promise runs on');
select is((select unit_id from ticket where id = :t), null, 'nobody is responsible meanwhile');
select results_eq(format('select verdict, blame, unit_id from return_request where ticket_id = %s', :t), $$values ('approved', 'facts', 101)$$, 'and it is on record who is to blame');
select results_eq(format('select unit_id, code, blame, done_at is null from directory_feedback where ticket_id = %s', :t), $$values (101, 'R04', 'facts', true)$$, 'somebody looks at the directory');
select is((select promise_due_at from ticket where id = :t), '2026-03-16 23:59:59+08'::timestamptz, 'the promise is what it was');
select play.go('2026-03-05 10:00') \g /dev/null
select play.must('dispatcher1', :t, 'dispatch', '{"main_unit": 102, "instruction": "请办理"}');
select is(pg_temp.main_due(:t), '03-12 23:59 03-16 23:59', 'the next unit has its full time');
select play.go('2026-03-02 10:00') \g /dev/null

select play.ticket('pending_sign') as late, play.ticket('asked_return') as intime, play.ticket('handling') as signed \gset
select play.go('2026-03-03 23:59:58') \g /dev/null
select is(play.tries('st-gaj.h', :signed, 'request_return', play.good('request_return', :signed)), '200', 'the window is a workday from dispatch, signed or not');
select play.go('2026-03-04 09:00') \g /dev/null
select is(play.tries('st-gaj.d', :late, 'request_return', play.good('request_return', :late)), '409 return_window_closed', 'then it is closed');
select play.sweep() \g /dev/null
select is(play.tries('st-gaj.d', :late, 'request_return', play.good('request_return', :late)), '409 return_window_closed', 'deemed signed, all the more');
select is(play.state(:intime), 'handling/handling', 'who has asked and not signed is deemed to have signed all the same');
select play.does('st-gaj.a', :intime, 'approve');
select is(play.state(:intime), 'return_review/return_req', 'asked in time is in time, whenever the approver gets to it');
select play.does('leader1', :late, 'reopen_return');
select is(play.tries('st-gaj.d', :late, 'request_return', play.good('request_return', :late)), '200', 'unless the shift lead opens it again');
select play.does('auditor1', :intime, 'reject_return');
select is(play.state(:intime), 'handling/handling', 'rejected, it is where it was');
select play.go('2026-03-02 10:00') \g /dev/null

select play.ticket('pending_dispatch') as t, (select min(id) from directory_item where policy = 'U2') as item \gset
select play.must('dispatcher1', :t, 'dispatch', jsonb_build_object('main_unit', 101, 'item', :item, 'instruction', '请抢修'));
select play.go('2026-03-02 10:30') \g /dev/null
select is(play.tries('st-gaj.d', :t, 'request_return', play.good('request_return', :t)), '200', 'urgent is given back within half an hour');
select play.does('st-gaj.a', :t, 'approve');
select is((select to_char(due_at, 'MM-DD HH24:MI') from approval where ticket_id = :t and stage = 2), '03-02 10:45', 'and reviewed within a quarter of one');
select play.go('2026-03-02 10:46') \g /dev/null
select play.sweep() \g /dev/null
select is(pg_temp.open(:t) || ' ' || pg_temp.said(:t), 'return 2 LDR T05 T06 T18 ASK T32 T35', 'nobody reviewed: it goes to the shift lead, and is granted by nobody');
select is(play.tries('auditor1', :t, 'approve_return', play.good('approve_return', :t)), '403 forbidden', 'it is no longer the auditor''s');
select play.go('2026-03-02 11:02') \g /dev/null
select play.sweep() \g /dev/null
select is(pg_temp.open(:t), 'return 2 SUP', 'then to the supervisor');
select is(play.tries('leader1', :t, 'reject_return', play.good('reject_return', :t)), '403 forbidden', 'nor the lead''s');
select is((select state from ticket where id = :t), 31::smallint, 'and still nothing was decided');
-- The hour to sign has passed meanwhile.
select is(play.tries('supervisor1', :t, 'reject_return', play.good('reject_return', :t)), '200', 'the supervisor decides');
select is(play.state(:t) || ' ' || pg_temp.said(:t), 'handling/handling T05 T06 T18 ASK T32 T35 T35 T75 T34 T31', 'rejected after the time to sign: deemed signed; late with what is urgent, under supervision');
select play.go('2026-03-02 10:00') \g /dev/null
select play.ticket('return_review') as t \gset
select play.go('2026-03-04 10:00') \g /dev/null
select play.does('auditor1', :t, 'reject_return');
select is((select row(deemed_signed, sign_counted)::text from assignment where ticket_id = :t), '(t,t)', 'deemed signed before the sweep came to it, it counts as due all the same');
select play.go('2026-03-02 10:00') \g /dev/null
select play.ticket('pending_dispatch') as t \gset
select play.must('dispatcher1', :t, 'dispatch', jsonb_build_object('main_unit', 101, 'item', :item, 'instruction', '请抢修'));
select play.go('2026-03-02 10:31') \g /dev/null
select is(play.tries('st-gaj.d', :t, 'request_return', play.good('request_return', :t)), '409 return_window_closed', 'not later');
select play.go('2026-03-02 10:00') \g /dev/null

select play.ticket('return_review') as t \gset
select play.does('auditor1', :t, 'reject_return');
select is(play.state(:t) || ' ' || (select forbid_return from assignment where ticket_id = :t), 'pending_sign/pending_sign false', 'rejected in time, it waits to be signed');
select play.does('st-gaj.d', :t, 'sign', 'request_return');
select play.does('st-gaj.a', :t, 'approve');
select play.does('leader1', :t, 'reject_return');
select is(play.state(:t) || ' ' || (select forbid_return from assignment where ticket_id = :t), 'handling/handling true', 'the second rejection forbids a third request');
select is(play.tries('st-gaj.d', :t, 'request_return', play.good('request_return', :t)), '409 return_forbidden', 'and it is refused');
select is(play.tries('st-gaj.d', play.ticket('second_round'), 'request_return', play.good('request_return', 0)), '409 return_forbidden', 'a rework is never given back');

-- Two units return it: the third is decided together.
create function pg_temp.gives_back(tid bigint, unit text) returns void language plpgsql as $$
begin
    perform play.must(unit || '.d', tid, 'request_return', play.good('request_return', tid) || '{"suggested_unit": 103}');
    perform play.does(unit || '.a', tid, 'approve');
end $$;
select play.ticket('pending_sign') as t \gset
select pg_temp.gives_back(:t, 'st-gaj');
select play.does('auditor1', :t, 'approve_return');
select play.must('dispatcher1', :t, 'dispatch', '{"main_unit": 102, "instruction": "请办理"}');
select pg_temp.gives_back(:t, 'st-jjzd');
select play.does('auditor1', :t, 'approve_return');
select is(play.state(:t) || ' ' || play.clocks(:t), 'in_consultation consultation promise', 'two units have returned it: a consultation');
select is(pg_temp.said(:t), 'T05 T06 T18 ASK T32 T33 T18 ASK T32 T33 T36', 'after the verdict, by the system');
select is((select participants from consultation where ticket_id = :t), '{101,102,103}', 'of those who had it and whom they named');
select is(pg_temp.due(:t, 'consultation'), '03-03 23:59', 'within a workday');
select is(play.tries('leader1', :t, 'decide', play.good('decide', :t) - 'opinions'), '422 bad_inputs opinions', 'the opinions are on record');
select play.go('2026-03-04 09:00') \g /dev/null
select play.sweep() \g /dev/null
select is(play.state(:t), 'in_consultation', 'its end decides nothing');
select is(play.tries('leader1', :t, 'decide', play.good('decide', :t) - 'opinions' || '{"main_unit": 103, "co_units": [101]}'), '200', 'but then it is decided without them');
select results_eq(format('select unit_id, forbid_return, name_of(''assignment_role'', role) from assignment where ticket_id = %s and state not in (8, 9) order by role', :t),
    $$values (103, true, 'main'), (101, false, 'co')$$, 'the unit decided on cannot return it');
select is(play.tries('st-fgj.d', :t, 'request_return', play.good('request_return', :t)), '409 return_forbidden', 'and is told so');
select results_eq(format('select unit_id, co_unit_ids, category_id = (select id from category where code = ''010101'' and scheme = ''local''), decision from directory_precedent where ticket_id = %s', :t),
    $$values (103, '{101}'::int[], true, '由市公安局承办。')$$, 'it is kept as a precedent');
select is((select decided_by = (select id from person where login = 'leader1') and decided_at = hotline.now() from consultation where ticket_id = :t), true, 'with who decided it');
select play.go('2026-03-02 10:00') \g /dev/null

-- Three requests of whatever outcome.
select play.ticket('pending_sign') as t \gset
select pg_temp.gives_back(:t, 'st-gaj');
select play.does('auditor1', :t, 'approve_return');
select play.must('dispatcher1', :t, 'dispatch', '{"main_unit": 102, "instruction": "请办理"}');
select pg_temp.gives_back(:t, 'st-jjzd');
select play.does('auditor1', :t, 'reject_return');
select is(play.state(:t), 'pending_sign/pending_sign', 'one granted, one not: no consultation yet');
select pg_temp.gives_back(:t, 'st-jjzd');
select is(play.state(:t), 'return_review/return_req', 'and none beside an open request');
select play.does('auditor1', :t, 'reject_return');
select is(play.state(:t) || ' ' || play.clocks(:t), 'in_consultation consultation promise', 'the third request, whatever came of it');
select is((select string_agg(name_of('assignment_state', state), ' ' order by id) from assignment where ticket_id = :t and role = 1), 'returned returned', 'no unit has it');

select play.ticket('return_review') as t \gset
select is(play.tries('dispatcher1', :t, 'open_consultation', '{"participants": [101, 101], "question": "由谁承办？"}'), '422 bad_inputs participants', 'each participant once');
select is(play.tries('dispatcher1', :t, 'open_consultation', '{"participants": [1], "question": "由谁承办？"}'), '422 bad_inputs participants', 'the centre is none');
select is(play.tries('dispatcher1', :t, 'open_consultation', '{"participants": [101], "question": "由谁承办？", "due": "2026-03-02T09:59:59+08:00"}'), '422 bad_inputs due', 'not in the past');
select is(play.tries('dispatcher1', :t, 'open_consultation', '{"participants": [101, 102], "question": "由谁承办？", "due": "2026-03-05T12:00:00+08:00"}'), '200', 'instead of a verdict');
select is((select string_agg(unit_id || ' ' || to_char(unit_due_at, 'MM-DD HH24:MI'), ', ' order by unit_id) from assignment where ticket_id = :t and role = 4), '101 03-05 12:00, 102 03-05 12:00', 'each unit that is asked has as long');
select is((select units from inbox where ticket_id = :t), '{101,102}', 'and finds it in its list');
select is(play.tries('st-jjzd.h', :t, 'give_opinion', play.good('give_opinion', :t)), '403 forbidden', 'who speaks for the unit says what it thinks');
select play.must('st-jjzd.d', :t, 'give_opinion', '{"opinion": "路面归我支队，同意承办。", "legal_basis": "道路交通安全法"}');
select is(play.tries('st-jjzd.a', :t, 'give_opinion', play.good('give_opinion', :t)), '409 opinion_given', 'once');
select is(play.tries('leader1', :t, 'decide', play.good('decide', :t) - 'opinions'), '422 bad_inputs opinions', 'one is missing');
select play.does('st-gaj.a', :t, 'give_opinion');
select is(play.tries('leader1', :t, 'decide', play.good('decide', :t) - 'opinions' || '{"main_unit": 103}'), '200', 'all have spoken: it can be decided at once');
select is((select opinions from consultation where ticket_id = :t), (select array[a.short_name || '：该路段由我单位管理，同意承办。', b.short_name || '：路面归我支队，同意承办。'] from unit a, unit b where a.id = 101 and b.id = 102), 'their words are on record');
select results_eq(format($$select o->'asked'->1->'unit'->>'id', o->'asked'->1->>'legal_basis', o->'asked'->1->>'late' from jsonb_array_elements((api.ticket(jsonb_build_object('session', 'leader1', 'id', '%s', 'at', play.clock()))).body::jsonb->'overlays'->'consultations') o$$, :t),
    $$values ('102', '道路交通安全法', 'false')$$, 'with the law they name');
select is((api.ticket(jsonb_build_object('session', 'st-jjzd.d', 'id', :'t', 'at', play.clock()))).status, 404, 'and who was only asked sees it no more');
select play.ticket('return_review') as t \gset
select play.must('auditor1', :t, 'name_conflict', '{"unit": 102, "reason": "有利害关系"}');
select is(play.tries('dispatcher1', :t, 'open_consultation', '{"participants": [101, 102], "question": "由谁承办？", "due": "2026-03-05T12:00:00+08:00"}'), '422 conflict_unit participants', 'who stands in conflict is not asked');
select play.must('dispatcher1', :t, 'open_consultation', '{"participants": [101, 103], "question": "由谁承办？", "due": "2026-03-05T12:00:00+08:00"}');
select is(play.state(:t) || ' ' || play.clocks(:t) || ' ' || pg_temp.due(:t, 'consultation'), 'in_consultation consultation promise 03-05 12:00', 'with a time of its own, the promise running');
select is((select verdict || coalesce(blame, '') from return_request where ticket_id = :t) || coalesce(pg_temp.open(:t), ''), 'consulted', 'who is to blame stays open');
select is((select name_of('assignment_state', state) from assignment where ticket_id = :t and role = 1), 'returned', 'and the unit has it no more');

-- ---- inside the unit ----

select play.ticket('handling') as t \gset
select play.go('2026-03-09 13:00') \g /dev/null
select is(play.tries('st-gaj.d', :t, 'sub_dispatch', play.good('sub_dispatch', :t)), '409 too_late_to_hand_down', 'with less than four working hours left it hands nothing down');
select play.go('2026-03-02 10:00') \g /dev/null
select is(play.tries('st-gaj.d', :t, 'sub_dispatch', play.good('sub_dispatch', :t) || '{"sub_unit": 102}'), '422 bad_inputs sub_unit', 'only to a unit below');
select is(play.tries('st-gaj.d', :t, 'sub_dispatch', play.good('sub_dispatch', :t) || '{"sub_unit": 101}'), '422 bad_inputs sub_unit', 'not to oneself');
select is(play.tries('st-gaj.d', :t, 'sub_dispatch', play.good('sub_dispatch', :t) || '{"due": "2026-03-09T11:01:00+08:00"}'), '422 bad_inputs due', 'due four working hours earlier');
select is(play.tries('st-gaj.d', :t, 'sub_dispatch', play.good('sub_dispatch', :t) || '{"due": "2026-03-02T10:00:00+08:00"}'), '422 bad_inputs due', 'and not now');
select is(play.tries('st-gaj.d', :t, 'sub_dispatch', play.good('sub_dispatch', :t) || '{"sub_unit": 10101, "due": "2026-03-09T11:00:00+08:00"}'), '200', 'six and a half hours a day: eleven is early enough');
select is(play.tries('st-gaj.d', :t, 'sub_dispatch', play.good('sub_dispatch', :t) || '{"sub_unit": 10101}'), '422 bad_inputs sub_unit', 'once');
select is(play.tries('st-gaj-lh.d', :t, 'request_extension', play.good('request_extension', :t)), '403 forbidden', 'a section acts for itself, not for its bureau');
select is(play.tries('st-gaj-lh.h', :t, 'sub_reply', play.good('sub_reply', :t)), '409 not_allowed_now', 'and before it reports');
select is(play.tries('st-gaj-lh.d', :t, 'sub_dispatch', play.good('sub_dispatch', :t)), '409 sub_not_signed', 'or hands on');
select play.does('st-gaj-lh.d', :t, 'sub_sign', 'sub_dispatch');
select is((select array_agg(array[p.unit_id, s.unit_id] order by s.id) from assignment s join assignment p on p.id = s.parent_id and p.ticket_id = s.ticket_id where s.ticket_id = :t),
    '{{101,10101},{10101,1010101}}', 'down to the fourth level, each under the one above');
select is(play.tries('st-gaj-lh.d', :t, 'sub_return', '{"reason": "不属本辖区"}'), '200', 'a section gives it back to its bureau');
select is((select string_agg(name_of('assignment_state', state), ' ' order by id) from assignment where ticket_id = :t), 'handling returned cancelled', 'with all below, and the centre is not asked');
select is(play.state(:t), 'handling/handling', 'the bureau has it as before');
select play.must('st-gaj.d', :t, 'sub_dispatch', play.good('sub_dispatch', :t) || '{"sub_unit": 10101}');
select play.does('st-gaj-lh.d', :t, 'sub_sign');
select play.does('st-gaj-lh.h', :t, 'sub_reply');
select is((select content from part_reply where ticket_id = :t), '已到现场核查并责令整改。', 'and what it did is on record');
select is(play.tries('st-gaj-lh.h', :t, 'submit_reply', play.good('submit_reply', :t)), '403 forbidden', 'the bureau answers the citizen');

-- ---- assisting units ----

select play.ticket('handling') as t \gset
select is(play.tries('st-gaj.h', :t, 'request_co_unit', '{"unit": 101, "question": "请协助"}'), '422 bad_inputs unit', 'nobody assists the own unit');
select play.does('st-gaj.h', :t, 'request_co_unit');
select is(pg_temp.open(:t) || ' ' || (select count(*) from assignment where ticket_id = :t), 'co_unit 1 DSP 1', 'a unit that the directory does not name: the dispatcher decides');
select play.does('dispatcher1', :t, 'approve');
select results_eq(format('select unit_id, name_of(''assignment_state'', state), unit_due_at from assignment where ticket_id = %s and role = 2', :t),
    $$values (103, 'pending_sign', '2026-03-09 23:59:59+08'::timestamptz)$$, 'then it assists, as long as the main unit has');
update ticket set directory_item_id = (select min(id) from directory_item where co_unit_ids @> '{102}') where id = :t;
update assignment set directory_item_id = (select directory_item_id from ticket where id = :t) where ticket_id = :t and role = 1;
select is(play.tries('st-gaj.d', :t, 'request_co_unit', '{"unit": 102, "question": "请协助"}'), '200', 'one that the directory names');
select is(pg_temp.open(:t) || '', null, 'needs nobody''s word');
select play.does('st-jjzd.h', :t, 'co_reply');
select is(play.tries('st-jjzd.h', :t, 'co_reply', play.good('co_reply', :t)), '409 not_allowed_now', 'an opinion is given once');
select play.go('2026-03-10 09:00') \g /dev/null
select is(play.tries('st-fgj.h', :t, 'co_reply', play.good('co_reply', :t)), '409 co_due_passed', 'and in time');
select play.does('st-gaj.h', :t, 'first_contact');
select play.replied(:t);
select is(play.state(:t), 'pending_audit/replied', 'a missing opinion stops nobody');
select play.go('2026-03-02 10:00') \g /dev/null

select play.ticket('with_co') as t \gset
select play.must('st-gaj.d', :t, 'sub_dispatch', play.good('sub_dispatch', :t) || '{"sub_unit": 10101}');
select is(play.tries('leader1', :t, 'change_main', play.good('change_main', :t) || '{"new_main": 103}'), '422 bad_inputs new_main', 'the lead goes to a unit that assists');
select is(play.tries('leader1', :t, 'change_main', play.good('change_main', :t) || '{"basis": "consultation"}'), '422 bad_inputs basis', 'on the word of a consultation there was');
select play.go('2026-03-04 10:00') \g /dev/null
select play.does('leader1', :t, 'change_main');
select is(play.state(:t) || ' ' || play.clocks(:t) || ' ' || pg_temp.main_due(:t), 'handling/handling contact promise unit 03-11 23:59 03-16 23:59', 'the new main unit has its full time, the promise stays');
select results_eq(format('select name_of(''assignment_role'', role), unit_id from assignment where ticket_id = %s and state not in (8, 9) order by role', :t), $$values ('main', 102), ('co', 101)$$, 'they have changed places');
select is(play.tries('st-jjzd.h', :t, 'first_contact', play.good('first_contact', :t)), '200', 'and the new one works');
select is(play.tries('st-gaj.h', :t, 'co_reply', play.good('co_reply', :t)), '200', 'and the old one assists');
select play.go('2026-03-02 10:00') \g /dev/null

select play.ticket('handling') as t \gset
select is(play.tries('st-gaj.h', :t, 'progress_note', '{"text": "请致电 13800138000 咨询", "visible_to_citizen": true}'), '422 bad_inputs text', 'a note that citizens may read names no number');
select play.does('st-gaj.h', :t, 'progress_note');
select play.must('st-gaj.h', :t, 'progress_note', '{"text": "内部：等待鉴定意见。", "visible_to_citizen": false}');
select is((select count(*)::int from jsonb_array_elements((citizen_json(t))->'timeline') l where l->>'text' like '%约谈施工单位%') ,1, 'the citizen reads what is meant for the citizen') from ticket t where id = :t;
select ok(citizen_json(t)::text not like '%等待鉴定%', 'and nothing else') from ticket t where id = :t;

-- ---- more time ----

create function pg_temp.extend(tid bigint, due text, more jsonb default '{}') returns text language sql as $$
    select play.tries('st-gaj.d', tid, 'request_extension', play.good('request_extension', tid) || jsonb_build_object('new_due', due) || more)
$$;
select play.ticket('handling') as t \gset
select is(pg_temp.extend(:t, '2026-03-13T23:59:59+08:00', '{"told_citizen": false}'), '422 bad_inputs told_citizen', 'the citizen is told first');
select is(pg_temp.extend(:t, '2026-03-09T23:59:59+08:00'), '422 bad_inputs new_due', 'later is later');
select is(pg_temp.extend(:t, '2026-03-17T23:59:59+08:00'), '422 bad_inputs new_due', 'the first time five workdays at most');
select is(pg_temp.extend(:t, '2026-04-20T23:59:59+08:00', '{"ext_code": "statutory"}'), '422 bad_inputs legal_basis', 'a statutory procedure names its law');
select is(pg_temp.extend(:t, '2026-03-16T23:59:59+08:00'), '200', 'five are five');
select is(play.state(:t) || ' ' || pg_temp.open(:t) || ' ' || pg_temp.main_due(:t), 'handling/handling extension 1 UAP 03-09 23:59 03-16 23:59', 'asked for, nothing moves');
select is(play.tries('dispatcher1', :t, 'approve_extension', '{"opinion": "同意"}'), '409 not_allowed_now', 'the unit''s approver comes first');
select play.does('st-gaj.a', :t, 'approve');
select is(pg_temp.open(:t) || ' ' || (select to_char(due_at, 'MM-DD HH24:MI') from approval where ticket_id = :t and verdict is null), 'extension 2 DSP 03-02 16:30', 'then the dispatcher, within four working hours');
select is(play.tries('leader1', :t, 'approve_extension', '{"opinion": "同意"}'), '403 forbidden', 'and nobody else');
select is(play.tries('dispatcher1', :t, 'approve_extension', '{"opinion": "同意", "new_due": "2026-03-17T23:59:59+08:00"}'), '422 bad_inputs new_due', 'who does not give more than was asked');
select play.does('dispatcher1', :t, 'approve_extension');
select is(pg_temp.main_due(:t) || ' ' || pg_temp.due(:t, 'unit') || ' ' || pg_temp.due(:t, 'promise'), '03-16 23:59 03-23 23:59 03-16 23:59 03-23 23:59', 'unit and promise move by the same');
select is((select string_agg(to_char(m.at, 'MM-DD'), ' ' order by m.at) from timer m join clock k on k.id = m.clock_id where k.ticket_id = :t and k.kind in ('unit', 'promise')), '03-13 03-16 03-23', 'with their timers, and the unit is urged the day before');
select is(pg_temp.said(:t), 'T05 T06 T18 T30 ASK APPROVE T46', 'asked, agreed, granted');
select play.go('2026-03-10 09:00') \g /dev/null
select play.sweep() \g /dev/null
select is((select breached_at from clock where ticket_id = :t and kind = 'unit'), null, 'the day it was due before is no longer its day');
select is(pg_temp.extend(:t, '2026-03-31T23:59:59+08:00'), '422 bad_inputs new_due', 'the second time ten at most');
select is(pg_temp.extend(:t, '2026-03-30T23:59:59+08:00'), '200', 'ten are ten');
select play.does('st-gaj.a', :t, 'approve');
select is(pg_temp.open(:t), 'extension 2 LDR', 'and the shift lead''s');
select play.must('leader1', :t, 'approve_extension', '{"opinion": "同意八天", "new_due": "2026-03-26T23:59:59+08:00"}');
select is(pg_temp.main_due(:t), '03-26 23:59 04-02 23:59', 'who may give less');
select is(pg_temp.extend(:t, '2026-03-27T23:59:59+08:00'), '409 extensions_used_up', 'a third time there is none');
select play.go('2026-03-02 10:00') \g /dev/null

select play.ticket('handling') as t, play.ticket('handling') as o \gset
select play.go('2026-03-09 11:00') \g /dev/null
select is(pg_temp.extend(:t, '2026-03-11T23:59:59+08:00'), '200', 'four working hours before it is due there is time to ask');
select play.go('2026-03-09 11:01') \g /dev/null
select is(pg_temp.extend(:o, '2026-03-11T23:59:59+08:00'), '409 too_late_to_extend', 'and no longer');
select play.does('st-gaj.a', :t, 'approve');
select play.go('2026-03-10 09:00') \g /dev/null
select play.sweep() \g /dev/null
select is((select breached_at is not null and pg_temp.open(:t) like 'extension 2 LDR' from clock where ticket_id = :t and kind = 'unit'), true, 'undecided in time: late, and passed up');
select is((select due_counted from assignment where ticket_id = :t), true, 'and counted as due');
select play.must('leader1', :t, 'approve_extension', '{"opinion": "同意"}');
select results_eq(format('select k.breached_at, a.due_counted, a.unit_due_at from clock k join assignment a on a.id = k.assignment_id where k.ticket_id = %s and k.kind = ''unit''', :t),
    $$values (null::timestamptz, false, '2026-03-11 23:59:59+08'::timestamptz)$$, 'granted after all, it was not late');
select play.go('2026-03-02 10:00') \g /dev/null

select play.ticket('handling') as t \gset
select is(pg_temp.extend(:t, '2026-05-20T23:59:59+08:00', '{"ext_code": "statutory", "legal_basis": "城乡规划法"}'), '200', 'the law''s own procedure takes as long as the law says');
select play.does('st-gaj.a', :t, 'approve');
select is(pg_temp.open(:t), 'extension 2 SUP', 'more than ten workdays is the supervisor''s');
select play.does('supervisor1', :t, 'reject_extension');
select is(pg_temp.main_due(:t) || ' ' || pg_temp.said(:t), '03-09 23:59 03-16 23:59 T05 T06 T18 T30 ASK APPROVE T46r', 'refused, nothing moves');
select is(pg_temp.extend(:t, '2026-03-10T23:59:59+08:00'), '200', 'and it may be asked again');
update ticket set outer_due_at = '2026-03-11 12:00+08' where id = :t;
select play.does('st-gaj.a', :t, 'reject');
select is(pg_temp.extend(:t, '2026-03-12T23:59:59+08:00'), '422 bad_inputs new_due', 'never beyond what the province allows');
select play.ticket('second_round') as t \gset
select play.does('st-gaj.d', :t, 'sign');
select is(pg_temp.extend(:t, '2026-03-10T23:59:59+08:00'), '409 extension_not_allowed', 'a rework has no more time');
select play.ticket('pending_dispatch') as t \gset
select play.must('dispatcher1', :t, 'dispatch', jsonb_build_object('main_unit', 101, 'item', :item, 'instruction', '请抢修'));
select play.does('st-gaj.d', :t, 'sign');
select is(pg_temp.extend(:t, '2026-03-04T10:00:01+08:00'), '422 bad_inputs new_due', 'what is urgent has a day more at most');
select is(pg_temp.extend(:t, '2026-03-04T10:00:00+08:00'), '200', 'a day is a day');
select play.does('st-gaj.a', :t, 'approve');
select play.does('dispatcher1', :t, 'approve_extension');
select is(pg_temp.main_due(:t), '03-04 10:00 03-17 23:59', 'a day of the unit''s is a workday of the promise');

-- ---- what a form offers ----

create function pg_temp.offered(login text, tid bigint, action_ text, input_ text) returns text language sql as $$
    select string_agg(o->>'value', ' ' order by o->>'value') from json_array_elements((api.actions(jsonb_build_object('session', login, 'id', tid::text, 'at', play.clock()))).body->'actions') a,
        json_array_elements(a->'inputs') i, json_array_elements(i->'choices') o where a->>'action' = action_ and i->>'name' = input_
$$;
select play.ticket('with_co') as t, play.ticket('sub_waiting') as sub, play.ticket('pending_sign') as fresh \gset
select is(pg_temp.offered('leader1', :t, 'change_main', 'new_main'), '102', 'the lead may go to who assists');
select is(pg_temp.offered('st-gaj.d', :t, 'sub_dispatch', 'sub_unit'), (select string_agg(id::text, ' ' order by id::text) from unit where 101 = any (path) and id <> 101), 'work is handed to units below');
select is(pg_temp.offered('st-gaj-lh.d', :sub, 'sub_sign', 'handler'), (select id::text from person where login = 'st-gaj-lh.h'), 'a sub-unit''s handler is one of its own');
select is(play.tries('st-gaj-lh.d', :sub, 'sub_sign', jsonb_build_object('handler', (select id from person where login = 'st-gaj.h'))), '422 bad_inputs handler', 'and no other''s');
select is(play.tries('st-gaj-lh.d', :sub, 'sub_sign', jsonb_build_object('handler', (select id from person where login = 'st-gaj-lh.h'))), '200', 'it signs');
select is((select handler_id from assignment where ticket_id = :sub and role = 3), (select id from person where login = 'st-gaj-lh.h'), 'and the handler is on record');
-- Every input of every action that anybody is offered says its name, type and both labels; what is chosen from words has choices.
select is_empty(format($$select a->>'action', i->>'name' from unnest('{st-gaj.d, st-gaj.h, st-gaj.a, leader1, dispatcher1, operator1, supervisor1}'::text[]) login,
    unnest(array[%s, %s, %s]) tid, json_array_elements((api.actions(jsonb_build_object('session', login, 'id', tid::text, 'at', play.clock()))).body->'actions') a, json_array_elements(a->'inputs') i
    where i->>'name' is null or i->>'type' is null or coalesce(i->>'zh', '') = '' or coalesce(i->>'en', '') = '' or i->>'must' is null
       or i->>'type' = 'word' and coalesce(json_typeof(i->'choices'), 'null') <> 'array' or i->>'type' = 'text' and i->>'max' is null$$, :t, :sub, :fresh), 'each input says what it is');

-- ---- a word in between (T44) ----

create function pg_temp.owed(tid bigint) returns text language sql as $$
    select concat_ws(' ', to_char((said->>'progress_owed_since')::timestamptz, 'MM-DD HH24:MI:SS'), case when said->'flags' ? 'progress_owed' then 'flagged' end)
    from (select (api.ticket(jsonb_build_object('session', 'st-gaj.h', 'id', tid::text, 'at', play.clock()))).body::jsonb as said) x
$$;
select play.ticket('pending_dispatch') as t, play.ticket('handling') as short \gset
select play.must('dispatcher1', :t, 'dispatch', '{"main_unit": 101, "policy": "X1", "instruction": "请查清并答复"}');
select play.does('st-gaj.d', :t, 'sign');
select play.go('2026-03-12 23:59:58') \g /dev/null
select is(pg_temp.owed(:t), '', 'fifteen workdays: for eight of them nobody is asked how it stands');
select play.go('2026-03-13 09:00') \g /dev/null
select is(pg_temp.owed(:t), '03-12 23:59:59 flagged', 'then the unit owes a word, and lists say so');
select is(pg_temp.owed(:short), '', 'not where there are ten days or fewer');
select play.does('st-gaj.h', :t, 'progress_note');
select is(pg_temp.owed(:t), '', 'given, it is owed no more');
select play.go('2026-03-02 10:00') \g /dev/null

-- ---- pauses ----

create function pg_temp.suspend(tid bigint, code text, until text, more jsonb default '{}') returns text language sql as $$
    select play.tries('st-gaj.d', tid, 'request_suspend', jsonb_build_object('pause_code', code, 'until', until, 'evidence', '见附件', 'legal_basis', '行政处罚法') || more)
$$;
select play.ticket('handling') as t \gset
select is(pg_temp.suspend(:t, 'pause_1', '2026-03-04T09:00:00+08:00'), '422 bad_inputs pause_code', 'waiting for the citizen is asked of the citizen');
select is(pg_temp.suspend(:t, 'pause_3', '2026-03-20T09:00:00+08:00', '{"legal_basis": null}'), '422 bad_inputs legal_basis', 'a statutory procedure names its law');
select is(pg_temp.suspend(:t, 'pause_3', '2026-03-02T10:00:00+08:00'), '422 bad_inputs until', 'not until now');
select is(pg_temp.suspend(:t, 'pause_2', '2026-03-04T09:00:00+08:00'), '409 not_unreachable', 'unreachable is who was called three times');
select play.must('st-gaj.h', :t, 'first_contact', '{"contacted": false, "way": "phone", "attempts": 3, "fail_reason": "无人接听"}');
select is(pg_temp.suspend(:t, 'pause_2', '2026-03-06T09:00:00+08:00'), '422 bad_inputs until', 'three workdays at most');
select is(pg_temp.suspend(:t, 'pause_2', '2026-03-05T18:00:00+08:00'), '200', 'and needs nobody''s word');
select is(play.state(:t) || ' ' || pg_temp.light(:t), 'suspended/handling blue', 'suspended is blue');
select results_eq(format('select kind, paused_at is not null from clock where ticket_id = %s and met_at is null and stopped_at is null order by kind', :t), $$values ('promise', false), ('unit', true)$$, 'the unit''s clock stands still, the promise does not');
select is((select string_agg(a->>'action', ' ') from json_array_elements((api.actions(jsonb_build_object('session', 'st-gaj.h', 'id', :'t', 'at', play.clock()))).body->'actions') a), 'resume watch', 'nothing else is done to it meanwhile');
select play.go('2026-03-06 09:00') \g /dev/null
select play.sweep() \g /dev/null
select is(play.state(:t) || ' ' || pg_temp.main_due(:t), 'handling/handling 03-13 23:59 03-16 23:59', 'it goes on by itself: three closing times were passed, and from the evening the fourth day is the next');
select results_eq(format('select transition, at, actor_role from event where ticket_id = %s order by n desc limit 1', :t), $$values ('T48', '2026-03-05 18:00+08'::timestamptz, 'SYS')$$, 'dated when it was to');
select is(pg_temp.suspend(:t, 'pause_2', '2026-03-09T18:00:00+08:00'), '409 pauses_used_up', 'once');
select play.go('2026-03-02 10:00') \g /dev/null

select play.ticket('handling') as t \gset
select is(pg_temp.suspend(:t, 'pause_6', '2026-03-17T09:00:00+08:00'), '422 bad_inputs until', 'an appointment ten workdays ahead at most');
select is(pg_temp.suspend(:t, 'pause_6', '2026-03-05T09:00:00+08:00'), '200', 'the citizen fixed a date');
select results_eq(format('select kind from clock where ticket_id = %s and paused_at is null and met_at is null and stopped_at is null', :t), 'select ''x'' where false', 'then every clock stands still');
select is((select promise_state(t) from ticket t where id = :t), 'paused', 'the citizen reads that the promise does');
select play.go('2026-03-05 09:00') \g /dev/null
select play.does('st-gaj.h', :t, 'resume');
select is(play.state(:t) || ' ' || pg_temp.main_due(:t) || ' ' || pg_temp.due(:t, 'contact'), 'handling/handling 03-12 23:59 03-19 23:59 03-06 23:59', 'three workdays were lost to all of them');
select is_empty(format('select * from timer where ticket_id = %s and kind = ''resume''', :t), 'and nobody wakes it again');
select is((select count(*)::int from clock_pause where ticket_id = :t and reason = 'pause_6' and approved_by is null and to_at = hotline.now()), 3, 'each pause is on record');
select play.go('2026-03-02 10:00') \g /dev/null

create function pg_temp.decider(code text) returns text language plpgsql as $$
declare
    tid bigint := play.ticket('handling');
begin
    perform play.must('st-gaj.d', tid, 'request_suspend', jsonb_build_object('pause_code', code, 'until', '2026-03-20T09:00:00+08:00', 'evidence', '见附件', 'legal_basis', '行政处罚法'));
    perform play.does('st-gaj.a', tid, 'approve');
    return pg_temp.open(tid);
end $$;
select is(pg_temp.decider(code), 'suspend 2 ' || role, code || ' is decided by ' || role) from (values ('pause_3', 'LDR'), ('pause_4', 'SUP'), ('pause_5', 'LDR'), ('pause_7', 'ADM')) as v(code, role);
select ticket_id as t from approval where kind = 'suspend' and decider_role = 'ADM' and verdict is null \gset
select is((select count(*)::int from json_array_elements((api.tickets(jsonb_build_object('session', 'admin1', 'at', play.clock()))).body->'tickets')), 1, 'the administrator sees what waits for the administrator');
select play.does('admin1', :t, 'approve');
select is(play.state(:t), 'suspended/handling', 'and decides it');
select is((api.ticket(jsonb_build_object('session', 'admin1', 'id', :'t', 'at', play.clock()))).status, 404, 'and sees it no more');
select play.ticket('suspended') as t \gset
select is((select promise_state(t) || ' ' || (citizen_json(t)->>'promise_state') from ticket t where id = :t), 'statutory statutory', 'a statutory procedure does not pause the promise; the page says what runs');
select results_eq(format('select kind, asked_by = (select id from person where login = ''st-gaj.d''), approved_by = (select id from person where login = ''leader1'') from clock_pause p join clock k on k.id = p.clock_id where p.ticket_id = %s order by kind', :t),
    $$values ('contact', true, true), ('unit', true, true)$$, 'asked by one, approved by another');
select play.go('2026-03-12 10:00') \g /dev/null
select is(pg_temp.light(:t), 'blue', 'blue however long it takes');
select play.does('leader1', :t, 'resume');
select is(pg_temp.main_due(:t), '03-19 23:59 03-16 23:59', 'eight workdays for the unit, none for the promise');
select play.go('2026-03-02 10:00') \g /dev/null

-- Late when it was suspended is late when it goes on.
select play.ticket('contacted') as t \gset
select play.go('2026-03-10 10:00') \g /dev/null
select play.sweep() \g /dev/null
select is(pg_temp.suspend(:t, 'pause_6', '2026-03-12T09:00:00+08:00'), '200', 'an appointment after it fell due');
select play.go('2026-03-12 10:00') \g /dev/null
select play.sweep() \g /dev/null
select results_eq(format('select a.unit_due_at, a.due_counted, k.breached_at from assignment a join clock k on k.assignment_id = a.id and k.kind = ''unit'' where a.ticket_id = %s', :t),
    $$values ('2026-03-11 23:59:59+08'::timestamptz, true, '2026-03-11 23:59:59+08'::timestamptz)$$, 'the pause counts, and it stays late');
select play.go('2026-03-02 10:00') \g /dev/null

-- ---- the ledger ----

select play.ticket('handling') as t \gset
select is(play.tries('st-gaj.d', :t, 'request_park', play.good('request_park', :t)), '409 extension_first', 'parking comes after more time');
select play.does('leader1', :t, 'waive_extension');
select is(play.tries('st-gaj.d', :t, 'request_park', play.good('request_park', :t) || '{"told_citizen": false}'), '422 bad_inputs told_citizen', 'the citizen is told');
select play.does('st-gaj.d', :t, 'request_park');
select play.does('st-gaj.a', :t, 'approve');
select is(pg_temp.open(:t), 'park 2 SUP', 'the supervisor decides');
select play.does('supervisor1', :t, 'approve');
select is(play.state(:t) || ' ' || pg_temp.light(:t) || ' ' || pg_temp.due(:t, 'ledger'), 'parked/handling blue 04-01 23:59', 'parked is blue, and is reported on within thirty days');
select is((select string_agg(kind, ' ' order by kind) from clock where ticket_id = :t and paused_at is not null), 'contact promise unit', 'no other clock runs');
select play.go('2026-04-01 23:59:58') \g /dev/null
select play.sweep() \g /dev/null
select is(pg_temp.light(:t), 'blue', 'thirty days are not over');
select play.go('2026-06-02 09:00') \g /dev/null
select play.sweep() \g /dev/null
select is(pg_temp.light(:t), 'yellow', 'nobody has reported: yellow, and nothing worse');
select play.does('st-gaj.h', :t, 'park_progress');
select is(pg_temp.light(:t) || ' ' || pg_temp.due(:t, 'ledger'), 'blue 07-02 23:59', 'a report is good for thirty days');
select play.does('st-gaj.d', :t, 'unpark');
select play.does('st-gaj.a', :t, 'approve');
select play.does('supervisor1', :t, 'approve');
select is(play.state(:t) || ' ' || play.clocks(:t) || ' ' || (select extract(month from promise_due_at) from ticket where id = :t), 'handling/handling contact promise unit 6', 'taken off, the clocks go on with what they had left');
select play.go('2026-03-02 10:00') \g /dev/null
select play.ticket('parked', '{"reply_wanted": false}') as t \gset
select play.does('st-gaj.d', :t, 'unpark');
select play.does('st-gaj.a', :t, 'approve');
select play.does('supervisor1', :t, 'approve');
select play.replied(:t);
select play.does('auditor1', :t, 'audit_pass');
select is(play.state(:t), 'pending_callback/replied', 'after parking somebody is called back, wanted or not');

-- ---- termination ----

select play.ticket('with_co') as t \gset
select is(play.tries('st-gaj.d', :t, 'request_terminate', play.good('request_terminate', :t) || '{"explanation_given": false}'), '422 bad_inputs explanation_given', 'nothing ends unexplained');
select play.does('st-gaj.d', :t, 'request_terminate');
select play.does('st-gaj.a', :t, 'approve');
select is(pg_temp.open(:t) || ' ' || play.state(:t), 'terminate 2 LDR handling/handling', 'the shift lead decides');
select play.does('leader1', :t, 'approve');
select results_eq(format('select name_of(''state'', state), name_of(''close_kind'', close_kind), closed_at, ended_at from ticket where id = %s', :t), $$values ('terminated', 'terminated', null::timestamptz, hotline.now())$$, 'ended, not closed');
select is((select string_agg(distinct name_of('assignment_state', state), ' ') from assignment where ticket_id = :t), 'cancelled', 'nobody is charged');

-- A request whose ticket has moved on: what cannot be granted is not offered.
select play.ticket('asked_return') as t \gset
select play.does('st-gaj.d', :t, 'sign');
select play.does('st-gaj.h', :t, 'first_contact', 'submit_reply');
select is(play.tries('st-gaj.a', :t, 'approve', jsonb_build_object('approval', (select id::text from approval where ticket_id = :t and kind = 'return'), 'opinion', '同意')), '409 not_allowed_now', 'a reply on its way is not returned');
select is((select string_agg(a->>'action', ' ' order by a->>'action') from json_array_elements((api.actions(jsonb_build_object('session', 'st-gaj.a', 'id', :'t', 'at', play.clock()))).body->'actions') a), 'recuse reject unit_approve unit_reject watch', 'and that is not offered');

-- Who has two roles decides one stage only.
insert into person_role (person_id, role) select id, 'LDR' from person where login = 'st-gaj.a';
select play.ticket('suspend_up') as t \gset
select is(play.tries('st-gaj.a', :t, 'approve', play.good('approve', :t)), '403 same_person', 'who has agreed for the unit does not decide for the centre');
delete from person_role where role = 'LDR' and person_id = (select id from person where login = 'st-gaj.a');

select play.go('2026-07-01 00:00') \g /dev/null
select play.sweep() \g /dev/null
select take_time(jsonb_build_object('at', play.clock())) \g /dev/null
select is_empty('select * from check_invariants()', 'the eleven invariants hold');
select is_empty('select problem, what, key, expected, found from metrics_verify()', 'and every figure is what the events say');
select * from finish();
rollback;
