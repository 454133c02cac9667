-- Every action by every person at every point of a ticket's way: what the table allows happens, everything else is refused and
-- changes nothing, and api.actions lists exactly what happens.

begin;
\ir play.psql

select plan(9);

-- Read from the field's rules, by hand: who may do what, and when.
create table play.allowed as
select action, login, stage
from (values
    ('request_supplement', 'acceptor1', 'pending_accept refusing'),
    ('request_supplement', 'dispatcher1', 'pending_dispatch'),
    ('request_supplement', 'st-gaj.h', 'handling contacted pressed'),
    ('supplement', 'operator1 operator2', 'need_supplement'),
    ('urgent_transfer', 'operator1', 'draft'),
    ('urgent_transfer', 'operator1 operator2', 'OPEN'),
    ('urgent_part', 'operator1 operator2', 'OPEN'),
    ('followup', 'operator1 operator2', 'OPEN'),
    ('merge', 'operator1', 'draft'),
    ('merge', 'operator1 operator2 dispatcher1', 'pending_accept refusing pending_dispatch'),
    ('group', 'dispatcher1 leader1', 'OPEN'),
    ('flag_integrity', 'callback1', 'reached unhappy asked_rework'),
    ('reopen', 'leader1 supervisor1 efficiency1', 'closed'),
    ('reopen_to_unit', 'leader1 supervisor1 efficiency1', 'closed'),
    ('void', 'leader1', 'draft pending_accept refusing need_supplement pending_dispatch UNIT'),
    ('urge', 'operator1 operator2 callback1', 'OPEN'),
    ('answer_urge', 'st-gaj.d st-gaj.h', 'pressed'),
    ('supervise', 'supervisor1 efficiency1 cityleader1', 'OPEN closed'),
    ('answer_supervision', 'st-gaj.a', 'pressed'),
    ('close_supervision', 'supervisor1', 'pressed'),
    ('withdraw', 'operator1 operator2', 'OPEN'),
    ('refer_out', 'leader1', 'pending_accept refusing pending_dispatch UNIT'),
    ('recuse', 'st-gaj.d st-gaj.h st-gaj.a auditor1', 'UNIT'),
    ('recuse', 'auditor1', 'pending_audit third_rejection'),
    ('name_conflict', 'operator1 operator2 acceptor1 dispatcher1 auditor1 leader1', 'OPEN'),
    ('watch', 'operator1 operator2 acceptor1 dispatcher1 auditor1 callback1 supervisor1 efficiency1 cityleader1', 'OPEN'),
    ('watch', 'leader1', 'pending_accept refusing need_supplement pending_dispatch pending_sign second_round handling contacted unit_approval audit_rejected CENTRE'),
    ('watch', 'st-gaj.d st-gaj.h st-gaj.a', 'UNIT CENTRE'),
    ('unwatch', 'leader1', 'pressed'),
    ('save_draft', 'operator1 leader1', 'draft'),
    ('answer_on_spot', 'operator1 acceptor1', 'draft'),
    ('answer_on_spot', 'acceptor1', 'pending_accept refusing'),
    ('submit', 'operator1', 'draft'),
    ('accept', 'acceptor1', 'pending_accept refusing'),
    ('refuse', 'operator1 acceptor1', 'draft'),
    ('refuse', 'acceptor1', 'pending_accept'),
    ('dispatch', 'dispatcher1', 'pending_dispatch'),
    ('sign', 'st-gaj.d', 'pending_sign second_round'),
    ('first_contact', 'st-gaj.h', 'handling contacted audit_rejected pressed'),
    ('submit_reply', 'st-gaj.h', 'contacted audit_rejected'),
    ('unit_approve', 'st-gaj.a', 'unit_approval'),
    ('unit_reject', 'st-gaj.a', 'unit_approval'),
    ('audit_pass', 'auditor1', 'pending_audit third_rejection'),
    ('audit_reject', 'auditor1', 'pending_audit'),
    ('audit_reject', 'supervisor1', 'third_rejection'),
    ('callback_attempt', 'callback1', 'pending_callback reached unhappy asked_rework rounds_up'),
    ('callback_ok', 'callback1', 'reached unhappy rounds_up'),
    ('rework', 'callback1', 'reached unhappy'),
    ('close_unsatisfied', 'leader1', 'unhappy'),
    ('approve', 'leader1', 'refusing asked_rework'),
    ('reject', 'leader1', 'refusing asked_rework')
) as v(action, logins, stages), regexp_split_to_table(logins, ' ') as login,
    -- OPEN: whatever has not ended; UNIT: while the unit works on it; CENTRE: after its reply.
    regexp_split_to_table(replace(replace(replace(stages, 'OPEN', 'pending_accept refusing need_supplement pending_dispatch UNIT CENTRE'),
        'UNIT', 'pending_sign second_round handling contacted pressed unit_approval audit_rejected'),
        'CENTRE', 'pending_audit third_rejection pending_callback reached unhappy asked_rework rounds_up'), ' ') as stage;

