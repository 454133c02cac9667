-- The random walk's city: people enough that who asks and who decides differ, units down to the fourth level, and what the walker reads
-- and tries past the interface.

insert into hotline.unit (id, code, parent_id, level, kind, name, short_name, name_en, division, calendar_id)
select id * 100 + n, code || '-' || n, id, 4, 'section', name || n || '组', short_name || n || '组', code || '-' || n, division, calendar_id
from hotline.unit, generate_series(1, 2) n where level = 3 and kind = 'section';
select hotline.unit_paths();

do $$
declare
    hash constant text := (select password_hash from hotline.person where login = 'operator1');
    role_ text;
    u hotline.unit;
begin
    foreach role_ in array '{OPR,ACC,LDR,DSP,AUD,CBK,SUP,EFF,LEA,ADM}'::text[] loop
        for n in 5 .. 6 loop
            perform hotline.person_put(format('walk.%s%s', lower(role_), n), role_ || n, 'ST-12345', array[role_], hash, true);
        end loop;
    end loop;
    perform hotline.person_put('walk.sealed', '密件', 'ST-12345', '{DSP,SEC}', hash, true);
    for u in select * from hotline.unit where kind = 'section' order by id loop
        perform hotline.person_put('walk.' || u.id || '.d', '联络', u.code, '{UDP}', hash, true);
        perform hotline.person_put('walk.' || u.id || '.h', '承办', u.code, '{UHD}', hash, true);
    end loop;
    for u in select * from hotline.unit where level = 2 order by id loop
        perform hotline.person_put('walk.' || u.id || '.all', '多面手', u.code, '{UDP,UHD}', hash, true);
        perform hotline.person_put('walk.' || u.id || '.a', '审签', u.code, '{UAP}', hash, true);
    end loop;
end $$;
insert into hotline.session (hash, person_id, opened_at, expires_at) select login, id, '2020-01-01', '2040-01-01' from hotline.person;

create schema walk;

create function walk.names(kind text, codes smallint[]) returns text[]
language sql stable as $$ select case when codes is not null then array(select hotline.name_of(kind, c) from unnest(codes) c) end $$;

