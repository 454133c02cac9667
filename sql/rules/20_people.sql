-- Who asks, and what of it this person may see and do.

-- The person behind a session, or null.  The engine sends the SHA-256 of the token.
create or replace function hotline.actor_of(x jsonb) returns hotline.actor
language plpgsql stable as $$
declare
    who hotline.actor;
begin
    select p.id, p.name, p.unit_id,
           (select coalesce(array_agg(r.role order by r.role), '{}') from hotline.person_role r where r.person_id = p.id),
           exists (select from hotline.person_role r join hotline.role o on o.code = r.role where r.person_id = p.id and o.centre)
    into who
    from hotline.session s join hotline.person p on p.id = s.person_id
    where s.hash = x->>'session' and s.closed_at is null and s.expires_at > hotline.now() and p.disabled_at is null;
    who.reads := hotline.scope_of(who, 'ticket.read');
    return who;
end $$;

create or replace function hotline.system_actor() returns hotline.actor
language sql immutable as $$ select row(null, '系统', 1, '{SYS}'::text[], true, 'all')::hotline.actor $$;

create or replace function hotline.no_session() returns api.answer
language sql stable as $$ select hotline.problem(401, 'no_session', '请先登录。', 'Please sign in.') $$;

create or replace function hotline.no_such_ticket() returns api.answer
language sql stable as $$ select hotline.problem(404, 'no_such_ticket', '没有这张工单。', 'There is no such ticket.') $$;

create or replace function hotline.forbidden() returns api.answer
language sql stable as $$ select hotline.problem(403, 'forbidden', '您没有这项权限。', 'You may not do this.') $$;

-- The role by which this person may take an action, whatever the ticket; null if none.
create or replace function hotline.has_right(who hotline.actor, action_ text) returns boolean
language plpgsql stable as $$
begin
    return (select exists (select from hotline.role_right where role = any (who.roles) and action = action_));
end $$;

-- The widest scope this person has for an action: all, unit, own, asked or null.
create or replace function hotline.scope_of(who hotline.actor, action_ text) returns text
language plpgsql stable as $$
begin
    return (
        select scope from hotline.role_right where role = any (who.roles) and action = action_
        order by array_position('{all,unit,own,asked}', scope) limit 1
    );
end $$;

-- Is this unit in the subtree of that one?
create or replace function hotline.is_under(unit_ int, top int) returns boolean
language plpgsql stable as $$
begin
    return (select exists (select from hotline.unit where id = unit_ and top = any (path)));
end $$;

-- The role in which this person may do this to this ticket and its main assignment, or null.
create or replace function hotline.role_for(who hotline.actor, action_ text, t hotline.ticket, a hotline.assignment) returns text
language plpgsql stable as $$
declare
    found_role text := (
        select role from hotline.role_right
        where role = any (who.roles) and action = action_
          and (scope = 'all'
               or scope = 'own' and t.created_by = who.id
               or scope in ('unit', 'part', 'party') and a.id is not null and hotline.is_under(a.unit_id, who.unit))
        order by array_position('{all,unit,own}', scope), role limit 1);
    scope_ text;
begin
    if found_role is not null or who.centre or who.id is null then
        return found_role;
    end if;
    for found_role, scope_ in
        select role, scope from hotline.role_right
        where role = any (who.roles) and action = action_ and scope in ('co', 'sub', 'part', 'consulted', 'party') order by role
    loop
        if scope_ = 'party' and hotline.is_party(t, who)
                or (hotline.part_of(t, who, case scope_ when 'co' then 2 when 'consulted' then 4 else 3 end)).id is not null and scope_ <> 'party' then
            return found_role;
        end if;
    end loop;
    return null;
end $$;

-- Has this person's unit, or one below it, any part in the ticket now?
create or replace function hotline.is_party(t hotline.ticket, who hotline.actor) returns boolean
language plpgsql stable as $$
begin
    return exists (select from hotline.assignment a where a.ticket_id = t.id and a.state not in (8, 9) and hotline.is_under(a.unit_id, who.unit));
end $$;

-- The live assignment of this round by which this person's unit assists (2), works for the unit above it (3), or is asked for its opinion (4).
create or replace function hotline.part_of(t hotline.ticket, who hotline.actor, role_ int) returns hotline.assignment
language plpgsql stable as $$
declare
    a hotline.assignment;
begin
    select * into a from hotline.assignment s
    where ticket_id = t.id and round = t.round and role = role_ and state not in (8, 9)
      and (unit_id = who.unit or role_ = 2 and hotline.is_under(s.unit_id, who.unit))
    order by unit_id <> who.unit, id limit 1;
    return a;
end $$;

