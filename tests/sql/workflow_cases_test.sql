-- The field's rules, one by one, as they read.

begin;
\ir play.psql

select no_plan();

-- ---- drafts, answers, submission ----

select play.ticket('draft') as d \gset
select is(play.clocks(:d), 'draft', 'a draft has no clock but its own');
select is((select row(accepted_at, submitted_at, promise_due_at)::text from ticket where id = :d), '(,,)', 'a draft is not counted');
select is(play.says(api.draft('{"session": "acceptor1", "channel": "phone", "seq": "1"}')), '403 forbidden', 'only an operator opens a draft');
select is(play.tries('operator2', :d, 'save_draft', '{"address": "x"}'), '404 no_such_ticket', 'to another operator a draft does not exist');
select is(play.tries('leader1', :d, 'save_draft', '{"address": "金砂路"}'), '200', 'the shift lead does');
select is(play.tries('operator1', :d, 'save_draft', '{"address": ""}'), '200', 'an address can be emptied');
select is((select address from ticket where id = :d), '', 'and is empty then');
select is(play.tries('operator1', :d, 'save_draft', '{"secrecy": "", "anonymous": "", "type": null, "title": null}'), '200', 'what is left empty is left as it is');
select is(play.tries('operator1', :d, 'save_draft', '{"secrecy": 4}'), '422 bad_inputs secrecy', 'there is no fourth level of secrecy');
select is(play.tries('operator1', :d, 'save_draft', '{"title": "  x "}'), '422 bad_inputs title', 'blanks do not make a title');

select is(play.tries('operator1', :d, 'answer_on_spot', play.good('answer_on_spot', :d) || '{"type": "complaint"}'), '422 type_not_answerable', 'a complaint is not answered on the spot');
select is(play.tries('operator1', :d, 'answer_on_spot', play.good('answer_on_spot', :d) || '{"type": "report"}'), '422 type_not_answerable', 'nor is a report');
select is(play.tries('operator1', :d, 'answer_on_spot', play.good('answer_on_spot', :d) || '{"appellant_ack": false}'), '422 bad_inputs appellant_ack', 'the citizen must have taken note');
select is(play.tries('operator1', :d, 'answer_on_spot', play.good('answer_on_spot', :d) || '{"no_kb_reason": ""}'), '422 bad_inputs no_kb_reason', 'no article and no reason is no answer');
select is(play.tries('operator1', :d, 'answer_on_spot', play.good('answer_on_spot', :d) || '{"no_kb_reason": "", "kb_article_ids": null}'), '422 bad_inputs no_kb_reason', 'null is not an article');
select is(play.tries('operator1', :d, 'answer_on_spot', play.good('answer_on_spot', :d) || '{"no_kb_reason": "", "kb_article_ids": ""}'), '422 bad_inputs no_kb_reason', 'nor is an empty one');
select is(play.tries('operator1', :d, 'answer_on_spot', play.good('answer_on_spot', :d) || '{"no_kb_reason": null, "kb_article_ids": ["K1"]}'), '200', 'an article needs no reason');
select results_eq(
    format('select name_of(''state'', state), name_of(''close_kind'', close_kind), accepted_at, closed_at, ended_at from ticket where id = %s', :d),
    $$values ('closed', 'direct', hotline.now(), hotline.now(), hotline.now())$$, 'answered on the spot is accepted and closed at once'
);

select play.ticket('pending_accept') as t \gset
select play.does('acceptor1', :t, 'answer_on_spot');
select results_eq(format('select kind, met_at is not null, stopped_at is not null from clock where ticket_id = %s order by kind', :t),
    $$values ('accept', false, true), ('promise', true, false)$$, 'an answer meets the promise and stops the rest');

select play.ticket('draft') as d \gset
select is(play.tries('operator1', :d, 'submit', play.good('submit', :d) || '{"readback": false}'), '422 bad_inputs readback', 'nothing is submitted without reading it back');
select is(play.tries('operator1', :d, 'submit', play.good('submit', :d) || '{"dup_check": "1"}'), '422 bad_inputs dup_check', 'nor without a duplicate check');
select is(play.tries('operator1', :d, 'submit', play.good('submit', play.ticket('draft'))), '422 bad_inputs dup_check', 'and another ticket''s check does not count');
select is(play.tries('operator1', :d, 'submit', play.good('submit', :d) - 'category' - 'division'), '422 bad_inputs category,division', 'category and place are needed');
select is(play.tries('operator1', :d, 'submit', play.good('submit', :d) || '{"colour": "red"}'), '422 bad_inputs colour', 'unknown inputs are named');
select is(play.tries('operator1', :d, 'submit', play.good('submit', :d), '{"version": 9}'), '409 stale_version', 'who looked at another version is told');
select is(play.tries('operator1', :d, 'submit', play.good('submit', :d), '{"version": 1}'), '200', 'submitted');
select is(play.state(:d) || ' ' || play.clocks(:d), 'pending_dispatch dispatch promise', 'submitted is accepted: promise and dispatch clocks run, the draft''s does not');
select is((select accepted_at from ticket where id = :d), hotline.now(), 'submission is acceptance');
select play.draft('operator1', '{"contact": null}') as d \gset
select is(play.tries('operator1', :d, 'submit', play.good('submit', :d)), '422 bad_inputs phone', 'somebody must be reachable');
select is(play.tries('operator1', :d, 'submit', play.good('submit', :d) || '{"anonymous": true}'), '200', 'unless anonymous');

-- ---- the promise ----

create function pg_temp.promise(tid bigint) returns timestamptz language sql as $$ select promise_due_at from hotline.ticket where id = tid $$;
select is(pg_temp.promise(play.file(jsonb_build_object('type', type))), due::timestamptz, 'promise for ' || type)
from (values ('consult', '2026-03-06 23:59:59+08'), ('praise', '2026-03-06 23:59:59+08'), ('help', '2026-03-16 23:59:59+08'),
    ('complaint', '2026-03-16 23:59:59+08'), ('report', '2026-03-16 23:59:59+08'), ('other', '2026-03-16 23:59:59+08'),
    ('suggestion', '2026-03-23 23:59:59+08')) as v(type, due);
create function pg_temp.submit_as(urgency text) returns timestamptz language plpgsql as $$
declare
    tid bigint := play.ticket('draft');
