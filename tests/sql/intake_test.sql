-- A complaint comes in, once; and the memory of keys.

begin;
\ir play.psql

select no_plan();

create function play.intake(more jsonb default '{}') returns api.answer language plpgsql as $$
begin
    return api.intake(jsonb_build_object('principal', 'ip 1', 'route', 'POST /v1/tickets', 'key', 'k1', 'digest', 'd1', 'seq', nextval('play.seq')::text,
        'type', 'complaint', 'title', '路灯不亮', 'content', '门口的路灯坏了三天。', 'contact', play.contact(), 'query_code_enc', 'v1.code',
        'query_code_hash', 'hash of code', 'grams', '[5, 6]'::jsonb, 'channel', 'web', 'at', play.clock()) || more);
end $$;

-- ---- a number, a code, a promise ----

select (play.intake()).body as first \gset
select matches((:'first'::json)->>'number', '^2603022[0-9]{9}$', 'sixteen digits: day, channel group, sequence, check');
select is(((:'first'::json)->>'number')::numeric % 97, 1::numeric, 'whose check digits are right');
select is((:'first'::json)->>'promise_due_at', '2026-03-16T23:59:59+08:00', 'the promise is told at once');
select is((:'first'::json)->>'state', 'pending_accept', 'and the state');
select is((:'first'::json)->>'query_code_enc', 'v1.code', 'with the query code, sealed');
select ok(not (:'first'::json)::jsonb ? 'id', 'but no inner id');
select ticket_id as t from ticket_ref where ticket_no = (:'first'::json)->>'number' \gset
select results_eq(format('select state::int, channel::int, secrecy::int, publish::int, urgency::int, round::int, event_n, version, submitted_at, accepted_at from ticket where id = %s', :t),
    'values (11, 20, 0, 0, 4, 0, 1, 1, hotline.now(), null::timestamptz)', 'it waits for acceptance, with normal urgency');
select is((select row(phone_enc, phone_hmac, phone_mask, name_enc, name_mask, query_code_enc)::text from ticket_contact where ticket_id = :t),
    '(v1.phone,hmac,138****0000,v1.name,陈*,v1.code)', 'contact data is kept sealed, masked and hashed');
select is((select due_kind || ' ' || state || ' ' || phone_hmac from inbox where ticket_id = :t), 'accept 11 hmac', 'it stands in the lists');
select is((select string_agg(kind, ' ' order by kind) from outbox where ticket_id = :t), 'received', 'a receipt goes out');
select is((select grams from ticket_gram where ticket_id = :t), '{5,6}', 'its words can be found');
select is((play.intake('{"key": "k2", "type": null, "channel": "wechat"}')).status, 201, 'a complaint without a type is taken');
select is((select appeal_type from ticket where channel = 21), 7::smallint, 'as "other"');
select is(left((play.intake('{"key": "k3", "channel": "phone"}')).body->>'number', 7), '2603021', 'phone has a number group of its own');
select is(substr(n, 8, 7)::int, seq, 'the sequence is in the number') from (select 1234567 as seq, ticket_no(hotline.now(), 20::smallint, 1234567) as n) x;
select is(count(distinct ticket_no(hotline.now(), 20::smallint, s))::int, 1000, 'a thousand numbers are a thousand numbers') from generate_series(1, 1000) s;
select is_empty($$select n, i, d from (select ticket_no(hotline.now(), 20::smallint, 1234567)::text as n) x, generate_series(1, 16) i, generate_series(0, 9) d
    where substr(n, i, 1) <> d::text and overlay(n placing d::text from i for 1)::numeric % 97 = 1$$, 'one wrong digit is noticed wherever it is');
select is_empty($$select n, i from (select ticket_no(hotline.now(), 20::smallint, 1234567)::text as n) x, generate_series(1, 15) i
    where substr(n, i, 1) <> substr(n, i + 1, 1) and overlay(n placing substr(n, i + 1, 1) || substr(n, i, 1) from i for 2)::numeric % 97 = 1$$, 'and two that have changed places');

