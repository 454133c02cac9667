-- What happened stays as it was: the chain of events of each ticket, and what it must not hold.

begin;
\ir play.psql

select no_plan();

-- Tickets of many kinds, with a word in every text that no event may hold.
create function play.marked(x jsonb) returns jsonb language sql as $$
    select coalesce(jsonb_object_agg(k, case jsonb_typeof(v) when 'string' then case when v #>> '{}' ~ '[一-龥]' then to_jsonb((v #>> '{}') || '绝密词') else v end
        when 'array' then case when k = 'must_do' then '["绝密词"]'::jsonb else v end else v end), '{}') from jsonb_each(x) as e(k, v)
$$;
create or replace function play.does(login text, tid bigint, variadic actions text[]) returns void
language plpgsql as $$
declare
    action text;
begin
    foreach action in array actions loop
        perform play.must(login, tid, action, play.marked(play.good(action, tid)));
    end loop;
end $$;
create table play.case as
select stage, play.ticket(stage, '{"title": "绝密词标题", "content": "绝密词内容，电话 13800138000", "address": "绝密词路 1 号"}') as tid
from unnest('{draft, answered, submitted, refused, refusing, closed, archived, asked_rework, rounds_up, third_rejection, unit_rejected}'::text[]) as stage;
select play.must('st-gaj.h', (select play.ticket('handling')), 'first_contact', '{"contacted": false, "way": "phone", "attempts": 2, "fail_reason": "绝密词"}');
select play.go('2026-03-05 09:00') \g /dev/null
insert into play.case select 'deemed', play.ticket('pending_sign');
select play.go('2026-03-20 09:00') \g /dev/null
select play.sweep() \g /dev/null

-- The whole check, as an auditor with a copy of the tables would write it.
create function play.faults() returns table (ticket bigint, fault text)
language sql as $$
    with chain as (
        select e.*, lag(hash) over w as before_hash, lag(at) over w as before_at, lag(n, 1, 0) over w as before_n, lag(to_state) over w as before_state,
               row_number() over (partition by ticket_id order by n desc) = 1 as is_last
        from hotline.event e window w as (partition by ticket_id order by n)
    )
    select ticket_id, 'gap' from chain where n <> before_n + 1
    union all select ticket_id, 'link' from chain where prev_hash is distinct from before_hash
    union all select ticket_id, 'time' from chain where at < before_at
    union all select ticket_id, 'state' from chain where from_state is distinct from before_state
    union all select ticket_id, 'hash' from chain where hash <> sha256(coalesce(prev_hash, '') || convert_to(
        id || '|' || ticket_id || '|' || n || '|' || transition || '|' || action || '|' || (extract(epoch from at) * 1000000)::bigint || '|' ||
        coalesce(actor_id, 0) || '|' || actor_role || '|' || coalesce(unit_id, 0) || '|' || coalesce(assignment_id, 0) || '|' ||
        coalesce(from_state, 0) || '|' || to_state || '|' || coalesce(assignment_from, 0) || '|' || coalesce(assignment_to, 0) || '|' ||
        array_to_string(units, ',') || '|' || payload::text, 'UTF8'))
    union all select t.id, 'head' from hotline.ticket t left join chain c on c.ticket_id = t.id and c.is_last
        where (t.event_n, t.event_hash, t.event_at, t.state) is distinct from (c.n, c.hash, c.at, c.to_state)
$$;

select cmp_ok((select count(*)::int from event), '>', 90, 'there is something to check');
select is_empty('select * from play.faults()', 'every chain is whole');
select results_eq('select transition from event where ticket_id = (select tid from play.case where stage = ''closed'') order by n',
    $$values ('T05'), ('T06'), ('T18'), ('T30'), ('T43'), ('T52'), ('T53'), ('T60'), ('T63'), ('T64')$$, 'a life is told in order');
select is_empty($$select ticket_id from event where from_state is null <> (n = 1)$$, 'only the first event comes from nowhere');
select bag_has('select distinct transition from event',
    $$select unnest('{T01, T04, T05, T06, T03, T10, T18, T30, T31, T43, T52, T53, T53r, T60, T61, T63, T64, T65, T79, ASK, LAPSE}'::text[])$$,
    'the cases meet nearly every row of the table');

