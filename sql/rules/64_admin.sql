-- Administration: reference data as documents.  A change is checked, made, and kept as before and after; a dry run makes it, says what
-- it would do, and undoes it.

-- Has anybody changed this by hand?  A new version's seed leaves it alone then.
create or replace function hotline.is_administered(kind_ text, key_ text) returns boolean
language plpgsql stable as $$
begin
    return exists (select from hotline.admin_change where kind = kind_ and key = key_);
end $$;

create or replace function hotline.bad_field(name text, code text, zh text, en text) returns api.answer
language sql stable as $$ select hotline.bad_inputs(jsonb_build_array(hotline.field(name, code, zh, en))) $$;

create or replace function hotline.bad_code() returns api.answer
language sql stable as $$ select hotline.bad_field('code', 'bad_code', '编码格式不对。', 'This cannot be a code of this kind.') $$;

-- Fields that a new one cannot do without.
create or replace function hotline.missing_fields(x jsonb, variadic names text[]) returns api.answer
language plpgsql stable as $$
declare
    bad jsonb := (select jsonb_agg(hotline.field(n, 'required', '新建时必须填写。', 'A new one needs it.')) from unnest(names) n where coalesce(x->>n, '') = '');
begin
    return case when bad is not null then hotline.bad_inputs(bad) end;
end $$;

create or replace function hotline.in_use(zh text, en text, more jsonb) returns api.answer
language sql stable as $$ select hotline.problem(409, 'in_use', zh, en, jsonb_build_object('uses', more)) $$;

-- A date given, '' for none, or what was there.
create or replace function hotline.date_given(x jsonb, name text, was date) returns date
language sql immutable as $$ select case when x ? name then nullif(x->>name, '')::date else was end $$;

create or replace function hotline.bad_dates(x jsonb) returns api.answer
language plpgsql stable as $$
declare
    bad jsonb := (select jsonb_agg(hotline.field(n, 'bad_date', '日期写作 2026-01-31。', 'A date is written 2026-01-31.'))
                  from unnest('{valid_from,valid_to}'::text[]) n where coalesce(x->>n, '') <> '' and not hotline.is_date(x->>n));
begin
    return case when bad is not null then hotline.bad_inputs(bad) end;
end $$;

create or replace function hotline.texts(x jsonb) returns text[]
language sql immutable as $$ select array(select btrim(e) from jsonb_array_elements_text(x) with ordinality as v(e, n) order by n) $$;

-- ---- what there is ----

create or replace function hotline.admin_kinds() returns text[]
language sql immutable as $$ select '{unit,user,role,directory,category,policy,calendar,template,refusal,link,key,notice}'::text[] $$;

-- One thing as administrators read and write it; null when there is none.
create or replace function hotline.admin_json(kind_ text, key_ text) returns jsonb
language plpgsql stable as $$
begin
    case kind_
        when 'unit' then
            return (select jsonb_build_object('id', u.id::text, 'name', u.name, 'short_name', u.short_name, 'name_en', u.name_en, 'parent', u.parent_id::text, 'level', u.level,
                'kind', u.kind, 'division', u.division, 'grassroots', u.grassroots, 'calendar', u.calendar_id, 'valid_from', u.valid_from, 'valid_to', u.valid_to)
                from hotline.unit u where u.code = key_);
        when 'user' then
            return (select jsonb_build_object('id', p.id::text, 'name', p.name, 'unit', p.unit_id::text, 'disabled', p.disabled_at is not null,
                'roles', (select coalesce(jsonb_agg(r.role order by r.role), '[]') from hotline.person_role r where r.person_id = p.id))
                from hotline.person p where p.login = key_);
        when 'role' then
            return (select jsonb_build_object('name', r.zh, 'name_en', r.en, 'centre', r.centre,
                'rights', (select coalesce(jsonb_agg(g.action || ':' || g.scope order by g.action), '[]') from hotline.role_right g where g.role = r.code))
                from hotline.role r where r.code = key_);
        when 'directory' then
            return (select jsonb_build_object('id', d.id::text, 'version', d.version, 'name', d.name, 'category', g.code, 'division', d.division, 'keywords', d.keywords,
                'rule', d.main_rule, 'unit', d.main_unit_id::text, 'co_units', (select coalesce(jsonb_agg(c::text order by n), '[]') from unnest(d.co_unit_ids) with ordinality as u(c, n)),
                'policy', d.policy, 'types', coalesce(to_jsonb(d.appeal_types), '[]'), 'duty', d.exclude_grassroots, 'legal_basis', d.legal_basis, 'valid_to', d.valid_to)
                from hotline.directory_item d join hotline.category g on g.id = d.category_id where d.code = key_);
        when 'category' then
            return (select jsonb_build_object('id', g.id::text, 'name', g.name, 'name_en', g.name_en, 'parent', p.code, 'level', g.level, 'type', g.default_type,
                'valid_from', g.valid_from, 'valid_to', g.valid_to,
                'maps', (select coalesce(jsonb_agg(o.scheme || ':' || o.code order by o.scheme), '[]') from hotline.category_map m join hotline.category o on o.id = m.to_id
                         where m.category_id = g.id and m.valid_to is null))
                from hotline.category g left join hotline.category p on p.id = g.parent_id
                where g.scheme = split_part(key_, ':', 1) and g.code = split_part(key_, ':', 2));
        when 'policy' then
            return (select jsonb_build_object('version', p.version, 'name', p.name, 'name_en', p.name_en, 'promise', p.promise_budget || ' ' || p.promise_unit,
                'clocks', (select jsonb_agg(k.kind || ' ' || k.budget || ' ' || k.unit order by k.kind) from hotline.policy_clock k where k.policy = p.code and k.version = p.version),
                'extensions', (select coalesce(jsonb_agg(e.n || ' ' || e.budget || ' ' || e.unit order by e.n), '[]')
                               from hotline.policy_extension e where e.policy = p.code and e.version = p.version),
                'valid_from', p.valid_from)
                from hotline.policy p where p.code = key_ order by p.version desc limit 1);
        when 'calendar' then
            return (select jsonb_build_object('name', c.name, 'hours', case when c.always_open then '["always"]'::jsonb
                    else jsonb_build_array(to_char(c.am_open, 'HH24:MI') || '-' || to_char(c.am_close, 'HH24:MI'), to_char(c.pm_open, 'HH24:MI') || '-' || to_char(c.pm_close, 'HH24:MI')) end,
                'days', (select coalesce(jsonb_agg(concat_ws(' ', o.day, case when o.is_off then 'off' else 'work' end, o.name) order by o.day), '[]') from hotline.calendar_overlay o where o.calendar_id = c.id),
                'years', (select coalesce(jsonb_agg(y.year::text order by y.year), '[]') from hotline.calendar_year y where y.calendar_id = c.id),
                'waits_for', (hotline.calendar_waits(key_)).id::text)
                from hotline.calendar c where c.id::text = key_);
        when 'template', 'refusal' then
            return (select jsonb_build_object('version', t.version, 'title', t.title, 'body', t.body, 'body_en', t.body_en, 'category', g.code, 'valid_from', t.valid_from, 'valid_to', t.valid_to)
                from hotline.template t left join hotline.category g on g.id = t.category_id
                where t.kind = case kind_ when 'refusal' then 'refusal' else split_part(key_, ':', 1) end
                  and t.code = case kind_ when 'refusal' then key_ else split_part(key_, ':', 2) end
                  and (kind_ = 'refusal' or t.kind <> 'refusal')
                order by t.version desc limit 1);
        when 'link' then return hotline.link_json(key_);
        when 'key' then return hotline.key_json(key_);
        when 'notice' then return hotline.notice_json(key_);
        else
            return null;
    end case;