select is(play.says(play.intake(jsonb_build_object('key', 'bad') || bad)), said, said)
from (values ('{"division": "440599"}'::jsonb, '422 bad_inputs division'), ('{"category": "99"}', '422 bad_inputs category'), ('{"channel": "pigeon"}', '422 bad_inputs channel'),
    ('{"division": "x", "category": "y"}', '422 bad_inputs division,category')) as v(bad, said);
select is_empty($$select * from idem where key = 'bad'$$, 'a refusal is not remembered');
select is((play.intake('{"key": "bad", "digest": "better"}')).status, 201, 'so the key is still free');

-- ---- the same key ----

select is((play.intake()).body::text, :'first', 'the same key gets the first answer again');
select is((select count(*)::int from event where ticket_id = :t), 1, 'and nothing happens');
select is((select count(*)::int from ticket where title = '路灯不亮'), 4, 'nor is there a second ticket');
select is(play.says(play.intake('{"digest": "d2"}')), '422 key_reused', 'the same key with another body is refused');
select is(play.says(play.intake('{"digest": null}')), '422 key_reused', 'or with none');
select is((play.intake('{"principal": "ip 2"}')).status, 201, 'another''s key is another key');
select isnt((play.intake('{"principal": "ip 2"}')).body->>'number', (:'first'::json)->>'number', 'with an answer of its own');
select is((play.intake('{"route": "POST /v2"}')).status, 201, 'so is the same key on another route');
select play.go('2026-03-09 10:00') \g /dev/null
select play.does('acceptor1', :t, 'accept');
select is((play.intake()).body::text, :'first', 'a week later the first answer is still the answer, whatever became of it');
select play.go('2026-03-02 10:00') \g /dev/null

-- The same for a person's actions.
create function play.key(login text, tid bigint, action text, digest text, inputs jsonb default null) returns text language plpgsql as $$
begin
    return play.says(play.act(login, tid, action, coalesce(inputs, play.good(action, tid)), jsonb_build_object('route', 'act', 'key', 'once', 'digest', digest)));
end $$;
select play.ticket('pending_accept') as t \gset
select is(play.key('acceptor1', :t, 'accept', 'wrong', '{}'), '422 bad_inputs title,category,division', 'an action that is refused');
select is(play.key('acceptor1', :t, 'accept', 'right'), '200', 'may be sent again, mended, under its key');
select event_n as n from ticket where id = :t \gset
select is(play.key('acceptor1', :t, 'accept', 'right'), '200', 'sent twice');
select is((select event_n from ticket where id = :t), :n, 'it happens once');
select is(play.key('acceptor1', :t, 'accept', 'other'), '422 key_reused', 'and the key is used');
select is(play.key('dispatcher1', :t, 'dispatch', 'right'), '200', 'another person''s key is another key');
select play.ticket('handling') as t \gset
select is(play.says(api.reveal(jsonb_build_object('session', 'leader1', 'id', :'t', 'purpose', '核实', 'route', 'reveal', 'key', 'look', 'digest', 'd', 'at', play.clock()))), '200', 'a look at contact data');
select is(play.says(api.reveal(jsonb_build_object('session', 'leader1', 'id', :'t', 'purpose', '核实', 'route', 'reveal', 'key', 'look', 'digest', 'd', 'at', play.clock()))), '200', 'answered twice');
select is((select count(*)::int from access_log where ticket_id = :t), 1, 'is one look');
select is(play.says(api.draft(jsonb_build_object('session', 'operator1', 'channel', 'phone', 'seq', '991', 'route', 'draft', 'key', 'd', 'digest', 'd', 'at', play.clock()))), '201', 'a draft');
select is((api.draft(jsonb_build_object('session', 'operator1', 'channel', 'phone', 'seq', '992', 'route', 'draft', 'key', 'd', 'digest', 'd', 'at', play.clock()))).body->>'number' like '%0000991__', true, 'is opened once');

-- ---- how the citizen follows it ----

create function play.follow(number text, code text) returns api.answer language sql as $$
    select api.follow(jsonb_build_object('number', number, 'code_hash', code, 'at', play.clock()))
