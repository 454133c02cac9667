-- History taken over from another system.

-- What was taken over, by the other system's own name for it: a second run finds it here.
create table hotline.imported (
    source text not null,
    external_id text not null,
    ticket_id bigint not null,
    primary key (source, external_id)
);
create index imported_ticket on hotline.imported (ticket_id);

-- A ticket of the past with everything that is written for it.
create type hotline.history as (
    t hotline.ticket,
    a hotline.assignment,
    clocks hotline.clock[],
    events hotline.event[]
);
