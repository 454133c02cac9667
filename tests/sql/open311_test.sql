-- What applications of others read, of which tickets, in which words.
begin;
\ir play.psql
select plan(14);

create function play.asks(more jsonb) returns jsonb language sql as $$
    select (api.open311_requests(jsonb_build_object('limit', 1000, 'offset', 0, 'from', '2026-02-20T00:00:00+08:00', 'to', '2026-03-20T00:00:00+08:00', 'at', play.clock()) || more)).body::jsonb
$$;
create function play.number(tid bigint) returns text language sql as $$ select ticket_no::text from ticket where id = tid $$;
create function play.shown(tid bigint, origin text default null) returns boolean language plpgsql as $$
declare
    who jsonb := case when origin is null then '{}' else jsonb_build_object('origin', origin) end;
    alone boolean := play.asks(who || jsonb_build_object('ids', jsonb_build_array(play.number(tid)))) <> '[]';
begin
    -- A list and a look-up agree.
    if alone <> exists (select from jsonb_array_elements(play.asks(who)) r where r->>'service_request_id' = play.number(tid)) then
        raise exception 'ticket % is in one and not in the other', tid;
    end if;
    return alone;
end $$;

-- ---- who reads ----

create temp table asked as
select publish, secrecy, accepted, scanned, play.ticket(case when accepted then 'handling' else 'pending_accept' end,
    jsonb_build_object('origin', 'app:one', 'private', '{}'::jsonb, 'category', '130106')) as tid
from generate_series(0, 3) as publish, generate_series(0, 3) as secrecy, unnest('{true,false}'::boolean[]) as accepted, unnest('{true,false}'::boolean[]) as scanned;
update ticket t set publish = a.publish, secrecy = a.secrecy, masked = case when a.scanned then coalesce(t.masked, '{}') end from asked a where t.id = a.tid;

select results_eq('select publish, secrecy, accepted, scanned from asked where play.shown(tid) order by publish',
    'values (1, 0, true, true), (3, 0, true, true)', 'everybody reads what was accepted, scanned, is not secret and may be published');
select results_eq('select publish, secrecy, accepted, scanned from asked where play.shown(tid, ''app:two'') order by publish',
    'values (1, 0, true, true), (3, 0, true, true)', 'another application no more');
select is((select count(*)::int from asked where play.shown(tid, 'app:one')), 64, 'the one that filed them reads all');
select play.ticket('draft') as draft \gset
update ticket set origin = 'app:one' where id = :draft;
select ok(not play.shown(:draft, 'app:one'), 'a draft is nobody''s request');

-- ---- in which words ----

select tid as agreed from asked where publish = 1 and secrecy = 0 and accepted and scanned \gset
select tid as anonymised from asked where publish = 3 and secrecy = 0 and accepted and scanned \gset
update ticket set content = '我叫陈某，住金砂路 88 号', masked = '{"content": "我叫某某，住某处", "address": "金砂路"}', address = '金砂路 88 号', lat = 23.354, lng = 116.682
where id in (:agreed, :anonymised);
create function play.one(tid bigint, more jsonb default '{}') returns jsonb language sql as $$
    select play.asks(jsonb_build_object('ids', jsonb_build_array(play.number(tid))) || more)->0
$$;
select is((select array[r->>'description', r->>'address', r->>'lat'] from play.one(:agreed) r), '{我叫某某，住某处,金砂路,23.3540000}', 'where it was agreed: masked words, and the place');
select is((select array[r->>'description', r->>'address', r->>'lat', r->>'media_url'] from play.one(:anonymised) r), '{"",null,null,null}', 'anonymised: neither');
select is(play.one(:agreed, '{"origin": "app:one"}')->>'description', '我叫陈某，住金砂路 88 号', 'its application: the words');
update ticket set content = content || E'\n补充', attributes = '{"said": {"a": ["1"]}, "media": ["https://a.example/1"], "tail": "\n补充"}' where id = :agreed;
select is((select array[r->>'description', r->>'media_url', r->'attributes'->>'a'] from play.one(:agreed, '{"origin": "app:one", "more": true}') r),
    '{"我叫陈某，住金砂路 88 号",https://a.example/1,"[\"1\"]"}', 'without what was made of the form, which is beside them');
select is(play.one(:agreed, '{"more": true}')->'attributes', '{}', 'others read no answers to the form');
select is_empty(
    $$select tid from asked where play.one(tid, '{"origin": "app:one", "more": true}')::text ~ 'v1\.|hmac|\*\*\*\*|query_code'$$,
    'contact data never come out, not even as a mask');

-- ---- updates ----

select bag_eq(
    format($$select distinct u->>'service_request_id' from json_array_elements((api.open311_updates(jsonb_build_object('from', '2026-03-02T00:00:00+08:00', 'to', '2026-03-03T00:00:00+08:00',
        'limit', 1000, 'offset', 0, 'at', play.clock()))).body) u$$),
    format('values (%L), (%L)', play.number(:agreed), play.number(:anonymised)), 'updates are of the same tickets');
select is_empty(
    $$select u from json_array_elements((api.open311_updates(jsonb_build_object('origin', 'app:one', 'from', '2026-03-02T00:00:00+08:00', 'to', '2026-03-03T00:00:00+08:00',
        'limit', 1000, 'offset', 0, 'at', play.clock()))).body) u where u->>'description' is null or u->>'update_id' is null$$, 'each has its sentence');
select bag_eq(
    $$select distinct open311_state(code, null) from word where kind = 'state' and code > 10$$,
    $$select unnest('{OPEN,INVESTIGATING,FOR_TRIAGE,ACTION_SCHEDULED,INTERNAL_REFERRAL,IN_PROGRESS,PLANNED,CLOSED,NOT_COUNCILS_RESPONSIBILITY,CANCELLED,NO_FURTHER_ACTION,DUPLICATE}'::text[])$$,
    'every state has a word of the extension');

-- ---- forms ----

select is_empty(
    $$select s->>'code' from jsonb_array_elements(services()->'list') s where char_length(s->>'code') <> 6 or s->>'zh' is null or s->>'en' is null
        or s->>'about_zh' is null or s->>'type' is null or jsonb_typeof(s->'attributes') <> 'array'$$,
    'every service has code, names, text, type and questions');

select * from finish();
rollback;