end $$;

create or replace function hotline.admin_keys(kind_ text) returns setof text
language plpgsql stable as $$
begin
    case kind_
        when 'unit' then return query select code from hotline.unit;
        when 'user' then return query select login from hotline.person where login !~ '^key:';
        when 'role' then return query select code from hotline.role;
        when 'directory' then return query select code from hotline.directory_item;
        when 'category' then return query select scheme || ':' || code from hotline.category;
        when 'policy' then return query select distinct code from hotline.policy;
        when 'calendar' then return query select id::text from hotline.calendar;
        when 'template' then return query select distinct kind || ':' || code from hotline.template where kind <> 'refusal';
        when 'refusal' then return query select name from hotline.word where kind = 'refuse_code';
        when 'link' then return query select code from hotline.link;
        when 'key' then return query select code from hotline.unit_key;
        when 'notice' then return query select id::text from hotline.delivery where state = 'dead';
        else null;
    end case;
end $$;

create or replace function hotline.admin_version(kind_ text, key_ text) returns int
language plpgsql stable as $$
begin
    return coalesce((select max(n) from hotline.admin_change where kind = kind_ and key = key_), 0);
end $$;

create or replace function hotline.change_json(h hotline.admin_change) returns jsonb
language sql stable as $$
    select jsonb_build_object('id', h.id::text, 'at', hotline.time_text(h.at), 'by', hotline.person_json(h.person_id), 'kind', h.kind, 'code', h.key, 'version', h.n,
        'before', h.before, 'after', h.after)
$$;

-- ---- units ----

-- The units above each, below the centre.
create or replace function hotline.unit_paths() returns void
language sql as $$
    with recursive tree as (
        select id, array[]::int[] as path, 1::smallint as level from hotline.unit where level = 1
        union all
        select u.id, t.path || u.id, (t.level + 1)::smallint from hotline.unit u join tree t on u.parent_id = t.id
    )
    update hotline.unit u set path = t.path, level = t.level from tree t where t.id = u.id and (u.path, u.level) is distinct from (t.path, t.level)
$$;

-- Open tickets are listed to the units above the one that has them.  Locks: those tickets, in the order of their ids.
create or replace function hotline.unit_moved(top int) returns int
language plpgsql as $$
declare
    ids bigint[] := (select array_agg(distinct a.ticket_id) from hotline.unit u join hotline.assignment a on a.unit_id = u.id
                     where top = any (u.path) and a.state not in (7, 8, 9));
    n int;
begin
    perform from hotline.ticket where id = any (ids) order by id for update;
    update hotline.inbox i set units = o.units
    from (select a.ticket_id, array_agg(distinct p order by p) as units
          from hotline.assignment a join hotline.unit u on u.id = a.unit_id cross join lateral unnest(u.path) p
          where a.ticket_id = any (ids) and a.state not in (8, 9) group by a.ticket_id) o
    where i.ticket_id = o.ticket_id and i.units <> o.units;
    get diagnostics n = row_count;
    return n;
end $$;

create or replace function hotline.unit_uses(u hotline.unit) returns jsonb
language plpgsql stable as $$
declare
    today date := hotline.day_of(hotline.now());
begin
    return jsonb_build_object(
        'tickets', (select count(*) from hotline.assignment a where a.unit_id = u.id and a.state not in (7, 8, 9)),
        'units', (select count(*) from hotline.unit c where c.parent_id = u.id and (c.valid_to is null or c.valid_to > today)),
        'directory', (select count(*) from hotline.directory_item d where (d.main_unit_id = u.id or u.id = any (d.co_unit_ids)) and (d.valid_to is null or d.valid_to > today)));
end $$;

create or replace function hotline.put_unit(key_ text, x jsonb) returns api.answer
language plpgsql as $$
declare
    u hotline.unit;
    p hotline.unit;
    today date := hotline.day_of(hotline.now());
    is_new boolean;
    uses jsonb;