create table play.actor as
select login from unnest('{operator1, operator2, acceptor1, leader1, dispatcher1, auditor1, callback1, supervisor1, efficiency1, media1, social1,
    cityleader1, admin1, st-gaj.d, st-gaj.h, st-gaj.a, st-jjzd.d, st-jjzd.h, st-jjzd.a}'::text[]) as login;

create table play.point as
select stage, tid, ''::text as was
from unnest('{draft, pending_accept, refusing, refused, need_supplement, pending_dispatch, pending_sign, handling, pressed, contacted, unit_approval, audit_rejected,
    pending_audit, third_rejection, pending_callback, reached, unhappy, asked_rework, second_round, rounds_up, closed, archived}'::text[]) as stage, play.ticket(stage) as tid;

create table play.probed (stage text, login text, action text, said text);
create table play.traces (stage text, login text, refused text[]);

do $$
declare
    k play.point;
    who text;
    said jsonb;
    changed boolean;
begin
    for k in select * from play.point loop
        k.was := play.print(k.tid);
        for who in select login from play.actor loop
            -- Undone as a whole, so that row locks of a few thousand probes do not pile up.
            begin
                said := (select jsonb_object_agg(action, play.probe(who, k.tid, action)) from (select distinct action from hotline.transition) as t);
                changed := play.print(k.tid) <> k.was;
                raise exception using errcode = 'PL000', message = 'undo';
            exception when sqlstate 'PL000' then
                null;
            end;
            insert into play.probed select k.stage, who, action, answer from jsonb_each_text(said) as e(action, answer);
            if changed then
                insert into play.traces select k.stage, who, array_agg(action) from play.probed p
                where p.stage = k.stage and p.login = who and p.said <> '200';
            end if;
        end loop;
    end loop;
end $$;

select bag_has(
    $$select distinct role from person_role r join person p on p.id = r.person_id join play.actor a on a.login = p.login$$,
    $$select code from role where code not in ('CIT', 'EXT', 'SYS', 'SEC')$$, 'every role of a person plays'
);
select results_eq(
    'select distinct stage, action, login from play.probed where said = ''200'' order by 1, 2, 3',
    'select distinct stage, action, login from play.allowed order by 1, 2, 3', 'what is allowed happens, and nothing else'
);
select is_empty(
    $$select stage, login, action, said from play.probed where said <> '200' and said !~ '^40[349] [a-z_]+$'$$,
    'a refusal of good inputs is 403, 404 or 409 with a code'
);
select is_empty('select * from play.traces', 'a refusal changes nothing');
select is_empty(
    $$select stage, login, action, said from play.probed where said !~ '^404'
      and (login like 'st-jjzd%' or login in ('media1', 'social1', 'admin1')
           or login like 'st-gaj%' and stage in ('draft', 'pending_accept', 'refusing', 'refused', 'need_supplement', 'pending_dispatch'))$$,
    'to whom a ticket is not shown it does not exist'
);
select is_empty(
    $$select stage, login, action, said from play.probed where said <> '200' and said ~ '^409' and stage <> 'asked_rework'
      and not exists (select from role_right r join person_role using (role) join person p on p.id = person_id
                      where p.login = probed.login and r.action = probed.action or probed.action in ('approve', 'reject'))$$,
    'who never may is told so, not that the moment is wrong'
);

create table play.listed as
select stage, login, x->>'action' as action
from play.point, play.actor,
     coalesce((select (a.body->'actions')::jsonb from api.actions(jsonb_build_object('session', login, 'id', tid::text, 'at', play.clock())) a), '[]') as list,
     jsonb_array_elements(list) as x;
select results_eq(
    'select stage, login, action from play.listed order by 1, 2, 3',
    'select stage, login, action from play.probed where said = ''200'' order by 1, 2, 3', 'what is listed is exactly what happens'
);
select is_empty(
    $$select r.id from transition r where not exists (select from play.allowed a where a.action = r.action)
      and r.action not in ('create_draft', 'submit_online', 'ask', 'lapse', 'deemed_sign', 'audit_timeout', 'close_unreachable', 'close_waived', 'archive', 'calendar_adjust',
          'remind_supplement', 'supplement_timeout', 'share_reply', 'late_rating', 'object', 'create_rest', 'receive_from_110', 'receive_province', 'continue_by_centre')$$,
    'no row of the table is left out here'
);

select is_empty('select * from check_invariants()', 'the eleven invariants hold');

select * from finish();
rollback;