begin
    perform play.must('operator1', tid, 'submit', play.good('submit', tid) || jsonb_build_object('urgency', urgency));
    return (select promise_due_at from hotline.ticket where id = tid);
end $$;
select is(pg_temp.submit_as(urgency), due::timestamptz, 'promise of a complaint that is ' || urgency)
from (values ('urgent_life', '2026-03-03 10:00+08'), ('urgent', '2026-03-04 10:00+08'), ('priority', '2026-03-16 23:59:59+08'),
    ('normal', '2026-03-16 23:59:59+08'), ('complex', '2026-04-07 23:59:59+08')) as v(urgency, due);

create function pg_temp.accept_as(filed text, type text, at_ text default '2026-03-02 11:00', more jsonb default '{}') returns text language plpgsql as $$
declare
    tid bigint := play.file(jsonb_build_object('type', filed));
begin
    perform play.go(at_);
    perform play.must('acceptor1', tid, 'accept', play.good('accept', tid) || jsonb_build_object('type', type) || more);
    perform play.go('2026-03-02 10:00');
    return (select to_char(t.promise_due_at, 'MM-DD') || ' clock ' || to_char(k.due_at, 'MM-DD') || ' timer ' || to_char(m.at, 'MM-DD')
        from hotline.ticket t join hotline.clock k on k.ticket_id = t.id and k.kind = 'promise' join hotline.timer m on m.clock_id = k.id where t.id = tid);
end $$;
select is(pg_temp.accept_as('complaint', 'consult'), '03-06 clock 03-06 timer 03-06', 'accepted as a question, the promise comes forward');
select is(pg_temp.accept_as('suggestion', 'complaint'), '03-16 clock 03-16 timer 03-16', 'a suggestion accepted as a complaint too');
select is(pg_temp.accept_as('complaint', 'suggestion'), '03-16 clock 03-16 timer 03-16', 'a longer promise of another type does not put it off');
select is(pg_temp.accept_as('complaint', 'complaint', '2026-03-02 11:00', '{"urgency": "urgent"}'), '03-16 clock 03-16 timer 03-16', 'urgency found later does not touch what was promised');
select is(pg_temp.accept_as('complaint', 'consult', '2026-03-09 11:00'), '03-16 clock 03-16 timer 03-16', 'and nothing is promised for the past');

-- ---- acceptance and refusal ----

select play.ticket('pending_accept') as t \gset
select is(play.state(:t) || ' ' || play.clocks(:t), 'pending_accept accept promise', 'what a citizen files waits for acceptance and is promised');
select is((select due_at from clock where ticket_id = :t and kind = 'accept'), '2026-03-02 16:30+08'::timestamptz, 'within four working hours');
select is(play.tries('acceptor1', :t, 'accept', '{"title": "噪声"}'), '422 bad_inputs category,division', 'acceptance says what and where');
select is(play.tries('acceptor1', :t, 'accept', '{"title": "噪声", "category": "010101", "division": "999999"}'), '422 bad_inputs division', 'a place that exists');
select play.must('acceptor1', :t, 'accept', '{"title": "夜间施工噪声", "content": null, "category": "010101", "division": "440507001"}');
select is_empty(format('select * from ticket_text where ticket_id = %s', :t), 'the same words are no new version');
select is((select accepted_at from ticket where id = :t), hotline.now(), 'accepted now');
select ok((select met_at = hotline.now() from clock where ticket_id = :t and kind = 'accept'), 'its clock is met');
select is(play.clocks(:t), 'dispatch promise', 'and the dispatcher''s runs');

select play.ticket('pending_accept') as t \gset
select play.must('acceptor1', :t, 'accept', '{"title": "工地噪声", "content": "夜间施工扰民", "category": "010101", "division": "440507001"}');
select results_eq(format('select n::int, title, content from ticket_text where ticket_id = %s', :t),
    $$values (1, '夜间施工噪声', '工地夜里两点还在施工，吵得睡不着。')$$, 'the citizen''s own words are kept');

select is(play.tries('acceptor1', play.ticket('pending_accept'), 'refuse', '{"refuse_code": "N07", "told_text": "不在本市范围"}'), '422 bad_inputs refuse_code', 'another city''s matter is referred, not refused');
select is(play.tries('acceptor1', play.ticket('pending_accept'), 'refuse', '{"refuse_code": "N02"}'), '422 bad_inputs told_text', 'who refuses says why');
create function pg_temp.refuse(code text) returns text language plpgsql as $$
declare
    tid bigint := play.ticket('pending_accept');
begin
    perform play.must('acceptor1', tid, 'refuse', jsonb_build_object('refuse_code', code, 'told_text', '不属受理范围。'));
    return play.state(tid) || coalesce(' ' || (select decider_role || ' ' || (verdict is null) from hotline.approval where ticket_id = tid), '');
end $$;
select is(pg_temp.refuse(code), 'refused', code || ' needs one person') from unnest('{N01, N02, N03, N04}'::text[]) as code;
select is(pg_temp.refuse(code), 'pending_accept LDR true', code || ' needs two people') from unnest('{N05, N06, N08, N09, N10}'::text[]) as code;

select play.ticket('refused') as t \gset
select results_eq(format('select accepted_at, closed_at, ended_at from ticket where id = %s', :t), 'values (null::timestamptz, null::timestamptz, hotline.now())', 'what was refused was never accepted nor closed');
select is(play.clocks(:t), null, 'and no clock runs');

select play.ticket('refusing') as t, play.ticket('refusing') as other \gset
select is(play.tries('acceptor1', :t, 'refuse', '{"refuse_code": "N02", "told_text": "此事须经诉讼解决。"}'), '409 already_asked', 'it is asked once');
select is(play.tries('leader1', :t, 'approve', jsonb_build_object('approval', play.open_approval(:other), 'opinion', '同意')), '409 not_open', 'another ticket''s approval is not this one''s');
select is(play.tries('leader1', :t, 'approve', jsonb_build_object('approval', play.open_approval(:t))), '422 bad_inputs opinion', 'a decision has an opinion');
select play.does('leader1', :t, 'approve');
select is(play.state(:t), 'refused', 'approved, it happens');
select results_eq(format('select verdict, decided_by = (select id from person where login = ''leader1''), asked_by = (select id from person where login = ''acceptor1'') from approval where ticket_id = %s', :t),
    $$values ('approved', true, true)$$, 'both people are on record');
