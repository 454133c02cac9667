-- Returns, consultations, assisting and sub-units, extensions, suspension and parking: what they need beside the tables there are.

-- A dispatcher's lease on a ticket in the pool; the latest moment that an outer authority (the province) allows.
alter table hotline.ticket add column claimed_by int;
alter table hotline.ticket add column claimed_until timestamptz;
alter table hotline.ticket add column if not exists outer_due_at timestamptz;

-- Until when the unit may still ask to return it where the shift lead opened the window again; when it asked.
alter table hotline.assignment add column return_until timestamptz;
alter table hotline.assignment add column return_asked_at timestamptz[];

create index assignment_returns on hotline.assignment (dispatched_at) where return_asked_at is not null;

alter table hotline.clock_effect drop constraint if exists clock_effect_effect;
alter table hotline.clock_effect add constraint clock_effect_effect
    check (effect in ('start', 'meet', 'stop', 'unmeet', 'breach', 'pause', 'resume', 'extend', 'restart'));

-- unit, co, sub: the main, an assisting or a sub-unit's assignment is the person's unit's; part: the main or a sub-unit's; asked: it
-- waits for a decision of one of the person's roles.
alter table hotline.role_right drop constraint role_right_scope;
alter table hotline.role_right add constraint role_right_scope check (scope in ('own', 'unit', 'all', 'co', 'sub', 'part', 'asked'));

-- The only reasons for which a clock stands still, which clocks they stop, for how many workdays at most and how often.
create table hotline.pause_reason (
    code text primary key,
    stops_unit boolean not null,
    stops_promise boolean not null,
    max_days int,
    times int,
    decider_role text references hotline.role,
    needs_law boolean not null,
    by_hand boolean not null
);
alter table hotline.clock_pause drop constraint clock_pause_reason;

-- How much an extension may add: the first, the second.  No row: none.
create table hotline.policy_extension (
    policy text not null,
    version int not null,
    n smallint not null,
    budget int not null,
    unit text not null,
    primary key (policy, version, n),
    constraint policy_extension_policy foreign key (policy, version) references hotline.policy,
    constraint policy_extension_unit check (unit in ('workday', 'hour')),
    constraint policy_extension_budget check (budget > 0)
);

-- A decision in two stages: first_role within the unit, then the centre.  runs: what the last stage decides, if not the action that
-- was asked for; first_runs: the first stage's word already makes it happen.  decider names a function for who decides; chain is who
-- is next when nobody does, and lapse the transition that says so; also_role may decide too until then.
alter table hotline.approval_kind add column first_role text references hotline.role;
alter table hotline.approval_kind add column first_runs boolean not null default false;
alter table hotline.approval_kind add column runs text;
alter table hotline.approval_kind add column decider text;
alter table hotline.approval_kind add column also_role text references hotline.role;
alter table hotline.approval_kind add column chain text[];
alter table hotline.approval_kind add column by_policy boolean not null default false;
alter table hotline.approval_kind add column lapse text;
alter table hotline.approval add column after bigint;

create table hotline.return_request (
    ticket_id bigint not null,
    event_id bigint not null,
    assignment_id bigint not null,
    unit_id int not null,
    code text not null,
    legal_basis text not null,
    suggested_unit_id int,
    explain text not null,
    evidence text[],
    asked_by int not null,
    approved_by int not null,
    at timestamptz not null,
    verdict text,
    blame text,
    decided_by int,
    decided_at timestamptz,
    primary key (ticket_id, event_id),
    constraint return_request_verdict check (verdict in ('approved', 'rejected', 'consulted'))
) partition by range (ticket_id);

create table hotline.consultation (
    ticket_id bigint not null,
    event_id bigint not null,
    participants int[] not null,
    question text not null,
    opened_by int,
    at timestamptz not null,
    opinions text[],
    decision text,
    decided_by int,
    decided_at timestamptz,
    primary key (ticket_id, event_id)
) partition by range (ticket_id);

-- What was decided about who is responsible, found again by category and place when the next one like it is to be dispatched.
create table hotline.directory_precedent (
    event_id bigint primary key,
    ticket_id bigint not null,
    category_id int,
    division text,
    unit_id int not null references hotline.unit,
    co_unit_ids int[] not null,
    legal_basis text not null,
    decision text not null,
    decided_by int not null references hotline.person,
    at timestamptz not null
);
create index directory_precedent_category on hotline.directory_precedent (category_id, at);
create index directory_precedent_unit on hotline.directory_precedent (unit_id);
create index directory_precedent_person on hotline.directory_precedent (decided_by);

-- What a granted return says about the directory; somebody looks whether an item must change.
create table hotline.directory_feedback (
    event_id bigint primary key,
    ticket_id bigint not null,
    directory_item_id int,
    category_id int,
    unit_id int not null references hotline.unit,
    suggested_unit_id int references hotline.unit,
    code text not null,
    blame text not null,
    at timestamptz not null,
    done_by int references hotline.person,
    done_at timestamptz
);
create index directory_feedback_open on hotline.directory_feedback (at) where done_at is null;
create index directory_feedback_unit on hotline.directory_feedback (unit_id);
create index directory_feedback_suggested on hotline.directory_feedback (suggested_unit_id);
create index directory_feedback_person on hotline.directory_feedback (done_by);

-- The word of an assisting unit or a sub-unit.
create table hotline.part_reply (
    ticket_id bigint not null,
    event_id bigint not null,
    assignment_id bigint not null,
    content text not null,
    measures text,
    by_person int not null,
    at timestamptz not null,
    primary key (ticket_id, event_id)
) partition by range (ticket_id);

-- More time, granted; or, waived, the lead's word that a matter may be parked without having had any.
create table hotline.extension (
    ticket_id bigint not null,
    event_id bigint not null,
    assignment_id bigint not null,
    n smallint,
    code text,
    added int,
    unit text,
    old_due_at timestamptz,
    new_due_at timestamptz,
    waived boolean not null default false,
    asked_by int not null,
    decided_by int,
    at timestamptz not null,
    primary key (ticket_id, event_id)
) partition by range (ticket_id);

create table hotline.suspension (
    ticket_id bigint not null,
    event_id bigint not null,
    assignment_id bigint not null,
    code text not null,
    until timestamptz not null,
    asked_by int not null,
    approved_by int,
    at timestamptz not null,
    resumed_at timestamptz,
    resumed_by int,
    primary key (ticket_id, event_id)
) partition by range (ticket_id);

-- The ledger of matters that cannot be solved for the time being.
create table hotline.park (
    ticket_id bigint not null,
    event_id bigint not null,
    assignment_id bigint not null,
    obstacle text not null,
    plan text not null,
    milestones text[] not null,
    responsible_leader text not null,
    next_review date not null,
    asked_by int not null,
    approved_by int not null,
    at timestamptz not null,
    progress_at timestamptz,
    ended_at timestamptz,
    primary key (ticket_id, event_id)
) partition by range (ticket_id);
