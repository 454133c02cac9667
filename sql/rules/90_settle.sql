-- Last step of every migration: what is derived from reference data, the months ahead, and the engine's rights.

-- Changes when anything changes that workers keep in memory.
create or replace function hotline.reference_version() returns text
language sql stable as $$ select value #>> '{}' from hotline.setting where name = 'reference.version' $$;

-- What is kept only for a while: answers for repeats, ended sessions, failed logins, traces of searches.
create or replace function hotline.forget_old() returns void
language plpgsql as $$
begin
    delete from hotline.idem where at < hotline.now() - make_interval(days => hotline.setting_int('keep.answers_days'));
    delete from hotline.session where expires_at < hotline.now() - make_interval(days => hotline.setting_int('keep.sessions_days'));
    delete from hotline.login_failure where at < hotline.now() - interval '1 day';
    delete from hotline.reply_print where at < hotline.now() - make_interval(days => hotline.setting_int('reply.copy_days'));
    delete from hotline.dup_check where at < hotline.now() - make_interval(days => hotline.setting_int('keep.searches_days'));
    perform hotline.forget_deliveries();
end $$;

-- What follows from the tables of the workflow: a row's clock effects in the row; run_guard, run_effect and run_needed, by which the functions
-- that a row names are called without planning a statement each time; the names of states, without reading a table for each.
create or replace function hotline.make_runners() returns void
language plpgsql as $outer$
declare
    arms text;
    codes text;
begin
    update hotline.transition w set clocks = (
        select coalesce(array_agg(effect || ' ' || kind order by ord), '{}') from hotline.clock_effect where transition = w.id);
    select string_agg(format('when %L then hotline.%I(c)', guard, guard), ' ' order by guard) into arms
    from (select distinct guard from hotline.transition where guard is not null) g;
    execute format('create or replace function hotline.run_guard(c hotline.call) returns api.answer language plpgsql as
        $$ begin return case (c.rule).guard %s end; end $$', arms);
    select string_agg(format('when %L then hotline.%I(c)', effect, effect), ' ' order by effect) into arms
    from (select distinct effect from hotline.transition where effect is not null) e;
    execute format('create or replace function hotline.run_effect(c hotline.call) returns hotline.call language plpgsql as
        $$ begin return case (c.rule).effect %s end; end $$', arms);
    select string_agg(format('when %L then hotline.%I(c)', kind, needed), ' ' order by kind) into arms
    from hotline.approval_kind where needed is not null;
    execute format('create or replace function hotline.run_needed(c hotline.call, kind text) returns boolean language plpgsql as
        $$ begin return case kind %s end; end $$', arms);
    -- Words of the enumerations are constants of the two functions; one that came later is looked up.
    select string_agg(format('when %L then case code_ %s end', kind, w.arms), ' ' order by kind),
           string_agg(format('when %L then case name_ %s end', kind, w.codes), ' ' order by kind) into arms, codes
    from (select kind, string_agg(format('when %s then %L', code, name), ' ' order by code) as arms,
              string_agg(format('when %L then %s', name, code), ' ' order by code) as codes
          from hotline.word group by kind) w;
    execute format('create or replace function hotline.name_of(kind_ text, code_ smallint) returns text language plpgsql stable as
        $$ begin
            if code_ is null then
                return null;
            end if;
            return coalesce(case kind_ %s end, (select name from hotline.word where kind = kind_ and code = code_));
        end $$', arms);
    execute format('create or replace function hotline.code_of(kind_ text, name_ text) returns smallint language plpgsql stable as
        $$ begin
            if name_ is null then
                return null;
            end if;
            return coalesce(case kind_ %s end, (select code from hotline.word where kind = kind_ and name = name_));
        end $$', codes);
end $outer$;

-- Tell the workers, who look at the version every few seconds, to read again what they keep in memory.
create or replace function hotline.reference_changed() returns void
language plpgsql as $$
declare
    digest text;
begin
    select md5(string_agg(r, ';' order by r)) into digest from (
        select v::text as r from hotline.division v union all select i::text from hotline.directory_item i
        union all select g::text from hotline.category g union all select u::text from hotline.unit u union all select w::text from hotline.word w
        union all select a::text from hotline.category_attribute a union all select t::text from hotline.template t) s;
    insert into hotline.setting (name, value, meaning)
    values ('reference.version', to_jsonb(digest), 'changes with places, units, categories, their forms, the directory and the texts people start from')
    on conflict (name) do update set value = excluded.value;
end $$;

create or replace function hotline.settle() returns void
language plpgsql as $$
declare
    digest text;
    cal int;
begin
    perform hotline.unit_paths();
    perform hotline.local_rights();

    select md5(string_agg(r, ';' order by r)) into digest from (
        select d::text as r from hotline.calendar_day d union all select y::text from hotline.calendar_year y union all select c::text from hotline.calendar c
        union all select o::text from hotline.calendar_overlay o) s;
    if digest is distinct from (select value #>> '{}' from hotline.setting where name = 'calendar.digest') then
        for cal in select id from hotline.calendar loop
            perform hotline.calendar_renew(cal, null);
        end loop;
        insert into hotline.setting (name, value, meaning) values ('calendar.digest', to_jsonb(digest), 'what the numbered workdays were made from')
        on conflict (name) do update set value = excluded.value;
    end if;

    perform hotline.reference_changed();

    perform hotline.make_runners();
    insert into hotline.sweep (swept_to) values (hotline.now()) on conflict do nothing;
    perform hotline.partitions_ahead();
    -- Over months of partitions a plan made anew costs more than the pruning it gains; lists ask for it themselves.
    execute format('alter role hotline_engine in database %I set plan_cache_mode = force_generic_plan', current_database());
    execute format('alter database %I set timezone = %L', current_database(), 'Asia/Shanghai');
    execute format('revoke create, temporary on database %I from public', current_database());

    revoke all on all tables in schema hotline from hotline_engine;
    revoke all on all functions in schema hotline from public;
    revoke all on all functions in schema api from public;
    revoke all on schema hotline from hotline_engine;
    grant usage on schema api to hotline_engine;
    grant execute on all functions in schema api to hotline_engine;
end $$;
