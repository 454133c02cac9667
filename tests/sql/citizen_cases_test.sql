-- What a citizen may still say after filing, and what the centre does about it: the field's rules, one by one, as they read.

begin;
\ir play.psql

select no_plan();

create function play.says_citizen(tid bigint, action text, inputs jsonb, more jsonb default '{}') returns text language plpgsql as $$
begin
    return play.says(api.citizen(jsonb_build_object('number', (select ticket_no from hotline.ticket where id = tid), 'code_hash', 'code',
        'id', tid::text, 'action', action, 'inputs', inputs, 'at', play.clock()) || more));
end $$;
create function play.due(tid bigint, kind_ text) returns timestamptz language sql as $$
    select due_at from hotline.clock where ticket_id = tid and kind = kind_ order by id desc limit 1
$$;
create function play.story(tid bigint) returns text language sql as $$
    select string_agg(transition, ' ' order by n) from hotline.event where ticket_id = tid
$$;
create function play.view(tid bigint) returns jsonb language sql as $$
    select (api.follow(jsonb_build_object('number', (select ticket_no from hotline.ticket where id = tid), 'code_hash', 'code', 'at', play.clock()))).body::jsonb
$$;

create function play.offered(login text, tid bigint) returns text[] language sql as $$
    select array_agg(a->>'action') from json_array_elements((api.actions(jsonb_build_object('session', login, 'id', tid::text, 'at', play.clock()))).body->'actions') a
$$;

-- ---- more facts (T07, T08, T09) ----

select play.ticket('handling') as t \gset
select play.due(:t, 'unit') as unit_was, play.due(:t, 'promise') as promise_was \gset
select is(play.tries('st-gaj.h', :t, 'request_supplement', '{"missing_items": []}'), '422 bad_inputs missing_items', 'who asks says what is missing');
select is(play.tries('st-gaj.h', :t, 'request_supplement', '{"missing_items": ["位置"], "deadline": "2026-03-02T09:00:00+08:00"}'), '422 bad_inputs deadline', 'not for yesterday');
select is(play.tries('st-gaj.h', :t, 'request_supplement', '{"missing_items": ["位置"], "deadline": "2026-03-06T09:00:00+08:00"}'), '422 bad_inputs deadline', 'and three workdays are the most');
select play.does('st-gaj.h', :t, 'request_supplement');
select is(play.state(:t), 'need_supplement/handling', 'the ticket waits, the unit keeps it');
select is((select count(*)::int from clock where ticket_id = :t and met_at is null and stopped_at is null and paused_at is null), 0, 'no clock runs on');
select results_eq(format('select distinct reason, approved_by is null from clock_pause where ticket_id = %s', :t), $$values ('pause_1', true)$$, 'pause 1, which nobody has to approve');
select is(play.tries('st-gaj.h', :t, 'submit_reply', play.good('submit_reply', :t)), '409 not_allowed_now', 'a unit does nothing meanwhile');
select is(play.view(:t)->'wanted'->>'items', '工地的具体位置', 'the citizen reads what is wanted');
select play.go('2026-03-04 10:00');
select is(play.says_citizen(:t, 'supplement', '{"text": "金砂路 100 号"}', '{"code_hash": "wrong"}'), '404 no_such_ticket', 'only who has the code answers');
select is(play.says_citizen(:t, 'supplement', '{"text": "金砂路 100 号"}'), '200', 'the citizen answers');
select is(play.state(:t), 'handling/handling', 'and it is where it was');
select is(play.due(:t, 'unit') - :'unit_was'::timestamptz, interval '2 days', 'the unit has two workdays more');
select is((select unit_due_at from assignment where ticket_id = :t), play.due(:t, 'unit'), 'its assignment says so');
select is((select promise_due_at - :'promise_was'::timestamptz from ticket where id = :t), interval '2 days', 'and so has the promise');
select is_empty(format('select * from timer where ticket_id = %s and kind like ''%%supplement%%''', :t), 'nobody is reminded any more');
select is((select body from event_note where ticket_id = :t and name = 'text'), '金砂路 100 号', 'the words are kept');
select play.does('st-gaj.h', :t, 'request_supplement');
select is(play.tries('operator1', :t, 'supplement', '{"text": "在 100 号"}'), '200', 'an operator writes down what a caller adds');
select is(play.tries('st-gaj.h', :t, 'request_supplement', play.good('request_supplement', :t)), '409 supplements_used_up', 'twice is the most');
select is(play.says_citizen(:t, 'supplement', '{"text": "还有"}'), '409 not_allowed_now', 'unasked it is a follow-up');

select play.go('2026-03-02 10:00');
select is(play.tries('acceptor1', play.file('{"contact": null, "anonymous": true}'), 'request_supplement', play.good('request_supplement', 1)), '409 not_contactable', 'who left no number is not asked');
select is(play.tries('dispatcher1', play.ticket('pending_accept'), 'request_supplement', play.good('request_supplement', 1)), '403 forbidden', 'before acceptance the acceptor asks');
select is(play.tries('acceptor1', play.ticket('pending_dispatch'), 'request_supplement', play.good('request_supplement', 1)), '403 forbidden', 'after it the dispatcher');

select play.ticket('need_supplement') as t, play.ticket('handling') as h \gset
select play.does('st-gaj.h', :h, 'request_supplement');
select play.go('2026-03-05 23:59:58');
select play.sweep() \g /dev/null
select is((select reminded::int from supplement where ticket_id = :t), 2, 'two reminders went out');
select is((select count(*)::int from outbox where ticket_id = :t and kind = 'supplement_reminder'), 2, 'by the outbox');
select is_empty(format('select * from event where ticket_id = %s and transition = ''T09m'' and in_quiet_hours(at)', :t), 'none of them at night');
select is(play.state(:t), 'need_supplement', 'until the last second it waits');
select play.go('2026-03-06 00:00');
select play.sweep() \g /dev/null
select results_eq(format('select name_of(''state'', state), name_of(''close_kind'', close_kind), accepted_at = ended_at, rated from ticket where id = %s', :t),
    $$values ('closed', 'no_supplement', true, null::smallint)$$, 'then it is closed for want of facts');
