#include "ctl.h"

#include <stdio.h>

const struct option unit_list_options[] = {
    { "all", NULL, "also those that have ended, and the sections" },
    { NULL, NULL, NULL },
};

const struct option unit_add_options[] = {
    { "name", "NAME", "its full name" },
    { "short", "NAME", "the name lists show (default: the full name)" },
    { "name-en", "NAME", "its English name" },
    { "parent", "CODE", "the unit it belongs to" },
    { "kind", "KIND", "department, district, utility, street or section" },
    { "division", "CODE", "the place it serves" },
    { "from", "DATE", "first day on which it can be given tickets (default: today)" },
    { NULL, NULL, NULL },
};

const struct option unit_end_options[] = {
    { "on", "DATE", "last day (default: today)" },
    { NULL, NULL, NULL },
};

int unit_list(const struct args *args)
{
    const char *const values[] = { args->n ? args->at[0] : NULL, args_count(args, "all") ? "t" : "f" };
    PGconn *db = sql_open(args);
    PGresult *rows = sql_query(
        db,
        "with recursive tree as (select id, array[id] as path from hotline.unit where code = $1 or ($1 is null and "
        "parent_id is null)"
        "  union all select u.id, tree.path || u.id from hotline.unit as u join tree on u.parent_id = tree.id)"
        " select repeat('  ', cardinality(tree.path) - 1) || u.code as code, u.kind, u.name, coalesce(u.division, '') "
        "as division,"
        "  coalesce('until ' || u.valid_to, '') as remark"
        " from tree join hotline.unit as u using (id)"
        " where $2::boolean or (u.kind <> 'section' and (u.valid_to is null or u.valid_to >= hotline.now()::date))"
        " order by tree.path",
        2, values);

    if (PQntuples(rows) == 0 && args->n)
        fail("no such unit: %s", args->at[0]);
    sql_print(rows);
    PQclear(rows);
    PQfinish(db);
    return 0;
}

int unit_add(const struct args *args)
{
    const char *name = args_must(args, "name");
    const char *const values[] = { args->at[0],
                                   name,
                                   args_text(args, "short", name),
                                   args_text(args, "name-en", NULL),
                                   args_must(args, "parent"),
                                   args_must(args, "kind"),
                                   args_text(args, "division", NULL),
                                   args_text(args, "from", NULL) };
    PGconn *db = sql_open(args);

    if (sql_is(db, "select exists (select from hotline.unit where code = $1)", 1, values))
        fail("the unit %s exists already", args->at[0]);
    /* Ids from 900001 on are the installation's own; the seed stays below. */
    if (!sql_is(db,
                "with made as (insert into hotline.unit"
                "  (id, code, parent_id, level, kind, name, short_name, name_en, division, grassroots, calendar_id, "
                "valid_from)"
                "  select nextval('hotline.added_id')::int, $1, p.id, p.level + 1, $6, $2, $3, "
                "$4, $7,"
                "   $6 = 'street', p.calendar_id, coalesce($8::date, hotline.now()::date) from hotline.unit as p where "
                "p.code = $5"
                "  returning id) select count(*) = 1 from made",
                8, values))
        fail("no such unit: %s", values[4]);
    printf("added %s\n", args->at[0]);
    PQfinish(db);
    return 0;
}

int unit_end(const struct args *args)
{
    const char *const values[] = { args->at[0], args_text(args, "on", NULL) };
    PGconn *db = sql_open(args);

    if (!sql_is(
            db,
            "with ended as (update hotline.unit set valid_to = coalesce($2::date, hotline.now()::date) where code = $1"
            " returning id) select count(*) = 1 from ended",
            2, values))
        fail("no such unit: %s", args->at[0]);
    printf("ended %s; %ld accounts stay open (hotlinectl user list --unit %s)\n", args->at[0],
           sql_number(db,
                      "select count(*) from hotline.person as p join hotline.unit as u on u.id = p.unit_id"
                      " where u.code = $1 and p.disabled_at is null",
                      1, values),
           args->at[0]);
    PQfinish(db);
    return 0;
}
