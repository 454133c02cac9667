-- The reference data of the first city: complete, and nothing in it points nowhere.

begin;
set local search_path = hotline, public;

select plan(38);

-- Territory

select results_eq(
    'select level::int, count(*)::int from division group by level order by level',
    'values (1, 1), (2, 7), (3, 67), (4, 1091)',
    'one city, 7 districts, 67 towns and streets, 1,091 villages and communities'
);
select is_empty(
    $$select code from division where level > 1 and (parent is null or not starts_with(code, parent))$$,
    'a division''s code starts with its parent''s'
);
select is_empty(
    'select code from division where length(code) <> (array[4, 6, 9, 12])[level]',
    'the length of a code tells its level'
);
select is_empty(
    $$select code from division where level < 4 and coalesce(name_en, '') !~ '^[A-Z][A-Za-z'']+( (District|County|Subdistrict|Town))?$'$$,
    'the city, its districts, towns and streets have English names'
);
select is_empty(
    'select code from division as town where level = 3 and not exists (select from division where parent = town.code)',
    'every town and street has villages or communities'
);

-- Units

select results_eq(
    $$select kind, count(*)::int from unit where kind in ('centre', 'district', 'street') group by kind order by kind$$,
    $$values ('centre', 1), ('district', 7), ('street', 67)$$,
    'one centre, 7 district units, 67 street units'
);
select cmp_ok((select count(*) from unit where level = 2)::int, '>=', 58, 'there are about 60 member units');
select cmp_ok((select count(*) from unit where kind = 'section')::int, '>=', 12, 'big bodies have their sections');
select is_empty(
    'select u.code from unit as u left join unit as p on p.id = u.parent_id where u.id <> 1 and p.level is distinct from u.level - 1',
    'a unit hangs under one that is a level higher'
);
select is_empty(
    $$select code from unit where level <= 2 and coalesce(name_en, '') = ''$$,
    'the centre and all member units have English names'
);
select is_empty(
    'select short_name from unit where level <= 2 group by short_name having count(*) > 1',
    'no two member units share a short name'
);
select is_empty(
    'select name from unit group by name having count(*) > 1',
    'no two units share a name'
);
select is_empty(
    $$select d.code from division as d where d.level = 2
      and (select count(*) from unit where kind = 'district' and division = d.code) <> 1$$,
    'the rule "district" finds one unit in every district'
);
select is_empty(
    $$select d.code from division as d where d.level = 3
      and (select count(*) from unit where kind = 'street' and division = d.code) <> 1$$,
    'the rule "street" finds one unit in every town and street'
);
select is_empty(
    $$select s.code from unit as s join unit as d on d.id = s.parent_id
      where s.kind = 'street' and (d.kind <> 'district' or d.division <> left(s.division, 6))$$,
    'a street belongs to the district it lies in'
);
select is_empty(
    $$select code from unit where grassroots <> (kind = 'street')$$,
    'streets and towns are grassroots bodies, nothing else is'
);
select is_empty(
    $$select u.code from unit as u join calendar as c on c.id = u.calendar_id where c.always_open and u.kind <> 'utility'
      and not exists (select from unit as p where p.id = u.parent_id and p.kind = 'utility')$$,
    'only utilities are open around the clock'
);

-- Categories

