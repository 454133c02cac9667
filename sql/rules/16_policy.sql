-- The policies (Shantou profile): budgets per clock.  workhour and minute are in minutes, hour in hours.

insert into hotline.policy (code, version, name, name_en, promise_budget, promise_unit) values
    ('U1', 1, '特急（涉生命安全的后续事项）', 'Urgent, life', 24, 'hour'),
    ('U2', 1, '紧急（水电气热与公共安全）', 'Urgent, utilities and safety', 48, 'hour'),
    ('C1', 1, '咨询', 'Question', 4, 'workday'),
    ('H1', 1, '求助与投诉', 'Help and complaint', 10, 'workday'),
    ('R1', 1, '举报', 'Report', 10, 'workday'),
    ('S1', 1, '建议', 'Suggestion', 15, 'workday'),
    ('X1', 1, '复杂疑难', 'Complex', 25, 'workday'),
    ('P1', 1, '省派工单', 'Province', null, null),
    ('W1', 1, '重办', 'Rework round', null, null)
on conflict (code, version) do nothing;

insert into hotline.policy_clock (policy, version, kind, budget, unit)
select p, 1, k, split_part(v, ' ', 1)::int, split_part(v, ' ', 2)
from (values
    -- policy, accept, dispatch, sign, contact, unit, audit, callback, review
    ('U1', '5 minute', '10 minute', '30 minute', '30 minute', '24 hour', '2 hour', '24 hour', '15 minute'),
    ('U2', '10 minute', '15 minute', '1 hour', '2 hour', '24 hour', '240 workhour', '1 workday', '15 minute'),
    ('C1', '120 workhour', '120 workhour', '240 workhour', '1 workday', '2 workday', '240 workhour', '1 workday', '120 workhour'),
    ('H1', '240 workhour', '240 workhour', '1 workday', '1 workday', '5 workday', '1 workday', '3 workday', '120 workhour'),
    ('R1', '240 workhour', '240 workhour', '1 workday', '1 workday', '5 workday', '1 workday', '3 workday', '120 workhour'),
    ('S1', '240 workhour', '1 workday', '1 workday', '3 workday', '10 workday', '1 workday', '5 workday', '120 workhour'),
    ('X1', '240 workhour', '1 workday', '1 workday', '1 workday', '15 workday', '1 workday', '3 workday', '120 workhour'),
    ('P1', '240 workhour', '120 workhour', '240 workhour', '1 workday', '5 workday', '240 workhour', '3 workday', '120 workhour'),
    ('W1', '240 workhour', '0 minute', '240 workhour', '240 workhour', '3 workday', '240 workhour', '2 workday', '120 workhour')
) as t(p, accept, dispatch, sign, contact, unit, audit, callback, review)
cross join lateral (values ('accept', accept), ('dispatch', dispatch), ('sign', sign), ('contact', contact), ('unit', unit),
    ('audit', audit), ('callback', callback), ('review', review), ('redo', '1 workday'), ('closing', '10 workday'),
    ('consultation', '1 workday')) as c(k, v)
on conflict (policy, version, kind) do nothing;

-- Type × urgency; a named urgency wins over the type.
insert into hotline.policy_rule (id, appeal_type, urgency, policy) values
    (1, null, 1, 'U1'),
    (2, null, 2, 'U2'),
    (3, null, 5, 'X1'),
    (11, 1, null, 'C1'),
    (12, 2, null, 'H1'),
    (13, 3, null, 'H1'),
    (14, 4, null, 'R1'),
    (15, 5, null, 'S1'),
    (16, 6, null, 'C1'),
    (17, 7, null, 'H1')
on conflict (id) do update set appeal_type = excluded.appeal_type, urgency = excluded.urgency, policy = excluded.policy;

create or replace function hotline.policy_for(appeal_type_ smallint, urgency_ smallint) returns text
language plpgsql stable as $$
begin
    return (
        select policy from hotline.policy_rule
        where (appeal_type = appeal_type_ or appeal_type is null) and (urgency = urgency_ or urgency is null)
        order by (urgency is not null) desc, id limit 1
    );
end $$;

-- What another platform handed over with a limit of its own has the province's policy.
create or replace function hotline.policy_of(t hotline.ticket) returns text
language sql stable as $$
    select case when t.outer_due_at is not null then 'P1' else hotline.policy_for(t.appeal_type, t.urgency) end
$$;

create or replace function hotline.policy_version(code_ text, at timestamptz) returns int
language plpgsql stable as $$
begin
    return (
        select version from hotline.policy
        where code = code_ and valid_from <= hotline.day_of(at) and (valid_to is null or valid_to > hotline.day_of(at))
        order by version desc limit 1
    );
end $$;
