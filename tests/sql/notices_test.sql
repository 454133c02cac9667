-- Who is told of what, in which order, how often, and when it is given up.

begin;
\ir play.psql

select no_plan();

-- What a worker takes now, as "kind way" in order; it holds them for a minute.
create function play.takes(most int default 100, ways text default '["sms", "email", "webhook"]') returns text
language sql as $$
    select coalesce(string_agg(concat_ws(' ', m->>'kind', m->>'way'), ', ' order by (m->>'id')::bigint), '') from json_array_elements(
        (api.notice_claim(jsonb_build_object('ways', ways::jsonb, 'most', most, 'lease', 60, 'at', play.clock()))).body->'messages') m
$$;
create function play.ends(tid bigint, kind_ text, end_ text, more jsonb default '{}') returns text
language sql as $$
    select (api.notice_done(jsonb_build_object('id', d.id::text, 'try', d.tries, 'end', end_, 'at', play.clock()) || more)).body->>'state'
    from hotline.delivery d where d.ticket_id = tid and d.kind = kind_ order by d.id limit 1
$$;
create function play.letter(tid bigint, kind_ text) returns hotline.delivery
language sql as $$ select d from hotline.delivery d where ticket_id = tid and kind = kind_ order by id limit 1 $$;

-- All that is under way arrives.
create function play.arrives() returns void
language sql as $$ update hotline.delivery set state = 'sent', ended_at = now() where state = 'waiting' and tries > 0 $$;

-- ---- the citizen ----

select play.file() as t \gset
select is(play.takes(), 'received sms', 'a complaint is receipted');
select is(play.takes(), '', 'who has taken a message has it');
select play.go('2026-03-02 10:01');
select is(play.takes(), 'received sms', 'when the lease is over it comes up again');
select is((play.letter(:t, 'received')).tries, 2, 'as another try of the same message');
select is(play.ends(:t, 'received', 'later', '{"try": 1}'), 'waiting', 'news of the try before are old');
select is((play.letter(:t, 'received')).due_at, '2026-03-02 10:02+08'::timestamptz, 'and change nothing');
select is(play.ends(:t, 'received', 'sent', '{"try": 1, "provider": "one"}'), 'sent', 'but that it was taken is true whoever says so');
select is(play.ends(:t, 'received', 'refused'), 'sent', 'and stays so');

select play.ticket('pending_dispatch') as t \gset
select play.takes() \g /dev/null
select play.arrives() \g /dev/null
select play.go('2026-03-02 10:05');
select play.must('dispatcher1', :t, 'dispatch', play.good('dispatch', :t));
select is(play.takes(), 'dispatched sms', 'a dispatch is told');
select play.arrives() \g /dev/null
select is_empty(format('select at from outbox o where ticket_id = %s and (select count(*) from delivery d join outbox p on p.id = d.outbox_id where p.ticket_id = o.ticket_id and p.at = o.at) > 1', :t),
    'of one commit there is one message at most');
select play.file(jsonb_build_object('contact', '{}'::jsonb, 'anonymous', true)) as t \gset
select is(play.takes(), '', 'who left no number is not told');

-- ---- quiet hours ----

select play.go('2026-03-02 19:50');
select play.ticket('pending_dispatch') as t \gset
select play.takes() \g /dev/null
select play.arrives() \g /dev/null
select play.go('2026-03-02 20:30');
select play.must('dispatcher1', :t, 'dispatch', play.good('dispatch', :t));
select is(play.takes(), '', 'at night nobody hears of a dispatch');
select is((play.letter(:t, 'dispatched')).due_at, '2026-03-03 08:30+08'::timestamptz, 'it waits for the morning');
select play.file() as u \gset
select is(play.takes(), 'received sms', 'who complains at night gets the receipt at night');
select play.go('2026-03-03 08:30');
select ok(play.takes() like '%dispatched sms%', 'in the morning it goes out');
select play.go('2026-03-03 11:59:58');
update delivery set tries = 3 where ticket_id = :t and kind = 'dispatched';
select is(play.ends(:t, 'dispatched', 'later'), 'waiting', 'nobody took it');
select is((play.letter(:t, 'dispatched')).due_at, '2026-03-03 14:30+08'::timestamptz, 'the next try does not fall into the midday rest');

-- ---- tries ----

