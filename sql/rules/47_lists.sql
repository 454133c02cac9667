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

-- Which lights can be on at a due time before (or from) now: a list of late work does not read what is not late yet.
create or replace function hotline.lights_late(lights text[]) returns boolean
language sql immutable as $$
    select case when lights <@ '{red,deep_red}' then true when lights <@ '{green,yellow}' then false end
$$;

-- Ids of open work that fits, first due first.  words_of: only these; any: only of the first so many that fit but for their words
-- (a common word fills a page from them).
create or replace function hotline.open_page(who hotline.actor, scope text, x jsonb, any_ int, words_of bigint[]) returns bigint[]
language plpgsql stable set plan_cache_mode = force_custom_plan as $$
declare
    n int := hotline.page_size(x);
    at_ timestamptz := hotline.now();
    states smallint[] := hotline.codes_of('state', hotline.split(x, 'state'));
    channels smallint[] := hotline.codes_of('channel', hotline.split(x, 'channel'));
    types smallint[] := hotline.codes_of('appeal_type', hotline.split(x, 'type'));
    lights text[] := hotline.split(x, 'light');
    late boolean := hotline.lights_late(lights);
    oldest bigint := case when any_ is not null then (select min(ticket_id) from hotline.inbox) end;
    warned boolean := coalesce(lights = '{yellow}', false);
    words int[] := hotline.with_words(x);
    cur_due timestamptz := coalesce(to_timestamp(split_part(x->>'cursor', '_', 1)::numeric / 1000000), '-infinity');
    cur_id bigint := coalesce(split_part(x->>'cursor', '_', 2)::bigint, 0);
    unit_ int := (x->>'unit')::int;
    given boolean := scope = 'unit' or x ? 'unit';
    division_ text := x->>'division';
    categories int[] := case when x ? 'category' then
        array(select id from hotline.category where scheme = 'local' and code like (x->>'category') || '%') end;
    waits boolean := x ? 'waits';
    mine boolean := x ? 'mine';
    phone text := x->>'phone_hmac';
    number bigint := case when x ? 'number' then coalesce((select ticket_id from hotline.ticket_ref where ticket_no = (x->>'number')::bpchar), 0) end;
    ids_ bigint[] := hotline.split(x, 'ids')::bigint[];
    -- A ticket whose secrecy hides the citizen is not found by its words.
    whole boolean := any_ is null and words_of is null or hotline.reads_all(who, 1::smallint);
    sealed boolean := hotline.has_right(who, 'ticket.sealed');
    veiled boolean := (any_ is not null or words_of is not null) and not hotline.reads_all(who, 1::smallint);
begin
    return array(
        select i.ticket_id
        from (
            select i.ticket_id, coalesce(i.due_at, 'infinity') as due
            from hotline.inbox i
            where (scope = 'all' or scope = 'unit' and i.units @> array[who.unit] or scope = 'asked' and i.waits_for = any (who.roles))
              and (words_of is null or i.ticket_id = any (words_of))
              and (ids_ is null or i.ticket_id = any (ids_))
              and (whole or i.secrecy = 0)
              and (unit_ is null or i.units @> array[unit_])
              and (not given or i.units <> '{}')
              and (cardinality(states) = 0 or i.state = any (states))
              and (i.state <> 10 or i.created_by = who.id or 'LDR' = any (who.roles))
              and (i.secrecy < 3 or sealed or i.created_by = who.id)
              and (not veiled or i.secrecy = 0)
              and (lights is null or hotline.light(i.due_at, i.warn_at, i.deep_at, i.paused, at_) = any (lights))
              and (not warned or i.warn_at <= at_)
              and (late is distinct from true or coalesce(i.due_at, 'infinity') < at_)
              and (late is distinct from false or coalesce(i.due_at, 'infinity') >= at_)
              and (cardinality(channels) = 0 or i.channel = any (channels))
              and (cardinality(types) = 0 or i.appeal_type = any (types))
              and (division_ is null or i.division like division_ || '%')
              and (categories is null or i.category_id = any (categories))
              and (not waits or i.waits_for = any (who.roles))
              and (not mine or i.created_by = who.id)
              and (phone is null or i.phone_hmac = phone)
              and (number is null or i.ticket_id = number)
              and (coalesce(i.due_at, 'infinity'), i.ticket_id) > (cur_due, cur_id)
            order by coalesce(i.due_at, 'infinity'), i.ticket_id
            limit coalesce(any_, n)
        ) i
        -- The words of each row, not a row among those with the words, which may be a hundred thousand; of the months that have open work.
        where any_ is null or (select g.grams @> words from hotline.ticket_gram g where g.ticket_id = i.ticket_id and g.ticket_id >= oldest)
        order by i.due, i.ticket_id
        limit n);
end $$;

-- Open tickets with these words.  They are looked for from the oldest open ticket on.
create or replace function hotline.open_with_words(words int[]) returns bigint[]
language plpgsql stable set plan_cache_mode = force_custom_plan as $$
declare
    oldest bigint := (select min(ticket_id) from hotline.inbox);
begin
    return array(
        select g.ticket_id from hotline.ticket_gram g join hotline.inbox i on i.ticket_id = g.ticket_id
        where g.grams @> words and g.ticket_id >= oldest);
