-- Time, ids and numbers.  This is the one file that may ask the server for its clock.

-- The moment that every rule works with: the transaction's time, or in a simulation the time given with the call, else the
-- simulation's clock.  Outside a simulation only what is true of an earlier moment brings its own (begin_at): a complaint that was
-- answered while the database was away, the history of another system.
create or replace function hotline.sim_install(is_on boolean) returns void
language plpgsql as $outer$
begin
    if is_on then
        create or replace function hotline.now() returns timestamptz
        language plpgsql stable as $$
        declare
            given text := current_setting('hotline.at', true);
        begin
            if given <> '' then
                return given::timestamptz;
            end if;
            return coalesce((select at from hotline.simulation), transaction_timestamp());
        end $$;
        create or replace function hotline.take_time(x jsonb) returns void
        language plpgsql as $$
        begin
            perform set_config('hotline.at', coalesce(x->>'at', ''), true);
        end $$;
    else
        create or replace function hotline.now() returns timestamptz
        language sql stable as $$ select coalesce(nullif(current_setting('hotline.at', true), '')::timestamptz, transaction_timestamp()) $$;
        create or replace function hotline.take_time(x jsonb) returns void
        language plpgsql as $$
        begin
            if x ? 'at' then
                raise exception 'time given with a call outside a simulation' using errcode = 'P0400';
            end if;
            perform set_config('hotline.at', '', true);
        end $$;
    end if;
end $outer$;

create or replace function hotline.is_simulation() returns boolean
language sql stable as $$ select exists (select from hotline.simulation) $$;

do $$ begin perform hotline.sim_install(hotline.is_simulation()); end $$;

-- First statement of every API function: the call's time and the language of its refusals.
create or replace function hotline.begin(x jsonb) returns void
language plpgsql as $$
begin
    perform hotline.take_time(x);
    perform set_config('hotline.lang', coalesce(x->>'lang', 'zh'), true);
end $$;

-- The same for api.drain and api.import alone: the moment is the caller's.  Answers the moment it would have been; a time to come is
-- brought back to that, since a host's clock may be ahead.
create or replace function hotline.begin_at(x jsonb, at timestamptz) returns timestamptz
language plpgsql as $$
declare
    really timestamptz;
begin
    perform hotline.begin(x - 'at');
    really := hotline.now();
    at := coalesce(at, really);
    if not hotline.is_simulation() then
        at := least(at, really);
    end if;
    perform set_config('hotline.at', at::text, true);
    return really;
end $$;

create or replace function hotline.lang() returns text
language sql stable as $$ select coalesce(nullif(current_setting('hotline.lang', true), ''), 'zh') $$;

create or replace function hotline.zone() returns text
language sql immutable parallel safe as $$ select 'Asia/Shanghai'::text $$;

-- The calendar date of a moment in the city.
create or replace function hotline.day_of(at timestamptz) returns date
language sql immutable parallel safe as $$ select (at at time zone 'Asia/Shanghai')::date $$;

-- The first id of a moment: milliseconds since 2000 above twenty bits of sequence.  (stable like extract, so that it is inlined.)
create or replace function hotline.id_at(at timestamptz) returns bigint
language sql stable parallel safe as $$
    select ((extract(epoch from at) * 1000)::bigint - 946684800000) << 20
$$;

-- The moment of an id.
create or replace function hotline.time_at(id bigint) returns timestamptz
language sql stable parallel safe as $$ select to_timestamp(((id >> 20) + 946684800000) / 1000.0) $$;

create or replace function hotline.new_id() returns bigint
language sql volatile as $$
    select hotline.id_at(hotline.now()) | (nextval('hotline.id_seq') & 1048575)
$$;

-- 16 digits: date, channel group, sequence, two check digits (ISO 7064 mod 97-10: the whole number leaves 1).
create or replace function hotline.ticket_no(at timestamptz, channel smallint, seq bigint) returns char(16)
language plpgsql immutable as $$
declare
    body text := to_char(at at time zone 'Asia/Shanghai', 'YYMMDD') || (channel / 10)::text || lpad(seq::text, 7, '0');
begin
    return body || lpad((98 - mod(body::numeric * 100, 97))::text, 2, '0');
end $$;

-- Months of every partitioned table from first to last, at most "most" partitions, made by create and attach so that readers are not
-- locked out → how many were made; 0: all are there.  An attach locks its table's default partition until the transaction ends, and
-- readers take several tables in any order: beside them one a transaction, asked for again until there is none left.  Who makes
-- months at the same time waits for the other's transaction.
create or replace function hotline.partition_make(first_day date, last_day date, most int default null) returns int
language plpgsql as $$
declare
    parent text;
    month date;
    child text;
    made int := 0;
