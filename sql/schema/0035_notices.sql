-- Notices on their way out: who is told of what is in the outbox, by which way, and what became of it.

-- Where a unit is told of its tickets: a webhook of its own system, or a mailbox of the office.
create table hotline.link (
    id int primary key,
    code text not null unique,
    unit_id int not null references hotline.unit,
    way text not null,
    address text not null,
    secret_n int not null default 1,
    active boolean not null default true,
    constraint link_way check (way in ('webhook', 'email'))
);
create index link_unit on hotline.link (unit_id);

-- One message.  The id is the message's own: every repeat carries it.  Not before due_at; a worker that takes it moves due_at to the
-- end of its lease, so what it leaves behind comes up again.  No personal data: address and text are made when it is sent.
create table hotline.delivery (
    id bigint primary key,
    outbox_id bigint not null,
    ticket_id bigint not null,
    kind text not null,
    args jsonb not null,
    way text not null,
    link_id int references hotline.link,
    n int not null default 0, -- the event's number: a webhook hears of a ticket in this order
    quiet boolean not null,
    state text not null default 'waiting',
    made_at timestamptz not null,
    due_at timestamptz not null,
    tries int not null default 0,
    provider text,
    reference text,
    status int,
    why text,
    ended_at timestamptz,
    constraint delivery_once unique nulls not distinct (outbox_id, link_id),
    constraint delivery_state check (state in ('waiting', 'sent', 'dead', 'dropped')),
    constraint delivery_ended check ((state = 'waiting') = (ended_at is null))
);
create index delivery_due on hotline.delivery (due_at, id) where state = 'waiting';
create index delivery_order on hotline.delivery (ticket_id, link_id, n) where state = 'waiting';
create index delivery_dead on hotline.delivery (id) where state = 'dead';
create index delivery_ended_at on hotline.delivery (ended_at) where state in ('sent', 'dropped');
create index delivery_ticket on hotline.delivery (ticket_id);
create index delivery_link on hotline.delivery (link_id);

create index outbox_sent on hotline.outbox (sent_at) where sent_at is not null;

-- What a message says.  rank: of several of one commit the citizen gets the highest; quiet: it waits for the end of quiet hours.
create table hotline.notice_text (
    kind text not null,
    audience text not null,
    rank int not null,
    quiet boolean not null,
    zh text not null,
    primary key (kind, audience),
    constraint notice_text_audience check (audience in ('citizen', 'unit'))
);

alter table hotline.template drop constraint template_kind;
alter table hotline.template add constraint template_kind check (kind in ('instruction', 'answer', 'refusal', 'notice'));
