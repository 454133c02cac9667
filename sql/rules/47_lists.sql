-- Lists of tickets.

create or replace function hotline.split(x jsonb, name text) returns text[]
language sql immutable as $$ select string_to_array(nullif(x->>name, ''), ',') $$;

create or replace function hotline.page_size(x jsonb) returns int
language sql immutable as $$ select least(greatest(coalesce((x->>'limit')::int, 25), 1), 200) $$;

-- Ids whose text has all these bigrams.
create or replace function hotline.with_words(x jsonb) returns int[]
language sql immutable as $$
    select case when x ? 'grams' then (select coalesce(array_agg(g::int), '{}') from jsonb_array_elements_text(x->'grams') g) end
$$;

-- The cursor of open work is a due time in microseconds and an id, that of the other lists an id.
create or replace function hotline.cursor_fits(cursor_ text, ended boolean) returns boolean
language sql immutable as $$
    select case when ended then cursor_ ~ '^[0-9]{1,19}$' and cursor_::numeric <= 9223372036854775807
        else cursor_ ~ '^[0-9]{1,19}_[0-9]{1,19}$' and split_part(cursor_, '_', 1)::numeric <= 9223371331200000000
            and split_part(cursor_, '_', 2)::numeric <= 9223372036854775807 end
$$;

-- Filters that name nothing we know, as 422; null when all is well.
create or replace function hotline.check_filters(x jsonb) returns api.answer
language plpgsql stable as $$
declare
    bad jsonb := '[]';
    f record;
begin
    for f in select * from (values ('state', 'state'), ('channel', 'channel'), ('type', 'appeal_type')) as v(name, kind) loop
        if exists (select from unnest(hotline.split(x, f.name)) w where hotline.code_of(f.kind, w) is null) then
            bad := bad || hotline.field(f.name, 'unknown_word', '没有这个值。', 'There is no such value.');
        end if;
    end loop;
    if exists (select from unnest(hotline.split(x, 'light')) w where w not in ('none', 'green', 'yellow', 'red', 'deep_red', 'blue')) then
        bad := bad || hotline.field('light', 'unknown_word', '没有这种灯。', 'There is no such light.');
    end if;
    for f in select * from (values ('from'), ('to')) as v(name) where x ? name loop
        if not hotline.is_date(x->>f.name) then
            bad := bad || hotline.field(f.name, 'bad_date', '日期不对。', 'This is not a date.');
        end if;
    end loop;
    if x ? 'waits' and x->>'waits' <> 'decision' then
        bad := bad || hotline.field('waits', 'unknown_word', '没有这个值。', 'There is no such value.');
    end if;
    if x ? 'to' and not x ? 'from' then
        bad := bad || hotline.field('from', 'missing', '请给出起始日期。', 'Give the first day too.');
    end if;
    if x ? 'cursor' and not hotline.cursor_fits(x->>'cursor', x ? 'closed' or x ? 'from') then
        bad := bad || hotline.field('cursor', 'bad_cursor', '翻页位置不对。', 'This is not a cursor of ours.');
    end if;
    for f in select * from (values ('unit', 9), ('limit', 4)) as v(name, len) where x ? name loop
        if x->>f.name !~ '^[0-9]+$' or length(x->>f.name) > f.len then
            bad := bad || hotline.field(f.name, 'bad_number', '数字不对。', 'This is not a number in range.');
        end if;
    end loop;
    if exists (select from unnest(hotline.split(x, 'ids')) w where w !~ '^[0-9]{1,18}$') or cardinality(hotline.split(x, 'ids')) > 200 then
        bad := bad || hotline.field('ids', 'bad_ids', '工单 id 不对，或超过 200 个。', 'Ids are numbers, at most 200 of them.');
    end if;
    return case when bad <> '[]' then hotline.bad_inputs(bad) end;
end $$;

-- Open work, first due first.  The cursor is the last row's (due time, id).
create or replace function hotline.list_open(who hotline.actor, scope text, x jsonb) returns api.answer
language plpgsql stable set plan_cache_mode = force_custom_plan as $$
declare
    n int := hotline.page_size(x);
    at_ timestamptz := hotline.now();
    states smallint[] := hotline.codes_of('state', hotline.split(x, 'state'));
    channels smallint[] := hotline.codes_of('channel', hotline.split(x, 'channel'));
    types smallint[] := hotline.codes_of('appeal_type', hotline.split(x, 'type'));
    lights text[] := hotline.split(x, 'light');
    words int[] := hotline.with_words(x);
    cur_due timestamptz := coalesce(to_timestamp(split_part(x->>'cursor', '_', 1)::numeric / 1000000), '-infinity');
    cur_id bigint := coalesce(split_part(x->>'cursor', '_', 2)::bigint, 0);
    unit_ int := (x->>'unit')::int;
    ids_ bigint[] := hotline.split(x, 'ids')::bigint[];
    sealed boolean := hotline.has_right(who, 'ticket.sealed');
    found jsonb;
    last_ text;
