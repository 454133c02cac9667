-- The files of a ticket, each keyed by the event it came with.  What it holds lies on disk under its SHA-256 (engine/files.h), once, however
-- many tickets have it.  Names of files are not kept: people put names and numbers into them.
create table hotline.attachment (
    ticket_id bigint not null,
    id bigint not null,
    event_id bigint not null,
    sha256 text not null,
    type text not null,
    size int not null,
    from_citizen boolean not null,
    by_person int,
    at timestamptz not null,
    primary key (ticket_id, id),
    constraint attachment_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
    constraint attachment_size check (size > 0)
) partition by range (ticket_id);
create index attachment_sha256 on hotline.attachment (sha256);

alter table hotline.action_input drop constraint action_input_type;
alter table hotline.action_input add constraint action_input_type check (type in ('text', 'word', 'bool', 'int', 'time', 'unit', 'units', 'category',
    'division', 'phone', 'person', 'item', 'ids', 'policy', 'list', 'number', 'files'));

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
