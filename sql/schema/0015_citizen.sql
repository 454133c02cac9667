-- What a citizen may still do after filing, and what the centre does about it: overlays of a ticket, each keyed by the event that
-- made it.  Texts lie in event_note under the same event.

-- The outer limit of a matter that another platform handed over; no due time of ours lies later.
alter table hotline.ticket add column if not exists outer_due_at timestamptz;

alter table hotline.clock_effect drop constraint if exists clock_effect_effect;
alter table hotline.clock_effect add constraint clock_effect_effect
    check (effect in ('start', 'meet', 'stop', 'unmeet', 'breach', 'pause', 'resume', 'extend', 'restart'));

-- A citizen who objects asks for a decision too.
alter table hotline.approval alter column asked_by drop not null;

-- A request for more facts (T07) and what became of it.
create table hotline.supplement (
    ticket_id bigint not null,
    event_id bigint not null,
    from_state smallint not null,
    asked_by int,
    asked_at timestamptz not null,
    deadline timestamptz not null,
    reminded smallint not null default 0,
    ended_at timestamptz,
    answered boolean,
    primary key (ticket_id, event_id)
) partition by range (ticket_id);

-- A further word on an open ticket (T13): no new ticket.
create table hotline.followup (
    ticket_id bigint not null,
    event_id bigint not null,
    kind smallint not null,
    by_person int,
    from_ticket bigint,
    at timestamptz not null,
    primary key (ticket_id, event_id)
) partition by range (ticket_id);

create table hotline.urge (
    ticket_id bigint not null,
    event_id bigint not null,
    by_person int,
    at timestamptz not null,
    due_at timestamptz not null,
    answered_at timestamptz,
    answered_by int,
    late_at timestamptz,
    primary key (ticket_id, event_id)
) partition by range (ticket_id);

-- Who asks the citizen in this round: a person calls, or a link is sent; drawn by the system.
create table hotline.callback_plan (
    ticket_id bigint not null,
    round smallint not null,
    way smallint not null,
    at timestamptz not null,
    primary key (ticket_id, round)
) partition by range (ticket_id);

-- merged_into, rest_of (what an emergency line left over), continues (a withdrawn matter that the centre pursues).
create table hotline.ticket_link (
    ticket_id bigint not null,
    kind text not null,
    other_id bigint not null,
    at timestamptz not null,
    primary key (ticket_id, kind, other_id),
    constraint ticket_link_kind check (kind in ('merged_into', 'rest_of', 'continues'))
);
create index ticket_link_other on hotline.ticket_link (other_id);

-- The unit may not receive the ticket, nor see it (invariant 5).
create table hotline.conflict_unit (
    ticket_id bigint not null,
    unit_id int not null references hotline.unit,
    event_id bigint not null,
    named_by int,
    at timestamptz not null,
    primary key (ticket_id, unit_id)
);
create index conflict_unit_unit on hotline.conflict_unit (unit_id);

create sequence hotline.supervision_seq;
create table hotline.supervision_order (
    id bigint primary key,
    number text not null unique,
    ticket_id bigint not null,
    unit_id int references hotline.unit,
    kind smallint not null,
    cause text not null,
    issued_by int,
    issued_at timestamptz not null,
    due_at timestamptz not null,
    reply_event bigint,
    replied_by int,
    replied_at timestamptz,
    late_at timestamptz,
    closed_by int,
    closed_at timestamptz
);
create index supervision_order_ticket on hotline.supervision_order (ticket_id);
create index supervision_order_unit on hotline.supervision_order (unit_id);

-- The citizen contradicts what the unit claims, or was pressed to withdraw.
create table hotline.integrity_case (
    id bigint primary key,
    ticket_id bigint not null,
    assignment_id bigint,
    unit_id int references hotline.unit,
    kind smallint not null,
    by_person int,
    at timestamptz not null
);
create index integrity_case_ticket on hotline.integrity_case (ticket_id);
create index integrity_case_unit on hotline.integrity_case (unit_id);

-- What went to an emergency line, and whether it arrived.
create table hotline.transfer (
    id bigint primary key,
    ticket_id bigint not null,
    agency smallint not null,
    mode smallint not null,
    agent_no text,
    whole boolean not null,
    by_person int,
    at timestamptz not null,
    check_at timestamptz not null,
    arrived boolean,
    checked_by int,
    checked_at timestamptz,
    late_at timestamptz
);
create index transfer_ticket on hotline.transfer (ticket_id);
create index transfer_open on hotline.transfer (check_at) where arrived is null;

-- Many citizens, one matter: one lead ticket is handled, its reply goes to all, each is called back.
create table hotline.case_group (
    id bigint primary key,
    lead_ticket_id bigint not null,
    category_id int,
    division text,
    item int,
    made_by int,
    made_at timestamptz not null,
    alert boolean not null default false,
    answered_at timestamptz
);
create index case_group_lead on hotline.case_group (lead_ticket_id);
create table hotline.case_group_member (
    ticket_id bigint primary key,
    group_id bigint not null references hotline.case_group,
    confidence numeric(4, 3),
    at timestamptz not null
);
create index case_group_member_group on hotline.case_group_member (group_id);

create table hotline.watch (
    ticket_id bigint not null,
    person_id int not null references hotline.person,
    at timestamptz not null,
    primary key (ticket_id, person_id)
);
create index watch_person on hotline.watch (person_id);

-- The other platform's own name for a ticket: police_110, province.
create table hotline.external_ref (
    system text not null,
    external_id text not null,
    ticket_id bigint not null,
    at timestamptz not null,
    primary key (system, external_id)
);
create index external_ref_ticket on hotline.external_ref (ticket_id);

-- Calls that were no matter at all but harassment, by the caller's keyed hash.
create table hotline.abuse (
    id bigint primary key,
    phone_hmac text not null,
    ticket_id bigint not null,
    at timestamptz not null
);
create index abuse_phone on hotline.abuse (phone_hmac);

-- A table that is new needs the months that tickets already have.
do $$
declare
    first_ text;
    last_ text;
begin
    select min(right(relname, 6)), max(right(relname, 6)) into first_, last_
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'hotline' and c.relkind = 'r' and c.relname ~ '^ticket_[0-9]{6}$';
    if first_ is not null then
        perform hotline.partition_make(to_date(first_, 'YYYYMM'), to_date(last_, 'YYYYMM'));
    end if;
end $$;
