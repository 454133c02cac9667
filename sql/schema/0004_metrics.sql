-- Figures.  A fact is something a ticket or an assignment contributes to one day; it is a pure function of the row as it is.
-- Every change of a row leaves the signed difference in fact_delta, in the same commit; folding moves the differences into
-- one table a dimension.  A reading is tables + differences in one snapshot.  Unit, category 0 and district '' mean "none".

create table hotline.fact_delta (
    id bigint generated always as identity primary key,
    ticket_id bigint not null,
    day date not null,
    fact text not null,
    bucket smallint not null,
    unit_id int not null,
    category_id int not null,
    channel smallint not null,
    district text not null,
    n bigint not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000, autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 10000);

-- grain: 1 one day, 2 a whole month (day is its first), so that long periods and everything before a period cost little;
-- 3 and 4 the same for the histogram of handling time, kept apart because only medians read it.  bucket is 0 for counts.
-- Pages keep room, so that folding adds in place.
create table hotline.metric_total (
    grain smallint not null,
    day date not null,
    fact text not null,
    bucket smallint not null,
    n bigint not null,
    primary key (grain, day, fact, bucket),
    constraint metric_total_grain check (grain between 1 and 4)
) with (fillfactor = 80);

create table hotline.metric_unit (
    unit_id int not null,
    grain smallint not null,
    day date not null,
    fact text not null,
    bucket smallint not null,
    n bigint not null,
    primary key (unit_id, grain, day, fact, bucket),
    constraint metric_unit_grain check (grain between 1 and 4)
) with (fillfactor = 80);

create table hotline.metric_category (
    category_id int not null,
    grain smallint not null,
    day date not null,
    fact text not null,
    bucket smallint not null,
    n bigint not null,
    primary key (category_id, grain, day, fact, bucket),
    constraint metric_category_grain check (grain between 1 and 4)
) with (fillfactor = 80);

create table hotline.metric_channel (
    channel smallint not null,
    grain smallint not null,
    day date not null,
    fact text not null,
    bucket smallint not null,
    n bigint not null,
    primary key (channel, grain, day, fact, bucket),
    constraint metric_channel_grain check (grain between 1 and 4)
) with (fillfactor = 80);

create table hotline.metric_district (
    district text not null,
    grain smallint not null,
    day date not null,
    fact text not null,
    bucket smallint not null,
    n bigint not null,
    primary key (district, grain, day, fact, bucket),
    constraint metric_district_grain check (grain between 1 and 4)
) with (fillfactor = 80);

create table hotline.metric_unit_category (
    unit_id int not null,
    category_id int not null,
    grain smallint not null,
    day date not null,
    fact text not null,
    bucket smallint not null,
    n bigint not null,
    primary key (unit_id, category_id, grain, day, fact, bucket),
    constraint metric_unit_category_grain check (grain between 1 and 4)
) with (fillfactor = 80);

-- A published number: the signed sum of facts of the days before, in or after the period.
create table hotline.metric_count (
    name text primary key,
    ord int not null,
    shown boolean not null,
    zh text not null,
    en text not null
);

create table hotline.metric_term (
    name text not null references hotline.metric_count,
    span text not null,
    fact text not null,
    sign smallint not null,
    primary key (name, span, fact),
    constraint metric_term_span check (span in ('before', 'in', 'after')),
    constraint metric_term_sign check (sign in (-1, 1))
);

-- A rate: one count divided by another.  Counts of weighted verdicts are kept in tenths (scale 10).
create table hotline.metric_formula (
    name text primary key,
    ord int not null,
    rule_version int not null,
    num text references hotline.metric_count,
    den text references hotline.metric_count,
    scale smallint not null default 1,
    zh text not null,
    en text not null,
    numerator_zh text not null,
    numerator_en text not null,
    denominator_zh text not null,
    denominator_en text not null,
    constraint metric_formula_parts check ((num is null) = (den is null))
);
create index metric_formula_num on hotline.metric_formula (num);
create index metric_formula_den on hotline.metric_formula (den);

-- What must add up before anything is published: the counts on the left equal those on the right.
create table hotline.metric_identity (
    name text not null,
    side text not null,
    count text not null references hotline.metric_count,
    ord int not null,
    primary key (name, count),
    constraint metric_identity_side check (side in ('left', 'right'))
);
create index metric_identity_count on hotline.metric_identity (count);

-- What is asked of the figures, checked: ids and codes, or the refusal it deserves.
create type hotline.metric_question as (
    from_ date,
    to_ date,
    by_ text,
    unit int,
    category int,
    channel smallint,
    district text,
    refused api.answer
);

-- The lists behind the figures run through time.
create index ticket_accepted on hotline.ticket (accepted_at);
create index ticket_ended on hotline.ticket (ended_at);
create index ticket_dispatched on hotline.ticket (dispatched_at);
create index assignment_dispatched on hotline.assignment (dispatched_at) where role = 1;
create index assignment_due on hotline.assignment (unit_due_at) where role = 1;
create index assignment_accepted on hotline.assignment (accepted_at) where role = 1;