select is(play.clocks(:t), null, 'and no clock runs');
select is(play.state(:h), 'closed', 'so is the one of the unit');
select is((select state::int from assignment where ticket_id = :h), 9, 'which is charged with nothing');
select is(play.view(:t)->'may', '["object"]', 'the citizen may have it reopened');
select play.go('2026-04-04 12:00');
select is(play.says_citizen(:t, 'object', '{"text": "位置是金砂路 100 号"}'), '200', 'within thirty days that needs nobody''s leave');
select is(play.state(:t) || ' ' || play.clocks(:t), 'pending_dispatch dispatch promise', 'it goes on with the dispatcher, promised as before');
select is((select row(closed_at, ended_at, close_kind)::text from ticket where id = :t), '(,,)', 'and is closed no more');
select is_empty(format('select * from timer where ticket_id = %s and kind = ''archive''', :t), 'nor will it be archived');
select play.go('2026-04-06 12:00');
select is(play.says_citizen(:h, 'object', '{"text": "位置是金砂路 100 号"}'), '409 too_late_to_object', 'after thirty it is too late');
select play.go('2026-03-02 10:00');

-- ---- urgent transfer (T11) ----

select play.ticket('pending_accept') as t \gset
select is(play.tries('operator1', :t, 'urgent_transfer', '{"agency": "fire_119", "mode": "one_key"}'), '422 bad_inputs agency_agent_no', 'who took the call is named');
select is(play.tries('operator1', :t, 'urgent_transfer', '{"agency": "pizza", "mode": "one_key", "agency_agent_no": "1"}'), '422 bad_inputs agency', 'an emergency line that exists');
select play.must('operator1', :t, 'urgent_transfer', play.good('urgent_transfer', :t) || '{"rest": "楼道里还堆着杂物"}');
select is(play.state(:t), 'referred_out', 'the urgent matter is the fire brigade''s');
select ticket_id as child from ticket_link where other_id = :t and kind = 'rest_of' \gset
select is(play.state(:child) || ' ' || play.clocks(:child), 'pending_dispatch dispatch promise', 'what is left is a ticket of its own, accepted and promised');
select results_eq(format('select content, query_code_hash from ticket where id = %s', :child), $$values ('楼道里还堆着杂物', 'code')$$, 'followed with the same code');
select is(play.story(:child), 'T11c', 'and its chain begins there');
select is((select check_at from transfer where ticket_id = :t), '2026-03-02 10:30+08'::timestamptz, 'in half an hour somebody asks whether it arrived');
select play.go('2026-03-02 10:31');
select play.sweep() \g /dev/null
select ok((select late_at is not null from transfer where ticket_id = :t), 'nobody did: that is seen');
select is((select count(*)::int from outbox where ticket_id = :t and kind = 'transfer_check'), 1, 'and told');
select is(play.says(api.transfer_check(jsonb_build_object('session', 'callback1', 'id', :t::text, 'transfer', (select id::text from transfer where ticket_id = :t), 'at', play.clock()))), '403 forbidden', 'a callback agent does not say');
select is(play.says(api.transfer_check(jsonb_build_object('session', 'operator1', 'id', :t::text, 'transfer', (select id::text from transfer where ticket_id = :t), 'arrived', true, 'at', play.clock()))), '200', 'an operator does');
select is(play.says(api.transfer_check(jsonb_build_object('session', 'operator1', 'id', :t::text, 'transfer', (select id::text from transfer where ticket_id = :t), 'at', play.clock()))), '409 checked_already', 'once');
select play.ticket('handling') as t \gset
select play.does('operator1', :t, 'urgent_part');
select is(play.state(:t), 'handling/handling', 'a part passed on leaves the rest where it is');
select play.ticket('pending_accept') as t \gset
select play.must('operator1', :t, 'urgent_transfer', '{"agency": "police_110", "mode": "data"}');
select is((select check_at - at from transfer where ticket_id = :t), interval '5 minutes', 'what is sent as data needs a receipt in five minutes');
select is((api.exchange(jsonb_build_object('system', 'police_110', 'at', play.clock()))).body->'records'->0->>'source_no', (select ticket_no::text from ticket where id = :t), '110 finds it');
select is(play.says(api.transfer_check(jsonb_build_object('system', 'province', 'id', :t::text, 'transfer', (select id::text from transfer where ticket_id = :t), 'at', play.clock()))), '404 no_such_transfer', 'another system does not answer for 110');
select is(play.says(api.transfer_check(jsonb_build_object('system', 'police_110', 'id', :t::text, 'transfer', (select id::text from transfer where ticket_id = :t), 'at', play.clock()))), '200', '110 does');
select play.go('2026-03-02 10:00');

-- ---- 110 and the province (T12, T16) ----

create function play.receive(name text, more jsonb default '{}') returns api.answer language plpgsql as $$
begin
    return case name when 'police_110' then api.receive_from_110(jsonb_build_object('external_id', 'J1', 'title', '占道经营', 'content', '夜市占道，非警务事项。', 'type', 'complaint', 'at', play.clock()) || more)
        else api.receive_province(jsonb_build_object('external_id', 'P1', 'title', '占道经营', 'content', '夜市占道经营。', 'type', 'complaint', 'outer_due_at', '2026-03-05T23:59:59+08:00', 'at', play.clock()) || more) end;
end $$;
select is(play.says(play.receive('police_110', '{"title": ""}')), '422 bad_inputs title', 'a record without a title is refused');
select is(play.says(play.receive('police_110', '{"type": "x", "urgency": "y"}')), '422 bad_inputs type,urgency', 'and words we do not know');
select is(play.says(play.receive('police_110', '{"session": "callback1"}')), '403 forbidden', 'at the 110 seat sits an operator');
select (play.receive('police_110', '{"measures": "已到场劝离"}')).body->>'number' as no \gset
select is((play.receive('police_110')).body->>'number', :'no', 'the same record is the same ticket');
select ticket_id as t from ticket_ref where ticket_no = :'no' \gset
select is(play.state(:t) || ' ' || play.clocks(:t) || ' ' || play.story(:t), 'pending_dispatch dispatch promise T12', 'it is not asked about again: accepted, promised, for dispatch');
select is((select name_of('channel', channel) from ticket where id = :t), 'police_110', 'by its channel');
select is((select body from event_note where ticket_id = :t and name = 'measures'), '已到场劝离', 'what the police did is kept');
select play.does('dispatcher1', :t, 'dispatch');
select play.round(:t);
select play.does('callback1', :t, 'callback_ok');
select results_eq(format($$select r->>'external_id', r->>'state', r->>'resolved' from json_array_elements((api.exchange('{"system": "police_110", "after": "%s", "at": "2026-03-02T10:00:00+08:00"}')).body->'records') r
    where r->>'source_no' = '%s' order by (r->>'version')::int desc limit 1$$, 0, :'no'), $$values ('J1', 'closed', 'yes')$$, 'the result goes back to 110');

