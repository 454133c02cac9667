-- The reasons for which a clock may stand still, and how much time an extension may add.

insert into hotline.pause_reason (code, stops_unit, stops_promise, max_days, times, decider_role, needs_law, by_hand) values
    ('pause_1', true, true, 3, 2, null, false, false),
    ('pause_2', true, false, 3, 1, null, false, true),
    ('pause_3', true, false, null, null, 'LDR', true, true),
    ('pause_4', true, true, null, null, 'SUP', false, true),
    ('pause_5', true, true, null, null, 'LDR', false, true),
    ('pause_6', true, true, 10, 1, null, false, true),
    ('pause_7', true, true, null, null, 'ADM', false, true),
    ('parked', true, true, null, null, 'SUP', false, false)
on conflict (code) do update set stops_unit = excluded.stops_unit, stops_promise = excluded.stops_promise, max_days = excluded.max_days,
    times = excluded.times, decider_role = excluded.decider_role, needs_law = excluded.needs_law, by_hand = excluded.by_hand;

do $$
begin
    if not exists (select from pg_constraint where conname = 'clock_pause_reason' and conrelid = 'hotline.clock_pause'::regclass) then
        alter table hotline.clock_pause add constraint clock_pause_reason foreign key (reason) references hotline.pause_reason;
    end if;
end $$;

-- The first at most five workdays, the second at most ten; who must act at once gets a day, once, and a rework none.
insert into hotline.policy_extension (policy, version, n, budget, unit)
select p, 1, n, budget, unit
from (values ('U2', 1, 24, 'hour'), ('C1', 1, 3, 'workday'), ('H1', 1, 5, 'workday'), ('H1', 2, 10, 'workday'), ('R1', 1, 5, 'workday'),
    ('R1', 2, 10, 'workday'), ('S1', 1, 5, 'workday'), ('S1', 2, 10, 'workday'), ('X1', 1, 5, 'workday'), ('X1', 2, 10, 'workday'),
    ('P1', 1, 5, 'workday'), ('P1', 2, 10, 'workday')) as v(p, n, budget, unit)
on conflict (policy, version, n) do nothing;

-- Until when a unit may ask to return a ticket, counted from its dispatch, and how often a parked one is reported on.
insert into hotline.policy_clock (policy, version, kind, budget, unit)
select code, version, k, case when k = 'ledger' then 30 when code in ('U1', 'U2') then 30 else 1 end,
    case when k = 'ledger' then 'day' when code in ('U1', 'U2') then 'minute' else 'workday' end
from hotline.policy cross join unnest('{return,ledger}'::text[]) as k
where version = 1
on conflict (policy, version, kind) do nothing;
