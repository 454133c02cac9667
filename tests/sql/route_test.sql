-- The dispatch directory proposes, and dispatches by itself only where it is unambiguous.

begin;
\ir play.psql

select no_plan();

-- A directory of our own: two categories of one family, one of another, and units that come and go.
insert into category (id, code, parent_id, level, name, name_en) values
    (990101, '990101', null, 3, '甲类', 'A'), (990102, '990102', null, 3, '乙类', 'B'), (990201, '990201', null, 3, '丙类', 'C'), (990202, '990202', null, 3, '丁类', 'D');
insert into unit (id, code, parent_id, level, kind, name, short_name, name_en, valid_from, valid_to) values
    (901, 'OLD', 1, 2, 'department', '已撤单位', '已撤', 'Closed', '2000-01-01', '2026-03-02'),
    (902, 'NEW', 1, 2, 'department', '未设单位', '未设', 'Future', '2026-03-03', null);
insert into directory_item (id, code, name, category_id, division, keywords, main_rule, main_unit_id, co_unit_ids, policy, appeal_types, exclude_grassroots, legal_basis, valid_from, valid_to)
values
    (1, '1', '噪声', 990101, null, '{}', 'unit', 101, '{102, 901, 1}', 'U2', null, true, '噪声法第八条', '2000-01-01', null),
    (2, '2', '占道', 990102, null, '{}', 'street', 114, '{}', null, null, false, null, '2000-01-01', null),
    (3, '3', '河道', 990201, null, '{}', 'district', null, '{}', null, null, false, null, '2000-01-01', null),
    (4, '4', '只收投诉', 990201, null, '{}', 'unit', 103, '{}', null, '{complaint}', false, null, '2000-01-01', null),
    (5, '5', '龙湖专办', 990201, '440507', '{}', 'unit', 104, '{}', null, null, false, null, '2000-01-01', null),
    (6, '6', '已废止', 990201, null, '{}', 'unit', 105, '{}', null, null, false, null, '2000-01-01', '2026-03-02'),
    (7, '7', '未生效', 990201, null, '{}', 'unit', 106, '{}', null, null, false, null, '2026-03-03', null),
    (8, '8', '单位已撤', 990201, null, '{}', 'unit', 901, '{}', null, null, false, null, '2000-01-01', null),
    (9, '9', '单位未设', 990201, null, '{}', 'unit', 902, '{}', null, null, false, null, '2000-01-01', null),
    (10, '10', '部门职责', 990201, null, '{}', 'street', 107, '{}', null, null, true, null, '2000-01-01', null),
    (11, '11', '街道事务', 990202, null, '{}', 'street', null, '{}', null, null, false, null, '2000-01-01', null),
    (12, '12', '中心自办', 990202, null, '{}', 'unit', 1, '{}', null, null, false, null, '2000-01-01', null);

create function play.hit(item int, len int) returns jsonb language sql as $$
    select jsonb_build_array(jsonb_build_object('item', item, 'len', len, 'n', 1, 'words', jsonb_build_array('半夜', '施工')))
$$;
-- "item→unit score", best first.
create function play.proposed(category int, division text, type text default 'complaint', hits jsonb default '[]') returns text language plpgsql as $$
begin
    return (select string_agg(format('%s→%s %s', c->'item'->>'id', c->'unit'->>'id', c->>'score') || case when (c->>'auto')::boolean then ' auto' else '' end, ', ' order by n)
        from jsonb_array_elements(hotline.candidates(category, division, type, hits)) with ordinality as e(c, n));
end $$;

-- ---- scores ----

select is(play.proposed(990101, null), '1→101 0.500, 2→114 0.200', 'the category says most, one beside it less');
select is(play.proposed(990101, null, 'complaint', play.hit(1, 3)), '1→101 0.700, 2→114 0.200', 'words add to it by their length');
select is(play.proposed(990101, null, 'complaint', play.hit(1, 6)), '1→101 0.900 auto, 2→114 0.200', 'up to six characters');
select is(play.proposed(990101, null, 'complaint', play.hit(1, 60)), '1→101 0.900 auto, 2→114 0.200', 'and no more');
select is(play.proposed(null, null, 'complaint', play.hit(1, 6)), '1→101 0.400', 'words alone propose too');
select is(play.proposed(null, null), null, 'nothing proposes nothing');
select is(play.proposed(990102, null, 'complaint', play.hit(1, 6)), '1→101 0.600, 2→114 0.500', 'words can outweigh the category');

-- ---- places ----