select cmp_ok((select count(*) from category where level = 1)::int, '>=', 13, 'at least 13 first-level categories');
select cmp_ok((select count(*) from category where level = 2)::int, '>=', 62, 'at least 62 second-level categories');
select cmp_ok((select count(*) from category where level = 3)::int, '>=', 210, 'at least 210 third-level categories');
select is_empty(
    $$select c.code from category as c left join category as p on p.id = c.parent_id
      where c.level > 1 and (p.level is distinct from c.level - 1 or left(c.code, -2) <> p.code)$$,
    'a category''s code is its parent''s and two digits more'
);
select is_empty(
    $$select code from category where coalesce(name, '') = '' or coalesce(name_en, '') !~ '^[A-Z0-9][ -~]+$'$$,
    'every category has a Chinese and an English name'
);
select is_empty(
    'select parent_id, name from category group by parent_id, name having count(*) > 1',
    'siblings have different names'
);
select is_empty(
    'select c.code from category as c where level < 3 and not exists (select from category where parent_id = c.id)',
    'no branch of the tree is bare'
);
select is_empty(
    $$select code from category where default_type not in ('consult', 'help', 'complaint', 'report', 'suggestion', 'praise', 'other')
      or (level = 3 and default_type is null)$$,
    'the type proposed for a category is a type of appeal'
);

-- Directory

select cmp_ok((select count(*) from directory_item)::int, '>=', 320, 'at least 320 directory items');
select is_empty(
    $$select c.code from category as c where c.level = 3 and not exists (
          select from directory_item as i
          where i.category_id = c.id and i.division is null and (i.appeal_types is null or c.default_type = any (i.appeal_types)))$$,
    'every third-level category has a unit that is responsible, wherever the place'
);
select is_empty(
    $$select i.code from directory_item as i join category as c on c.id = i.category_id
      where c.level <> 3 or left(i.code, 6) <> c.code or i.id <> i.code::int$$,
    'an item''s code is its third-level category''s and two digits more'
);
select is_empty(
    'select i.code from directory_item as i cross join unnest(i.co_unit_ids) as co (id) left join unit as u on u.id = co.id
      where u.id is null',
    'every co-unit exists'
);
select is_empty(
    $$select i.code from directory_item as i join unit as u on u.id = i.main_unit_id or u.id = any (i.co_unit_ids)
      where u.level > 2$$,
    'the directory names the centre and member units, which pass work on to their sections'
);
select is_empty(
    'select code from directory_item where main_unit_id = any (co_unit_ids)',
    'no unit is its own co-unit'
);
select is_empty(
    $$select code from directory_item where cardinality(keywords) not between 3 and 10
      or exists (select from unnest(keywords) as word where length(word) < 2 or word <> btrim(word))$$,
    'an item has 3 to 10 keywords of at least two characters'
);
select is_empty(
    'select word from directory_item, unnest(keywords) as word group by word having count(*) > 1',
    'one keyword speaks for one item'
);
select is_empty(
    $$select i.code from directory_item as i left join unit as u on u.id = i.main_unit_id
      where i.exclude_grassroots and (i.main_rule = 'street' or u.grassroots)$$,
    'a department''s duty never names a street'
);
select is_empty(
    $$select i.code from directory_item as i, unnest(i.appeal_types) as type
      where type not in ('consult', 'help', 'complaint', 'report', 'suggestion', 'praise', 'other')$$,
    'an item is restricted to known types only'
);
select results_eq(
    $$select name from directory_item where policy = 'U2'
      and name in ('水管爆裂', '停电与故障抢修', '燃气泄漏与安全', '井盖缺损', '路面塌陷') order by id$$,
    $$values ('路面塌陷'), ('井盖缺损'), ('水管爆裂'), ('停电与故障抢修'), ('燃气泄漏与安全')$$,
    'burst pipes, power failures, gas leaks, lost manhole covers and sunken roads are urgent'
);

-- Calendar

select results_eq(
    'select array_agg(year order by year) from calendar_year where calendar_id = 1',
    'select array_agg(year) from generate_series(2018, 2026) as year',
    'the holidays of 2018 to 2026 are loaded'
);
select results_eq(
    $$select day::text, is_off from calendar_day
      where calendar_id = 1 and day in ('2018-02-11', '2018-10-01', '2026-01-01', '2026-10-10') order by day$$,
    $$values ('2018-02-11', false), ('2018-10-01', true), ('2026-01-01', true), ('2026-10-10', false)$$,
    'days off and make-up workdays are told apart'
);

select * from finish();
rollback;