select results_eq(format('select transition, actor_role, payload ? ''asked_by'' from event where ticket_id = %s order by n desc limit 1', :t), $$values ('T10', 'LDR', true)$$, 'the event names who asked');
select is(play.tries('leader1', :t, 'approve', jsonb_build_object('approval', (select id::text from approval where ticket_id = :t), 'opinion', '同意')), '409 not_open', 'nothing is decided twice');
select play.does('leader1', :other, 'reject');
select is(play.state(:other) || ' ' || (select verdict from approval where ticket_id = :other), 'pending_accept rejected', 'rejected, it does not');
select is(play.tries('acceptor1', :other, 'refuse', '{"refuse_code": "N05", "told_text": "涉及他人隐私。"}'), '200', 'and may be asked again');
insert into person_role (person_id, role) select id, 'LDR' from person where login = 'acceptor1';
select is(play.tries('acceptor1', :other, 'approve', play.good('approve', :other)), '403 same_person', 'who asks never decides, whatever the roles');
delete from person_role where role = 'LDR' and person_id = (select id from person where login = 'acceptor1');
select play.does('acceptor1', :other, 'accept');
select is((select string_agg(verdict, ' ' order by id) from approval where ticket_id = :other), 'rejected dropped', 'accepted meanwhile, the refusal is no longer asked for');
select is_empty(format('select * from timer where ticket_id = %s and kind = ''review''', :other), 'nor does its review clock run');
select is((select waits_for from inbox where ticket_id = :other), null, 'nor does it wait in a list');

select play.ticket('refusing') as t \gset
select play.go('2026-03-02 16:29:59') \g /dev/null
select play.sweep() \g /dev/null
select is((select decider_role from approval where ticket_id = :t), 'LDR', 'four working hours are the lead''s');
select play.go('2026-03-02 16:30') \g /dev/null
select play.sweep() \g /dev/null
select is((select decider_role || ' ' || lapses || ' ' || (verdict is null) from approval where ticket_id = :t) || ' ' || play.state(:t), 'SUP 1 true pending_accept', 'then it goes one level up and approves nothing');
select is(play.tries('leader1', :t, 'approve', play.good('approve', :t)), '403 forbidden', 'it is no longer the lead''s');
select play.go('2026-03-20 12:00') \g /dev/null
select play.sweep() \g /dev/null
select is((select decider_role || ' ' || lapses || ' ' || (verdict is null) from approval where ticket_id = :t) || ' ' || play.state(:t), 'SUP 2 true pending_accept', 'at the top it waits, and still approves nothing');
select is_empty(format('select * from timer where ticket_id = %s and kind = ''review''', :t), 'without a clock that goes round for ever');
select is(play.tries('supervisor1', :t, 'approve', play.good('approve', :t)), '200', 'the supervisor decides');
select play.go('2026-03-02 10:00') \g /dev/null

-- ---- dispatch ----

create function pg_temp.dispatch(inputs jsonb, category text default '010101') returns text language plpgsql as $$
declare
    tid bigint := play.ticket('pending_accept');
begin
    perform play.must('acceptor1', tid, 'accept', play.good('accept', tid) || jsonb_build_object('category', category));
    return play.tries('dispatcher1', tid, 'dispatch', play.good('dispatch', tid) || inputs);
end $$;
create function pg_temp.department_category() returns text language sql as $$
    select min(code) from hotline.category g where level = 3 and hotline.is_department_duty(id)
$$;
create function pg_temp.open_category() returns text language sql as $$
    select min(code) from hotline.category g where level = 3 and not hotline.is_department_duty(id)
$$;
create function pg_temp.street() returns int language sql as $$ select min(id) from hotline.unit where kind = 'street' $$;

select is(pg_temp.dispatch('{"main_unit": 1}'), '422 bad_inputs main_unit', 'the centre does not dispatch to itself');
select is(pg_temp.dispatch('{"main_unit": 99999999}'), '422 bad_inputs main_unit', 'nor to a unit that does not exist');
select is(pg_temp.dispatch('{"co_units": [101]}'), '422 bad_inputs co_units', 'the main unit does not assist itself');
select is(pg_temp.dispatch('{"co_units": ["101"]}'), '422 bad_inputs co_units', 'by whatever spelling');
select is(pg_temp.dispatch('{"co_units": [102, "102"]}'), '422 bad_inputs co_units', 'nobody assists twice');
select is(pg_temp.dispatch('{"co_units": [1]}'), '422 bad_inputs co_units', 'the centre does not assist');
select is(pg_temp.dispatch('{"co_units": null, "item": "", "policy": null}'), '200', 'what is left empty is the directory''s');
select is(pg_temp.dispatch('{"instruction": null}'), '422 bad_inputs instruction', 'the unit is told what to do');
select is(pg_temp.dispatch('{"policy": "W1"}'), '422 bad_inputs policy', 'the policy of rework is not chosen');
select is(pg_temp.dispatch(jsonb_build_object('main_unit', pg_temp.street()), pg_temp.department_category()), '422 department_duty main_unit', 'a department''s duty is not handed to a street');
select is(pg_temp.dispatch(jsonb_build_object('main_unit', pg_temp.street(), 'item', (select min(id) from directory_item where not exclude_grassroots)), pg_temp.department_category()),
    '422 department_duty main_unit', 'nor under the name of another matter');
select is(pg_temp.dispatch(jsonb_build_object('main_unit', pg_temp.street()), (select min(code) from category where level = 2 and is_department_duty(id))),
    '422 department_duty main_unit', 'nor under a broader category that is the department''s as a whole');
select is(pg_temp.dispatch(jsonb_build_object('main_unit', pg_temp.street()), pg_temp.open_category()), '200', 'a street''s own duty is');

select play.ticket('pending_dispatch') as t \gset
select play.must('dispatcher1', :t, 'dispatch', '{"main_unit": 101, "co_units": [102], "instruction": "请办理"}');
select is(play.clocks(:t), 'contact promise sign unit', 'dispatch starts the unit''s clocks');
select ok((select met_at is not null from clock where ticket_id = :t and kind = 'dispatch'), 'and meets the dispatcher''s');
select results_eq(format('select sign_due_at, unit_due_at, policy from assignment where ticket_id = %s and role = 1', :t),
    $$values ('2026-03-03 23:59:59+08'::timestamptz, '2026-03-09 23:59:59+08'::timestamptz, 'H1')$$, 'one workday to sign, five to handle, from dispatch');