begin
    select * into u from hotline.unit where code = key_;
    is_new := u.id is null;
    if is_new then
        if key_ !~ '^[A-Z0-9][A-Z0-9-]{1,29}$' then
            return hotline.bad_code();
        elsif hotline.missing_fields(x, 'name', 'parent', 'kind') is not null then
            return hotline.missing_fields(x, 'name', 'parent', 'kind');
        end if;
        u.id := nextval('hotline.added_id');
        u.code := key_;
        u.path := '{}';
        u.valid_from := today;
    elsif u.level = 1 and x ?| '{parent,kind,valid_from,valid_to}' then
        return hotline.problem(422, 'not_changeable', '热线中心的位置和期限不能改。', 'The centre itself stays where it is.');
    end if;
    u.kind := coalesce(x->>'kind', u.kind);
    u.parent_id := coalesce((x->>'parent')::int, u.parent_id);
    select * into p from hotline.unit where id = u.parent_id;
    if u.id = p.id or u.id = any (p.path) then
        return hotline.bad_field('parent', 'own_subtree', '上级不能是自己或自己的下级。', 'A unit cannot lie below itself.');
    end if;
    if u.level is distinct from 1 then
        if p.level + 1 + coalesce((select max(level) - u.level from hotline.unit where u.id = any (path)), 0) > 4 then
            return hotline.bad_field('parent', 'too_deep', '单位最多四级。', 'Units have four levels at most.');
        end if;
        u.level := p.level + 1;
    end if;
    u.name := coalesce(nullif(x->>'name', ''), u.name);
    u.short_name := coalesce(nullif(x->>'short_name', ''), u.short_name, u.name);
    u.name_en := case when x ? 'name_en' then nullif(x->>'name_en', '') else u.name_en end;
    u.division := coalesce(x->>'division', u.division);
    u.grassroots := case when x ? 'kind' or is_new then u.kind = 'street' else u.grassroots end;
    u.calendar_id := coalesce((x->>'calendar')::int, u.calendar_id, p.calendar_id, 1);
    if not exists (select from hotline.calendar where id = u.calendar_id) then
        return hotline.bad_field('calendar', 'unknown', '没有这个日历。', 'There is no such calendar.');
    end if;
    u.valid_from := coalesce(hotline.date_given(x, 'valid_from', u.valid_from), u.valid_from);
    u.valid_to := hotline.date_given(x, 'valid_to', u.valid_to);
    if u.valid_to <= u.valid_from then
        return hotline.bad_field('valid_to', 'before_start', '终止日期须晚于生效日期。', 'It must end after it begins.');
    end if;
    uses := hotline.unit_uses(u);
    if u.valid_to <= today and not is_new and uses <> '{"tickets": 0, "units": 0, "directory": 0}' then
        return hotline.in_use('单位还有在办工单、下级单位或目录事项，请先移交。', 'Open tickets, sub-units or directory items still need this unit; move them first.', uses);
    end if;
    insert into hotline.unit values (u.*)
    on conflict (id) do update set parent_id = excluded.parent_id, level = excluded.level, kind = excluded.kind, name = excluded.name, short_name = excluded.short_name,
        name_en = excluded.name_en, division = excluded.division, grassroots = excluded.grassroots, calendar_id = excluded.calendar_id,
        valid_from = excluded.valid_from, valid_to = excluded.valid_to;
    perform hotline.unit_paths();
    return hotline.answer(200, uses || jsonb_build_object('moved_tickets', case when x ? 'parent' and not is_new then hotline.unit_moved(u.id) else 0 end));
end $$;

-- ---- people and roles ----

create or replace function hotline.put_user(who hotline.actor, key_ text, x jsonb, hash_ text) returns api.answer
language plpgsql as $$
declare
    p hotline.person;
    roles_ text[];
    is_new boolean;
    ended int := 0;
begin
    select * into p from hotline.person where login = key_;
    is_new := p.id is null;
    if key_ ~ '^key:' then
        return hotline.bad_code();
    elsif is_new then
        if key_ !~ '^[a-z0-9][a-z0-9._-]{1,49}$' then
            return hotline.bad_code();
        elsif hotline.missing_fields(x, 'name', 'unit', 'roles') is not null then
            return hotline.missing_fields(x, 'name', 'unit', 'roles');
        elsif hash_ is null then
            return hotline.bad_field('password', 'required', '新账号须设初始密码。', 'A new account needs a password.');
        end if;
    end if;
    roles_ := case when x ? 'roles' then hotline.texts(x->'roles') else (select array_agg(role order by role) from hotline.person_role where person_id = p.id) end;
    if exists (select from unnest(roles_) r where r in ('SYS', 'CIT', 'EXT') or not exists (select from hotline.role where code = r)) then
        return hotline.bad_field('roles', 'unknown', '没有这种角色，或不能授予人员。', 'There is no such role, or it is not for people.');
    end if;
    p.name := coalesce(nullif(x->>'name', ''), p.name);
    p.unit_id := coalesce((x->>'unit')::int, p.unit_id);
    if (select level > 1 from hotline.unit where id = p.unit_id) and exists (select from hotline.role where code = any (roles_) and centre) then
        return hotline.bad_field('roles', 'not_in_centre', '热线中心的角色只能授予中心人员。', 'A role of the centre is for people of the centre.');
    end if;
    if not is_new and p.id = who.id and (x->'disabled' = 'true' or 'ADM' = any (who.roles) and not 'ADM' = any (roles_)) then
        return hotline.problem(409, 'own_account', '不能停用自己的账号或取消自己的管理权限。', 'Nobody closes the own account or gives up its administration.');
    end if;
    if is_new then
        insert into hotline.person (login, name, unit_id, password_hash, disabled_at)
        values (key_, p.name, p.unit_id, hash_, case when x->'disabled' = 'true' then hotline.now() end) returning * into p;
    else
        if hash_ is not null or x ?| '{unit,roles}' or x->'disabled' = 'true' then
            update hotline.session set closed_at = hotline.now() where person_id = p.id and closed_at is null and p.id is distinct from who.id;
            get diagnostics ended = row_count;
        end if;
        update hotline.person set name = p.name, unit_id = p.unit_id, password_hash = coalesce(hash_, password_hash),
            disabled_at = case x->'disabled' when 'true' then coalesce(disabled_at, hotline.now()) when 'false' then null else disabled_at end
        where id = p.id;
    end if;
    if hash_ is not null then
        delete from hotline.login_failure where login = key_;
    end if;
    delete from hotline.person_role where person_id = p.id and role <> all (roles_);
    insert into hotline.person_role (person_id, role) select p.id, r from unnest(roles_) r on conflict do nothing;
    return hotline.answer(200, jsonb_build_object('ended_sessions', ended));
end $$;

create or replace function hotline.put_role(key_ text, x jsonb) returns api.answer
language plpgsql as $$
declare
    r hotline.role;
    bad text;
