-- What must be true of every ticket at any moment, whatever happened to it.  Most of it is kept by guards and constraints; this looks
-- at the rows themselves and trusts neither.

-- The eleven invariants, one row for each breach: which, of which ticket, and what is wrong with it.  No row on sound data.  Reads
-- everything: for tests and for the night, not for a request.
create or replace function hotline.check_invariants() returns table (invariant int, ticket bigint, what text)
language plpgsql stable as $$
begin
    return query select 1, b.* from hotline.bad_main_assignments() b
        union all select 2, b.* from hotline.bad_ends() b
        union all select 3, b.* from hotline.bad_pauses() b
        union all select 4, b.* from hotline.bad_promises() b
        union all select 5, b.* from hotline.bad_sights() b
        union all select 6, b.* from hotline.bad_texts() b
        union all select 7, b.* from hotline.bad_keys() b
        union all select 8, b.* from hotline.bad_hands() b
        union all select 9, b.* from hotline.bad_gaps() b
        union all select 10, b.* from hotline.bad_replies() b
        union all select 11, b.* from hotline.bad_leftovers() b;
end $$;

-- 1. Exactly one live main assignment of the present round while a unit has the ticket.
create or replace function hotline.bad_main_assignments() returns table (ticket bigint, what text)
language sql stable as $$
    select t.id, format('%s live main assignments in state %s', coalesce(a.n, 0), hotline.name_of('state', t.state))
    from hotline.ticket t
    left join lateral (select count(*) as n from hotline.assignment a
                       where a.ticket_id = t.id and a.role = 1 and a.round = t.round and a.state not in (7, 8, 9)) a on true
    where t.state in (30, 31, 40, 41, 42, 50) and a.n is distinct from 1
$$;

-- The step of the table that a row of it belongs to: T53r is T53.
create or replace function hotline.step_of(transition_ text) returns text
language sql immutable as $$ select coalesce(substring(transition_ from '^T[0-9]+'), transition_) $$;

-- 2. What has ended stays as it is, but for what is done to ended tickets.
create or replace function hotline.bad_ends() returns table (ticket bigint, what text)
language sql stable as $$
    select e.ticket_id, format('%s (event %s) on a ticket that was %s', e.transition, e.n, hotline.name_of('state', e.from_state))
    from hotline.event e
    where e.from_state >= 70
      and hotline.step_of(e.transition) not in ('T55', 'T70', 'T71', 'T72', 'T75', 'T79', 'T81', 'T82', 'CAL', 'ASK', 'APPROVE', 'REJECT', 'LAPSE')
$$;

-- 3. Pauses of a clock follow one another, are no longer than its age, and have the approver that their reason wants.
create or replace function hotline.bad_pauses() returns table (ticket bigint, what text)
language sql stable as $$
    with pause as (
        select p.*, lead(p.from_at) over (partition by p.clock_id order by p.from_at) as next_from,
               k.kind, k.start_at, k.paused_at, coalesce(k.met_at, k.stopped_at) as end_at, k.id is null as lost
        from hotline.clock_pause p left join hotline.clock k on k.ticket_id = p.ticket_id and k.id = p.clock_id
    )
    select ticket_id, format('a pause of a clock that does not exist (%s)', clock_id) from pause where lost
    union all
    select ticket_id, format('pauses of clock %s overlap', kind) from pause where coalesce(to_at, 'infinity') > next_from
    union all
    select ticket_id, format('a pause of clock %s began before the clock', kind) from pause where from_at < start_at
    union all
    select ticket_id, format('pauses of clock %s are longer than its age', min(kind)) from pause
    group by ticket_id, clock_id
    having sum(coalesce(to_at, end_at, greatest(hotline.now(), from_at)) - from_at)
        > coalesce(min(end_at), greatest(hotline.now(), (select t.event_at from hotline.ticket t where t.id = ticket_id))) - min(start_at)
    union all
    select ticket_id, format('%s of clock %s without the approver it needs', reason, kind) from pause
    where reason in ('pause_3', 'pause_4', 'pause_5', 'pause_7') and approved_by is null
    union all
    select ticket_id, format('%s of clock %s approved by who asked', reason, kind) from pause where approved_by = asked_by
    union all
    select k.ticket_id, format('clock %s is %s paused, its pauses say otherwise', k.kind, case when k.paused_at is null then 'not' else 'now' end)
    from hotline.clock k
    where k.met_at is null and k.stopped_at is null
      and (k.paused_at is not null or exists (select from hotline.clock_pause p where p.clock_id = k.id))
      and (k.paused_at is not null) <> exists (select from hotline.clock_pause p where p.clock_id = k.id and p.to_at is null)
