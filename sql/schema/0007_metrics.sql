-- Figures in one table, a fact a column: a row is a member of a dimension and a day, a month or a year.  A table a dimension with a
-- row a fact was some fifty rows for each of these; adding and reading them cost that much more.
-- kind: 0 everything, 1 unit, 2 category, 3 channel, 4 district, 5 unit and category (sub).  Unit, category and district 0 mean "none".
-- The columns of facts are made from the list of figures (sql/rules).  took: the histogram of handling time, bucket * 2^32 + n each.
create table hotline.metric_sheet (
    kind smallint not null,
    key int not null,
    grain smallint not null,
    day date not null,
    sub int not null,
    took bigint[],
    primary key (kind, key, grain, day, sub),
    constraint metric_sheet_kind check (kind between 0 and 5),
    constraint metric_sheet_grain check (grain between 1 and 3)
) with (fillfactor = 80);
