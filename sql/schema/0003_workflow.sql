-- The workflow as data.  A row of transition is a row of the table in the field's rules; what is special about it is in three
-- small functions it may name: guard (may it happen now?), effect (what else changes?), needs_approval (do two people decide?).

create table hotline.transition (
    id text primary key,
    action text not null,
    from_states smallint[] not null,
    from_assignment smallint[],
    guard text,
    effect text,
    to_state smallint,
    to_assignment smallint,
    close_kind smallint,
    approval text,
    decides text,
    follow text,
    outbox text,
    zh text not null,
    en text not null,
    ord int not null,
    constraint transition_decides check (decides in ('approved', 'rejected'))
);
create index transition_action on hotline.transition (action);

-- start, meet, stop, unmeet a clock of this kind; kind '*' with stop means every clock that runs.
create table hotline.clock_effect (
    transition text not null references hotline.transition deferrable initially deferred,
    kind text not null,
    effect text not null,
    ord int not null default 0,
    primary key (transition, kind, effect),
    constraint clock_effect_effect check (effect in ('start', 'meet', 'stop', 'unmeet', 'breach'))
);

-- What a person must or may give with an action.  choices names a kind of hotline.word or lists the values.
create table hotline.action_input (
    action text not null,
    name text not null,
    ord int not null,
    type text not null,
    must boolean not null,
    min int,
    max int,
    choices text[],
    words text,
    zh text not null,
    en text not null,
    primary key (action, name),
    constraint action_input_type check (type in ('text', 'word', 'bool', 'int', 'time', 'unit', 'units', 'category', 'division',
        'phone', 'person', 'item', 'ids', 'policy', 'list', 'number'))
);

-- Who decides what was asked, how long it may take (kind 'review' of the policy, else this budget), and who is next if nobody does.
create table hotline.approval_kind (
    kind text primary key,
    decider_role text not null references hotline.role,
    up_role text references hotline.role,
    budget int,
    unit text,
    needed text,
    on_ask text,
    zh text not null,
    en text not null
);

-- The legal pairs of ticket state and state of the live main assignment (0 = none).
create table hotline.legal_pair (
    ticket_state smallint not null,
    assignment_state smallint not null,
    primary key (ticket_state, assignment_state)
);

-- Who acts.  The system itself is (null, 'SYS').
create type hotline.actor as (id int, name text, unit int, roles text[], centre boolean);

-- One action on its way through the rules: guards read it, effects change it, the step function saves it.
create type hotline.call as (
    t hotline.ticket,
    a hotline.assignment,
    rule hotline.transition,
    actor hotline.actor,
    role text,
    x jsonb,
    extra jsonb,
    at timestamptz,
    event bigint,
    payload jsonb,
    approval hotline.approval
);

-- What a step is called when a citizen reads it.
create table hotline.plain_words (
    transition text primary key,
    zh text not null,
    en text not null
);