select is((api.ticket(jsonb_build_object('session', 'st-jjzd.d', 'id', :'t'))).status, 200, 'an assisting unit sees the ticket');
select is(play.tries('st-jjzd.d', :t, 'sign'), '403 forbidden', 'and does not sign for the main unit');
select is(play.tries('st-jyj.d', :t, 'sign'), '404 no_such_ticket', 'another unit does not see it');
select play.must('st-gaj.d', :t, 'sign', jsonb_build_object('handler', (select id::text from person where login = 'st-gaj.h')));
select is((select handler_id from assignment where ticket_id = :t and role = 1), (select id from person where login = 'st-gaj.h'), 'the unit names its handler');
select play.does('st-gaj.h', :t, 'first_contact');
select play.replied(:t);
select is(play.state(:t), 'pending_audit/replied', 'a reply does not wait for assisting units');
select play.does('auditor1', :t, 'audit_pass');
select play.does('callback1', :t, 'callback_attempt', 'callback_ok');
select is((select string_agg(name_of('assignment_state', state), ' ' order by role) from assignment where ticket_id = :t), 'done done', 'closed, every assignment is done');

select play.ticket('pending_sign', '{"type": "suggestion"}') as suggestion, play.ticket('pending_sign', '{"type": "consult"}') as consult \gset
select is((select policy from ticket where id = :suggestion), 'S1', 'a suggestion has its own times');
select is((select policy from ticket where id = :consult), 'C1', 'so has a question');
select play.ticket('pending_dispatch') as t, (select min(id) from directory_item where policy = 'U2') as item \gset
select play.must('dispatcher1', :t, 'dispatch', jsonb_build_object('main_unit', 101, 'item', :item, 'instruction', '请办理'));
select is((select policy from ticket where id = :t), 'U2', 'the directory''s policy wins over the type''s');
select is((select due_at from clock where ticket_id = :t and kind = 'sign'), '2026-03-02 11:00+08'::timestamptz, 'urgent is signed within the hour');
select is((select promise_due_at from ticket where id = :t), '2026-03-16 23:59:59+08'::timestamptz, 'the promise to the citizen stays');
select is(play.clocks(play.ticket('pending_sign', '{"anonymous": true}')), 'promise sign unit', 'nobody contacts the anonymous');
select is(play.clocks(play.ticket('pending_sign', '{"reply_wanted": false}')), 'promise sign unit', 'nor who wants no reply');
select play.go('2026-03-06 10:00') \g /dev/null
select play.ticket('pending_dispatch') as t \gset
select play.must('dispatcher1', :t, 'dispatch', '{"main_unit": 301, "instruction": "请抢修"}');
select is((select sign_due_at from assignment where ticket_id = :t), '2026-03-07 23:59:59+08'::timestamptz, 'who works around the clock signs on Saturday');
select play.go('2026-03-02 10:00') \g /dev/null

-- ---- signing ----

select play.ticket('pending_sign') as t, play.ticket('pending_sign') as late, play.ticket('pending_sign') as deemed \gset
select is(play.tries('st-gaj.d', :t, 'sign', jsonb_build_object('handler', (select id from person where login = 'st-jjzd.h'))), '422 bad_inputs handler', 'a stranger does not become the handler');
select is(play.tries('st-gaj.d', :t, 'sign', jsonb_build_object('handler', (select id from person where login = 'leader1'))), '422 bad_inputs handler', 'nor does the centre');
select is(play.tries('st-gaj.d', :t, 'sign', '{"handler": ""}'), '200', 'a handler need not be named');
select play.go('2026-03-04 08:00') \g /dev/null
select is(play.tries('st-gaj.d', :late, 'sign'), '200', 'late is late, but signed');
select is((select breached_at from clock where ticket_id = :late and kind = 'sign'), '2026-03-03 23:59:59+08'::timestamptz, 'the breach has its date');
select play.sweep() \g /dev/null
select is(play.state(:deemed), 'handling/handling', 'who does not sign in time is deemed to have signed');
select results_eq(format('select deemed_signed, signed_at from assignment where ticket_id = %s', :deemed), 'values (true, null::timestamptz)', 'deemed, not signed');
select results_eq(format('select transition, at, actor_role from event where ticket_id = %s order by n desc limit 1', :deemed),
    $$values ('T31', '2026-03-03 23:59:59+08'::timestamptz, 'SYS')$$, 'its date is the due time, whenever the sweep comes');
select is((select unit_due_at from assignment where ticket_id = :deemed), '2026-03-09 23:59:59+08'::timestamptz, 'not signing wins no time');
select is(play.tries('st-gaj.d', :deemed, 'sign'), '409 not_allowed_now', 'and cannot be mended');
select is(play.state(:t) || (select deemed_signed from assignment where ticket_id = :t), 'handling/handlingfalse', 'who signed is left alone');
select is((select string_agg(sign_counted::text, ' ') from assignment where ticket_id in (:t, :late, :deemed)), 'true true true', 'all three count as due');
select play.go('2026-03-02 10:00') \g /dev/null

-- ---- contact and reply ----