select is(play.says(play.receive('province', '{"outer_due_at": "2026-03-01T00:00:00+08:00"}')), '422 bad_inputs outer_due_at', 'a limit that has passed is none');
select (play.receive('province')).body->>'number' as no \gset
select ticket_id as t from ticket_ref where ticket_no = :'no' \gset
select is((select promise_due_at from ticket where id = :t), '2026-03-05 23:59:59+08'::timestamptz, 'the province''s limit is the promise');
select play.must('dispatcher1', :t, 'dispatch', play.good('dispatch', :t) || '{"policy": "H1"}');
select is(play.due(:t, 'unit'), '2026-03-04 23:59:59+08'::timestamptz, 'the unit''s due day lies a workday before it, whatever the policy');

-- ---- follow-ups (T13, T74) ----

select play.ticket('handling') as t \gset
select is(play.says_citizen(:t, 'followup', '{"kind": "query", "text": "到哪一步了？"}'), '200', 'a citizen asks how it stands');
select is(play.tries('operator1', :t, 'followup', '{"kind": "urge", "text": "来电催办"}'), '200', 'and calls');
select is((select count(*)::int from urge where ticket_id = :t), 0, 'twice is patience');
select is(play.says_citizen(:t, 'followup', '{"kind": "supplement", "text": "昨夜又施工"}'), '200', 'the third time');
select is(play.story(:t), 'T05 T06 T18 T30 T13 T13 T13 T74', 'urges by itself, and no new ticket is made');
select is((select contact_count from ticket where id = :t), 3, 'contacts are counted');
select is((select due_at from urge where ticket_id = :t), '2026-03-03 23:59:59+08'::timestamptz, 'the unit answers within a workday');
select play.go('2026-03-04 09:00');
select play.sweep() \g /dev/null
select ok((select late_at is not null from urge where ticket_id = :t), 'it did not');
select play.does('st-gaj.h', :t, 'answer_urge');
select is(play.tries('st-gaj.h', :t, 'answer_urge', play.good('answer_urge', :t)), '409 no_open_urge', 'an urge is answered once');
select is(play.says_citizen(:t, 'followup', '{"kind": "shout", "text": "喂喂"}'), '422 bad_inputs kind', 'a kind that exists');
select is(play.says_citizen(play.ticket('closed'), 'followup', '{"kind": "query", "text": "办了吗"}'), '409 not_allowed_now', 'what has ended is objected to, not followed up');
select play.go('2026-03-02 10:00');

-- ---- merging (T14) ----

select play.ticket('handling') as master, play.ticket('pending_accept') as t, play.file('{"contact": {"phone_enc": "v1.other", "phone_hmac": "other", "phone_mask": "139****0000"}}') as other, play.ticket('closed') as ended \gset
select is(play.tries('operator1', :t, 'merge', jsonb_build_object('reason', '同一件事', 'master', :t::text)), '422 bad_inputs master', 'not into itself');
select is(play.tries('operator1', :t, 'merge', jsonb_build_object('reason', '同一件事', 'master', '1')), '422 bad_inputs master', 'nor into nothing');
select is(play.tries('operator1', :t, 'merge', jsonb_build_object('reason', '同一件事', 'master', :ended::text)), '422 bad_inputs master', 'nor into what has ended');
select is(play.tries('operator1', :other, 'merge', jsonb_build_object('reason', '同一件事', 'master', :master::text)), '422 bad_inputs master', 'another citizen''s ticket is grouped, not merged');
select ok('merge' = any (play.offered('operator1', :t)) and not 'merge' = any (play.offered('operator1', :other)), 'merging is offered where the citizen has another open ticket');
select play.must('operator1', :t, 'merge', jsonb_build_object('reason', '同一件事', 'master', :master::text));
select is(play.state(:t), 'merged', 'the same citizen''s is merged');
select play.sweep() \g /dev/null
select results_eq(format('select from_ticket, body from followup f join event_note n on n.event_id = f.event_id and n.name = ''text'' where f.ticket_id = %s', :master),
    format('values (%s::bigint, ''工地夜里两点还在施工，吵得睡不着。'')', :t), 'what it says is a word on the other');
select is(play.view(:t)->>'merged_into', (select ticket_no::text from ticket where id = :master), 'and its number leads there');
select ok(play.view(:t)->>'merged_into' is not null and play.clocks(:t) is null, 'with no clock left');

-- ---- groups (T15) ----

create function play.other(n int) returns bigint language sql as $$
    select play.file(jsonb_build_object('contact', jsonb_build_object('phone_enc', 'v1.' || n, 'phone_hmac', 'h' || n, 'phone_mask', '1')))
$$;
select play.ticket('pending_sign') as lead, play.other(1) as a, play.other(2) as b, play.file() as same \gset
select is(play.tries('dispatcher1', :same, 'group', jsonb_build_object('lead', :lead::text)), '422 bad_inputs lead', 'one citizen makes no group');
create function play.filed_at(phone text) returns bigint language sql as $$
    select play.file(jsonb_build_object('division', '440507001', 'contact', jsonb_build_object('phone_enc', 'v1.' || phone, 'phone_hmac', phone, 'phone_mask', '1')))
