-- Signed roots over the heads of the tickets' chains (hotlinectl audit): what a root covers cannot be cut off, changed or taken
-- away unseen, not even by whoever owns the database.

create table hotline.audit_root (
    n int primary key,
    at timestamptz not null,
    heads int not null,
    -- SHA-256 over the heads' lines in order of their tickets.
    digest bytea not null,
    prev bytea,
    -- SHA-256 over all of the above; this is what is signed.
    root bytea not null,
    key_id text not null,
    signature bytea not null,
    constraint audit_root_n check (n > 0),
    constraint audit_root_prev check ((prev is null) = (n = 1))
);

-- The heads a root covers: every chain that had grown since the root before.
create table hotline.audit_head (
    root int not null references hotline.audit_root deferrable initially deferred,
    ticket_id bigint not null,
    n int not null,
    hash bytea not null,
    primary key (ticket_id, n)
);
create index audit_head_root on hotline.audit_head (root, ticket_id);