begin
    select * into r from hotline.role where code = key_;
    if key_ in ('SYS', 'CIT', 'EXT') then
        return hotline.problem(422, 'not_changeable', '这个角色属于系统，不能改。', 'This role is the system''s own.');
    elsif r.code is null then
        if key_ !~ '^[A-Z][A-Z0-9]{1,9}$' then
            return hotline.bad_code();
        elsif hotline.missing_fields(x, 'name', 'name_en', 'centre') is not null then
            return hotline.missing_fields(x, 'name', 'name_en', 'centre');
        end if;
    elsif (x->>'centre')::boolean <> r.centre then
        return hotline.bad_field('centre', 'fixed', '角色建立后不能改属。', 'Whether a role is the centre''s cannot change.');
    end if;
    insert into hotline.role (code, zh, en, centre)
    values (key_, coalesce(nullif(x->>'name', ''), r.zh), coalesce(nullif(x->>'name_en', ''), r.en), coalesce((x->>'centre')::boolean, r.centre))
    on conflict (code) do update set zh = excluded.zh, en = excluded.en;
    if not x ? 'rights' then
        return hotline.answer(200, '{}');
    end if;
    bad := (select string_agg(e, ', ') from jsonb_array_elements_text(x->'rights') e
            where split_part(e, ':', 2) not in ('own', 'unit', 'all') and not exists (select from hotline.role_right where action || ':' || scope = e)
               or not exists (select from hotline.role_right where action = split_part(e, ':', 1)) and not exists (select from hotline.transition where action = split_part(e, ':', 1)));
    if bad is not null or (select count(*) <> count(distinct split_part(e, ':', 1)) from jsonb_array_elements_text(x->'rights') e) then
        return hotline.bad_field('rights', 'unknown', '权限写作“操作:范围”，每个操作一次：' || coalesce(bad, ''), 'A right is action:scope, each action once: ' || coalesce(bad, ''));
    elsif key_ = 'ADM' and not (x->'rights' @> '["admin.read:all", "admin.role:all", "admin.user:all"]') then
        return hotline.problem(409, 'own_account', '系统管理员不能失去对账号和角色的管理。', 'Administrators keep the administration of accounts and roles.');
    end if;
    insert into hotline.role_right_local (role, action, scope)
    select key_, coalesce(w.action, h.action), w.scope
    from (select split_part(e, ':', 1) as action, split_part(e, ':', 2) as scope from jsonb_array_elements_text(x->'rights') e) w
    full join (select action, scope from hotline.role_right where role = key_) h on h.action = w.action
    where w.scope is distinct from h.scope
    on conflict (role, action) do update set scope = excluded.scope;
    perform hotline.local_rights();
    return hotline.answer(200, '{}');
end $$;

-- ---- the directory ----

-- What the text service found in a ticket, with this item's words looked up anew.  The words are looked for as they are written.
create or replace function hotline.hits_with(t hotline.ticket, item int, words text[]) returns jsonb
language sql stable as $$
    select coalesce((select jsonb_agg(h) from jsonb_array_elements(t.route->'hits') h where h->>'item' <> item::text), '[]')
        || coalesce((select jsonb_build_array(jsonb_build_object('item', item, 'n', count(*), 'len', sum(char_length(w)), 'words', jsonb_agg(w)))
                     from unnest(words) w where strpos(t.title || t.content, w) > 0 having count(*) > 0), '[]')
$$;

-- The tickets among the last so many that an item before or after its change has to do with, and where each would be dispatched to.
create or replace function hotline.routes_of_last(n int, item int, categories int[], words text[]) returns table (ticket_id bigint, unit_id int)
language sql stable as $$
    select t.id, (hotline.candidates(t.category_id, t.division, hotline.name_of('appeal_type', t.appeal_type),
            case when words is null then t.route->'hits' else hotline.hits_with(t, item, words) end)->0->'unit'->>'id')::int
    from (select * from hotline.ticket where submitted_at is not null order by id desc limit n) t
    where t.category_id / 100 = any (select c / 100 from unnest(categories) c)
       or exists (select from jsonb_array_elements(t.route->'hits') h where h->>'item' = item::text)
       or exists (select from unnest(words) w where strpos(t.title || t.content, w) > 0)
$$;

create or replace function hotline.put_directory(key_ text, x jsonb, dry boolean) returns api.answer
language plpgsql as $$
declare
    d hotline.directory_item;
    was hotline.directory_item;
    today date := hotline.day_of(hotline.now());
    taken text;
    ids bigint[];
    units int[];
    moved jsonb;
    looked int;
