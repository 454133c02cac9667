-- A call carries what was read for it and what it is going to write, so that all calls of a commit are read and written together:
-- a statement costs more than the row that it writes.
alter type hotline.call drop attribute record;
alter type hotline.call
    add attribute records hotline.event[],
    add attribute said api.answer,
    -- the ticket and its main assignment as they are stored
    add attribute was hotline.ticket,
    add attribute a_was hotline.assignment,
    -- what is asked and not decided; other units' assignments that run; the units that see the ticket, null when they must be looked up
    add attribute waits hotline.approval[],
    add attribute others boolean,
    add attribute units int[],
    -- of clocks: those that are new, those that changed, those started before for other tickets in this commit, the one people work against
    add attribute started bigint[],
    add attribute touched bigint[],
    add attribute like_ hotline.clock[],
    add attribute head hotline.clock,
    add attribute notices hotline.outbox[],
    add attribute timers hotline.timer[];

-- True for an action that touches other tickets than its own: it has a reading and a writing of its own.
alter table hotline.transition add column alone boolean not null default false;

-- How far this person reads tickets: all, unit, own, or null for none.
alter type hotline.actor add attribute reads text;

-- The row's clock effects in their order, as words: "meet sign".
alter table hotline.transition add column clocks text[] not null default '{}';

-- Open work changes with every step.
alter table hotline.inbox set (fillfactor = 50);