$$;
select play.filed_at('h8') as mine, play.filed_at('h8') as mine_too, play.filed_at('h9') as theirs \gset
create function play.choices(tid bigint, action_ text, name_ text) returns bigint[] language sql as $$
    select array_agg((c->>'value')::bigint order by c->>'value')
    from json_array_elements((api.actions(jsonb_build_object('session', 'dispatcher1', 'id', tid::text, 'at', play.clock()))).body->'actions') a,
        json_array_elements(a->'inputs') i, json_array_elements(nullif(i->>'choices', '')::json) c
    where a->>'action' = action_ and i->>'name' = name_
$$;
select ok(:theirs = any (play.choices(:mine, 'group', 'lead')) and not :mine_too = any (play.choices(:mine, 'group', 'lead')), 'another citizen''s like ticket is offered as lead, one''s own is not');
select is(play.choices(:mine, 'merge', 'master'), array[:mine_too]::bigint[], 'one''s own is offered to merge into');
select play.must('dispatcher1', :a, 'group', jsonb_build_object('lead', :lead::text, 'confidence', 0.9));
select play.must('dispatcher1', :b, 'group', jsonb_build_object('lead', :lead::text));
select is(play.tries('dispatcher1', :b, 'group', jsonb_build_object('lead', :lead::text)), '409 in_a_group', 'a ticket belongs to one group');
select play.does('st-gaj.d', :lead, 'sign');
select play.does('st-gaj.h', :lead, 'first_contact');
select play.replied(:lead);
select play.does('auditor1', :lead, 'audit_pass');
select play.sweep() \g /dev/null
select is(play.state(:a) || ' ' || play.story(:a), 'pending_callback/replied T05 T15 T06 T18 T15f T63', 'one reply answers all, and each is asked for itself');
select is((select content from reply where ticket_id = :b and verdict = 'passed'), (select content from reply where ticket_id = :lead), 'in the same words');
select is((select count(*)::int from outbox where ticket_id in (:a, :b) and kind = 'rating_link'), 2, 'by a link each');
select is(play.says_citizen(:a, 'rate', '{"resolved": "yes", "sat_result": "satisfied"}'), '200', 'who answers it');
select is(play.state(:a) || ' ' || play.state(:b), 'closed/done pending_callback/replied', 'closes the own ticket alone');

-- ---- the callback ----

select play.ticket('pending_callback') as t \gset
select play.go('2026-03-02 21:00');
select play.must('callback1', :t, 'callback_attempt', '{"outcome": "no_answer"}');
select ok((select quiet from callback_attempt where ticket_id = :t), 'a person''s call in quiet hours is made, and marked');
select is((hotline.step(:t, 'callback_attempt', system_actor(), '{"outcome": "link_sent"}')).body->>'code', 'quiet_hours', 'the system''s is not made');
select is(play.says_citizen(:t, 'rate', '{"resolved": "no", "sat_result": "unsatisfied"}', '{"code_hash": null, "link_round": 0}'), '200', 'a citizen answers the link whenever it suits');
select is(play.state(:t), 'pending_callback/replied', 'unsatisfied, a person takes it up');
select is(play.says_citizen(:t, 'rate', '{"resolved": "yes", "sat_result": "satisfied"}'), '409 rated_already', 'a link is good once');
select is(play.says_citizen(:t, 'withdraw', '{"reason": "不办了", "pressed": false}', '{"code_hash": null, "link_round": 0}'), '404 no_such_ticket', 'and for rating alone');
select play.does('callback1', :t, 'rework');
select play.go('2026-03-02 10:00');

-- By the draw: who gets a link is asked by the system, in other bands and on another day, and then counts as unreachable.
update setting set value = '0' where name = 'callback.sample';
select play.ticket('pending_audit', '{"type": "suggestion"}') as s, play.ticket('pending_audit') as c \gset
select play.does('auditor1', :s, 'audit_pass');
select play.does('auditor1', :c, 'audit_pass');
select is((select count(*)::int from callback_plan where ticket_id = :s), 1, 'a suggestion that was not drawn gets a link');
select is((select count(*)::int from callback_plan where ticket_id = :c), 0, 'a complaint is always called by a person');
select play.go('2026-03-09 09:00');
select play.sweep() \g /dev/null
select results_eq(format('select transition from event where ticket_id = %s and n > 7 order by n', :s), $$values ('T60'), ('T63'), ('T63'), ('T63'), ('T63'), ('T67')$$, 'four links on two days, then nothing more is awaited');
select is_empty(format('select * from callback_attempt where ticket_id = %s and quiet', :s), 'none of them in quiet hours');
select is((select rated::int from ticket where id = :s), 0, 'not rated');
update setting set value = '100' where name = 'callback.sample';

-- ---- late rating (T70) ----

select is(play.says_citizen(:s, 'rate', '{"resolved": "maybe", "sat_result": "satisfied"}'), '422 bad_inputs resolved', 'a verdict is one of three');
select is(play.says_citizen(:s, 'rate', '{"resolved": "partly", "sat_result": "basic", "comment": "还可以"}'), '200', 'who was not reached may still rate');
select results_eq(format('select state::int, rated::int, resolved::int from ticket where id = %s', :s), 'values (70, 3, 2)', 'it takes the place of "not rated"');
select is(play.says_citizen(:s, 'rate', '{"resolved": "yes", "sat_result": "satisfied"}'), '409 rated_already', 'once');
select is(play.says_citizen(play.ticket('closed'), 'rate', '{"resolved": "no", "sat_result": "unsatisfied"}'), '409 rated_already', 'and a verdict that was given stays');
update setting set value = '0' where name = 'callback.sample';
select play.ticket('pending_audit', '{"type": "suggestion"}') as s \gset
select play.does('auditor1', :s, 'audit_pass');
update setting set value = '100' where name = 'callback.sample';
select play.go('2026-03-16 09:00');
select play.sweep() \g /dev/null
select play.go('2026-03-24 09:00');
select is(play.says_citizen(:s, 'rate', '{"resolved": "yes", "sat_result": "satisfied"}'), '409 too_late_to_rate', 'seven days after closing it is too late');
select play.go('2026-03-02 10:00');

-- ---- objections (T71) and reopening (T72) ----