begin
    select * into was from hotline.directory_item where code = key_ for update;
    d := was;
    if was.id is null then
        if key_ !~ '^[0-9A-Z][0-9A-Z-]{3,19}$' then
            return hotline.bad_code();
        elsif hotline.missing_fields(x, 'name', 'category', 'keywords', 'rule') is not null then
            return hotline.missing_fields(x, 'name', 'category', 'keywords', 'rule');
        end if;
        -- By its code like the seed's, so that of two that fit as well the lower code comes first, whoever wrote it.
        d.id := case when key_ ~ '^[0-9]{8}$' and not exists (select from hotline.directory_item where id = key_::int) then key_::int else nextval('hotline.added_id') end;
        d.code := key_;
        d.version := 0;
        d.valid_from := today;
        d.co_unit_ids := '{}';
        d.exclude_grassroots := false;
    end if;
    d.version := d.version + 1;
    d.name := coalesce(nullif(x->>'name', ''), d.name);
    d.category_id := coalesce((select id from hotline.category where scheme = 'local' and code = x->>'category'), d.category_id);
    d.division := case when x ? 'division' then nullif(x->>'division', '') else d.division end;
    d.keywords := case when x ? 'keywords' then hotline.texts(x->'keywords') else d.keywords end;
    d.main_rule := coalesce(x->>'rule', d.main_rule);
    d.main_unit_id := coalesce((x->>'unit')::int, d.main_unit_id);
    d.co_unit_ids := case when x ? 'co_units' then hotline.texts(x->'co_units')::int[] else d.co_unit_ids end;
    d.policy := coalesce(x->>'policy', d.policy);
    d.appeal_types := case when x ? 'types' then nullif(hotline.texts(x->'types'), '{}') else d.appeal_types end;
    d.exclude_grassroots := coalesce((x->>'duty')::boolean, d.exclude_grassroots);
    d.legal_basis := case when x ? 'legal_basis' then nullif(x->>'legal_basis', '') else d.legal_basis end;
    d.valid_to := hotline.date_given(x, 'valid_to', d.valid_to);
    if d.main_rule = 'unit' and d.main_unit_id is null then
        return hotline.bad_field('unit', 'required', '请指定主办单位。', 'Name the main unit.');
    elsif d.main_unit_id = any (d.co_unit_ids) then
        return hotline.bad_field('co_units', 'same_unit', '协办单位不能与主办单位相同。', 'An assisting unit cannot be the main unit.');
    elsif exists (select from unnest(d.appeal_types) a where hotline.code_of('appeal_type', a) is null) then
        return hotline.bad_field('types', 'unknown', '没有这种诉求类型。', 'There is no such type.');
    elsif exists (select from unnest(d.keywords) k where char_length(k) not between 2 and 20) then
        return hotline.bad_field('keywords', 'bad_word', '关键词须为 2–20 字。', 'A keyword has 2 to 20 characters.');
    end if;
    -- A match speaks for one item.
    select string_agg(k || ' (' || o.code || ')', ', ') into taken from hotline.directory_item o cross join lateral unnest(o.keywords) k
    where o.id <> d.id and k = any (d.keywords) and (o.valid_to is null or o.valid_to > today) and (d.valid_to is null or d.valid_to > today);
    if taken is not null or (select count(*) <> count(distinct k) from unnest(d.keywords) k) then
        return hotline.bad_field('keywords', 'taken', '关键词不能重复，也不能与其他事项相同：' || coalesce(taken, ''), 'A keyword belongs to one item, once: ' || coalesce(taken, ''));
    end if;
    if dry then
        select array_agg(r.ticket_id), array_agg(r.unit_id) into ids, units
        from hotline.routes_of_last(1000, d.id, array[was.category_id, d.category_id], was.keywords) r;
    end if;
    if was.id is not null then
        insert into hotline.directory_version (item_id, version, at, body) values (was.id, was.version, hotline.now(), to_jsonb(was));
    end if;
    insert into hotline.directory_item values (d.*)
    on conflict (id) do update set version = excluded.version, name = excluded.name, category_id = excluded.category_id, division = excluded.division,
        keywords = excluded.keywords, main_rule = excluded.main_rule, main_unit_id = excluded.main_unit_id, co_unit_ids = excluded.co_unit_ids,
        policy = excluded.policy, appeal_types = excluded.appeal_types, exclude_grassroots = excluded.exclude_grassroots,
        legal_basis = excluded.legal_basis, valid_to = excluded.valid_to;
    if not dry then
        return hotline.answer(200, '{}');
    end if;
    select count(*) into looked from (select from hotline.ticket where submitted_at is not null order by id desc limit 1000) l;
    select coalesce(jsonb_agg(jsonb_build_object('id', t.id::text, 'number', t.ticket_no, 'title', t.title,
            'from', hotline.unit_json(b.unit_id), 'to', hotline.unit_json(a.unit_id)) order by t.id desc), '[]') into moved
    from hotline.routes_of_last(1000, d.id, array[was.category_id, d.category_id], d.keywords) a
    left join unnest(ids, units) as b(ticket_id, unit_id) on b.ticket_id = a.ticket_id
    join hotline.ticket t on t.id = a.ticket_id
    where a.unit_id is distinct from case when b.ticket_id is not null then b.unit_id
        else (hotline.candidates(t.category_id, t.division, hotline.name_of('appeal_type', t.appeal_type), t.route->'hits')->0->'unit'->>'id')::int end;
    return hotline.answer(200, jsonb_build_object('looked_at', looked, 'moved', jsonb_array_length(moved),
        'tickets', (select coalesce(jsonb_agg(m), '[]') from (select m from jsonb_array_elements(moved) m limit 100) first)));
end $$;

-- ---- categories ----

create or replace function hotline.put_category(key_ text, x jsonb) returns api.answer
language plpgsql as $$
declare
    g hotline.category;
    p hotline.category;
    scheme_ text := split_part(key_, ':', 1);
    code_ text := split_part(key_, ':', 2);
    today date := hotline.day_of(hotline.now());
    parent_ text;
    used int;