select is(split_part(play.proposed(990102, '440507001'), ' ', 1), '2→' || id, 'a street''s matter goes to the street of the place') from unit where kind = 'street' and division = '440507001';
select is(split_part(play.proposed(990102, '440507001' || '001'), ' ', 1), '2→' || id, 'from a village too') from unit where kind = 'street' and division = '440507001';
select is(split_part(play.proposed(990102, '440507'), ' ', 1), '2→201', 'where only the district is known, to the district');
select is(split_part(play.proposed(990102, '4405'), ' ', 1), '2→114', 'where nothing is known, to the fallback');
select is(split_part(play.proposed(990102, null), ' ', 1), '2→114', 'or without a place');
select alike(play.proposed(990201, '440511001'), '%3→202 %', 'a district''s matter goes to the district of the place');
select unalike(coalesce(play.proposed(990201, null), ''), '%3→%', 'and nowhere without a place or fallback');
select alike(play.proposed(990201, '440507001'), '5→104 0.600, %', 'an item of this district is worth more');
select unalike(play.proposed(990201, '440511001'), '%5→%', 'and is not proposed elsewhere');

-- ---- what is not proposed ----

select alike(play.proposed(990201, '440511001', 'complaint'), '%4→103 %', 'an item for complaints is proposed for a complaint');
select unalike(play.proposed(990201, '440511001', 'consult'), '%4→%', 'not for a question');
select unalike(play.proposed(990201, '440511001'), '%' || item || '→%', 'not proposed: ' || name)
from (values (6, 'an item that is no longer valid'), (7, 'one that is not yet'), (8, 'one whose unit is closed'), (9, 'one whose unit does not exist yet'),
    (10, 'a department''s duty to a street')) as v(item, name);
select is(play.proposed(990201, '440511001', 'complaint', play.hit(8, 6)), play.proposed(990201, '440511001', 'complaint'), 'not even when its words are found');
select alike(play.proposed(990201, '4405'), '%10→107 %', 'a department''s duty is the department''s');
select play.go('2026-03-03 10:00') \g /dev/null
select alike(play.proposed(990201, '440511001'), '%9→902 %', 'a new unit is proposed from its first day');
select play.go('2026-03-02 10:00') \g /dev/null
select unalike(play.proposed(990101, '440507001', 'complaint', play.hit(2, 6)), '%2→%', 'where the ticket''s category is a department''s duty, no street is proposed for another item');

-- A district whose unit was replaced: the valid one is found.
insert into unit (id, code, parent_id, level, kind, name, short_name, division, valid_from, valid_to) select 90000 + n, 'X' || n, 1, 2, 'district', '旧区 ' || n, '旧区' || n, '440511', '2000-01-01', '2020-01-01' from generate_series(1, 3) n;
select alike(play.proposed(990201, '440511001'), '%3→202 %', 'a district''s former unit is not asked');

insert into directory_item (id, code, name, category_id, keywords, main_rule, main_unit_id)
select 100 + n, 'many' || n, '事项 ' || n, 990201, '{}', 'unit', 115 + n from generate_series(1, 9) n;
select is(jsonb_array_length(hotline.candidates(990201, '440507001', 'complaint', '[]')), 5, 'five candidates at most');
insert into directory_item (id, code, name, category_id, keywords, main_rule, main_unit_id) values (99, '99', '另一噪声', 990101, '{}', 'unit', 101);
select is(play.proposed(990101, null, 'complaint', play.hit(1, 3)), '1→101 0.700, 2→114 0.200', 'a unit is proposed once, for what fits best');
delete from directory_item where id in (99) or id > 100 and code like 'many%';

-- ---- reasons ----

select c->>'reason' as zh, c->>'reason_en' as en, c->'co_units' as co, c->>'policy' as policy
from jsonb_array_elements(hotline.candidates(990101, null, 'complaint', play.hit(1, 4))) c limit 1 \gset
select is(:'zh'::text, '目录事项“噪声”；类别相同；文中出现“半夜”“施工”；噪声法第八条', 'the reason in Chinese');
select is(:'en'::text, 'directory item "噪声"; its category is the ticket''s; the text says “半夜”“施工”; 噪声法第八条', 'and in English');
select is((select string_agg(u->>'id', ' ') from jsonb_array_elements(:'co'::jsonb) u), '102', 'assisting units are proposed if they exist, the centre never');
select is(:'policy'::text, 'U2', 'with the item''s policy');
select is(c->>'reason', '目录事项“占道”；类别相同；由事发地所在街道（镇）办理', 'a place is a reason') from jsonb_array_elements(hotline.candidates(990102, '440507001', 'complaint', '[]')) c limit 1;
select is(c->>'reason', '目录事项“占道”；类别相近', 'a neighbouring category is said to be one, and no place where none decided') from jsonb_array_elements(hotline.candidates(990101, '4405', 'complaint', '[]')) with ordinality e(c, n) where n = 2;

