-- Every clock that starts has an end, on every way a ticket can go: a walk over the table of transitions.

begin;
\ir play.psql

select plan(13);

-- Where a ticket can be, with the clocks that run there, and how it got there; guards are not asked, so these are all ways and more.
create table play.node (id int generated always as identity primary key, state smallint, assignment smallint, clocks text[], done boolean default false,
    unique (state, assignment, clocks));
create table play.edge (from_ int, to_ int, transition text);
create table play.twice (transition text, kind text);

create function play.effects(clocks text[], transition_ text) returns text[]
language plpgsql as $$
declare
    e hotline.clock_effect;
begin
    for e in select * from hotline.clock_effect where transition = transition_ order by ord loop
        if e.effect in ('start', 'unmeet') then
            if e.kind = any (clocks) then
                insert into play.twice values (transition_, e.kind);
            end if;
            clocks := clocks || e.kind;
        elsif e.effect in ('meet', 'stop', 'breach') then
            clocks := array(select k from unnest(clocks) k where k <> e.kind and e.kind <> '*');
        end if;
    end loop;
    return array(select distinct k from unnest(clocks) k order by k);
end $$;

-- How a ticket comes to be.
create function play.makers() returns text[] language sql as $$ select '{T01,T05,T11c,T12,T16,T77c}'::text[] $$;

create function play.walk() returns void
language plpgsql as $$
declare
    n play.node;
    r hotline.transition;
    to_state smallint;
    to_assignment smallint;
    running text[];
    to_id int;
begin
    insert into play.node (state, assignment, clocks) values (10, 0, play.effects('{draft}', 'T01')), (11, 0, play.effects('{}', 'T05'));
    insert into play.node (state, assignment, clocks)
    select distinct 20, 0, play.effects('{}', t) from unnest(play.makers()) t where t not in ('T01', 'T05');
    loop
        select * into n from play.node where not done order by id limit 1;
        exit when not found;
        update play.node set done = true where id = n.id;
        for r in select * from hotline.transition where n.state = any (from_states) and (from_assignment is null or n.assignment = any (from_assignment)) loop
            -- What the effects of a row decide: a new main assignment, none any more, back to where a return or a supplement was asked from.
            for to_state, to_assignment in
                select coalesce(s, r.to_state, n.state), coalesce(a, r.to_assignment, n.assignment)
                from (values ('T18', null, 1), ('T19', null, 1), ('T21', null, 1), ('T24', null, 1), ('T42', null, 3), ('T20', null, 0), ('T36', null, 0),
                    ('T33', null, 0), ('T34', 30, 1), ('T34', 40, 3), ('T71d', null, 0), ('T72', null, 0),
                    ('T08', case when n.assignment <> 0 then 40 when 'accept' = any (n.clocks) then 11 else 20 end, n.assignment)) as v(id, s, a)
                where v.id = r.id
                union all
                select coalesce(r.to_state, n.state), case when n.assignment = 0 or r.to_assignment in (8, 9) then 0 else coalesce(r.to_assignment, n.assignment) end
                where r.id not in ('T18', 'T19', 'T21', 'T24', 'T42', 'T20', 'T36', 'T33', 'T34', 'T71d', 'T72', 'T08')
            loop
                -- A mandatory consultation follows a verdict on a return.
                continue when r.id = 'T36' and n.assignment in (4, 6) or r.id = 'T34' and (to_state = 30) <> ('sign' = any (n.clocks));
                running := play.effects(n.clocks, r.id);
                insert into play.node (state, assignment, clocks) values (to_state, to_assignment, running) on conflict do nothing;
                select id into to_id from play.node w where (w.state, w.assignment, w.clocks) = (to_state, to_assignment, running);
                insert into play.edge values (n.id, to_id, r.id);
            end loop;
        end loop;
    end loop;
end $$;
select play.walk() \g /dev/null