begin
    select * into g from hotline.category where scheme = scheme_ and code = code_;
    if g.id is null then
        if key_ !~ '^[a-z][a-z0-9]{1,19}:[0-9A-Z.]{1,12}$' or scheme_ = 'local' and code_ !~ '^([0-9]{2}){1,3}$' then
            return hotline.bad_code();
        elsif hotline.missing_fields(x, 'name') is not null then
            return hotline.missing_fields(x, 'name');
        end if;
        -- Local codes are numbers in two-digit levels, and ids are those numbers; other schemes have ids of their own.
        g.id := case scheme_ when 'local' then code_::int else 1000000000 + nextval('hotline.added_id') end;
        g.scheme := scheme_;
        g.code := code_;
        g.valid_from := today;
        parent_ := coalesce(x->>'parent', case when scheme_ = 'local' and length(code_) > 2 then left(code_, -2) end);
    elsif x ? 'parent' then
        return hotline.bad_field('parent', 'fixed', '类别不能移到别处，请停用后新建。', 'A category does not move; end it and make a new one.');
    end if;
    if parent_ is not null then
        select * into p from hotline.category where scheme = scheme_ and code = parent_;
        if p.id is null or scheme_ = 'local' and parent_ <> left(code_, -2) then
            return hotline.bad_field('parent', 'unknown', '没有这个上级类别。', 'There is no such parent.');
        end if;
        g.parent_id := p.id;
    end if;
    g.level := coalesce(g.level, p.level + 1, 1);
    g.name := coalesce(nullif(x->>'name', ''), g.name);
    g.name_en := case when x ? 'name_en' then nullif(x->>'name_en', '') else g.name_en end;
    g.default_type := coalesce(x->>'type', g.default_type);
    g.valid_from := coalesce(hotline.date_given(x, 'valid_from', g.valid_from), g.valid_from);
    g.valid_to := hotline.date_given(x, 'valid_to', g.valid_to);
    if g.valid_to <= g.valid_from then
        return hotline.bad_field('valid_to', 'before_start', '终止日期须晚于生效日期。', 'It must end after it begins.');
    end if;
    used := (select count(*) from hotline.directory_item d where d.category_id = g.id and (d.valid_to is null or d.valid_to > today))
        + (select count(*) from hotline.category c where c.parent_id = g.id and (c.valid_to is null or c.valid_to > today));
    if g.valid_to is not null and used > 0 then
        return hotline.in_use('类别下还有目录事项或下级类别。', 'Directory items or categories still lie below it.', jsonb_build_object('directory', used));
    end if;
    insert into hotline.category values (g.*)
    on conflict (id) do update set name = excluded.name, name_en = excluded.name_en, default_type = excluded.default_type,
        valid_from = excluded.valid_from, valid_to = excluded.valid_to;
    if x ? 'maps' then
        if scheme_ <> 'local' or exists (select from jsonb_array_elements_text(x->'maps') m where split_part(m, ':', 1) = 'local'
                or not exists (select from hotline.category o where o.scheme || ':' || o.code = m)) then
            return hotline.bad_field('maps', 'unknown', '对应编码须是其他方案中已有的类别，且只能由本地类别指定。', 'A local category maps to codes that other schemes have.');
        end if;
        update hotline.category_map m set valid_to = today from hotline.category o
        where o.id = m.to_id and m.category_id = g.id and m.valid_to is null and not (x->'maps' ? (o.scheme || ':' || o.code));
        delete from hotline.category_map where category_id = g.id and valid_from = today and valid_to = today;
        insert into hotline.category_map (category_id, scheme, to_id, valid_from)
        select g.id, o.scheme, o.id, today from jsonb_array_elements_text(x->'maps') m join hotline.category o on o.scheme || ':' || o.code = m
        where not exists (select from hotline.category_map k where k.category_id = g.id and k.to_id = o.id and k.valid_to is null);
    end if;
    return hotline.answer(200, '{}');
end $$;

-- ---- policies ----

-- A new version, valid from a day that has not passed; what is not given stays as it was.  Tickets keep the version of their dispatch.
create or replace function hotline.put_policy(key_ text, x jsonb) returns api.answer
language plpgsql as $$
declare
    p hotline.policy;
    was hotline.policy;
    today date := hotline.day_of(hotline.now());
    bad text;
begin
    select * into was from hotline.policy where code = key_ order by version desc limit 1;
    p := was;
    if was.code is null then
        if key_ !~ '^[A-Z][A-Z0-9]{0,7}$' then
            return hotline.bad_code();
        elsif hotline.missing_fields(x, 'name', 'name_en', 'promise') is not null then
            return hotline.missing_fields(x, 'name', 'name_en', 'promise');
        end if;
        p.code := key_;
    end if;
    if coalesce(x->>'promise', '') <> '' and x->>'promise' !~ '^[1-9][0-9]{0,3} (workday|workhour|hour|day|minute)$' then
        return hotline.bad_field('promise', 'bad_budget', '写作“10 workday”。', 'Written as "10 workday".');
    end if;
    bad := (select string_agg(e, ', ') from jsonb_array_elements_text(x->'clocks') e
            where e !~ '^[a-z]+ [0-9]{1,4} (workday|workhour|hour|day|minute)$' or not exists (select from hotline.policy_clock k where k.kind = split_part(e, ' ', 1)));
    if bad is not null or (select count(*) <> count(distinct split_part(e, ' ', 1)) from jsonb_array_elements_text(x->'clocks') e) then
        return hotline.bad_field('clocks', 'bad_budget', '写作“unit 5 workday”，每种一次：' || coalesce(bad, ''), 'Written as "unit 5 workday", each kind once: ' || coalesce(bad, ''));
    end if;
    bad := (select string_agg(e, ', ') from jsonb_array_elements_text(x->'extensions') e where e !~ '^[12] [1-9][0-9]{0,2} (workday|hour)$');
    if bad is not null or (select count(*) <> count(distinct left(e, 1)) or bool_or(left(e, 1) = '2') and not bool_or(left(e, 1) = '1') or count(distinct split_part(e, ' ', 3)) > 1
            from jsonb_array_elements_text(x->'extensions') e) then
        return hotline.bad_field('extensions', 'bad_budget', '写作“1 5 workday”“2 10 workday”，第一次和第二次，单位相同：' || coalesce(bad, ''),
            'Written as "1 5 workday", "2 10 workday": the first and the second, in one unit: ' || coalesce(bad, ''));
    end if;
    p.version := coalesce(was.version, 0) + 1;
    p.name := coalesce(nullif(x->>'name', ''), was.name);
    p.name_en := coalesce(nullif(x->>'name_en', ''), was.name_en);
    p.valid_from := coalesce(hotline.date_given(x, 'valid_from', null), today);
    p.valid_to := null;
    if p.valid_from < today or p.valid_from < was.valid_from then
        return hotline.bad_field('valid_from', 'in_past', '不能从过去的日期起生效，也不能早于上一版本。', 'It cannot begin in the past, nor before the version that is there.');
    end if;
    if coalesce(x->>'promise', '') <> '' then
        p.promise_budget := split_part(x->>'promise', ' ', 1)::int;
        p.promise_unit := split_part(x->>'promise', ' ', 2);
    end if;
    update hotline.policy set valid_to = p.valid_from where code = key_ and version = was.version;
    insert into hotline.policy values (p.*);
    insert into hotline.policy_clock (policy, version, kind, budget, unit)
    select key_, p.version, k.kind, coalesce(split_part(e, ' ', 2)::int, k.budget), coalesce(split_part(e, ' ', 3), k.unit)
    from hotline.policy_clock k left join lateral (select e from jsonb_array_elements_text(x->'clocks') e where split_part(e, ' ', 1) = k.kind) given on true
    where k.policy = coalesce(was.code, 'H1') and k.version = coalesce(was.version, (select max(version) from hotline.policy where code = 'H1'));
    insert into hotline.policy_extension (policy, version, n, budget, unit)
    select key_, p.version, split_part(e, ' ', 1)::smallint, split_part(e, ' ', 2)::int, split_part(e, ' ', 3) from jsonb_array_elements_text(x->'extensions') e
    union all
    select key_, p.version, e.n, e.budget, e.unit from hotline.policy_extension e
    where not x ? 'extensions' and e.policy = coalesce(was.code, 'H1') and e.version = coalesce(was.version, (select max(version) from hotline.policy where code = 'H1'));
    return hotline.answer(200, jsonb_build_object('policy_version', p.version));
