-- The complaint and what happens to it.  Large tables are partitioned by month on the ticket's time-ordered id (event: on its
-- own), so a ticket's rows lie in one partition; hotline.partition_make makes the months.

create table hotline.ticket (
    id bigint not null,
    ticket_no char(16) not null,
    version int not null default 1,
    state smallint not null,
    appeal_type smallint not null,
    urgency smallint not null,
    secrecy smallint not null default 0,
    anonymous boolean not null default false,
    publish smallint not null default 0,
    reply_wanted boolean not null default true,
    channel smallint not null,
    category_id int,
    division text,
    address text,
    lng numeric(10, 7),
    lat numeric(9, 7),
    title text not null,
    content text not null,
    created_by int,
    unit_id int,
    directory_item_id int,
    policy text,
    policy_version int,
    round smallint not null default 0,
    contact_count int not null default 0,
    route jsonb,
    close_kind smallint,
    submitted_at timestamptz,
    accepted_at timestamptz,
    dispatched_at timestamptz,
    replied_at timestamptz,
    closed_at timestamptz,
    ended_at timestamptz,
    archived_at timestamptz,
    rated smallint,
    resolved smallint,
    rework_count smallint not null default 0,
    promise_due_at timestamptz,
    query_code_hash text,
    event_n int not null default 0,
    event_at timestamptz,
    event_hash bytea,
    primary key (id),
    constraint ticket_title check (char_length(title) <= 200),
    constraint ticket_content check (char_length(content) <= 10000),
    constraint ticket_closed check ((state in (70, 71)) = (closed_at is not null)),
    constraint ticket_ended check ((state >= 70) = (ended_at is not null)),
    constraint ticket_accepted check (accepted_at is not null or state in (10, 11, 12, 80, 81, 82, 83, 84)),
    constraint ticket_dispatched check (dispatched_at is not null or state not in (30, 31, 40, 41, 42, 50))
) partition by range (id);

-- Every number ever answered, and the one ticket it means.
create table hotline.ticket_ref (
    ticket_no char(16) primary key,
    ticket_id bigint not null
);
create index ticket_ref_ticket on hotline.ticket_ref (ticket_id);

-- Contact data: ciphertext of the engine's making, a keyed hash to find it by, a mask to show.
create table hotline.ticket_contact (
    ticket_id bigint not null,
    phone_enc text,
    phone_hmac text,
    phone_mask text,
    name_enc text,
    name_mask text,
    query_code_enc text,
    primary key (ticket_id)
) partition by range (ticket_id);
create index ticket_contact_phone on hotline.ticket_contact (phone_hmac);

-- The words a citizen used stay as they were; an edited title or content is a new row.
create table hotline.ticket_text (
    ticket_id bigint not null,
    n smallint not null,
    title text not null,
    content text not null,
    by_person int,
    at timestamptz not null,
    primary key (ticket_id, n)
) partition by range (ticket_id);

-- Character bigrams of title and content (engine/text), for search and likeness.
create table hotline.ticket_gram (
    ticket_id bigint not null,
    grams int[] not null,
    primary key (ticket_id)
) partition by range (ticket_id);
create index ticket_gram_grams on hotline.ticket_gram using gin (grams) with (fastupdate = on);

create table hotline.assignment (
    id bigint not null,
    ticket_id bigint not null,
    parent_id bigint,
    role smallint not null,
    unit_id int not null,
    round smallint not null,
    state smallint not null,
    instruction text,
    directory_item_id int,
    policy text not null,
    policy_version int not null,
    forbid_return boolean not null default false,
    deemed_signed boolean not null default false,
    dispatched_by int,
    dispatched_at timestamptz not null,
    sign_due_at timestamptz,
    signed_by int,
    signed_at timestamptz,
    handler_id int,
    contacted_at timestamptz,
    unit_due_at timestamptz,
    replied_at timestamptz,
    accepted_at timestamptz,
    done_at timestamptz,
    rejected_count smallint not null default 0,
    sign_counted boolean not null default false,
    due_counted boolean not null default false,
    primary key (ticket_id, id),
    constraint assignment_role check (role between 1 and 3),
    constraint assignment_state check (state between 1 and 9)
) partition by range (ticket_id);
-- Invariant 1: one live main assignment a round.
create unique index assignment_one_main on hotline.assignment (ticket_id, round) where role = 1 and state not in (8, 9);
create index assignment_unit on hotline.assignment (unit_id, dispatched_at);