$$;

-- 4. The promise is where the events put it, and only an extension, the end of a pause or the calendar puts it off.
create or replace function hotline.bad_promises() returns table (ticket bigint, what text)
language sql stable as $$
    with told as (
        select e.ticket_id, e.n, e.transition, (e.payload->>'promise_due_at')::timestamptz as due,
               lag((e.payload->>'promise_due_at')::timestamptz) over (partition by e.ticket_id order by e.n) as due_before,
               row_number() over (partition by e.ticket_id order by e.n desc) = 1 as is_last
        from hotline.event e where e.payload ? 'promise_due_at'
    )
    select o.ticket_id, format('%s (event %s) put the promise off', o.transition, o.n) from told o
    where o.due > o.due_before and hotline.step_of(o.transition) not in ('T46', 'CAL')
      and not exists (select from hotline.clock_effect f where f.transition = o.transition and f.effect = 'resume')
    union all
    select t.id, 'the promise is not where the last event put it' from hotline.ticket t join told o on o.ticket_id = t.id and o.is_last
    where date_trunc('second', t.promise_due_at) is distinct from date_trunc('second', o.due)
    union all
    select t.id, 'the promise and its clock differ' from hotline.ticket t
    join lateral (select k.due_at from hotline.clock k where k.ticket_id = t.id and k.kind = 'promise' order by k.id desc limit 1) k on true
    where t.promise_due_at is distinct from k.due_at
$$;

-- 5. A unit sees what is assigned to its subtree and nothing else; above level 0 no number, above level 1 no name.
create or replace function hotline.bad_sights() returns table (ticket bigint, what text)
language plpgsql stable as $$
begin
    return query
    select i.ticket_id, format('listed to units %s, assigned to %s', i.units, coalesce(o.units, '{}'))
    from hotline.inbox i
    left join (select a.ticket_id, array_agg(distinct p order by p) as units
               from hotline.assignment a join hotline.unit u on u.id = a.unit_id cross join lateral unnest(u.path) p
               where a.state not in (8, 9) and not hotline.is_in_conflict(a.ticket_id, a.unit_id) group by a.ticket_id) o on o.ticket_id = i.ticket_id
    where i.units is distinct from coalesce(o.units, '{}');
    return query
    select a.ticket_id, format('unit %s has it, which is complained about or in conflict', a.unit_id)
    from hotline.conflict_unit k join hotline.assignment a on a.ticket_id = k.ticket_id
    where a.state not in (7, 8, 9) and hotline.is_under(a.unit_id, k.unit_id);
    return query
    select t.id, format('unit %s sees of the citizen: %s', a.unit_id, seen)
    from hotline.ticket t join hotline.assignment a on a.ticket_id = t.id and a.state not in (8, 9)
    cross join lateral hotline.contact_json(row(0, '', a.unit_id, '{UAP,UDP,UHD}'::text[], false, 'unit')::hotline.actor, t) seen
    where t.secrecy > 0
      and (seen->>'phone_mask' is not null or seen->>'may_reveal' = 'true' or t.secrecy > 1 and seen->>'name_mask' is not null);
end $$;

-- 6. What a citizen may read names nobody's number.
create or replace function hotline.bad_texts() returns table (ticket bigint, what text)
language sql stable as $$
    select r.ticket_id, format('the accepted reply of round %s holds a personal number', r.round) from hotline.reply r
    where r.verdict = 'passed' and (hotline.has_personal_number(r.content) or hotline.has_personal_number(r.public_text))
$$;

-- 7. A key did one thing once: what it was answered is there, and no other key was answered the same.
create or replace function hotline.bad_keys() returns table (ticket bigint, what text)
language sql stable as $$
    with answered as (
        select i.key, (i.body->>'id')::bigint as ticket_id, (i.body->>'event')::bigint as event_id
        from hotline.idem i where i.body->>'event' is not null
    )
    select min(ticket_id), format('%s keys were answered with event %s', count(*), event_id) from answered group by event_id having count(*) > 1
    union all
    select a.ticket_id, format('key %s was answered with event %s, which is not there', a.key, a.event_id) from answered a
    where not exists (select from hotline.event e where e.id = a.event_id and e.ticket_id = a.ticket_id)
    union all
    select null, format('number %s was answered and means no ticket', i.body->>'number') from hotline.idem i
    where i.body->>'number' is not null and not exists (select from hotline.ticket_ref r where r.ticket_no = (i.body->>'number')::bpchar)