end $$;

-- ---- calendars ----

drop function if exists hotline.put_calendar(text, jsonb, bigint);

-- The change of this calendar that asked for earlier due times and was not confirmed yet.
create or replace function hotline.calendar_waits(key_ text) returns hotline.admin_change
language plpgsql stable as $$
declare
    h hotline.admin_change;
begin
    select * into h from hotline.admin_change w
    where kind = 'calendar' and key = key_ and after->'asks_bring_forward' = 'true'
      and not exists (select from hotline.admin_change k where k.kind = 'calendar' and k.key = key_ and k.after->>'confirms' = w.id::text)
    order by n desc limit 1;
    return h;
end $$;

-- A second person's word that due times may come earlier: all open tickets of the calendar are reckoned again.
create or replace function hotline.confirm_calendar(who hotline.actor, key_ text, asked text, change bigint) returns api.answer
language plpgsql as $$
declare
    h hotline.admin_change := hotline.calendar_waits(key_);
    n int;
begin
    if h.id is null or h.id::text <> asked then
        return hotline.bad_field('confirm', 'unknown', '没有这项待确认的日历调整。', 'No such change of the calendar waits for a confirmation.');
    elsif h.person_id = who.id then
        return hotline.same_person();
    end if;
    insert into hotline.timer (id, at, ticket_id, kind, clock_id)
    select hotline.new_id(), hotline.now(), k.ticket_id, 'calendar', change
    from (select ticket_id from hotline.inbox union select ticket_id from hotline.approval where verdict is null) i
    join hotline.clock k on k.ticket_id = i.ticket_id
    where k.calendar_id = key_::int and k.unit in ('workday', 'workhour')
    group by k.ticket_id;
    get diagnostics n = row_count;
    return hotline.answer(200, jsonb_build_object('tickets', n));
end $$;

create or replace function hotline.put_calendar(who hotline.actor, key_ text, x jsonb, change bigint) returns api.answer
language plpgsql as $$
declare
    c hotline.calendar;
    was hotline.calendar;
    today date := hotline.day_of(hotline.now());
    hours text[] := hotline.texts(x->'hours');
    bad text;
begin
    if key_ !~ '^[1-9][0-9]?$' then
        return hotline.bad_code();
    end if;
    if x ? 'confirm' then
        if x <> jsonb_build_object('confirm', x->'confirm') then
            return hotline.bad_field('confirm', 'alone', '确认时不能同时修改。', 'Confirm it, or change something else.');
        end if;
        return hotline.confirm_calendar(who, key_, x->>'confirm', change);
    end if;
    select * into was from hotline.calendar where id = key_::int;
    c := was;
    if was.id is null then
        if hotline.missing_fields(x, 'name', 'hours') is not null then
            return hotline.missing_fields(x, 'name', 'hours');
        end if;
        c.id := key_::int;
    end if;
    c.name := coalesce(nullif(x->>'name', ''), c.name);
    if x ? 'hours' then
        if not (hours = '{always}' or cardinality(hours) = 2 and hours[1] ~ '^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$'
                and hours[2] ~ '^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$'
                and left(hours[1], 5) < right(hours[1], 5) and right(hours[1], 5) <= left(hours[2], 5) and left(hours[2], 5) < right(hours[2], 5)) then
            return hotline.bad_field('hours', 'bad_hours', '写作“08:30-12:00”和“14:30-17:30”两段，或“always”。', 'Two spans such as 08:30-12:00 and 14:30-17:30, or "always".');
        end if;
        c.always_open := hours = '{always}';
        c.am_open := case when c.always_open then '00:00' else left(hours[1], 5) end;
        c.am_close := case when c.always_open then '12:00' else right(hours[1], 5) end;
        c.pm_open := case when c.always_open then '12:00' else left(hours[2], 5) end;
        c.pm_close := case when c.always_open then '23:59:59' else right(hours[2], 5) end;
    end if;
    bad := (select string_agg(e, ', ') from jsonb_array_elements_text(x->'days') e
            where e !~ '^\d{4}-\d\d-\d\d (off|work|published)( .{1,50})?$' or not hotline.is_date(left(e, 10)) or left(e, 10)::date not between today - 31 and '2040-12-31');
    if bad is not null or (select count(*) <> count(distinct left(e, 10)) from jsonb_array_elements_text(x->'days') e) then
        return hotline.bad_field('days', 'bad_day', '写作“2026-09-01 off 名称”（off、work 或 published），不早于 31 天前，每天一次：' || coalesce(bad, ''),
            'Written as "2026-09-01 off name" (off, work or published), at most 31 days back, each day once: ' || coalesce(bad, ''));
    elsif exists (select from jsonb_array_elements_text(x->'years') y where y !~ '^20[1-4][0-9]$') then
        return hotline.bad_field('years', 'bad_year', '年份不对。', 'This is not a year.');
    end if;
    insert into hotline.calendar values (c.*)
    on conflict (id) do update set name = excluded.name, am_open = excluded.am_open, am_close = excluded.am_close, pm_open = excluded.pm_open,
        pm_close = excluded.pm_close, always_open = excluded.always_open;
    delete from hotline.calendar_overlay o using jsonb_array_elements_text(x->'days') e where o.calendar_id = c.id and o.day = left(e, 10)::date;
    insert into hotline.calendar_overlay (calendar_id, day, is_off, name)
    select c.id, left(e, 10)::date, split_part(e, ' ', 2) = 'off', btrim(substr(e, 12 + length(split_part(e, ' ', 2))))
    from jsonb_array_elements_text(x->'days') e where split_part(e, ' ', 2) <> 'published';
    insert into hotline.calendar_year (calendar_id, year) select c.id, y::int from jsonb_array_elements_text(x->'years') y on conflict do nothing;
    return hotline.answer(200, jsonb_build_object('tickets', hotline.calendar_renew(c.id, change,
        (c.am_open, c.am_close, c.pm_open, c.pm_close, c.always_open) is distinct from (was.am_open, was.am_close, was.pm_open, was.pm_close, was.always_open))));