-- ---- by itself ----

create function play.accepted(category text, hits jsonb, more jsonb default '{}', inputs jsonb default '{}') returns bigint language plpgsql as $$
declare
    tid bigint := play.file(more || jsonb_build_object('hits', hits));
begin
    perform play.must('acceptor1', tid, 'accept', jsonb_build_object('title', '夜间施工噪声', 'category', category, 'division', '4405') || inputs);
    return tid;
end $$;
select play.accepted('990101', play.hit(1, 6)) as t \gset
select is(play.state(:t), 'pending_sign/pending_sign', 'an unambiguous matter is dispatched at once');
select results_eq(format('select transition, actor_role, at = hotline.now() from event where ticket_id = %s and n >= 2 order by n', :t), $$values ('T06', 'ACC', true), ('T18', 'SYS', true)$$, 'by the system, in the same commit');
select results_eq(format('select role::int, unit_id from assignment where ticket_id = %s order by role', :t), 'values (1, 101), (2, 102)', 'to the item''s units');
select is((select policy || ' ' || directory_item_id from ticket where id = :t), 'U2 1', 'by the item''s policy');
select alike((select body from event_note where ticket_id = :t and name = 'instruction'), '系统自动派单：目录事项“噪声”；%', 'with its reason');
select is((select route->'candidates'->0->>'reason' from ticket where id = :t), (select substr(body, 8) from event_note where ticket_id = :t and name = 'instruction'), 'which stays with the ticket');

create function play.goes(category text, hits jsonb, more jsonb default '{}', inputs jsonb default '{}') returns text language sql as $$ select play.state(play.accepted(category, hits, more, inputs)) $$;
select is(play.goes('990101', play.hit(1, 3)), 'pending_dispatch', 'below the score a person decides');
select is(play.goes('990102', play.hit(1, 6)), 'pending_dispatch', 'so when the words say something else than the category');
select is(play.goes('990101', play.hit(1, 6) || play.hit(3, 6)), 'pending_sign/pending_sign', 'a distant second does not matter');
update directory_item set division = '4405' where id = 5;
select is(play.goes('990201', play.hit(5, 5) || play.hit(4, 6)), 'pending_dispatch', 'two that fit alike are for a person');
select is(play.goes('990101', play.hit(1, 6), '{"type": "report"}'), 'pending_dispatch', 'a report never goes by itself');
select is(play.goes('990101', play.hit(1, 6), '{}', '{"type": "report"}'), 'pending_dispatch', 'nor what turns out to be one');
select is(play.goes('990101', play.hit(1, 6), format('{"secrecy": %s}', level)::jsonb), 'pending_dispatch', 'nor a secret of level ' || level) from unnest('{1, 2}'::int[]) as level;
select is(play.goes('990202', play.hit(12, 6)), 'pending_dispatch', 'nor what is the centre''s own');
select is((select string_agg(c->>'auto', ' ') from jsonb_array_elements(hotline.candidates(990202, '4405', 'complaint', play.hit(12, 6))) c where c->'unit'->>'id' = '1'), 'false', 'whose proposal says so');
update setting set value = '0.95' where name = 'route.auto_score';
select is(play.goes('990101', play.hit(1, 6)), 'pending_dispatch', 'the score is a setting');

-- A draft that is submitted goes the same way.
update setting set value = '0.75' where name = 'route.auto_score';
select play.draft('operator1', jsonb_build_object('hits', play.hit(1, 6))) as d \gset
select play.must('operator1', :d, 'submit', play.good('submit', :d) || '{"category": "990101"}');
select is(play.state(:d), 'pending_sign/pending_sign', 'a submitted draft is dispatched at once too');

-- The dispatcher's form begins with the best unit that is not the centre.
select play.accepted('990202', play.hit(12, 6), '{}', '{"division": "440507001"}') as t \gset
select is(i->>'default', id::text, 'the form proposes the street, not the centre')
from unit, json_array_elements((api.actions(jsonb_build_object('session', 'dispatcher1', 'id', :'t', 'at', play.clock()))).body->'actions') a, json_array_elements(a->'inputs') i
where kind = 'street' and division = '440507001' and a->>'action' = 'dispatch' and i->>'name' = 'main_unit';
select is((api.route(jsonb_build_object('session', 'operator1', 'category', '990101', 'hits', play.hit(1, 6), 'at', play.clock()))).body->'candidates'->0->'unit'->>'id', '101', 'proposals come while an operator types');
select is((api.route(jsonb_build_object('session', 'operator1', 'found', '{"division": "440507001", "confidence": 0.9}'::jsonb, 'hits', play.hit(2, 6), 'at', play.clock()))).body->'category'->>'code', '990102', 'with the category of the best');