select play.ticket('handling') as t \gset
select is(play.tries('st-gaj.h', :t, 'submit_reply', play.good('submit_reply', :t)), '409 no_first_contact', 'first contact, then reply');
select is(play.tries('st-gaj.h', :t, 'first_contact', '{"contacted": false, "way": "phone"}'), '422 bad_inputs attempts,fail_reason', 'not reached needs two attempts and a reason');
select is(play.tries('st-gaj.h', :t, 'first_contact', '{"contacted": false, "way": "phone", "attempts": 1, "fail_reason": "无人接听"}'), '422 bad_inputs attempts', 'one attempt is not enough');
select is(play.tries('st-gaj.h', :t, 'first_contact', '{"contacted": true, "way": "phone", "at": "2026-03-02T10:00:01+08:00"}'), '422 bad_inputs at', 'nobody was called in the future');
select is(play.tries('st-gaj.h', :t, 'first_contact', '{"contacted": true, "way": "phone", "at": "2026-02-30T10:00:01+08:00"}'), '422 bad_inputs at', 'nor on 30 February');
select is(play.tries('st-gaj.h', :t, 'first_contact', '{"contacted": true, "way": "telepathy"}'), '422 bad_inputs way', 'there are ways to contact');
select is(play.tries('st-gaj.h', :t, 'first_contact', '{"contacted": false, "way": "phone", "attempts": 2, "fail_reason": "无人接听"}'), '200', 'two attempts with a reason count');
select ok((select met_at is not null from clock where ticket_id = :t and kind = 'contact'), 'and meet the clock');
select is(play.tries('st-gaj.h', :t, 'submit_reply', play.good('submit_reply', :t) || jsonb_build_object('content', repeat('字', 29))), '422 bad_inputs content', '29 characters are no reply');
select is(play.tries('st-gaj.h', :t, 'submit_reply', play.good('submit_reply', :t) || jsonb_build_object('content', repeat('　', 30))), '422 bad_inputs content', 'nor are 30 blanks');
select is(play.tries('st-gaj.h', :t, 'submit_reply', play.good('submit_reply', :t) || '{"told_at": "2026-03-03T10:00:00+08:00"}'), '422 bad_inputs told_at', 'nobody was told tomorrow');
select is(play.tries('st-gaj.h', :t, 'submit_reply', play.good('submit_reply', :t) || jsonb_build_object('content', repeat('字', 30))), '200', '30 characters are');
select is((select row(due_at, decider_role)::text from approval where ticket_id = :t), '(,UAP)', 'the unit''s approver has no review clock beside the unit''s own');
select is(play.state(:t) || ' ' || play.clocks(:t), 'handling/unit_approval promise unit', 'the reply waits inside the unit, whose clock runs on');
select is(play.tries('st-gaj.h', play.ticket('handling', '{"anonymous": true}'), 'submit_reply', play.good('submit_reply', 0)), '200', 'the anonymous are not contacted first');
select is(play.tries('st-gaj.h', play.ticket('handling', '{"reply_wanted": false}'), 'submit_reply', play.good('submit_reply', 0)), '200', 'nor who wants no reply');
select is(play.tries('st-gaj.h', play.ticket('handling', '{"secrecy": 2}'), 'submit_reply', play.good('submit_reply', 0)), '200', 'nor whose name the unit may not know');
select is(play.tries('st-gaj.h', play.ticket('handling', '{"secrecy": 1}'), 'submit_reply', play.good('submit_reply', 0)), '409 no_first_contact', 'a hidden number can still be called');

insert into person_role (person_id, role) select id, 'UAP' from person where login = 'st-gaj.h';
select is(play.tries('st-gaj.h', :t, 'unit_approve', '{"opinion": "同意"}'), '403 same_person', 'nobody approves the own reply');
delete from person_role where role = 'UAP' and person_id = (select id from person where login = 'st-gaj.h');
select is(play.tries('leader1', :t, 'approve', play.good('approve', :t)), '403 forbidden', 'nor does the centre approve it for the unit');
select is(play.tries('st-gaj.a', :t, 'approve', play.good('approve', :t)), '403 forbidden', 'and the unit has a word of its own for it');
select play.go('2026-03-02 11:00') \g /dev/null
select play.does('st-gaj.a', :t, 'unit_reject');
select is(play.state(:t) || ' ' || (select verdict from reply where ticket_id = :t) || ' ' || play.clocks(:t), 'handling/handling unit_rejected promise unit', 'sent back, it is handled again');
select play.go('2026-03-02 12:00') \g /dev/null
select play.replied(:t);
select is(play.state(:t) || ' ' || play.clocks(:t), 'pending_audit/replied audit promise', 'approved, it leaves the unit');
select ok((select met_at = hotline.now() from clock where ticket_id = :t and kind = 'unit'), 'whose clock is met at that moment');
select results_eq(format('select version::int, verdict from reply where ticket_id = %s order by id', :t), $$values (1, 'unit_rejected'), (2, 'approved')$$, 'every version of the reply is kept');
select play.go('2026-03-02 10:00') \g /dev/null

-- ---- audit ----

select play.ticket('pending_audit') as t \gset
select is(play.tries('auditor1', :t, 'audit_pass', '{"quality_score": 101}'), '422 bad_inputs quality_score', 'a score ends at 100');
insert into person_role (person_id, role) select id, 'AUD' from person where login in ('dispatcher1', 'leader1');
select is(play.tries('dispatcher1', :t, 'audit_pass', '{"quality_score": 90}'), '403 dispatcher_cannot_audit', 'who dispatched does not audit');
select is(play.tries('dispatcher1', :t, 'audit_reject', play.good('audit_reject', :t)), '403 dispatcher_cannot_audit', 'nor reject');
select play.ticket('second_round') as again \gset
select play.does('st-gaj.d', :again, 'sign');
select play.does('st-gaj.h', :again, 'first_contact');
select play.replied(:again);
select is(play.tries('dispatcher1', :again, 'audit_pass', '{"quality_score": 90}'), '403 dispatcher_cannot_audit', 'in no round');
insert into person_role (person_id, role) select id, 'DSP' from person where login = 'auditor1';
select is(play.tries('auditor1', play.ticket('pending_dispatch'), 'dispatch', play.good('dispatch', :t)), '200', 'who may audit and dispatch does either');
select play.ticket('closed') as back \gset
select play.does('leader1', :back, 'reopen');
select is(play.tries('auditor1', :back, 'dispatch', play.good('dispatch', :back)), '403 auditor_cannot_dispatch', 'who audited a ticket does not dispatch it again');
select is(play.tries('auditor1', :back, 'dispatch_to_district', play.good('dispatch_to_district', :back)), '403 auditor_cannot_dispatch', 'to no unit');
insert into person_role (person_id, role) select id, 'LDR' from person where login = 'auditor1';
select play.does('dispatcher1', :back, 'open_consultation');
select ok(not exists (select from json_array_elements((api.actions(jsonb_build_object('session', 'auditor1', 'id', :'back', 'at', play.clock()))).body->'actions') a
    where a->>'action' = 'decide'), 'nor is offered to decide who gets it');