-- An event given an earlier time than its predecessor's is dated like it.
select play.go('2026-03-10 09:00') \g /dev/null
select tid as t from play.case where stage = 'submitted' \gset
select max(at) as before from event where ticket_id = :t \gset
select play.go('2026-03-01 09:00') \g /dev/null
select play.does('dispatcher1', :t, 'dispatch');
select is((select at from event where ticket_id = :t order by n desc limit 1), :'before'::timestamptz, 'time never runs back');
select is_empty('select * from play.faults()', 'and the chain is whole');

-- Tampering

create function play.tamper(what text) returns text language plpgsql as $$
declare
    found text;
begin
    execute what;
    found := (select string_agg(distinct fault, ' ' order by fault) from play.faults());
    raise exception using errcode = 'PL000', message = coalesce(found, 'nothing');
exception when sqlstate 'PL000' then
    return sqlerrm;
end $$;
select tid as t from play.case where stage = 'closed' \gset
select isnt(play.tamper(format('update hotline.event set %s where ticket_id = %s and n = 5', change, :t)), 'nothing', 'seen: ' || change)
from unnest(array['transition = ''T44''', 'action = ''x''', 'at = at + interval ''1 microsecond''', 'actor_id = 1', 'actor_role = ''SYS''',
    'unit_id = 102', 'assignment_id = 1', 'from_state = 30', 'to_state = 50', 'assignment_from = 1', 'assignment_to = 9', 'units = ''{}''',
    'payload = payload || ''{"way": "visit"}''', 'payload = payload - ''contacted''', 'hash = ''\x00''', 'prev_hash = null', 'n = 77', 'id = id + 999', 'ticket_id = ticket_id + 1']) as change;
select isnt(play.tamper(format('delete from hotline.event where ticket_id = %s and n = %s', :t, n)), 'nothing', 'seen: event ' || n || ' is gone') from unnest('{1, 5, 10}'::int[]) as n;
select is(play.tamper(format('update hotline.event set n = 11 - n where ticket_id = %s and n in (5, 6)', :t)), 'hash link', 'seen: two events have changed places');
select is(play.tamper(format('insert into hotline.event select id + 1, ticket_id, 11, transition, action, at, actor_id, actor_role, unit_id, assignment_id, from_state, to_state,
    assignment_from, assignment_to, units, payload, hash, hash from hotline.event where ticket_id = %s and n = 10', :t)), 'hash head state', 'seen: an event was added');
select is(play.tamper(format('update hotline.ticket set state = 60, closed_at = null, ended_at = null where id = %s', :t)), 'head', 'seen: the ticket says otherwise');
select is(play.tamper(format($$update hotline.event e set payload = payload || '{"way": "visit"}',
        hash = hotline.event_hash(e.prev_hash, (e.id, e.ticket_id, e.n, e.transition, e.action, e.at, e.actor_id, e.actor_role, e.unit_id, e.assignment_id, e.from_state, e.to_state,
            e.assignment_from, e.assignment_to, e.units, e.payload || '{"way": "visit"}', e.prev_hash, e.hash)::hotline.event)
    where ticket_id = %s and n = 5$$, :t)), 'link', 'seen: a forged event with a hash of its own breaks the next link');

-- No personal data, and no words of anyone

select cmp_ok((select count(*)::int from event_note where body like '%绝密词%'), '>', 10, 'words are kept beside the events');
select is_empty($$select id, payload from event where payload::text ~ '绝密词|13800138000|138\*|v1\.|hmac|陈'$$, 'no event holds a word of a citizen, a number or a name');
select is_empty($$select id, payload from event where payload::text ~ '[一-龥]'$$, 'no event holds words at all');
select is_empty($$select id, args from outbox where args::text ~ '[一-龥]|138\*|\y138[0-9]{8}\y|v1\.|hmac'$$, 'nor does a notice to send');
select is_empty($$select distinct k from event, jsonb_object_keys(payload) k where k in ('title', 'content', 'phone', 'name', 'address', 'opinion', 'comment', 'told_text', 'answer_text', 'instruction')$$, 'nor has a place for them');
delete from event_note;
delete from ticket_text;
update ticket set title = '', content = '', address = null;
delete from ticket_contact;
select is_empty('select * from play.faults()', 'erasing every word leaves every chain whole');

select is_empty('select * from check_invariants()', 'the eleven invariants hold');

select * from finish();
rollback;