select play.ticket('closed') as t, play.ticket('closed') as u \gset
select play.go('2026-03-17 09:00');
select is(play.says_citizen(:t, 'object', '{"text": "没有解决，夜里还在施工。"}'), '200', 'within fifteen days a citizen objects');
select is(play.state(:t) || ' ' || (select decider_role || coalesce(asked_by::text, ' by nobody of ours') from approval where ticket_id = :t and verdict is null), 'closed/done LDR by nobody of ours', 'and the shift lead looks at it');
select is(play.says_citizen(:t, 'object', '{"text": "没有解决，夜里还在施工。"}'), '409 already_asked', 'while it does, that is enough');
select is(play.view(:t)->'objection'->'verdict', 'null', 'it is not decided');
select play.must('leader1', :t, 'reject', jsonb_build_object('approval', play.open_approval(:t), 'opinion', '经复核，施工单位持有夜间施工许可。'));
select is(play.says_citizen(:t, 'object', '{"text": "没有解决，夜里还在施工。"}'), '409 objected_already', 'and one objection is all');
select is(play.view(:t)->'objection'->>'opinion', '经复核，施工单位持有夜间施工许可。', 'the citizen reads why not');
select play.must('leader1', :u, 'reopen', '{"reason": "群众再次反映"}');
select is(play.state(:u) || ' ' || play.clocks(:u), 'pending_dispatch dispatch promise', 'the lead may reopen by himself: to the dispatcher, the promise unmet');
select play.does('dispatcher1', :u, 'dispatch');
select play.round(:u);
select play.does('callback1', :u, 'callback_ok');
select is(play.state(:u), 'closed/done', 'and it is closed again');
select is((select count(*)::int from assignment where ticket_id = :u and role = 1), 2, 'with both rounds kept');
select play.go('2026-03-18 09:00');
select is(play.says_citizen(play.ticket('closed'), 'object', '{"text": "没有解决，夜里还在施工。"}'), '200', 'one more');
select play.does('leader1', (select max(id) from ticket), 'approve');
select is(play.state((select max(id) from ticket)) || ' ' || play.clocks((select max(id) from ticket)), 'pending_sign/pending_sign contact promise sign unit', 'granted, the same unit does it again');
select is((select policy || ' ' || forbid_return from assignment where ticket_id = (select max(id) from ticket) and round = 1), 'W1 true', 'on the terms of a rework');
select play.go('2026-03-02 10:00');
select play.ticket('closed') as t \gset
select play.go('2026-03-17 10:01');
select is(play.says_citizen(:t, 'object', '{"text": "没有解决，夜里还在施工。"}'), '409 too_late_to_object', 'after fifteen days it is too late');
select play.go('2026-05-31 09:00');
select play.must('supervisor1', :t, 'reopen_to_unit', play.good('reopen_to_unit', :t));
select is(play.state(:t) || ' ' || play.clocks(:t), 'pending_sign/pending_sign contact promise sign unit', 'for ninety days a supervisor may send it to the unit again');
select play.go('2026-03-02 10:00');
select play.ticket('closed') as t, play.ticket('answered') as spot \gset
select is(play.tries('supervisor1', :spot, 'reopen_to_unit', play.good('reopen_to_unit', :t)), '409 not_allowed_now', 'what no unit had goes to none');
select play.go('2026-05-31 10:01');
select is(play.tries('leader1', :t, 'reopen', '{"reason": "群众再次反映"}'), '409 too_late_to_reopen', 'after ninety days it stays closed');
select play.go('2026-03-02 10:00');

-- What was refused is objected to as well: once, and the shift lead looks at it.

select play.ticket('refused') as t, play.draft() as d \gset
select is(play.view(:t)->'may', '["object"]', 'a citizen may object to a refusal');
select is(play.says_citizen(:t, 'object', '{"text": "此事没有进入诉讼。"}'), '200', 'and does');
select is(play.view(:t)->'may', '[]', 'once');
select play.go('2026-03-04 09:00');
select play.does('leader1', :t, 'approve');
select is(play.state(:t) || ' ' || play.clocks(:t) || ' ' || play.due(:t, 'promise'), 'pending_accept accept promise 2026-03-16 23:59:59+08', 'where it stands, it is looked at again, promised as before');
select play.does('acceptor1', :t, 'accept');
select is((select accepted_at from ticket where id = :t), hotline.now(), 'and may be accepted');
select play.does('operator1', :d, 'refuse');
select is(play.says_citizen(:d, 'object', '{"text": "此事没有进入诉讼。"}'), '200', 'what was refused on the phone too');
select play.does('leader1', :d, 'approve');
select is(play.state(:d) || ' ' || play.clocks(:d) || ' ' || play.due(:d, 'promise'), 'pending_accept accept promise 2026-03-10 23:59:59+08', 'a question is promised from then');
select play.go('2026-03-02 10:00');
select play.ticket('refused') as t \gset
select play.go('2026-03-17 10:01');
select is(play.says_citizen(:t, 'object', '{"text": "此事没有进入诉讼。"}'), '409 too_late_to_object', 'for fifteen days');
select play.go('2026-03-02 10:00');

-- ---- voiding (T73) and referring (T78) ----

select play.ticket('handling') as t \gset
select play.must('leader1', :t, 'void', '{"void_code": "harassment", "note": "反复骚扰"}');
select is(play.state(:t) || coalesce(play.clocks(:t), ''), 'voided', 'void, with no clock');
select is((select count(*)::int from abuse where ticket_id = :t), 1, 'harassment is remembered by the caller''s hash');
select is_empty(format('select * from assignment where ticket_id = %s and state not in (7, 8, 9)', :t), 'the unit is rid of it');
select play.ticket('pending_sign') as t \gset
select is(play.tries('leader1', :t, 'refer_out', '{"target": "other_city", "target_name": "潮州 12345"}'), '422 bad_inputs told_text', 'the citizen is told where');
select play.does('leader1', :t, 'refer_out');
select is(play.state(:t), 'referred_out', 'referred out');
select matches(play.view(:t)->>'answer', '潮州', 'and reads it');

-- ---- supervision orders (T75) ----