end $$;

-- Open work, first due first.  The cursor is the last row's (due time, id).  A page of words is looked for among the first thousand
-- that fit otherwise, and through the index of words when it is not full then.
create or replace function hotline.list_open(who hotline.actor, scope text, x jsonb) returns api.answer
language plpgsql stable as $$
declare
    n int := hotline.page_size(x);
    words int[] := hotline.with_words(x);
    ids bigint[];
    last_ text;
begin
    ids := hotline.open_page(who, scope, x, case when words is not null then 1000 end, null);
    if words is not null and cardinality(ids) < n then
        ids := hotline.open_page(who, scope, x - 'grams', null, hotline.open_with_words(words));
    end if;
    if cardinality(ids) = n then
        select case when due_at is null then '9223371331200000000' else (extract(epoch from due_at) * 1000000)::bigint::text end || '_' || ticket_id
        into last_ from hotline.inbox where ticket_id = ids[n];
    end if;
    return hotline.answer(200, jsonb_build_object('tickets', hotline.ticket_rows(ids, hotline.reads_all(who, 1::smallint)), 'cursor', last_));
end $$;

-- Ids of any tickets between two, newest first, that fit.
create or replace function hotline.any_page(who hotline.actor, x jsonb, first_ bigint, last_ bigint, n int) returns bigint[]
language plpgsql stable set plan_cache_mode = force_custom_plan as $$
declare
    states smallint[] := hotline.codes_of('state', hotline.split(x, 'state'));
    channels smallint[] := hotline.codes_of('channel', hotline.split(x, 'channel'));
    types smallint[] := hotline.codes_of('appeal_type', hotline.split(x, 'type'));
    words int[] := hotline.with_words(x);
    units int[] := case when x ? 'unit' then array(select id from hotline.unit where (x->>'unit')::int = any (path)) end;
    division_ text := x->>'division';
    categories int[] := case when x ? 'category' then
        array(select id from hotline.category where scheme = 'local' and code like (x->>'category') || '%') end;
    ended boolean := x ? 'closed';
    whole boolean := words is null or hotline.reads_all(who, 1::smallint);
    ids_ bigint[] := hotline.split(x, 'ids')::bigint[];
    veiled boolean := words is not null and not hotline.reads_all(who, 1::smallint);
begin
    if x ? 'phone_hmac' then
        ids_ := array(select ticket_id from hotline.ticket_contact where phone_hmac = x->>'phone_hmac' and (ids_ is null or ticket_id = any (ids_)));
    end if;
    if x ? 'number' then
        ids_ := array(select ticket_id from hotline.ticket_ref where ticket_no = (x->>'number')::bpchar and (ids_ is null or ticket_id = any (ids_)));
    end if;
    return array(
        select t.id from hotline.ticket t
        where t.id >= first_ and t.id < last_
          and (ids_ is null or t.id = any (ids_))
          and (not ended or t.state >= 70)
          and (cardinality(states) = 0 or t.state = any (states))
          and (t.state <> 10 or t.created_by = who.id or 'LDR' = any (who.roles))
          and (units is null or t.unit_id = any (units))
          and (categories is null or t.category_id = any (categories))
          and (cardinality(channels) = 0 or t.channel = any (channels))
          and (cardinality(types) = 0 or t.appeal_type = any (types))
          and (division_ is null or t.division like division_ || '%')
          and (whole or t.secrecy = 0)
          and (words is null or t.id in (select g.ticket_id from hotline.ticket_gram g where g.ticket_id >= first_ and g.ticket_id < last_ and g.grams @> words))
          and (not veiled or t.secrecy = 0)
          and hotline.sees(who, t)
        order by t.id desc limit n);
end $$;

-- Any tickets, newest first: by ids, by number, ended ones, or all submitted in a period.  The cursor is the last row's id.  Looked for
-- month by month, which is how they are stored, until the page is full.
create or replace function hotline.list_all(who hotline.actor, x jsonb) returns api.answer
language plpgsql stable as $$
declare
    n int := hotline.page_size(x);
    first_ bigint := greatest(hotline.id_at(((x->>'from')::date)::timestamp at time zone hotline.zone()), (select min(id) from hotline.ticket));
    last_ bigint := least(hotline.id_at(((x->>'to')::date)::timestamp at time zone hotline.zone()), (select max(id) from hotline.ticket) + 1,
        (x->>'cursor')::bigint);
    month bigint;
    ids bigint[] := '{}';
begin
    while last_ > first_ and cardinality(ids) < n loop
        month := case when x ?| '{ids,number,phone_hmac}' then first_ else greatest(first_, hotline.id_at(date_trunc('month',
            hotline.time_at(last_ - 1) at time zone hotline.zone()) at time zone hotline.zone())) end;
        ids := ids || hotline.any_page(who, x, month, last_, n - cardinality(ids));
        last_ := month;
    end loop;
    return hotline.answer(200, jsonb_build_object('tickets', hotline.ticket_rows(ids, hotline.reads_all(who, 1::smallint)),
        'cursor', case when cardinality(ids) = n and not x ? 'ids' then ids[n]::text end));
end $$;