-- Every item of the real directory finds a unit for every place, or none that would be refused.
select is_empty(
    $$select i.code, p.division from directory_item i cross join unnest('{4405, 440507, 440507001, 440523}'::text[]) as p(division)
      join unit u on u.id = unit_of_item(i, p.division) where i.exclude_grassroots and u.grassroots and i.id > 12$$,
    'no department''s duty of the real directory leads to a street'
);

-- ---- what the past says ----

insert into category (id, code, parent_id, level, name) values (990300, '9903', null, 2, '旧事'), (990301, '990301', 990300, 3, '戊类'), (990302, '990302', 990300, 3, '己类');
insert into directory_item (id, code, name, category_id, division, keywords, main_rule, main_unit_id, share, its_cases, of_cases) values
    (201, 'L1', '旧事', 990300, null, '{}', 'unit', 101, 0.6, 60, 100),
    (202, 'L2', '戊类', 990301, null, '{}', 'unit', 102, 0.7, 7, 10),
    (203, 'L3', '戊类（龙湖区）', 990301, '440507', '{}', 'unit', 103, 0.95, 19, 20),
    (204, 'L4', '戊类（龙湖区）', 990301, '440507', '{}', 'unit', 102, 0.05, 0, 20),
    (205, 'L5', '戊类（金霞街道）', 990301, '440507001', '{}', 'unit', 103, 0.8, 4, 5),
    (206, 'L6', '戊类（金霞街道）', 990301, '440507001', '{}', 'unit', 104, 0.2, 1, 5);
select is(play.proposed(990301, '440507003'), '203→103 0.950 auto, 204→102 0.050', 'the narrowest cell of the past that has the place speaks');
select is(play.proposed(990301, '440507001001'), '205→103 0.800, 206→104 0.200', 'a village''s matter by its street''s past, and only what is nearly certain goes by itself');
select is(play.proposed(990301, '440511'), '202→102 0.700', 'elsewhere the whole city''s past');
select is(play.proposed(990301, null), '202→102 0.700', 'and where no place is known');
select is(play.proposed(990302, '440507001'), '201→101 0.600', 'a category without a past has that of the category above');
select is(play.proposed(null, '440507001'), null, 'no category, no past');
select results_eq($$select c->>'reason', c->>'reason_en' from jsonb_array_elements(hotline.candidates(990301, '440507003', 'complaint', '[]')) c$$,
    $$values ('目录事项“戊类（龙湖区）”；类别相同；此前同类同区域 20 件中有 19 件由该单位答复',
              'directory item "戊类（龙湖区）"; its category is the ticket''s; this unit answered 19 of 20 earlier tickets of this category and place'),
             ('目录事项“戊类（龙湖区）”；类别相同；更大范围的同类事项曾由该单位答复，本范围此前 20 件中没有',
              'directory item "戊类（龙湖区）"; its category is the ticket''s; answered by this unit in wider categories or places; none of the last 20 here')$$,
    'the past is told in numbers');
select is(play.goes('990301', '[]', '{}', '{"division": "440507003"}'), 'pending_sign/pending_sign', 'a learned item dispatches by itself');
insert into directory_item (id, code, name, category_id, keywords, main_rule, main_unit_id) values (207, '207', '戊类事项', 990301, '{}', 'unit', 105);
select is(play.proposed(990301, '440507003', 'complaint', play.hit(207, 6)), '203→103 0.950, 207→105 0.900, 204→102 0.050', 'not against a directory that says something else');
update directory_item set exclude_grassroots = true where id = 207;
update directory_item set main_unit_id = (select id from unit where kind = 'street' limit 1) where id = 203;
select is(play.proposed(990301, '440507003'), '207→105 0.500, 204→102 0.050', 'a department''s duty does not go to a street because it used to');
update directory_item set valid_to = '2026-03-01' where id = 202;
select is(play.proposed(990301, '440511'), '201→101 0.600, 207→105 0.500', 'what was forgotten is not proposed');

select is_empty('select * from check_invariants()', 'the eleven invariants hold');

select * from finish();
rollback;