select cmp_ok((select count(*)::int from play.node), '>', 15, 'the walk goes far');
select bag_eq('select distinct transition from play.edge', $$select id from transition where (id ~ '^T' or id = 'CAL') and id <> all (play.makers())$$, 'and takes every row of the table');
select is_empty('select distinct transition, kind from play.twice', 'no clock starts while one of its kind runs');
select is_empty('select name_of(''state'', state), clocks from play.node where state >= 70 and clocks <> ''{}''', 'no clock runs on in an ended ticket');
select is_empty(
    $$with recursive ends as (select id from play.node where state >= 70 union select e.from_ from play.edge e join ends on ends.id = e.to_)
      select name_of('state', state), clocks from play.node where id not in (select id from ends)$$,
    'from everywhere a ticket can end'
);
select is_empty(
    $$select distinct kind from clock_effect e where effect = 'start' and not exists (
        select from clock_effect x where x.kind = e.kind and x.effect in ('meet', 'stop', 'breach'))$$,
    'every clock that starts is met or stopped by name'
);
select results_eq(
    $$select distinct name_of('state', state) || ' ' || coalesce(name_of('assignment_state', assignment), '-'), array_to_string(array_remove(clocks, 'contact'), ' ')
      from play.node where state < 70 order by 1, 2$$,
    $$values ('draft -', 'draft'), ('handling audit_rejected', 'promise redo unit'), ('handling handling', 'promise redo unit'), ('handling handling', 'promise unit'),
        ('handling unit_approval', 'promise redo unit'), ('handling unit_approval', 'promise unit'), ('in_consultation -', 'consultation promise'),
        ('need_supplement -', 'accept promise'), ('need_supplement -', 'dispatch promise'),
        ('need_supplement handling', 'promise redo unit'), ('need_supplement handling', 'promise unit'),
        ('parked audit_rejected', 'ledger promise redo unit'), ('parked handling', 'ledger promise redo unit'), ('parked handling', 'ledger promise unit'),
        ('pending_accept -', 'accept promise'),
        ('pending_audit replied', 'audit promise'), ('pending_callback replied', 'callback closing'), ('pending_callback replied', 'closing'),
        ('pending_dispatch -', 'dispatch promise'), ('pending_sign pending_sign', 'promise sign unit'),
        ('return_review return_req', 'promise redo unit'), ('return_review return_req', 'promise sign unit'), ('return_review return_req', 'promise unit'),
        ('suspended audit_rejected', 'promise redo unit'), ('suspended handling', 'promise redo unit'), ('suspended handling', 'promise unit')$$,
    'which clocks run where is what the field says'
);
select is_empty('select * from play.node n where not exists (select from legal_pair where ticket_state = state and assignment_state = assignment)', 'no way leads to an illegal pair');

-- Every clock that can start finds its budget.
select is_empty(
    $$select p.code, k.kind from policy p cross join (select distinct kind from clock_effect where effect = 'start' and kind <> 'promise') k
      where not exists (select from policy_clock c where c.policy = p.code and c.version = p.version and c.kind = k.kind)$$,
    'every policy has a budget for every clock'
);
select is_empty(
    $$select t.code, u.code from word t cross join word u where t.kind = 'appeal_type' and u.kind = 'urgency'
      and not exists (select from policy where code = policy_for(t.code, u.code) and promise_budget > 0)$$,
    'every type and urgency has a promise'
);

-- A paused clock: two pauses on the clock of a ticket.
create function play.pauses() returns setof text
language plpgsql as $$
declare
    tid bigint := play.ticket('handling');
begin
    perform play.pause(tid, 'unit', 'pause_3', '2026-03-03 10:00+08');
    return next (select 'paused ' || (select paused_at is not null from hotline.clock where ticket_id = tid and kind = 'unit')
        || ' timers ' || (select count(*) from hotline.timer m join hotline.clock k on k.id = m.clock_id where k.ticket_id = tid and k.kind = 'unit'));
    perform play.resume(tid, 'unit', '2026-03-05 09:00+08');
    perform play.pause(tid, 'unit', 'pause_6', '2026-03-06 16:00+08');
    perform play.resume(tid, 'unit', '2026-03-09 09:00+08');
    return next (select to_char(due_at, 'MM-DD') || ' yellow ' || to_char(warn_at, 'MM-DD') || ' deep ' || to_char(deep_at, 'MM-DD') from hotline.clock where ticket_id = tid and kind = 'unit');
    return next (select to_char(max(m.at), 'MM-DD') || ' ' || string_agg(m.kind, ' ' order by m.at) from hotline.timer m join hotline.clock k on k.id = m.clock_id where k.ticket_id = tid and k.kind = 'unit');
end $$;
select results_eq('select * from play.pauses()', $$values ('paused true timers 0'), ('03-12 yellow 03-11 deep 03-13'), ('03-12 yellow clock')$$, 'two pauses move due time, lights and timer');
select throws_ok($$insert into clock_pause (ticket_id, clock_id, reason, from_at, asked_by, approved_by) values (1, 1, 'pause_4', now(), 5, 5)$$, '23514', null, 'nobody approves the own pause');

select play.go('2026-03-09 09:00') \g /dev/null
select take_time(jsonb_build_object('at', play.clock())) \g /dev/null
select is_empty('select * from check_invariants()', 'the eleven invariants hold');

select * from finish();
rollback;