update delivery set tries = 1 where ticket_id = :u;
select is(play.ends(:u, 'received', 'unknown', '{"provider": "one"}'), 'waiting', 'it is not known whether it was taken');
select is((play.letter(:u, 'received')).provider, 'one', 'so the same provider is asked again');
select is((play.letter(:u, 'received')).due_at - '2026-03-03 11:59:58+08', interval '10 seconds', 'after ten seconds');
update delivery set tries = 6 where ticket_id = :u;
select is(play.ends(:u, 'received', 'later', '{"retry_after": 20}'), 'waiting', 'again and again');
select is((play.letter(:u, 'received')).due_at - '2026-03-03 11:59:58+08', interval '320 seconds', 'the waits double');
select is((play.letter(:u, 'received')).provider, null, 'and who surely did not take it is forgotten');
select is(play.ends(:u, 'received', 'later', '{"retry_after": 7200}'), 'waiting', 'who asks for more');
select is((play.letter(:u, 'received')).due_at - '2026-03-03 11:59:58+08', interval '2 hours', 'gets it');
update delivery set tries = 14 where ticket_id = :u;
select is(play.ends(:u, 'received', 'later'), 'dead', 'after fourteen tries it is for people');
select is((api.admin_put(jsonb_build_object('session', 'admin1', 'kind', 'notice', 'code', (play.letter(:u, 'received')).id::text, 'inputs', '{"do": "retry"}'::jsonb, 'at', play.clock()))).status,
    200, 'who send it again');
select is((play.letter(:u, 'received')).tries, 0, 'from the beginning');

-- ---- units ----

select (select id from unit where code = 'ST-GAJ') as gaj \gset
insert into link (id, code, unit_id, way, address) values (1, 'hook', :gaj, 'webhook', 'https://police.example/'), (2, 'post', :gaj, 'email', 'office@police.example'),
    (3, 'centre', 1, 'email', 'duty@12345.example');
select play.go('2026-03-03 15:00');
select play.takes(500) \g /dev/null
select play.go('2026-03-03 15:10');
select play.ticket('handling') as t \gset
select play.takes(500) \g /dev/null
select is((select string_agg(kind || ' ' || way, ', ' order by way, n) from delivery where ticket_id = :t and link_id is not null),
    'dispatch email, dispatch webhook, sign webhook', 'the office hears of work, the system of every step');
select is((select string_agg(kind, ' ' order by n) from delivery where ticket_id = :t and way = 'webhook' and tries > 0), 'dispatch', 'one step at a time');
select is(play.ends(:t, 'dispatch', 'refused'), 'dead', 'one that will not be taken');
select ok(play.takes(500) like '%sign webhook%', 'lets the next one pass');
select play.must('st-gaj.d', :t, 'request_return', play.good('request_return', :t));
select play.must('st-gaj.a', :t, 'approve', jsonb_build_object('approval', play.open_approval(:t), 'opinion', '同意'));
select play.must('auditor1', :t, 'approve_return', play.good('approve_return', :t));
select play.takes(500) \g /dev/null
select ok(exists (select from delivery where ticket_id = :t and way = 'webhook' and kind = 'approve_return'), 'a unit hears that a ticket is no longer its own');
select play.must('dispatcher1', :t, 'dispatch', jsonb_build_object('main_unit', (select id from unit where code = 'ST-CGJ'), 'instruction', '请办理'));
select play.takes(500) \g /dev/null
select is((select count(*)::int from delivery where ticket_id = :t and way = 'webhook' and kind = 'dispatch'), 1, 'and nothing of what others do with it');
select play.ticket('pending_dispatch') as t \gset
update ticket set secrecy = 3 where id = :t;
select is_empty(format('select 1 from delivery where ticket_id = %s and link_id is not null', :t), 'of a sealed matter no system hears');
insert into outbox (id, ticket_id, kind, args, at) values (new_id(), :t, 'transfer_check', '{}', now());
select ok(play.takes(500) like '%transfer_check email%', 'the centre hears of a transfer without a receipt');

-- ---- the first day ----

insert into outbox (id, ticket_id, kind, args, at) values (new_id(), :t, 'closed', '{}', '2026-02-20 10:00+08');
select play.takes(500) \g /dev/null
select is_empty(format($$select 1 from delivery where ticket_id = %s and kind = 'closed'$$, :t), 'what is older than two days is not told any more');
select is_empty('select 1 from outbox where sent_at is null', 'and does not wait');
select is_empty($$select 1 from delivery where to_jsonb(delivery)::text ~ 'v1\.|138\*|[一-龥]'$$, 'no message holds contact data or words');

select * from finish();
rollback;
