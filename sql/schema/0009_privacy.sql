-- What units see of a ticket's words when its secrecy hides the citizen, and which texts are refused for the personal data in them.

-- The engine's masked copies, {"title"?, "content"?, "address"?} of those in which the scan found something; {} when it found nothing,
-- null when these words were never scanned.
alter table hotline.ticket add column masked jsonb;
alter table hotline.ticket_text add column masked jsonb;

-- An input of an action that leaves the centre, the kinds of personal data it may not hold, and the secrecy from which that counts.
create table hotline.scanned_input (
    action text not null,
    input text not null,
    kinds text[] not null,
    secrecy smallint not null default 0,
    primary key (action, input)
);
