-- Applications of others (Open311): which one filed a ticket, and what its form asked beside the words.

-- origin: the principal of the application, "app:" and the name of its key.  attributes: {"said": {code: [values]}, "media": [addresses],
-- "tail": what of content was made from both}.
alter table hotline.ticket add column if not exists origin text;
alter table hotline.ticket add column if not exists attributes jsonb;
create index ticket_origin on hotline.ticket (origin, id) where origin is not null;
create index ticket_consented on hotline.ticket (id) where publish in (1, 3) and secrecy = 0;

-- What a form asks about a matter, and about all matters below it.  choices: [{"key","zh","en"}].
create table hotline.category_attribute (
    category_id int not null references hotline.category,
    code text not null,
    ord smallint not null,
    datatype text not null,
    required boolean not null default false,
    zh text not null,
    en text not null,
    hint_zh text,
    hint_en text,
    choices jsonb not null default '[]',
    primary key (category_id, code),
    constraint category_attribute_code check (code ~ '^[a-z][a-z0-9_]{0,39}$' and code not in ('type', 'division', 'publish', 'secrecy', 'reply_wanted')),
    constraint category_attribute_datatype check (datatype in ('string', 'number', 'datetime', 'text', 'singlevaluelist', 'multivaluelist')),
    constraint category_attribute_choices check ((datatype in ('singlevaluelist', 'multivaluelist')) = (choices <> '[]'))
);
