-- The eleven invariants hold for tickets of every kind; whoever breaks one as the superuser is named by hotline.check_invariants().

begin;
\ir play.psql

select no_plan();

create table play.case as
select stage, play.ticket(stage) as tid
from unnest('{draft, pending_accept, answered, submitted, refused, refusing, pending_sign, handling, contacted, unit_approval, unit_rejected, pending_audit,
    pending_callback, reached, closed, archived, asked_rework, second_round, third_rejection, rounds_up}'::text[]) as stage;
select play.must('acceptor1', (select play.ticket('pending_accept')), 'accept', '{"type": "consult", "title": "咨询", "category": "010101", "division": "440507001"}');
insert into play.case select 'level1', play.ticket('handling', '{"secrecy": 1}');
insert into play.case select 'level2', play.ticket('handling', '{"secrecy": 2}');
select play.act('st-gaj.d', tid, 'sign', '{}', '{"route": "r", "key": "k1", "digest": "d"}') from play.case where stage = 'pending_sign' \g /dev/null
select play.go('2026-03-05 09:00') \g /dev/null
insert into play.case select 'deemed', play.ticket('pending_sign');
select play.go('2026-03-20 09:00') \g /dev/null
select play.sweep() \g /dev/null

insert into play.case select 'unsigned', play.ticket('pending_sign');

-- A clock that was paused and runs again, another that is paused now.
insert into play.case select 'paused', play.ticket('handling');
select play.pause(tid, 'unit', 'pause_1', play.clock()::timestamptz, null, null) from play.case where stage = 'paused' \g /dev/null
select play.go('2026-03-23 10:00') \g /dev/null
select play.resume(tid, 'unit', play.clock()::timestamptz) from play.case where stage = 'paused' \g /dev/null
select play.pause(tid, 'unit', 'pause_3', play.clock()::timestamptz, 5, 6) from play.case where stage = 'handling' \g /dev/null

select take_time(jsonb_build_object('at', play.clock())) \g /dev/null
select is_empty('select * from check_invariants()', 'tickets of every kind: nothing is wrong with any');
select is((select array_agg(distinct state order by state) from ticket), '{10,11,20,30,40,50,60,70,71,80}', 'and there are tickets in every state that is reached so far');

-- Break it, hear what is said, undo it: the numbers of the invariants found broken, and whether the ticket was named.
create function play.breaks(stage_ text, what text) returns text
language plpgsql as $$
declare
    tid_ bigint := (select tid from play.case where stage = stage_);
    found text;
begin
    execute replace(what, ':t', tid_::text);
    found := (select string_agg(distinct invariant::text, ' ') filter (where ticket = tid_) from hotline.check_invariants());
    raise exception using errcode = 'PL000', message = coalesce(found, 'nothing');
exception when sqlstate 'PL000' then
    return sqlerrm;
end $$;