select play.ticket('handling') as t \gset
select is(play.tries('efficiency1', :t, 'supervise', play.good('supervise', :t) || '{"kind": "leader"}'), '422 bad_inputs kind', 'a leader''s order is a leader''s');
select is(play.tries('supervisor1', :t, 'supervise', play.good('supervise', :t) || '{"due": "2026-03-01T00:00:00+08:00"}'), '422 bad_inputs due', 'nothing is due yesterday');
select play.does('cityleader1', :t, 'supervise');
select play.does('supervisor1', :t, 'supervise');
select is((select count(distinct number)::int from supervision_order where ticket_id = :t), 2, 'each order has a number of its own');
select ok((select bool_and(number ~ '^2026-[0-9]{6}$') from supervision_order where ticket_id = :t), 'with its year');
select id::text as o from supervision_order where ticket_id = :t order by id desc limit 1 \gset
select is(play.tries('cityleader1', :t, 'close_supervision', jsonb_build_object('order', :'o', 'opinion', '可以')), '403 not_the_issuer', 'who did not issue it does not close it');
select is(play.tries('st-gaj.h', :t, 'answer_supervision', jsonb_build_object('order', :'o', 'text', '已办')), '403 forbidden', 'the head of the unit answers');
select play.does('st-gaj.a', :t, 'answer_supervision');
select is(play.tries('st-gaj.a', :t, 'answer_supervision', jsonb_build_object('order', :'o', 'text', '已经办好了')), '409 no_open_order', 'once');
select play.must('supervisor1', :t, 'close_supervision', jsonb_build_object('order', :'o', 'opinion', '已到位'));
select ok((select closed_at is not null from supervision_order where id = :'o'), 'the issuer closes it');

-- The system's own: when the unit is a workday late, and when two reworks did not help.
select play.ticket('contacted') as t \gset
select play.go('2026-03-11 00:00');
select play.sweep() \g /dev/null
select results_eq(format('select cause, issued_by, unit_id from supervision_order where ticket_id = %s', :t), $$values ('overdue', null::int, 101)$$, 'a workday after the due day the system orders');
select is((select issued_at from supervision_order where ticket_id = :t), '2026-03-10 23:59:59+08'::timestamptz, 'as of that moment');
select is(play.tries('efficiency1', :t, 'close_supervision', jsonb_build_object('order', (select id::text from supervision_order where ticket_id = :t), 'opinion', '可以')), '403 not_the_issuer', 'which is a supervisor''s to close');
select play.go('2026-03-02 10:00');
select play.ticket('rounds_up') as t \gset
select play.must('callback1', :t, 'callback_attempt', '{"outcome": "connected", "resolved": "no", "sat_process": "basic", "sat_result": "unsatisfied"}');
select play.does('leader1', :t, 'close_unsatisfied');
select is(play.state(:t) || ' ' || (select cause from supervision_order where ticket_id = :t), 'closed/done unsatisfied', 'two reworks and still unsatisfied: closed, and ordered');
select is((hotline.step(:t, 'archive', system_actor(), '{}', at_ => hotline.now() + interval '200 days')).status, 409, 'an open order keeps it from the archive');

-- ---- what the system urges and orders by itself (T74, T75; domain.md 6.1) ----

create function play.causes(tid bigint) returns text language sql as $$
    select string_agg(cause || ' ' || to_char(issued_at, 'MM-DD HH24:MI') || ' for ' || to_char(due_at, 'MM-DD'), ', ' order by id) from hotline.supervision_order where ticket_id = tid
$$;
create function play.urged(tid bigint) returns text language sql as $$
    select string_agg(to_char(at, 'MM-DD HH24:MI:SS') || case when by_person is null then ' by itself' else '' end, ', ' order by event_id) from hotline.urge where ticket_id = tid
$$;
select play.ticket('contacted') as t, play.ticket('pending_audit') as replied, play.ticket('suspended') as still, play.ticket('pressed') as urged \gset
select play.go('2026-03-06 23:59:58');
select play.sweep() \g /dev/null
select is(play.urged(:t), null, 'while there is time nobody is urged');
select play.go('2026-03-07 09:00');
select play.sweep() \g /dev/null
select is(play.urged(:t), '03-06 23:59:59 by itself', 'a unit clock that turns yellow urges, as of that moment');
select is(concat(play.urged(:replied), play.urged(:still)), '', 'not who has replied, nor who waits');
select is(play.urged(:urged), '03-02 10:00:00', 'nor who owes an answer to an urge already');
select play.does('st-gaj.h', :t, 'answer_urge');
select play.go('2026-03-09 09:00');
select play.must('st-gaj.d', :t, 'request_extension', play.good('request_extension', :t) || '{"new_due": "2026-03-12T23:59:59+08:00"}');
select play.does('st-gaj.a', :t, 'approve');
select play.does('dispatcher1', :t, 'approve_extension');
select play.go('2026-03-12 09:00');
select play.sweep() \g /dev/null
select is(play.urged(:t), '03-06 23:59:59 by itself, 03-11 23:59:59 by itself', 'with more time it is urged before that ends');
select play.go('2026-03-20 09:00');
select play.sweep() \g /dev/null
select is((select to_char(at, 'MM-DD') from timer where ticket_id = :still and kind = 'yellow'), (select to_char(warn_at, 'MM-DD') from clock where ticket_id = :still and kind = 'unit'), 'who waited is urged when that time runs short');
select play.go('2026-03-02 10:00');
update setting set value = '0' where name = 'urge.yellow';
select is((select count(*)::int from timer where ticket_id = play.ticket('handling') and kind = 'yellow'), 0, 'an installation may leave that to people');
update setting set value = '1' where name = 'urge.yellow';

select play.ticket('pending_dispatch') as t, (select min(id) from directory_item where policy = 'U2') as item \gset
select play.must('dispatcher1', :t, 'dispatch', jsonb_build_object('main_unit', 101, 'item', :item, 'instruction', '请抢修'));
select play.ticket('return_review') as told, play.ticket('return_review') as untold, play.ticket('pending_sign') as idle \gset
select play.does('auditor1', :told, 'reject_return');
select play.go('2026-03-02 11:01');
select play.sweep() \g /dev/null
select is(play.causes(:t), 'urgent 03-02 11:00 for 03-03', 'what is urgent is under supervision from the first minute that it is late');
select play.go('2026-03-04 10:00');
select play.sweep() \g /dev/null
select is(play.causes(:t), 'urgent 03-02 11:00 for 03-03', 'once');
select is(play.causes(:told), 'unsigned 03-03 23:59 for 03-09', 'who is told to keep it and does not sign refuses, and is under supervision');
select play.does('supervisor1', :untold, 'reject_return');
select play.sweep() \g /dev/null
select is(concat(play.causes(:idle), play.causes(:untold)), '', 'who forgot to, or had no time to, is deemed to have signed');
select play.go('2026-03-02 10:00');