delete from person_role where role = 'LDR' and person_id = (select id from person where login = 'auditor1');
select is(play.tries('leader1', :back, 'decide', play.good('decide', :back)), '200', 'somebody else does');
delete from person_role where role = 'DSP' and person_id = (select id from person where login = 'auditor1');
delete from person_role where role = 'AUD' and person_id in (select id from person where login in ('dispatcher1', 'leader1'));
select play.does('auditor1', :t, 'audit_reject');
select is(play.state(:t) || ' ' || play.clocks(:t), 'handling/audit_rejected promise redo unit', 'rejected, the unit''s clock runs on beside one workday to redo');
select results_eq(format('select kind, due_at from clock where ticket_id = %s and kind in (''unit'', ''redo'') order by kind', :t),
    $$values ('redo', '2026-03-03 23:59:59+08'::timestamptz), ('unit', '2026-03-09 23:59:59+08'::timestamptz)$$, 'towards the same due time');
select is(play.tries('st-gaj.h', :t, 'submit_reply', play.good('submit_reply', :t)), '200', 'the contact made still counts');
select play.does('st-gaj.a', :t, 'unit_approve');
select is(play.clocks(:t), 'audit promise', 'the better reply meets both');
select play.does('auditor1', :t, 'audit_reject');
select play.replied(:t);
select is(play.tries('auditor1', :t, 'audit_reject', play.good('audit_reject', :t)), '403 supervisor_rejects', 'the auditor rejects twice');
select is(play.tries('supervisor1', :t, 'audit_reject', play.good('audit_reject', :t)), '200', 'the third time is the supervisor''s');
select is(play.tries('supervisor1', play.ticket('pending_audit'), 'audit_reject', play.good('audit_reject', :t)), '403 forbidden', 'and only the third');
select is((select rejected_count::int from assignment where ticket_id = :t), 3, 'three rejections are on record');

select play.ticket('pending_audit') as t \gset
select play.go('2026-03-04 09:00') \g /dev/null
select play.sweep() \g /dev/null
select is(play.state(:t), 'pending_audit/replied', 'an audit that is overdue passes nothing');
select results_eq(format('select transition, at, from_state, to_state from event where ticket_id = %s order by n desc limit 1', :t),
    $$values ('T62', '2026-03-03 23:59:59+08'::timestamptz, 50::smallint, 50::smallint)$$, 'it is on record at its due time');
select is(play.tries('auditor1', :t, 'audit_pass', '{"quality_score": 90}'), '200', 'and is passed late');
select ok((select breached_at = due_at and met_at = hotline.now() from clock where ticket_id = :t and kind = 'audit'), 'as its clock says');
select play.go('2026-03-02 10:00') \g /dev/null

select is(play.clocks(play.ticket('pending_callback')), 'callback closing', 'audited, callback and closing clocks run and the promise is kept');

create function pg_temp.waived(more jsonb) returns text language plpgsql as $$
declare
    tid bigint := play.ticket('handling', more);
begin
    perform play.replied(tid);
    perform play.does('auditor1', tid, 'audit_pass');
    return play.state(tid) || ' ' || (select string_agg(transition || ' ' || at, ' ' order by n) from hotline.event where ticket_id = tid and transition in ('T60', 'T68'));
end $$;
select is(pg_temp.waived('{"anonymous": true}'), 'closed/done T60 2026-03-02 10:00:00+08 T68 2026-03-02 10:00:00+08', 'the anonymous are not called back: closed with the audit');
select is(pg_temp.waived('{"reply_wanted": false}'), 'closed/done T60 2026-03-02 10:00:00+08 T68 2026-03-02 10:00:00+08', 'nor who wants no reply');
select play.ticket('pending_audit') as t \gset
update ticket set secrecy = 3 where id = :t;
insert into role_right (role, action, scope) values ('AUD', 'ticket.sealed', 'all');
select play.does('auditor1', :t, 'audit_pass');
select is(play.state(:t), 'closed/done', 'nor of a sealed ticket');
select results_eq(format('select rated, resolved, name_of(''close_kind'', close_kind) from ticket where id = %s', :t), $$values (null::smallint, null::smallint, 'resolved')$$, 'nobody rated it');
select is(play.clocks(:t), null, 'and no clock runs on');

-- ---- callback ----

select play.ticket('pending_callback') as t \gset
select is(play.tries('callback1', :t, 'callback_ok', play.good('callback_ok', :t)), '409 not_reached', 'a verdict needs somebody who gave it');
select is(play.tries('callback1', :t, 'rework', play.good('rework', :t)), '409 not_reached', 'so does rework');
select is(play.tries('leader1', :t, 'close_unsatisfied', play.good('close_unsatisfied', :t)), '409 no_unsatisfied_verdict', 'and closing against the citizen');
create function pg_temp.attempt(tid bigint, at_ text, outcome text default 'no_answer') returns void language plpgsql as $$
begin
    perform play.go(at_);
    perform play.must('callback1', tid, 'callback_attempt', jsonb_build_object('outcome', outcome));
end $$;
select pg_temp.attempt(:t, at_) from unnest('{2026-03-02 11:59, 2026-03-02 12:00, 2026-03-02 14:29, 2026-03-02 14:30, 2026-03-02 19:59, 2026-03-02 20:00}'::text[]) as at_ \g /dev/null
select is((select string_agg(case when quiet then 'quiet' else '-' end, ' ' order by at) from callback_attempt where ticket_id = :t), '- quiet quiet - - quiet', 'a call in quiet hours is marked, not refused');
select is((select met_at from clock where ticket_id = :t and kind = 'callback'), '2026-03-02 11:59+08'::timestamptz, 'the callback clock measures the first attempt only');
select play.go('2026-03-02 10:00') \g /dev/null

select play.ticket('reached') as t \gset
select is(play.tries('callback1', :t, 'callback_ok', play.good('callback_ok', :t) || '{"sat_result": "unsatisfied"}'), '422 citizen_not_satisfied', 'the unsatisfied are not closed as satisfied');
select is(play.tries('callback1', :t, 'callback_ok', play.good('callback_ok', :t) || '{"resolved": "no"}'), '422 citizen_not_satisfied', 'nor what is not resolved');
select is(play.tries('callback1', :t, 'rework', play.good('rework', :t) || '{"sat_result": "satisfied", "resolved": "yes"}'), '422 citizen_satisfied', 'nobody reworks what is good');
select is(play.tries('callback1', :t, 'callback_ok', play.good('callback_ok', :t) - 'sat_process' - 'contacted_by_unit'), '422 bad_inputs contacted_by_unit,sat_process', 'three verdicts are asked for');
select is(play.tries('callback1', :t, 'callback_ok', play.good('callback_ok', :t) || '{"sat_result": "basic", "resolved": "partly"}'), '200', 'basically satisfied closes');
select results_eq(format('select rated::int, resolved::int, closed_at from ticket where id = %s', :t), 'values (3, 2, hotline.now())', 'as the citizen said');