-- May this person see this ticket?  A draft is its writer's, and theirs who may save or answer any.  A unit's people see what is or was assigned to their subtree; a sealed ticket shows only to
-- those with the right to it (and to whoever wrote it down).
create or replace function hotline.sees(who hotline.actor, t hotline.ticket) returns boolean
language plpgsql stable set plan_cache_mode = force_generic_plan as $$
begin
    if who.roles && '{SYS,CIT,EXT}' then
        return true;
    end if;
    if t.state = 10 and t.created_by is distinct from who.id
            and 'all' not in (coalesce(hotline.scope_of(who, 'save_draft'), ''), coalesce(hotline.scope_of(who, 'answer_on_spot'), '')) then
        return false;
    end if;
    if t.secrecy = 3 and not hotline.has_right(who, 'ticket.sealed') and t.created_by is distinct from who.id then
        return false;
    end if;
    case who.reads
        when 'all' then return true;
        when 'unit' then
            return exists (select from hotline.assignment a
                           where a.ticket_id = t.id and a.state <> 9 and hotline.is_under(a.unit_id, who.unit))
                and not hotline.is_in_conflict(t.id, who.unit);
        when 'own' then return t.created_by = who.id;
        when 'asked' then
            return exists (select from hotline.approval where ticket_id = t.id and verdict is null and decider_role = any (who.roles));
        else return false;
    end case;
end $$;

-- A ticket's words as a person outside the centre may read them when its secrecy hides the citizen: masked, and nothing of what was
-- never scanned.
create or replace function hotline.veiled(t hotline.ticket) returns hotline.ticket
language plpgsql immutable as $$
begin
    t.title := case when t.masked is null then '（内容尚未脱敏）' else coalesce(t.masked->>'title', t.title) end;
    t.content := case when t.masked is null then '（内容尚未脱敏，请联系热线中心）' else coalesce(t.masked->>'content', t.content) end;
    t.address := case when t.masked is not null then coalesce(t.masked->>'address', t.address) end;
    return t;
end $$;

-- Does this person read the very words of a ticket of this secrecy?  The centre does, and who is named for sealed matters.  Others
-- cannot guess them by searching either.
create or replace function hotline.reads_all(who hotline.actor, secrecy_ smallint) returns boolean
language sql stable as $$ select secrecy_ = 0 or who.centre or hotline.has_right(who, 'ticket.sealed') $$;

create or replace function hotline.shown(who hotline.actor, t hotline.ticket) returns hotline.ticket
language sql stable as $$ select case when hotline.reads_all(who, t.secrecy) then t else hotline.veiled(t) end $$;

-- The person behind a session as the engine keeps it, or 401.
create or replace function hotline.session_answer(x jsonb) returns api.answer
language plpgsql stable as $$
declare
    who hotline.actor := hotline.actor_of(x);
begin
    if who.id is null then
        return hotline.no_session();
    end if;
    return hotline.answer(200, (select jsonb_build_object('user', who.id, 'login', p.login, 'name', who.name, 'roles', who.roles, 'unit', who.unit,
            'unit_name', u.name, 'unit_name_en', u.name_en, 'scope', case when who.centre then 'all' else 'unit' end,
            'sealed', hotline.has_right(who, 'ticket.sealed'), 'tickets', hotline.has_right(who, 'ticket.list'),
            'expires_at', hotline.time_text(s.expires_at),
            'expires_in', floor(extract(epoch from s.expires_at - hotline.now())))
        from hotline.person p join hotline.unit u on u.id = p.unit_id join hotline.session s on s.person_id = p.id and s.hash = x->>'session'
        where p.id = who.id));
end $$;

-- One more wrong password under this name; the lock starts the count anew.
create or replace function hotline.count_failure(name_ text) returns void
language plpgsql as $$
declare
    most int := hotline.setting_int('login.failures');
    until timestamptz := hotline.now() + make_interval(mins => hotline.setting_int('login.lock_minutes'));
begin
    insert into hotline.login_failure as f (login, failed, at) values (name_, 1, hotline.now())
    on conflict (login) do update set failed = (f.failed + 1) % most, at = excluded.at,
        locked_until = case when f.failed + 1 >= most then until end;
end $$;

-- Add or change a person; used by hotlinectl.  The hash is argon2id's own text form.
create or replace function hotline.person_put(login_ text, name_ text, unit_code text, roles_ text[], hash_ text, demo_ boolean default false)
returns int
language plpgsql as $$
declare
    pid int;
    uid int;
begin
    select id into uid from hotline.unit where code = unit_code;
    if uid is null then
        raise exception 'unknown unit %', unit_code;
    end if;
    insert into hotline.person (login, name, unit_id, password_hash, demo) values (login_, name_, uid, hash_, demo_)
    on conflict (login) do update set name = excluded.name, unit_id = excluded.unit_id, password_hash = excluded.password_hash
    returning id into pid;
    delete from hotline.person_role where person_id = pid;
    insert into hotline.person_role (person_id, role) select pid, r from unnest(roles_) r;
    return pid;
end $$;