select play.ticket('handling') as t \gset
select play.must('operator1', play.ticket('pending_accept'), 'merge', jsonb_build_object('reason', '同一件事', 'master', :t::text)) from generate_series(1, 2);
select play.sweep() \g /dev/null
select is(play.causes(:t), null, 'filed again twice');
select play.must('operator1', play.ticket('pending_accept'), 'merge', jsonb_build_object('reason', '同一件事', 'master', :t::text));
select play.sweep() \g /dev/null
select is(play.causes(:t), 'repeats 03-02 10:00 for 03-05', 'the third time the head of the unit is asked');

create function play.many(lead bigint) returns void language plpgsql as $$
declare
    tid bigint;
begin
    for n in 1 .. 10 loop
        tid := play.file(jsonb_build_object('contact', jsonb_build_object('phone_enc', 'v1.m' || n, 'phone_hmac', 'm' || n, 'phone_mask', '1')));
        perform play.must('dispatcher1', tid, 'group', jsonb_build_object('lead', lead::text));
    end loop;
end $$;
select play.ticket('handling') as t, play.ticket('pending_dispatch') as later \gset
select play.many(:t);
select play.many(:later);
select play.sweep() \g /dev/null
select is(play.causes(:t), 'group 03-02 10:00 for 03-05', 'ten citizens, one matter: the head of the unit is asked');
select is(play.causes(:later), null, 'where there is a unit');
select play.does('dispatcher1', :later, 'dispatch');
select play.go('2026-03-02 11:00');
select play.sweep() \g /dev/null
select is(play.causes(:later), 'group 03-02 11:00 for 03-05', 'or as soon as there is');
select play.go('2026-03-02 10:00');

select play.ticket('parked') as t, play.ticket('parked') as told \gset
select play.go('2026-03-30 10:00');
select play.does('st-gaj.h', :told, 'park_progress');
select play.go('2026-04-02 10:00');
select play.sweep() \g /dev/null
select matches(play.causes(:t), '^parked 04-01', 'a parked matter that nobody reports on');
select is(play.causes(:told), null, 'not one that is reported on');
select play.go('2026-03-02 10:00');
update supervision_rule set active = false where cause = 'repeats';
select is(auto_order(t, 'repeats', hotline.now()), null, 'an installation may leave a cause to people') from ticket t order by id limit 1;
update supervision_rule set active = true where cause = 'repeats';

-- ---- withdrawing (T77) ----

select play.ticket('handling') as t, play.ticket('handling') as w, play.file('{"type": "report"}') as r \gset
select is(play.tries('operator1', :t, 'withdraw', '{"reason": "算了", "pressed": false, "recording_id": "R1"}'), '422 identity_not_proved phone', 'not everybody who calls may withdraw');
select is(play.tries('operator1', :t, 'withdraw', '{"reason": "算了", "pressed": false, "recording_id": "R1"}', '{"contact": {"phone_hmac": "wrong"}}'), '422 identity_not_proved phone', 'not from another number');
select is(play.tries('operator1', :t, 'withdraw', '{"reason": "算了", "pressed": false}', '{"contact": {"phone_hmac": "hmac"}}'), '422 bad_inputs recording_id', 'nor without a recording');
select is(play.tries('operator1', :t, 'withdraw', '{"reason": "算了", "recording_id": "R1"}', '{"contact": {"phone_hmac": "hmac"}}'), '422 bad_inputs pressed', 'whether a unit pressed is asked');
select is(play.tries('operator1', :t, 'withdraw', '{"reason": "算了", "pressed": false, "recording_id": "R1"}', '{"contact": {"phone_hmac": "hmac"}}'), '200', 'from the own number');
select is(play.state(:t) || coalesce(play.clocks(:t), ''), 'withdrawn', 'withdrawn');
select is_empty(format('select * from integrity_case where ticket_id = %s union all select * from integrity_case where ticket_id in (select ticket_id from ticket_link where other_id = %s)', :t, :t), 'and that is all');
select is(play.says_citizen(:w, 'withdraw', '{"reason": "单位要我撤", "pressed": true}'), '200', 'with number and code');
select results_eq(format('select name_of(''integrity_kind'', kind), unit_id from integrity_case where ticket_id = %s', :w), $$values ('pressure', 101)$$, 'who was pressed is looked after');
select is(play.says_citizen(:r, 'withdraw', '{"reason": "怕报复", "pressed": false}'), '200', 'a report may be withdrawn');
select ticket_id as goes_on from ticket_link where other_id = :r and kind = 'continues' \gset
select is(play.tries('operator1', :goes_on, 'withdraw', play.good('withdraw', :goes_on)), '409 no_caller', 'what the centre goes on with in its own name nobody withdraws');
select results_eq(format('select name_of(''state'', t.state), t.anonymous, t.reply_wanted, k.phone_hmac, t.query_code_hash from ticket t join ticket_contact k on k.ticket_id = t.id where t.id = %s', :goes_on),
    $$values ('pending_dispatch', true, false, null::text, null::text)$$, 'the centre goes on in its own name, with nothing of the citizen');
select is(play.tries('st-gaj.d', play.ticket('handling'), 'withdraw', '{}'), '403 forbidden', 'a unit never withdraws');

-- ---- integrity (T69) ----

select play.ticket('reached') as t, play.ticket('pending_callback') as p \gset
select is(play.tries('callback1', :p, 'flag_integrity', play.good('flag_integrity', :p)), '409 not_reached', 'somebody must have said it');
select is(play.tries('callback1', :t, 'flag_integrity', play.good('flag_integrity', :t) || '{"contacted_by_unit": true}'), '422 bad_inputs contacted_by_unit', 'who was contacted contradicts nobody');
select play.does('callback1', :t, 'flag_integrity');
select is(play.state(:t) || ' ' || play.clocks(:t), 'pending_sign/pending_sign contact promise sign unit', 'the unit does it again');
select is((select i.unit_id || ' ' || o.cause from integrity_case i join supervision_order o on o.ticket_id = i.ticket_id where i.ticket_id = :t), '101 integrity', 'there is a case, and an order');