-- A clock that runs has neither met_at nor stopped_at.
create table hotline.clock (
    id bigint not null,
    ticket_id bigint not null,
    assignment_id bigint,
    kind text not null,
    calendar_id int not null,
    start_at timestamptz not null,
    budget int not null,
    unit text not null,
    due_at timestamptz not null,
    warn_at timestamptz not null,
    deep_at timestamptz not null,
    provisional boolean not null,
    met_at timestamptz,
    stopped_at timestamptz,
    breached_at timestamptz,
    paused_at timestamptz,
    primary key (ticket_id, id)
) partition by range (ticket_id);

create table hotline.clock_pause (
    ticket_id bigint not null,
    clock_id bigint not null,
    reason text not null,
    from_at timestamptz not null,
    to_at timestamptz,
    asked_by int,
    approved_by int,
    primary key (clock_id, from_at),
    constraint clock_pause_order check (to_at is null or to_at >= from_at),
    constraint clock_pause_reason check (reason in ('pause_1', 'pause_2', 'pause_3', 'pause_4', 'pause_5', 'pause_6', 'pause_7')),
    constraint clock_pause_approver check (approved_by is null or approved_by is distinct from asked_by)
);
create index clock_pause_ticket on hotline.clock_pause (ticket_id);

-- What the sweep has to do and when.  Not partitioned: it holds only the future.
create table hotline.timer (
    id bigint primary key,
    at timestamptz not null,
    ticket_id bigint not null,
    kind text not null,
    clock_id bigint,
    -- Set when it could not be done: the sweep comes back to it then and does not wait for it meanwhile.
    retry_at timestamptz,
    failures int not null default 0
);
create index timer_at on hotline.timer (at, id);
create index timer_failed on hotline.timer (id) where failures > 0;
create index timer_ticket on hotline.timer (ticket_id);

-- How far the sweep has come: every due time up to here has had its effects.
create table hotline.sweep (
    only_one boolean primary key default true,
    swept_to timestamptz not null,
    constraint sweep_one check (only_one)
);

-- A step of two people.  One open a kind and ticket.
create table hotline.approval (
    id bigint primary key,
    ticket_id bigint not null,
    assignment_id bigint,
    kind text not null,
    stage smallint not null default 1,
    action text not null,
    asked_by int not null,
    asked_at timestamptz not null,
    asks jsonb not null,
    decider_role text not null references hotline.role,
    due_at timestamptz,
    lapses smallint not null default 0,
    verdict text,
    decided_by int,
    decided_at timestamptz,
    opinion text,
    constraint approval_two_people check (decided_by is null or decided_by <> asked_by),
    constraint approval_verdict check (verdict in ('approved', 'rejected', 'dropped')),
    constraint approval_decided check ((verdict is null) = (decided_at is null))
);
create unique index approval_open on hotline.approval (ticket_id, kind) where verdict is null;
create index approval_ticket on hotline.approval (ticket_id);

create table hotline.reply (
    id bigint not null,
    ticket_id bigint not null,
    assignment_id bigint not null,
    round smallint not null,
    version smallint not null,
    result smallint not null,
    fact_finding text not null,
    content text not null,
    measures text,
    legal_basis text,
    public_text text,
    public_suggestion text,
    told_at timestamptz,
    told_way text,
    submitted_by int not null,
    submitted_at timestamptz not null,
    approved_by int,
    approved_at timestamptz,
    audited_by int,
    audited_at timestamptz,
    verdict text,
    reject_code text,
    primary key (ticket_id, id)
) partition by range (ticket_id);