$$;

-- 8. Who dispatched a ticket did not audit it; who called back is not of the unit that is judged.
create or replace function hotline.bad_hands() returns table (ticket bigint, what text)
language sql stable as $$
    select distinct d.ticket_id, format('person %s dispatched and audited', d.actor_id)
    from hotline.event d join hotline.event a on a.ticket_id = d.ticket_id and a.actor_id = d.actor_id
    where d.action in ('dispatch', 'dispatch_to_district', 'decide', 'redispatch') and a.action in ('audit_pass', 'audit_reject')
    union all
    select distinct v.ticket_id, format('person %s called back and is of the unit that handled it', v.by_person)
    from (select ticket_id, by_person from hotline.callback_attempt union select ticket_id, by_person from hotline.callback) v
    join hotline.person p on p.id = v.by_person
    join hotline.assignment a on a.ticket_id = v.ticket_id and hotline.is_under(p.unit_id, a.unit_id)
$$;

-- 9. Nothing is gone: a ticket has its number and all its events, an event its ticket; and what is void was made so by a shift lead.
create or replace function hotline.bad_gaps() returns table (ticket bigint, what text)
language sql stable as $$
    with chain as (select e.ticket_id, count(*) as n, max(e.n) as last from hotline.event e group by e.ticket_id)
    select coalesce(t.id, c.ticket_id), case when t.id is null then format('%s events of a ticket that is not there', c.n)
        else format('%s events, the last of them number %s, of %s', coalesce(c.n, 0), c.last, t.event_n) end
    from hotline.ticket t full join chain c on c.ticket_id = t.id
    where (c.n, c.last, t.event_n) is distinct from (c.n, c.n, c.n)
    union all
    select t.id, 'a ticket whose number leads nowhere' from hotline.ticket t
    where not exists (select from hotline.ticket_ref r where r.ticket_no = t.ticket_no and r.ticket_id = t.id)
    union all
    select r.ticket_id, format('number %s means a ticket that is not there', r.ticket_no) from hotline.ticket_ref r
    where not exists (select from hotline.ticket t where t.id = r.ticket_id)
    union all
    select t.id, 'void without the word of a shift lead' from hotline.ticket t
    where t.state = 82 and not exists (select from hotline.event e where e.ticket_id = t.id and e.to_state = 82 and e.from_state <> 82
        and (e.actor_role = 'LDR' or e.actor_role = 'EXT' and exists (select from hotline.imported m where m.ticket_id = t.id)))
$$;

-- 10. Every reply that was given is kept, of whatever round.
create or replace function hotline.bad_replies() returns table (ticket bigint, what text)
language sql stable as $$
    select e.ticket_id, format('the reply of event %s is gone', e.n) from hotline.event e
    where e.action = 'submit_reply' and e.payload ? 'reply'
      and not exists (select from hotline.reply r where r.ticket_id = e.ticket_id and r.id = (e.payload->>'reply')::bigint)
    union all
    select b.ticket_id, format('the verdict of round %s is gone', b.round) from (
        select e.ticket_id, (e.payload->>'round')::smallint - 1 as round from hotline.event e where e.action = 'rework' and e.payload ? 'round') b
    where not exists (select from hotline.callback c where c.ticket_id = b.ticket_id and c.round = b.round)
$$;

-- 11. When a ticket has ended, nobody works on it and no clock runs.
create or replace function hotline.bad_leftovers() returns table (ticket bigint, what text)
language sql stable as $$
    select t.id, format('%s, yet an assignment of unit %s is %s', hotline.name_of('state', t.state), a.unit_id, hotline.name_of('assignment_state', a.state))
    from hotline.ticket t join hotline.assignment a on a.ticket_id = t.id where t.state >= 70 and a.state not in (7, 8, 9)
    union all
    select t.id, format('%s, yet clock %s runs', hotline.name_of('state', t.state), k.kind)
    from hotline.ticket t join hotline.clock k on k.ticket_id = t.id where t.state >= 70 and k.met_at is null and k.stopped_at is null
    union all
    select t.id, format('%s, yet among the open work', hotline.name_of('state', t.state))
    from hotline.ticket t join hotline.inbox i on i.ticket_id = t.id
    where t.state >= 70 and not exists (select from hotline.approval w where w.ticket_id = t.id and w.verdict is null)
$$;
