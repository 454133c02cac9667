-- What units have answered, as prints: by them a reply is known that says word for word what another ticket was answered.  No key but the
-- ticket's own is unique, so that two tickets never wait for each other.
create table hotline.reply_print (
    unit_id int not null references hotline.unit,
    print bigint not null,
    ticket_id bigint not null,
    at timestamptz not null,
    primary key (unit_id, print, ticket_id)
);
create index reply_print_at on hotline.reply_print using brin (at);
