-- The ground: two schemas, the engine's role, time, ids, words and the reference data that cities differ in.

create schema hotline;
create schema api;

do $$
begin
    if not exists (select from pg_roles where rolname = 'hotline_engine') then
        create role hotline_engine login;
    end if;
end $$;

revoke all on schema public from public;
grant usage on schema api to hotline_engine;

-- What every API function answers: the HTTP status it deserves and the text to send.
create type api.answer as (status int, body json);

-- One row at most.  A database marked as a simulation reads its time from here or from the call itself.
create table hotline.simulation (
    only_one boolean primary key default true,
    at timestamptz,
    constraint simulation_one check (only_one)
);

-- Settings that the rules read (limits of the workflow, not of the daemon).
create table hotline.setting (
    name text primary key,
    value jsonb not null,
    meaning text not null
);

create sequence hotline.id_seq as bigint;
-- Seven digits of the ticket number; the date in front tells the rounds apart.
create sequence hotline.ticket_no_seq as bigint minvalue 0 maxvalue 9999999 start 1 cycle;

-- Small integers in storage, words in the interface: state, assignment_state, appeal_type, channel, …
create table hotline.word (
    kind text not null,
    code smallint not null,
    name text not null,
    zh text not null,
    en text not null,
    primary key (kind, code),
    unique (kind, name)
);

create table hotline.division (
    code text primary key,
    parent text references hotline.division,
    level smallint not null,
    name text not null,
    name_en text,
    constraint division_code check (code ~ '^[0-9]{4}([0-9]{2}([0-9]{3}([0-9]{3})?)?)?$'),
    constraint division_level check (level between 1 and 4)
);
create index division_parent on hotline.division (parent);

create table hotline.calendar (
    id int primary key,
    name text not null,
    am_open time not null,
    am_close time not null,
    pm_open time not null,
    pm_close time not null,
    always_open boolean not null default false,
    constraint calendar_windows check (am_open < am_close and am_close <= pm_open and pm_open < pm_close)
);

-- Only the exceptions: days off that are not a weekend, and weekends that are worked.
create table hotline.calendar_day (
    calendar_id int not null references hotline.calendar,
    day date not null,
    is_off boolean not null,
    name text not null,
    primary key (calendar_id, day)
);

-- The years whose holidays are published and loaded; dates of other years are provisional.
create table hotline.calendar_year (
    calendar_id int not null references hotline.calendar,
    year int not null,
    primary key (calendar_id, year)
);

-- Every date with its number among the workdays, made from the three tables above by hotline.calendar_build:
-- "the fifth workday after" is then one look-up.  seq counts the workdays up to and including this day.
create table hotline.workday (
    calendar_id int not null references hotline.calendar,
    day date not null,
    is_work boolean not null,
    seq int not null,
    provisional boolean not null,
    primary key (calendar_id, day)
);
create unique index workday_seq on hotline.workday (calendar_id, seq) where is_work;

create table hotline.unit (
    id int primary key,
    code text not null unique,
    parent_id int references hotline.unit,
    level smallint not null,
    kind text not null,
    name text not null,
    short_name text not null,
    name_en text,
    division text references hotline.division,
    grassroots boolean not null default false,
    calendar_id int not null default 1 references hotline.calendar,
    valid_from date not null default '2000-01-01',
    valid_to date,
    -- The unit and its ancestors below the centre, kept by hotline.settle().
    path int[] not null default '{}',
    constraint unit_level check (level between 1 and 4),
    constraint unit_kind check (kind in ('centre', 'department', 'district', 'utility', 'street', 'section'))
);
create index unit_parent on hotline.unit (parent_id);
create index unit_division on hotline.unit (division);
create index unit_calendar on hotline.unit (calendar_id);

create table hotline.category (
    id int primary key,
    scheme text not null default 'local',
    code text not null,
    parent_id int references hotline.category,
    level smallint not null,
    name text not null,
    name_en text,
    default_type text,
    valid_from date not null default '2000-01-01',
    valid_to date,
    unique (scheme, code)
);
create index category_parent on hotline.category (parent_id);

-- A policy is versioned; a ticket keeps the version valid at its dispatch.
create table hotline.policy (
    code text not null,
    version int not null,
    name text not null,
    name_en text not null,
    valid_from date not null default '2000-01-01',
    valid_to date,
    promise_budget int,
    promise_unit text,
    primary key (code, version)
);

create table hotline.policy_clock (
    policy text not null,
    version int not null,
    kind text not null,
    budget int not null,
    unit text not null,
    primary key (policy, version, kind),
    constraint policy_clock_policy foreign key (policy, version) references hotline.policy,
    constraint policy_clock_unit check (unit in ('workday', 'workhour', 'hour', 'day', 'minute')),
    constraint policy_clock_budget check (budget >= 0)
);

-- Which policy a type and urgency get when the directory item names none; the row with more fields wins.
create table hotline.policy_rule (
    id int primary key,
    appeal_type smallint,
    urgency smallint,
    policy text not null
);

create table hotline.directory_item (
    id int primary key,
    code text not null unique,
    name text not null,
    category_id int not null references hotline.category,
    division text references hotline.division,
    keywords text[] not null,
    main_rule text not null,
    main_unit_id int references hotline.unit,
    co_unit_ids int[] not null default '{}',
    policy text,
    appeal_types text[],
    exclude_grassroots boolean not null default false,
    legal_basis text,
    version int not null default 1,
    valid_from date not null default '2000-01-01',
    valid_to date,
    constraint directory_item_rule check (main_rule in ('unit', 'district', 'street')),
    constraint directory_item_unit check (main_rule <> 'unit' or main_unit_id is not null)
);
create index directory_item_category on hotline.directory_item (category_id);
create index directory_item_division on hotline.directory_item (division);
create index directory_item_unit on hotline.directory_item (main_unit_id);

-- People.  A password is kept as its argon2id hash, made by the helper process.
create table hotline.person (
    id int generated by default as identity primary key,
    login text not null unique,
    name text not null,
    unit_id int not null references hotline.unit,
    password_hash text not null,
    demo boolean not null default false,
    disabled_at timestamptz
);
create index person_unit on hotline.person (unit_id);

create table hotline.role (
    code text primary key,
    zh text not null,
    en text not null,
    centre boolean not null
);

create table hotline.person_role (
    person_id int not null references hotline.person,
    role text not null references hotline.role,
    primary key (person_id, role)
);
create index person_role_role on hotline.person_role (role);

-- What a role may do, and to what: own (what this person made), unit (the own unit's subtree), all.
create table hotline.role_right (
    role text not null references hotline.role,
    action text not null,
    scope text not null,
    primary key (role, action),
    constraint role_right_scope check (scope in ('own', 'unit', 'all'))
);
create index role_right_action on hotline.role_right (action);

-- Wrong passwords in a row, per name whether anybody has it or not: a lock tells nothing about who has an account.
create table hotline.login_failure (
    login text primary key,
    failed int not null,
    locked_until timestamptz,
    at timestamptz not null
);

create table hotline.session (
    hash text primary key,
    person_id int not null references hotline.person,
    opened_at timestamptz not null,
    expires_at timestamptz not null,
    closed_at timestamptz
);
create index session_person on hotline.session (person_id);

-- The first answer to every key, per principal and route.  The digest is the body's; another body under the same key is refused.
create table hotline.idem (
    principal text not null,
    route text not null,
    key text not null,
    digest text not null,
    status int,
    body json,
    at timestamptz not null,
    primary key (principal, route, key)
);
create index idem_at on hotline.idem (at);