-- ---- conflict of interest (T80) ----

select play.ticket('handling') as t \gset
select play.must('auditor1', :t, 'recuse', '{"reason": "承办人与诉求人有纠纷"}');
select is(play.state(:t) || ' ' || play.clocks(:t), 'pending_dispatch dispatch promise', 'the ticket is taken from the unit');
select is(play.says(api.ticket(jsonb_build_object('session', 'st-gaj.h', 'id', :t::text, 'at', play.clock()))), '404 no_such_ticket', 'which sees it no more');
select is(play.tries('dispatcher1', :t, 'dispatch', '{"main_unit": 101, "instruction": "请办理"}'), '422 conflict_unit main_unit', 'does not get it again');
select is(play.tries('dispatcher1', :t, 'dispatch', '{"main_unit": 10107, "instruction": "请办理"}'), '422 conflict_unit main_unit', 'nor does a part of it');
select is(play.tries('dispatcher1', :t, 'dispatch', '{"main_unit": 102, "co_units": [101], "instruction": "请办理"}'), '422 conflict_unit co_units', 'nor does it assist');
select play.must('dispatcher1', :t, 'dispatch', '{"main_unit": 102, "instruction": "请办理"}');
select is(play.state(:t), 'pending_sign/pending_sign', 'another unit has it');
select is((select state::int from assignment where ticket_id = :t and unit_id = 101), 9, 'and the first is charged with nothing');
select play.ticket('with_co') as t \gset
select play.does('st-gaj.d', :t, 'recuse');
select is((select unit_id from ticket where id = :t), null, 'who stepped aside is not responsible any more');
select results_eq(format('select unit_id, name_of(''assignment_state'', state) from assignment where ticket_id = %s order by unit_id', :t), $$values (101, 'cancelled'), (102, 'cancelled')$$, 'what assisted that unit ends with it');
select is((select units from inbox where ticket_id = :t), '{}', 'and no unit has it in its list');
select play.ticket('sub_waiting') as t \gset
select play.does('st-gaj.d', :t, 'recuse');
select is((select count(*)::int from assignment where ticket_id = :t and state not in (8, 9)), 0, 'nor has a part of the unit');
select play.ticket('return_review') as t \gset
select play.does('auditor1', :t, 'recuse');
select is((select verdict from return_request where ticket_id = :t), 'dropped', 'a return it asked for is not decided any more');
select play.must('dispatcher1', :t, 'dispatch', '{"main_unit": 102, "instruction": "请办理"}');
select is(play.story(:t), 'T05 T06 T18 ASK T32 T80 T18', 'and stands in nobody''s way');
select play.file('{"type": "report"}') as t \gset
select play.must('acceptor1', :t, 'accept', play.good('accept', :t) || '{"conflict_units": [101]}');
select is(play.tries('dispatcher1', :t, 'dispatch', play.good('dispatch', :t)), '422 conflict_unit main_unit', 'a unit that a report names does not get it');
select play.ticket('pending_sign') as t \gset
select is(play.tries('auditor1', :t, 'name_conflict', '{"unit": 101, "reason": "有利害关系"}'), '409 has_the_ticket', 'who has it steps aside');
select is(play.tries('auditor1', :t, 'name_conflict', '{"unit": 102, "reason": "有利害关系"}'), '200', 'who has not is named');
select play.does('st-gaj.d', :t, 'sign');
select is(play.tries('st-gaj.h', :t, 'request_co_unit', '{"unit": 102, "question": "请协办"}'), '422 conflict_unit unit', 'and does not assist');
select play.must('auditor1', :t, 'name_conflict', '{"unit": 10101, "reason": "有利害关系"}');
select is(play.tries('st-gaj.d', :t, 'sub_dispatch', '{"sub_unit": 10101, "due": "2026-03-03T10:00:00+08:00", "instruction": "请核查"}'), '422 conflict_unit sub_unit', 'nor works for the unit above it');
select play.ticket('pending_dispatch') as t \gset
select play.must('auditor1', :t, 'name_conflict', '{"unit": 201, "reason": "有利害关系"}');
select is(play.tries('dispatcher1', :t, 'dispatch_to_district', play.good('dispatch_to_district', :t)), '422 conflict_unit district', 'a district''s government neither');
-- A unit that did an earlier round and then steps aside.
select play.ticket('second_round') as t \gset
select is((select units from inbox where ticket_id = :t), '{101}', 'in its second round the unit lists the ticket');
select play.must('auditor1', :t, 'recuse', '{"reason": "承办人与诉求人有纠纷"}');
select is((select units from inbox where ticket_id = :t), '{}', 'and no more once it has stepped aside');
select is((select units from event where ticket_id = :t order by n desc limit 1), '{}', 'nor hears of it');
select play.must('operator1', :t, 'followup', '{"kind": "query", "text": "办得怎么样了？"}');
select is((select units from inbox where ticket_id = :t), '{}', 'whatever happens next');

-- ---- what a citizen sees of the reveals ----

select play.ticket('handling') as t \gset
select api.reveal(jsonb_build_object('session', 'st-gaj.h', 'id', :t::text, 'purpose', '联系诉求人', 'route', 'r', 'key', 'k' || n, 'digest', 'd', 'at', play.clock())) from generate_series(1, 2) n \g /dev/null
select results_eq(format('select r->>''unit'', (r->>''count'')::int from jsonb_array_elements(play.view(%s)->''reveals'') r', :t), $$select name, 2 from unit where id = 101$$, 'how often a unit looked at the number');

-- ---- figures and invariants at the end ----

select play.go('2026-06-30 09:00');
select play.sweep() \g /dev/null
select fold(1000000) \g /dev/null
select is_empty('select * from metrics_verify()', 'every figure follows from the events');
select is_empty('select * from check_invariants()', 'the eleven invariants hold');

select * from finish();
rollback;