create function pg_temp.closed_as(result_ text) returns text language plpgsql as $$
declare
    tid bigint := play.ticket('contacted');
begin
    perform play.must('st-gaj.h', tid, 'submit_reply', play.good('submit_reply', tid) || jsonb_build_object('result', result_));
    perform play.does('st-gaj.a', tid, 'unit_approve');
    perform play.does('auditor1', tid, 'audit_pass');
    perform play.does('callback1', tid, 'callback_attempt', 'callback_ok');
    return (select hotline.name_of('close_kind', close_kind) from hotline.ticket where id = tid);
end $$;
select is(pg_temp.closed_as(result), kind, result || ' closes as ' || kind)
from (values ('resolved', 'resolved'), ('basically', 'resolved'), ('partial', 'partial'), ('explained', 'explained'), ('planned', 'explained'),
    ('unresolved', 'unresolved_accepted')) as v(result, kind);

select play.ticket('pending_callback') as t \gset
select is(play.tries('callback1', :t, 'callback_attempt', '{"outcome": "connected", "sat_result": "unsatisfied"}'), '422 bad_inputs resolved', 'half a verdict is not silently dropped');
select is(play.tries('callback1', :t, 'callback_attempt', '{"outcome": "no_answer", "resolved": "no", "sat_result": "unsatisfied"}'), '422 bad_inputs outcome', 'nor one by nobody taken');
select is((select count(*)::int from callback where ticket_id = :t), 0, 'and none is kept');

-- ---- rework ----

select play.ticket('reached') as t \gset
select play.does('callback1', :t, 'rework');
select is(play.state(:t) || ' ' || (select round from ticket where id = :t), 'pending_callback/replied 0', 'asked for, rework changes nothing yet');
select is(play.tries('callback1', :t, 'callback_ok', play.good('callback_ok', :t)), '409 decision_open', 'nobody closes over an open request');
select is(play.tries('leader1', :t, 'close_unsatisfied', play.good('close_unsatisfied', :t)), '409 decision_open', 'nor does the lead');
select play.must('callback1', :t, 'callback_attempt', '{"outcome": "connected", "resolved": "yes", "sat_process": "satisfied", "sat_result": "satisfied"}');
select play.go('2026-03-03 09:00') \g /dev/null
select play.does('leader1', :t, 'approve');
select is(play.state(:t) || ' ' || play.clocks(:t), 'pending_sign/pending_sign contact promise sign unit', 'approved, the unit starts again and the promise is open again');
select is((select rated::int from ticket where id = :t), 1, 'the verdict is the one the decision was made on');
select results_eq(format('select round::int, unit_id, name_of(''assignment_state'', state), forbid_return, policy from assignment where ticket_id = %s order by round', :t),
    $$values (0, 101, 'done', false, 'H1'), (1, 101, 'pending_sign', true, 'W1')$$, 'the same unit, a new assignment without return');
select results_eq(format('select promise_due_at, rework_count::int from ticket where id = %s', :t), $$values ('2026-03-16 23:59:59+08'::timestamptz, 1)$$, 'the promise does not move');
select is((select unit_due_at from assignment where ticket_id = :t and round = 1), '2026-03-06 23:59:59+08'::timestamptz, 'three workdays this time');
select is((select due_at from clock where ticket_id = :t and kind = 'sign' and met_at is null), '2026-03-03 15:30+08'::timestamptz, 'and four working hours to sign');
select is((select count(*)::int from reply where ticket_id = :t and round = 0 and verdict = 'passed'), 1, 'the first reply is kept');
select play.does('st-gaj.d', :t, 'sign');
select is(play.tries('st-gaj.h', :t, 'submit_reply', play.good('submit_reply', :t)), '409 no_first_contact', 'and the citizen is contacted again');
select is((select payload->>'old_assignment' = (select id::text from assignment where ticket_id = :t and round = 0)
    from event where ticket_id = :t and transition = 'T65'), true, 'the event names the old assignment');
select play.go('2026-03-02 10:00') \g /dev/null

select play.ticket('reached') as t \gset
insert into person_role (person_id, role) select id, 'LDR' from person where login = 'callback1';
select play.does('callback1', :t, 'rework');
select is(play.tries('callback1', :t, 'approve', play.good('approve', :t)), '403 same_person', 'who asked for rework does not grant it');
delete from person_role where role = 'LDR' and person_id = (select id from person where login = 'callback1');
update ticket set round = 2 where id = :t;
update assignment set round = 2 where ticket_id = :t;
select is(play.tries('leader1', :t, 'approve', play.good('approve', :t)), '409 rounds_used_up', 'the guard is asked again when it is decided');
select is((select verdict is null from approval where ticket_id = :t and kind = 'rework'), true, 'and the request stays open');
select is(play.tries('callback1', play.ticket('rounds_up'), 'rework', play.good('rework', 0)), '409 rounds_used_up', 'a unit reworks twice at most');

select play.ticket('asked_rework') as t \gset
select play.does('leader1', :t, 'reject', 'close_unsatisfied');
select results_eq(format('select name_of(''state'', state), name_of(''close_kind'', close_kind), rated::int, resolved::int from ticket where id = %s', :t),
    $$values ('closed', 'unsat_closed', 1, 3)$$, 'rejected, the lead closes it as unsatisfied and the verdict stands');

-- ---- unreachable ----

create function pg_temp.unreachable(variadic attempts text[]) returns text language plpgsql as $$
declare
    tid bigint;
    one text;
begin
    perform play.go('2026-03-02 10:00');
    tid := play.ticket('pending_callback');
    foreach one in array attempts loop
        perform pg_temp.attempt(tid, split_part(one, '=', 1), coalesce(nullif(split_part(one, '=', 2), ''), 'no_answer'));
    end loop;
    return (select to_char(at at time zone 'Asia/Shanghai', 'MM-DD HH24:MI') from hotline.timer where ticket_id = tid and kind = 'unreachable');
