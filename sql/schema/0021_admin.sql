-- What administrators change while the hotline runs, and what it was before.

-- Every change of reference data: who, when, before, after.  key names the thing among its kind; n counts its changes.
create table hotline.admin_change (
    id bigint primary key,
    at timestamptz not null,
    person_id int references hotline.person,
    kind text not null,
    key text not null,
    n int not null,
    before jsonb,
    after jsonb,
    constraint admin_change_n unique (kind, key, n)
);
create index admin_change_person on hotline.admin_change (person_id);

-- A directory item as it was, version by version; directory_item holds the newest.
create table hotline.directory_version (
    item_id int not null references hotline.directory_item,
    version int not null,
    at timestamptz not null,
    body jsonb not null,
    primary key (item_id, version)
);

-- A local category in the codes of other schemes (GB/T 39666, a province's own).
create table hotline.category_map (
    category_id int not null references hotline.category,
    scheme text not null,
    to_id int not null references hotline.category,
    valid_from date not null,
    valid_to date,
    primary key (category_id, scheme, valid_from),
    constraint category_map_order check (valid_to is null or valid_to >= valid_from)
);
create index category_map_to on hotline.category_map (to_id);

-- What a city adds to the published calendar: storms, anniversaries.  It is stronger than the published day.
create table hotline.calendar_overlay (
    calendar_id int not null references hotline.calendar,
    day date not null,
    is_off boolean not null,
    name text not null,
    primary key (calendar_id, day)
);

-- Texts that people start from: instructions to units, answers, what is told with a refusal.  The newest version is valid.
create table hotline.template (
    kind text not null,
    code text not null,
    version int not null,
    title text not null,
    body text not null,
    body_en text,
    category_id int references hotline.category,
    valid_from date not null,
    valid_to date,
    primary key (kind, code, version),
    constraint template_kind check (kind in ('instruction', 'answer', 'refusal'))
);
create index template_category on hotline.template (category_id);

-- What this installation gives a role beyond the rules' own rows, or takes away (scope null).
create table hotline.role_right_local (
    role text not null references hotline.role,
    action text not null,
    scope text,
    primary key (role, action)
);
create index role_right_local_action on hotline.role_right_local (action);

-- Ids of what people add; those of the seed lie below.
create sequence hotline.added_id as int start 900001;
select setval('hotline.added_id', greatest(900000, (select max(id) from hotline.unit)));
