-- What was handed to the province, and how good it was by our own check.
create table hotline.export_run (
    id bigint primary key,
    at timestamptz not null,
    mode text not null,
    first_event bigint not null,
    last_event bigint not null,
    tickets int not null,
    records int not null,
    sm3 text not null,
    score jsonb not null,
    constraint export_run_mode check (mode in ('full', 'delta'))
);