$$;
select (:'first'::json)->>'number' as number \gset
select is((play.follow(:'number', 'wrong')).body::text, (play.follow('9999999999999999', 'hash of code')).body::text, 'a wrong code and an unknown number are answered alike');
select is((play.follow(:'number', 'wrong')).status, 404, 'with 404');
select is(play.says(play.follow(:'number', null)), '404 no_such_ticket', 'and so is no code');
select is((play.follow(:'number', 'hash of code')).status, 200, 'number and code open it');
select ticket_id as t from ticket_ref where ticket_no = :'number' \gset
select play.does('dispatcher1', :t, 'dispatch');
select is((play.follow(:'number', 'hash of code')).body->>'unit', '汕头市公安局', 'it names one responsible unit');
select is((select string_agg(x->>'kind', ' ') from json_array_elements((play.follow(:'number', 'hash of code')).body->'timeline') x), 'submit_online accept dispatch', 'and tells the way in order');
select is((play.follow(:'number', 'hash of code')).body->>'promise_state', 'running', 'with the promise');
select unalike((play.follow(:'number', 'hash of code')).body::text, '%' || :'t' || '%', 'without inner ids');
select play.round(:t);
select is((play.follow(:'number', 'hash of code')).body->>'promise_state', 'kept', 'which an audited reply keeps');
select unalike((play.follow(:'number', 'hash of code')).body::text, '%请依法办理%', 'the centre''s instruction stays inside');
select unalike((play.follow(:'number', 'hash of code')).body::text, '%照此办理%', 'so does the unit''s opinion');
select is(play.status_text, '待回访', 'its state is said in words') from (select (play.follow(:'number', 'hash of code')).body->>'state_text' as status_text) play;

-- ---- earlier complaints ----

select play.ticket('pending_sign') as open_one \gset
select play.draft('operator1') as d \gset
select (api.dup_check(jsonb_build_object('session', 'operator1', 'id', :'d', 'grams', '[1, 2, 3]'::jsonb, 'at', play.clock()))).body as found \gset
select ok(exists (select from json_array_elements((:'found'::json)->'hits') h where h->>'id' = :'open_one' and h->>'why' = 'same caller'), 'the duplicate check finds the caller''s open tickets');
select ok(not exists (select from json_array_elements((:'found'::json)->'hits') h where h->>'id' = :'d'), 'and not the draft itself');
select cmp_ok((select json_array_length((:'found'::json)->'hits')), '<=', 10, 'ten at most');
select is((select count(*)::int from dup_check where id = ((:'found'::json)->>'dup_check')::bigint and ticket_id = :d), 1, 'and is remembered');

-- ---- words that change ----

select play.file('{"hits": [{"item": 1, "n": 1, "len": 2, "words": ["施工"]}]}') as w \gset
select play.tries('acceptor1', :w, 'accept', play.good('accept', :w) - 'content', '{"grams": [2, 7], "hits": [], "found": {"division": "440511", "confidence": 1}}') \g /dev/null
select is((select grams from ticket_gram where ticket_id = :w), '{1,2,3,7}', 'a new title is found, and so is the content it stands above');
select is((select route->'hits'->0->>'item' from ticket where id = :w), '1', 'which still says where the matter belongs');
select play.draft() as w \gset
select play.tries('operator1', :w, 'save_draft', '{"title": "新标题", "content": "全新的内容"}', '{"grams": [8, 9], "hits": []}') \g /dev/null
select is((select grams from ticket_gram where ticket_id = :w), '{8,9}', 'a text that is all new is found by its new words alone');

-- ---- time and blocks of numbers ----

select is((api.numbers('{"n": 5}')).body->>'numbers', (select json_agg(v)::text from generate_series(currval('ticket_no_seq') - 4, currval('ticket_no_seq')) v), 'a block of numbers is the worker''s alone');
select is(json_array_length((api.numbers('{"n": 99999}')).body->'numbers'), 10000, 'and bounded');
delete from simulation;
select sim_install(false) \g /dev/null
select throws_ok($$select api.intake('{"at": "2020-01-01T00:00:00+08:00", "seq": "1"}')$$, 'P0400', null, 'outside a simulation nobody brings the time along');
select is(hotline.now(), transaction_timestamp(), 'and it is the server''s');

select is_empty('select * from check_invariants()', 'the eleven invariants hold');

select * from finish();
rollback;