begin
    perform pg_advisory_xact_lock(hashtext('hotline.partition_make'));
    for parent in
        select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'hotline' and c.relkind = 'p' order by 1
    loop
        if to_regclass(format('hotline.%I', parent || '_default')) is null then
            execute format('create table hotline.%I partition of hotline.%I default', parent || '_default', parent);
        end if;
        month := date_trunc('month', first_day)::date;
        while month <= last_day loop
            child := parent || to_char(month, '_YYYYMM');
            if made = most then
                return made;
            end if;
            if to_regclass(format('hotline.%I', child)) is null then
                -- A ticket is changed about ten times: with room on its page a change needs no new index entries.
                execute format('create table hotline.%I (like hotline.%I including all)%s', child, parent,
                    case when parent in ('ticket', 'assignment', 'clock', 'reply') then ' with (fillfactor = 60)' else '' end);
                execute format('alter table hotline.%I attach partition hotline.%I for values from (%s) to (%s)', parent, child,
                    hotline.id_at(month::timestamp at time zone 'Asia/Shanghai'),
                    hotline.id_at((month + interval '1 month')::timestamp at time zone 'Asia/Shanghai'));
                made := made + 1;
            end if;
            month := (month + interval '1 month')::date;
        end loop;
    end loop;
    return made;
end $$;

-- From last month, or the first month there are tickets of (a table that came later has it too), to three months ahead.
drop function if exists hotline.partition_make(date, date);

create or replace function hotline.partitions_ahead(most int default null) returns int
language plpgsql as $$
declare
    today date := hotline.day_of(hotline.now());
    first_month date := (select min(to_date(right(c.relname, 6), 'YYYYMM')) from pg_class c join pg_namespace n on n.oid = c.relnamespace
                         where n.nspname = 'hotline' and c.relname ~ '^ticket_[0-9]{6}$' and c.relispartition);
begin
    return hotline.partition_make(least((today - interval '1 month')::date, first_month), (today + interval '3 months')::date, most);
end $$;

drop function if exists hotline.partitions_ahead();

-- How many rows lie in default partitions: there should be none.
create or replace function hotline.partition_strays() returns bigint
language plpgsql stable as $$
declare
    child text;
    n bigint := 0;
    here boolean;
begin
    for child in
        select c.relname from pg_class c join pg_namespace s on s.oid = c.relnamespace
        where s.nspname = 'hotline' and c.relname like '%\_default' and c.relispartition
    loop
        execute format('select exists (select from hotline.%I)', child) into here;
        n := n + here::int;
    end loop;
    return n;
end $$;

-- Where a reader of events stands.  Ids are handed out before they are committed, so what is new is told by transactions: whatever is
-- not visible yet was written by one from "horizon" on, its ids are above "since", and "end" comes after all that exist.  A
-- transaction that stays open for longer than overlap milliseconds is not waited for; stale is the "end" of a mark at least so old.
-- Since is the beginning of the oldest open transaction less a second, for one that has its time but cannot be seen yet; where it
-- cannot be known (simulated time, a standby, no right to see others' transactions) the overlap before the newest id.
create or replace function hotline.feed_mark(overlap int, stale xid8) returns jsonb
language plpgsql as $$
declare
    snapshot pg_snapshot := pg_current_snapshot();
    horizon xid8 := pg_snapshot_xmin(snapshot);
    patience interval := make_interval(secs => coalesce(overlap, 15000) / 1000.0);
    first_id bigint;
begin
    if hotline.is_simulation() or pg_is_in_recovery() or not pg_has_role('pg_read_all_stats', 'usage') then
        first_id := greatest((select max(id) from hotline.event) - (coalesce(overlap, 15000)::bigint << 20), 1);
    else
        select hotline.id_at(least(min(xact_start), hotline.now()) - interval '1 second') into first_id
        from pg_stat_get_activity(null) where xact_start > hotline.now() - patience;
    end if;
    if not pg_is_in_recovery() then -- a standby's snapshot does not list them
        horizon := coalesce((select i from pg_snapshot_xip(snapshot) i where stale is null or i >= stale order by i limit 1), pg_snapshot_xmax(snapshot));
    end if;
    return jsonb_build_object('horizon', horizon::text, 'since', first_id::text, 'end', pg_snapshot_xmax(snapshot)::text);
end $$;