select is(play.breaks(stage, what), wants, format('%s: %s', wants, name))
from (values
    ('1', 'a ticket in handling without a main unit', 'handling', 'update hotline.assignment set state = 9 where ticket_id = :t; update hotline.inbox set units = ''{}'' where ticket_id = :t'),
    ('1', 'a main unit of another round', 'contacted', 'update hotline.assignment set round = 7 where ticket_id = :t'),
    ('2', 'a closed ticket that was refused again', 'closed',
        'update hotline.event set transition = ''T10'', action = ''refuse'', from_state = 70 where ticket_id = :t and n = (select max(n) from hotline.event where ticket_id = :t)'),
    ('3', 'two pauses at once', 'paused', 'insert into hotline.clock_pause select ticket_id, clock_id, ''pause_6'', from_at + interval ''1 hour'', to_at + interval ''1 hour'' from hotline.clock_pause where ticket_id = :t'),
    ('3', 'a pause before the clock', 'paused', 'update hotline.clock_pause set from_at = ''2026-01-01'' where ticket_id = :t'),
    ('3', 'pauses longer than the clock', 'paused', 'update hotline.clock_pause set to_at = to_at + interval ''100 days'' where ticket_id = :t'),
    ('3', 'a statutory pause that nobody approved', 'handling', 'update hotline.clock_pause set approved_by = null where ticket_id = :t'),
    ('3', 'a pause approved by who asked', 'handling', 'alter table hotline.clock_pause drop constraint clock_pause_approver; update hotline.clock_pause set asked_by = approved_by where ticket_id = :t'),
    ('3', 'a clock that stands still without a pause', 'contacted', 'update hotline.clock set paused_at = hotline.now() where ticket_id = :t and kind = ''unit'''),
    ('3', 'a pause whose clock is gone', 'paused', 'update hotline.clock_pause set clock_id = 1 where ticket_id = :t'),
    ('4', 'a promise put off by hand', 'handling', 'update hotline.ticket set promise_due_at = promise_due_at + interval ''1 day'' where id = :t; update hotline.clock set due_at = due_at + interval ''1 day'' where ticket_id = :t and kind = ''promise'''),
    ('4', 'a promise whose clock says otherwise', 'handling', 'update hotline.clock set due_at = due_at + interval ''1 day'' where ticket_id = :t and kind = ''promise'''),
    ('4', 'a promise put off by a first contact', 'contacted', $x$update hotline.event set payload = payload || '{"promise_due_at": "2026-06-01T23:59:59+08:00"}' where ticket_id = :t and transition = 'T43';
        update hotline.ticket set promise_due_at = '2026-06-01 23:59:59+08' where id = :t; update hotline.clock set due_at = '2026-06-01 23:59:59+08' where ticket_id = :t and kind = 'promise'$x$),
    ('5', 'a ticket listed to a unit that has nothing to do with it', 'handling', 'update hotline.inbox set units = units || 201 where ticket_id = :t'),
    ('5', 'a ticket its unit does not find', 'handling', 'update hotline.inbox set units = ''{}'' where ticket_id = :t'),
    ('5', 'a unit that has a complaint about itself', 'handling', 'insert into hotline.conflict_unit (ticket_id, unit_id, event_id, at) values (:t, 101, 1, now())'),
    ('5', 'a unit that would be shown the number', 'level1',
        'create or replace function hotline.may_reveal(who hotline.actor, t hotline.ticket) returns boolean language sql as ''select true'''),
    ('5', 'a unit that would be shown the name', 'level2', $x$create or replace function hotline.contact_json(who hotline.actor, t hotline.ticket) returns jsonb language sql as
        'select jsonb_build_object(''name_mask'', name_mask) from hotline.ticket_contact where ticket_id = t.id'$x$),
    ('6', 'a reply that names a number', 'closed', 'update hotline.reply set content = content || ''，请拨打１３８ ０００１ ３８００。'' where ticket_id = :t'),
    ('6', 'a public text that names an identity card', 'closed', 'update hotline.reply set public_text = ''身份证 440501199001011234'' where ticket_id = :t'),
    ('7', 'two keys and one event', 'pending_sign', 'insert into hotline.idem select principal, route, ''k2'', digest, status, body, at from hotline.idem where key = ''k1'''),
    ('7', 'an answer that names no event', 'pending_sign', $x$update hotline.idem set body = (body::jsonb || '{"event": "1"}')::json where key = 'k1'$x$),
    ('8', 'a dispatcher who audits', 'closed', 'update hotline.event e set actor_id = d.actor_id from hotline.event d where e.ticket_id = :t and d.ticket_id = :t and e.transition = ''T60'' and d.transition = ''T18'''),
    ('8', 'a callback by the unit itself', 'closed', 'update hotline.callback set by_person = (select id from hotline.person where login = ''st-gaj.h'') where ticket_id = :t'),
    ('9', 'an event that is gone', 'closed', 'delete from hotline.event where ticket_id = :t and n = 4'),
    ('9', 'the last event that is gone', 'closed', 'delete from hotline.event where ticket_id = :t and n = (select max(n) from hotline.event where ticket_id = :t)'),
    ('9', 'a number that leads nowhere', 'closed', 'delete from hotline.ticket_ref where ticket_id = :t'),
    ('9', 'void without a shift lead', 'refused', 'update hotline.ticket set state = 82 where id = :t'),
    ('10', 'a reply that is gone', 'rounds_up', 'delete from hotline.reply where ticket_id = :t and round = 0'),
    ('10', 'a verdict that is gone', 'rounds_up', 'delete from hotline.callback where ticket_id = :t and round = 0'),
    ('11', 'a unit that still works on what is closed', 'closed', 'insert into hotline.assignment select (jsonb_populate_record(a, ''{"id": 5, "role": 2, "state": 3}'')).* from hotline.assignment a where ticket_id = :t'),
    ('11', 'a clock that still runs', 'closed', 'update hotline.clock set stopped_at = null, met_at = null where ticket_id = :t and kind = ''closing'''),
    ('11', 'a closed ticket among the open work', 'closed', 'insert into hotline.inbox (ticket_id, ticket_no, version, state, title, appeal_type, urgency, secrecy, channel, round) select id, ticket_no, 1, state, '''', 1, 4, 0, 20, 0 from hotline.ticket where id = :t; update hotline.inbox set units = (hotline.load(array[:t]::bigint[]))[1].units where ticket_id = :t')
) as v(wants, name, stage, what);

-- What belongs to no ticket that is there.
create function play.says_of_none(what text) returns text
language plpgsql as $$
declare
    found text;
begin
    execute what;
    found := (select string_agg(distinct invariant || ' ' || c.what, '; ' order by invariant || ' ' || c.what) from hotline.check_invariants() c);
    raise exception using errcode = 'PL000', message = coalesce(found, 'nothing');
exception when sqlstate 'PL000' then
    return sqlerrm;
end $$;
select is(play.says_of_none($$insert into hotline.ticket_ref values ('9999999999999999', 7)$$), '9 number 9999999999999999 means a ticket that is not there', '9: a number of no ticket');
select is(play.says_of_none($$insert into hotline.idem values ('c', '/v1/tickets', 'lost', 'd', 201, '{"number": "9999999999999998"}', now())$$),
    '7 number 9999999999999998 was answered and means no ticket', '7: a number that was answered and never kept');
select matches(play.says_of_none(format('delete from hotline.ticket where id = %s', (select tid from play.case where stage = 'draft'))), '^9 1 events of a ticket that is not there; 9 number', '9: a ticket that is gone');
select is_empty('select * from check_invariants()', 'and all of it was undone');

select * from finish();
rollback;