end $$;
select is(pg_temp.unreachable('2026-03-03 09:00', '2026-03-03 15:00', '2026-03-03 18:30'), null, 'three attempts on one day are not enough');
select is(pg_temp.unreachable('2026-03-03 09:00', '2026-03-04 15:00'), null, 'nor are two attempts');
select is(pg_temp.unreachable('2026-03-03 09:00', '2026-03-03 10:00', '2026-03-04 11:00'), null, 'nor are mornings only');
select is(pg_temp.unreachable('2026-03-03 09:00', '2026-03-03 15:00', '2026-03-04 09:30'), '03-07 09:30', 'three attempts, two days, two times of day: 72 hours are left');
select is(pg_temp.unreachable('2026-03-03 09:00', '2026-03-03 15:00', '2026-03-04 09:30', '2026-03-05 16:00'), '03-08 16:00', 'from the last attempt');
select is(pg_temp.unreachable('2026-03-03 09:00', '2026-03-03 15:00', '2026-03-04 09:30=connected'), null, 'who was reached is not unreachable');
select is(pg_temp.unreachable('2026-03-03 09:00', '2026-03-03 15:00', '2026-03-04 09:30', '2026-03-05 16:00=web_rated'), null, 'nor who answered the link');
select play.go('2026-03-02 10:00') \g /dev/null
select play.ticket('pending_callback') as t \gset
select pg_temp.attempt(:t, at_) from unnest('{2026-03-03 09:00, 2026-03-03 15:00, 2026-03-04 09:30}'::text[]) as at_ \g /dev/null
select is(play.says(hotline.step(:t, 'close_unreachable', hotline.system_actor(), '{}')), '409 may_still_be_reached', 'the system does not close earlier');
select is((select count(*)::int from outbox where ticket_id = :t and kind = 'rating_link'), 1, 'a link to rate is sent');
select pg_temp.attempt(:t, '2026-03-04 09:30');
select is((select count(*)::int from outbox where ticket_id = :t and kind = 'rating_link'), 1, 'once');
select play.go('2026-03-07 09:29:59') \g /dev/null
select play.sweep() \g /dev/null
select is(play.state(:t), 'pending_callback/replied', 'nor a second before');
select play.go('2026-03-10 09:00') \g /dev/null
select play.sweep() \g /dev/null
select results_eq(format('select name_of(''state'', state), closed_at, rated::int, resolved, name_of(''close_kind'', close_kind) from ticket where id = %s', :t),
    $$values ('closed', '2026-03-07 09:30+08'::timestamptz, 0, null::smallint, 'resolved')$$, 'then it closes, not rated, dated when it was due');

-- ---- archive ----

select play.go('2026-03-02 10:00') \g /dev/null
select play.ticket('closed') as t \gset
select is(play.says(hotline.step(:t, 'archive', hotline.system_actor(), '{}')), '409 too_early_to_archive', 'nothing is archived early');
select play.go('2026-06-10 09:59:59') \g /dev/null
select play.sweep() \g /dev/null
select is(play.state(:t), 'closed/done', 'a hundred days are not over');
select play.go('2026-06-20 00:00') \g /dev/null
select play.sweep() \g /dev/null
select results_eq(format('select name_of(''state'', state), archived_at, closed_at, ended_at from ticket where id = %s', :t),
    $$values ('archived', '2026-06-10 10:00+08'::timestamptz, '2026-03-02 10:00+08'::timestamptz, '2026-03-02 10:00+08'::timestamptz)$$, 'then they are');

select play.go('2026-03-02 10:00') \g /dev/null
select play.ticket('closed') as t \gset
update setting set value = '110' where name = 'archive.days';
select play.go('2026-06-15 00:00') \g /dev/null
select play.sweep() \g /dev/null
select is(play.state(:t), 'closed/done', 'a longer term counts for what is closed already');
select play.go('2026-06-21 00:00') \g /dev/null
select play.sweep() \g /dev/null
select is((select archived_at from ticket where id = :t), '2026-06-20 10:00+08'::timestamptz, 'and is not forgotten when it ends');

-- ---- what is true of every ticket of this test ----

select is_empty($$select ticket_id, kind from clock join ticket t on t.id = ticket_id where t.state >= 70 and met_at is null and stopped_at is null$$, 'an ended ticket has no clock that runs');
select is_empty($$select a.ticket_id from assignment a join ticket t on t.id = a.ticket_id where t.state >= 70 and a.state not in (7, 8, 9)$$, 'nor an assignment that lives');
select is_empty($$select t.id from ticket t where state >= 70 and (exists (select from approval where ticket_id = t.id and verdict is null) or exists (select from inbox where ticket_id = t.id))$$, 'nor anything that waits');
select is_empty($$select t.id from ticket t where state in (30, 31, 40, 41, 42, 50) and (select count(*) from assignment where ticket_id = t.id and role = 1 and round = t.round and state not in (7, 8, 9)) <> 1$$, 'a ticket with a unit has one live main assignment');
select is_empty($$select t.id from ticket t left join clock k on k.ticket_id = t.id and k.kind = 'promise' where t.promise_due_at is distinct from k.due_at and t.id <> 0$$, 'the promise is its clock''s and has not moved');
select is_empty($$select t.id, k.kind from ticket t join clock k on k.ticket_id = t.id where k.assignment_id is null and k.kind in ('sign', 'contact', 'unit', 'redo')$$, 'a unit''s clock belongs to its assignment');
select is_empty($$select t.id from ticket t where not exists (select from legal_pair where ticket_state = t.state and assignment_state = coalesce((main_of(t)).state, 0))$$, 'every pair of states is legal');
select is_empty($$select p.id from approval p where decided_by = asked_by$$, 'nobody decided what the same person asked');
update transition set to_assignment = 4 where id = 'T18';
select throws_like(format('select play.does(''dispatcher1'', %s, ''dispatch'')', play.ticket('pending_dispatch')), 'illegal pair%', 'an illegal pair cannot be written');

select is_empty('select * from check_invariants()', 'the eleven invariants hold');

select * from finish();
rollback;