-- What a person who knows the hotline sees of these tickets at a glance, in the order of the ids.
create function walk.look(ids bigint[]) returns jsonb
language plpgsql stable set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
begin
    return (
        select coalesce(jsonb_agg(jsonb_build_object('id', t.id::text, 'number', t.ticket_no, 'state', hotline.name_of('state', t.state), 'version', t.version,
            'secrecy', t.secrecy, 'type', hotline.name_of('appeal_type', t.appeal_type), 'round', t.round, 'anonymous', t.anonymous,
            'title', t.title, 'code', t.query_code_hash, 'made_by', t.created_by, 'rated', t.rated, 'close_kind', t.close_kind,
            'closed_at', extract(epoch from t.closed_at), 'outer_due', extract(epoch from t.outer_due_at),
            'duty', hotline.is_department_duty(t.category_id),
            'claimed_by', case when t.claimed_until > hotline.now() then t.claimed_by end,
            'phone', (select phone_hmac from hotline.ticket_contact k where k.ticket_id = t.id and phone_enc is not null),
            'main', (select jsonb_build_object('id', a.id::text, 'unit', a.unit_id, 'state', hotline.name_of('assignment_state', a.state), 'policy', a.policy,
                    'version', a.policy_version, 'due', extract(epoch from a.unit_due_at), 'dispatched', extract(epoch from a.dispatched_at),
                    'extensions', (select count(*) from hotline.extension x where x.ticket_id = t.id and x.assignment_id = a.id and not waived),
                    'contacted', exists (select from hotline.first_contact f where f.ticket_id = t.id and f.assignment_id = a.id),
                    'reached', exists (select from hotline.first_contact f where f.ticket_id = t.id and f.assignment_id = a.id and contacted))
                from hotline.assignment a where a.ticket_id = t.id and a.role = 1 and a.round = t.round and a.state not in (8, 9) order by a.id desc limit 1),
            'parts', (select coalesce(jsonb_agg(jsonb_build_object('role', a.role, 'unit', a.unit_id, 'state', a.state) order by a.id), '[]')
                from hotline.assignment a where a.ticket_id = t.id and a.role <> 1 and a.round = t.round and a.state not in (8, 9)),
            'waits', (select coalesce(jsonb_agg(jsonb_build_object('id', w.id::text, 'kind', w.kind, 'action', w.action, 'role', w.decider_role, 'by', w.asked_by,
                    'due', w.asks->>'new_due') order by w.id), '[]') from hotline.approval w where w.ticket_id = t.id and w.verdict is null),
            'called', exists (select from hotline.callback_attempt c where c.ticket_id = t.id and c.round = t.round and hotline.is_reached(c.outcome)),
            'unhappy', coalesce((select hotline.is_unhappy(c.sat_result::text, c.resolved::text) from hotline.callback c where c.ticket_id = t.id and c.round = t.round), false),
            'urged', exists (select from hotline.urge g where g.ticket_id = t.id and g.answered_at is null),
            'orders', (select coalesce(jsonb_agg(jsonb_build_object('id', o.id::text, 'by', o.issued_by, 'replied', o.replied_at is not null) order by o.id), '[]')
                from hotline.supervision_order o where o.ticket_id = t.id and o.closed_at is null),
            'conflicts', (select coalesce(jsonb_agg(k.unit_id order by k.unit_id), '[]') from hotline.conflict_unit k where k.ticket_id = t.id),
            'watched', (select coalesce(jsonb_agg(w.person_id order by w.person_id), '[]') from hotline.watch w where w.ticket_id = t.id),
            'pauses', (select coalesce(jsonb_agg(s.code order by s.event_id), '[]') from hotline.suspension s where s.ticket_id = t.id),
            'parkable', exists (select from hotline.extension x where x.ticket_id = t.id),
            'decided', exists (select from hotline.consultation k where k.ticket_id = t.id and k.decided_at is not null)) order by n), '[]')
        from unnest(ids) with ordinality as u(id, n) join hotline.ticket t on t.id = u.id
    );
end $$;

-- Try each call alone and undo it.  wrote: it was refused, and the transaction has changed something all the same (then no further
-- call is tried, since of those it could not be told).  A citizen's call locks the ticket, so there its events are counted.
create function walk.try_all(calls jsonb[]) returns table (n int, status int, body json, wrote boolean, failed text)
language plpgsql as $$
declare
    x jsonb;
    said api.answer;
    found_ api.answer;
    clean boolean := pg_current_xact_id_if_assigned() is null;
    was int;
begin
    foreach x in array calls loop
        n := coalesce(n, 0) + 1;
        status := null;
        body := null;
        failed := null;
        wrote := false;
        begin
            if x ? 'searched' then
                found_ := api.dup_check(x->'searched');
                x := jsonb_set(x, '{inputs,dup_check}', coalesce(found_.body::jsonb->'dup_check', '"1"'));
            end if;
            if x ? 'number' then
                was := (select event_n from hotline.ticket t where t.id = (x->>'id')::bigint);
                said := api.citizen(x);
                wrote := said.status <> 200 and was <> (select event_n from hotline.ticket t where t.id = (x->>'id')::bigint);
            else
                said := api.act(x - 'searched');
                wrote := clean and said.status <> 200 and not x ? 'searched' and pg_current_xact_id_if_assigned() is not null;
            end if;
            status := said.status;
            body := said.body;
            set constraints all immediate;
            raise exception using errcode = 'PL000', message = 'undo';
        exception
            when sqlstate 'PL000' then null;
            when others then failed := sqlstate || ' ' || sqlerrm;
        end;
        return next;
        if wrote then
            return;
        end if;
        clean := pg_current_xact_id_if_assigned() is null;
    end loop;
end $$;