begin
    with page as (
        select i.ticket_id, coalesce(i.due_at, 'infinity') as due
        from hotline.inbox i
        where (scope = 'all' or i.units @> array[who.unit])
          and (ids_ is null or i.ticket_id = any (ids_))
          and (unit_ is null or i.units @> array[unit_])
          and (cardinality(states) = 0 or i.state = any (states))
          and (i.state <> 10 or i.created_by = who.id or 'LDR' = any (who.roles))
          and (i.secrecy < 3 or sealed or i.created_by = who.id)
          and (lights is null or hotline.light(i.due_at, i.warn_at, i.deep_at, i.paused, at_) = any (lights))
          and (cardinality(channels) = 0 or i.channel = any (channels))
          and (cardinality(types) = 0 or i.appeal_type = any (types))
          and (x->>'division' is null or i.division like (x->>'division') || '%')
          and (x->>'category' is null or i.category_id in (select id from hotline.category where scheme = 'local' and code like (x->>'category') || '%'))
          and (x->>'waits' is null or i.waits_for = any (who.roles))
          and (x->>'mine' is null or i.created_by = who.id)
          and (x->>'phone_hmac' is null or i.phone_hmac = x->>'phone_hmac')
          and (x->>'number' is null or i.ticket_id = (select ticket_id from hotline.ticket_ref where ticket_no = x->>'number'))
          and (words is null or hotline.reads_all(who, i.secrecy) and exists (select from hotline.ticket_gram g where g.ticket_id = i.ticket_id and g.grams @> words))
          and (coalesce(i.due_at, 'infinity'), i.ticket_id) > (cur_due, cur_id)
        order by coalesce(i.due_at, 'infinity'), i.ticket_id
        limit n)
    select coalesce(jsonb_agg(hotline.ticket_row(hotline.shown(who, t)) order by p.due, p.ticket_id), '[]'),
           (select case when p2.due = 'infinity' then '9223371331200000000' else (extract(epoch from p2.due) * 1000000)::bigint::text end || '_' || p2.ticket_id
            from page p2 order by p2.due desc, p2.ticket_id desc limit 1)
    into found, last_
    from page p join hotline.ticket t on t.id = p.ticket_id;
    return hotline.answer(200, jsonb_build_object('tickets', found, 'cursor', case when jsonb_array_length(found) = n then last_ end));
end $$;

-- Any tickets, newest first: by ids, by number, ended ones, or all submitted in a period.  The cursor is the last row's id.
create or replace function hotline.list_all(who hotline.actor, scope text, x jsonb) returns api.answer
language plpgsql stable set plan_cache_mode = force_custom_plan as $$
declare
    n int := hotline.page_size(x);
    ids_ bigint[] := hotline.split(x, 'ids')::bigint[];
    states smallint[] := hotline.codes_of('state', hotline.split(x, 'state'));
    channels smallint[] := hotline.codes_of('channel', hotline.split(x, 'channel'));
    types smallint[] := hotline.codes_of('appeal_type', hotline.split(x, 'type'));
    words int[] := hotline.with_words(x);
    first_ bigint := coalesce(hotline.id_at(((x->>'from')::date)::timestamp at time zone 'Asia/Shanghai'), 0);
    last_ bigint := least(coalesce(hotline.id_at(((x->>'to')::date)::timestamp at time zone 'Asia/Shanghai'), 9223372036854775807),
        coalesce((x->>'cursor')::bigint, 9223372036854775807));
    found jsonb;
begin
    with page as (
        select t.* from hotline.ticket t
        where t.id >= first_ and t.id < last_
          and (ids_ is null or t.id = any (ids_))
          and (x->>'closed' is null or t.state >= 70)
          and (cardinality(states) = 0 or t.state = any (states))
          and (t.state <> 10 or t.created_by = who.id or 'LDR' = any (who.roles))
          and (x->>'unit' is null or t.unit_id in (select id from hotline.unit where (x->>'unit')::int = any (path)))
          and (x->>'category' is null or t.category_id in (select id from hotline.category where scheme = 'local' and code like (x->>'category') || '%'))
          and (cardinality(channels) = 0 or t.channel = any (channels))
          and (cardinality(types) = 0 or t.appeal_type = any (types))
          and (x->>'division' is null or t.division like (x->>'division') || '%')
          and (x->>'phone_hmac' is null or t.id in (select ticket_id from hotline.ticket_contact where phone_hmac = x->>'phone_hmac'))
          and (x->>'number' is null or t.id = (select ticket_id from hotline.ticket_ref where ticket_no = x->>'number'))
          and (words is null or hotline.reads_all(who, t.secrecy) and exists (select from hotline.ticket_gram g where g.ticket_id = t.id and g.grams @> words))
          and hotline.sees(who, t)
        order by t.id desc limit n)
    select coalesce(jsonb_agg(hotline.ticket_row(hotline.shown(who, p::hotline.ticket)) order by p.id desc), '[]') into found from page p;
    return hotline.answer(200, jsonb_build_object('tickets', found,
        'cursor', case when jsonb_array_length(found) = n and ids_ is null then found->-1->>'id' end));
end $$;
