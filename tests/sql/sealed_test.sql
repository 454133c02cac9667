-- A sealed report runs its whole way among the persons named for it, and nobody else sees it.
begin;
\ir play.psql
select plan(7);

select play.file('{"type": "report", "secrecy": 3}') as t \gset
select unit_id as gaj from hotline.person where login = 'st-gaj.d' \gset

select is(play.tries('acceptor1', :t, 'accept', '{"title": "举报", "category": "010101", "division": "440507001"}'), '404 no_such_ticket',
    'who is not named does not see it');

insert into hotline.person_role (person_id, role)
select id, 'SEC' from hotline.person where login in ('acceptor1', 'dispatcher1', 'auditor1', 'st-gaj.d', 'st-gaj.h', 'st-gaj.a');

select is(play.tries('acceptor1', :t, 'accept', '{"title": "举报", "category": "010101", "division": "440507001"}'), '200',
    'a named acceptor accepts it');
select is((select state from hotline.ticket where id = :t), hotline.code_of('state', 'pending_dispatch'), 'it is never dispatched without a person');
select is(play.tries('dispatcher2', :t, 'dispatch', jsonb_build_object('main_unit', :gaj, 'instruction', '请查处')), '404 no_such_ticket',
    'another dispatcher does not see it');
select play.must('dispatcher1', :t, 'dispatch', jsonb_build_object('main_unit', :gaj, 'instruction', '请查处')) \g /dev/null
select play.must('st-gaj.d', :t, 'sign') \g /dev/null
select play.must('st-gaj.h', :t, 'submit_reply', '{"result": "resolved", "fact_finding": "true", "measures": "已查处",
    "content": "经查举报情况属实，已依法立案查处并责令整改，相关责任人已被追究责任。"}') \g /dev/null
select play.must('st-gaj.a', :t, 'unit_approve', '{"opinion": "同意"}') \g /dev/null
select is(play.tries('callback1', :t, 'callback_attempt', '{"outcome": "connected"}'), '404 no_such_ticket', 'a callback agent does not see it');
select is(play.tries('auditor1', :t, 'audit_pass', '{"quality_score": 80}'), '200', 'a named auditor passes it');
select is((select state from hotline.ticket where id = :t), hotline.code_of('state', 'closed'), 'and it closes in the same commit without a callback');

select * from finish();
rollback;