create table hotline.first_contact (
    ticket_id bigint not null,
    assignment_id bigint not null,
    event_id bigint not null,
    contacted boolean not null,
    at timestamptz not null,
    way text not null,
    attempts smallint,
    fail_reason text,
    by_person int not null,
    primary key (ticket_id, event_id)
) partition by range (ticket_id);

create table hotline.callback_attempt (
    ticket_id bigint not null,
    event_id bigint not null,
    round smallint not null,
    outcome smallint not null,
    at timestamptz not null,
    by_person int,
    quiet boolean not null default false,
    primary key (ticket_id, event_id)
) partition by range (ticket_id);

-- The citizen's verdict of a round.
create table hotline.callback (
    ticket_id bigint not null,
    round smallint not null,
    contacted_by_unit boolean,
    resolved smallint,
    sat_process smallint,
    sat_result smallint,
    at timestamptz not null,
    by_person int,
    primary key (ticket_id, round)
) partition by range (ticket_id);

-- Insert-only, hash-chained per ticket, without personal data: texts live in event_note, where they can be erased.
create table hotline.event (
    id bigint not null,
    ticket_id bigint not null,
    n int not null,
    transition text not null,
    action text not null,
    at timestamptz not null,
    actor_id int,
    actor_role text not null,
    unit_id int,
    assignment_id bigint,
    from_state smallint,
    to_state smallint not null,
    assignment_from smallint,
    assignment_to smallint,
    units int[] not null default '{}',
    payload jsonb not null,
    prev_hash bytea,
    hash bytea not null,
    primary key (id)
) partition by range (id);
create index event_ticket on hotline.event (ticket_id, n);

create table hotline.event_note (
    ticket_id bigint not null,
    event_id bigint not null,
    name text not null,
    body text not null,
    primary key (ticket_id, event_id, name)
) partition by range (ticket_id);

-- Open work as lists read it; one row a ticket that is not ended.
create table hotline.inbox (
    ticket_id bigint primary key,
    ticket_no char(16) not null,
    version int not null,
    state smallint not null,
    assignment_state smallint,
    title text not null,
    appeal_type smallint not null,
    urgency smallint not null,
    secrecy smallint not null,
    channel smallint not null,
    category_id int,
    division text,
    unit_id int,
    units int[] not null default '{}',
    round smallint not null,
    created_by int,
    submitted_at timestamptz,
    due_kind text,
    due_at timestamptz,
    warn_at timestamptz,
    deep_at timestamptz,
    paused boolean not null default false,
    phone_hmac text,
    waits_for text
);
create index inbox_state on hotline.inbox (state, due_at, ticket_id);
create index inbox_due on hotline.inbox (due_at, ticket_id);
create index inbox_units on hotline.inbox using gin (units);
create index inbox_phone on hotline.inbox (phone_hmac);
create index inbox_division on hotline.inbox (division text_pattern_ops);

-- What the search for an earlier complaint found before this one was sent (T04).
create table hotline.dup_check (
    id bigint primary key,
    ticket_id bigint not null,
    by_person int not null,
    at timestamptz not null,
    hits jsonb not null
);
create index dup_check_ticket on hotline.dup_check (ticket_id);

-- Who looked at contact data, and why.
create table hotline.access_log (
    id bigint primary key,
    ticket_id bigint not null,
    person_id int not null,
    unit_id int not null,
    purpose text not null,
    at timestamptz not null
);
create index access_log_ticket on hotline.access_log (ticket_id);

-- Notices to send; delivery reads from here.  No personal data: the address is looked up when it is sent.
create table hotline.outbox (
    id bigint primary key,
    ticket_id bigint not null,
    kind text not null,
    args jsonb not null,
    at timestamptz not null,
    sent_at timestamptz
);
create index outbox_ticket on hotline.outbox (ticket_id);
create index outbox_waiting on hotline.outbox (id) where sent_at is null;