end $$;

-- ---- texts ----

create or replace function hotline.put_template(kind_ text, code_ text, x jsonb) returns api.answer
language plpgsql as $$
declare
    t hotline.template;
    is_new boolean;
begin
    select * into t from hotline.template where kind = kind_ and code = code_ order by version desc limit 1;
    is_new := t.code is null;
    if kind_ = 'refusal' and hotline.code_of('refuse_code', code_) is null or kind_ not in ('instruction', 'answer', 'refusal', 'notice')
            or kind_ = 'notice' and not exists (select from hotline.notice_text where kind = code_ and audience = 'citizen') or code_ !~ '^[A-Za-z0-9_-]{1,30}$' then
        return hotline.bad_code();
    elsif is_new and hotline.missing_fields(x, 'title', 'body') is not null then
        return hotline.missing_fields(x, 'title', 'body');
    elsif hotline.has_personal_number(concat_ws(' ', x->>'title', x->>'body', x->>'body_en')) then
        return hotline.bad_field('body', 'personal_data', '含有手机号码或身份证号，请删去。', 'It holds a mobile or identity number; take it out.');
    end if;
    insert into hotline.template (kind, code, version, title, body, body_en, category_id, valid_from, valid_to)
    values (kind_, code_, coalesce(t.version, 0) + 1, coalesce(nullif(x->>'title', ''), t.title), coalesce(nullif(x->>'body', ''), t.body),
        case when x ? 'body_en' then nullif(x->>'body_en', '') else t.body_en end,
        coalesce((select id from hotline.category where scheme = 'local' and code = x->>'category'), t.category_id),
        hotline.day_of(hotline.now()), hotline.date_given(x, 'valid_to', t.valid_to));
    return hotline.answer(200, '{}');
end $$;

-- ---- one change ----

create or replace function hotline.admin_apply(who hotline.actor, kind_ text, key_ text, x jsonb, hash_ text, change bigint, dry boolean) returns api.answer
language plpgsql as $$
begin
    case kind_
        when 'unit' then return hotline.put_unit(key_, x);
        when 'user' then return hotline.put_user(who, key_, x, hash_);
        when 'role' then return hotline.put_role(key_, x);
        when 'directory' then return hotline.put_directory(key_, x, dry);
        when 'category' then return hotline.put_category(key_, x);
        when 'policy' then return hotline.put_policy(key_, x);
        when 'calendar' then return hotline.put_calendar(who, key_, x, change);
        when 'template' then return hotline.put_template(split_part(key_, ':', 1), split_part(key_, ':', 2), x);
        when 'link' then return hotline.put_link(key_, x);
        when 'key' then return hotline.put_key(key_, x, hash_);
        when 'notice' then return hotline.put_notice(key_, x);
        else return hotline.put_template('refusal', key_, x);
    end case;
end $$;

-- Check it, make it, keep what was and is.  version: how many changes the administrator has seen; another number is refused.
create or replace function hotline.admin_put(who hotline.actor, kind_ text, key_ text, x jsonb, version_ int, hash_ text, dry boolean) returns api.answer
language plpgsql as $$
declare
    change bigint := hotline.new_id();
    n_ int;
    before_ jsonb;
    after_ jsonb;
    said api.answer := coalesce(hotline.check_inputs('admin.' || kind_, x), hotline.bad_dates(x));
begin
    if said is not null then
        return said;
    end if;
    x := hotline.given('admin.' || kind_, x);
    perform pg_advisory_xact_lock(hashtext('hotline.admin'));
    n_ := hotline.admin_version(kind_, key_);
    before_ := hotline.admin_json(kind_, key_);
    if version_ <> n_ then
        return hotline.problem(409, 'stale_version', '已被别人修改，请刷新后再改。', 'It has been changed meanwhile; please reload it.', jsonb_build_object('version', n_));
    end if;
    begin
        said := hotline.admin_apply(who, kind_, key_, x, hash_, change, dry);
        if said.status = 200 then
            after_ := hotline.admin_json(kind_, key_);
            if kind_ = 'calendar' then
                after_ := after_ - 'waits_for' || jsonb_build_object('bring_forward', x ? 'confirm')
                    || jsonb_strip_nulls(jsonb_build_object('confirms', x->>'confirm', 'asks_bring_forward', nullif((x->>'bring_forward')::boolean, false)));
            elsif hash_ is not null and kind_ = 'user' then
                after_ := after_ || '{"new_password": true}';
            end if;
            insert into hotline.admin_change (id, at, person_id, kind, key, n, before, after)
            values (change, hotline.now(), who.id, kind_, key_, n_ + 1, before_, after_);
            perform hotline.reference_changed();
        end if;
        if said.status <> 200 or dry then
            raise exception using errcode = 'P0UND', message = 'undo';
        end if;
    exception when sqlstate 'P0UND' then
        if said.status <> 200 then
            return said;
        end if;
    end;
    return hotline.answer(200, jsonb_build_object('kind', kind_, 'code', key_, 'version', n_ + (not dry)::int, 'dry_run', dry, 'before', before_, 'after', after_,
        'effect', said.body));
end $$;

-- The same by somebody at the database, for hotlinectl: null when it is done, else why not, in English.  On record as the system's.
create or replace function hotline.admin_by_hand(kind_ text, key_ text, x jsonb, hash_ text default null) returns text
language plpgsql as $$
declare
    said api.answer;
begin
    perform hotline.begin('{"lang": "en"}');
    said := hotline.admin_put(hotline.system_actor(), kind_, key_, jsonb_strip_nulls(x), null, hash_, false);
    if said.status = 200 then
        return null;
    end if;
    return concat_ws(' ', said.body->>'detail', (select string_agg((f->>'name') || ': ' || (f->>'detail'), ' ') from json_array_elements(said.body->'fields') f),
        (select 'In use by: ' || string_agg(e.value || ' ' || e.key, ', ') from json_each_text(said.body->'uses') e where e.value <> '0'));
end $$;
