#include "ctl.h"

#include <stdio.h>
#include <stdlib.h>

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
        "  coalesce('until ' || (u.valid_to - 1), '') as remark"
        " from tree join hotline.unit as u using (id)"
        " where $2::boolean or (u.kind <> 'section' and (u.valid_to is null or u.valid_to > hotline.now()::date))"
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
    const char *const values[] = { args_must(args, "name"),          args_text(args, "short", NULL),
                                   args_text(args, "name-en", NULL), args_must(args, "parent"),
                                   args_must(args, "kind"),          args_text(args, "division", NULL),
                                   args_text(args, "from", NULL) };
    PGconn *db = sql_open(args);
    char *input;

    if (sql_is(db, "select exists (select from hotline.unit where code = $1)", 1, args->at))
        fail("the unit %s exists already", args->at[0]);
    input = sql_text(db,
                     "select jsonb_build_object('name', $1::text, 'short_name', $2::text, 'name_en', $3::text,"
                     "  'parent', id::text, 'kind', $5::text, 'division', $6::text, 'valid_from', $7::text)"
                     " from hotline.unit where code = $4",
                     7, values);
    if (!input)
        fail("no such unit: %s", values[3]);
    sql_admin(db, "unit", args->at[0], input, NULL);
    printf("added %s\n", args->at[0]);
    free(input);
    PQfinish(db);
    return 0;
}

/* valid_to is the first day on which the unit is no more. */
int unit_end(const struct args *args)
{
    const char *const values[] = { args->at[0], args_text(args, "on", NULL) };
    PGconn *db = sql_open(args);
    char *input =
        sql_text(db,
                 "select jsonb_build_object('valid_to', (coalesce($2::date, hotline.day_of(hotline.now())) + 1)::text)"
                 " from hotline.unit where code = $1",
                 2, values);

    if (!input)
        fail("no such unit: %s", args->at[0]);
    sql_admin(db, "unit", args->at[0], input, NULL);
    printf("ended %s; %ld accounts stay open (hotlinectl user list --unit %s)\n", args->at[0],
           sql_number(db,
                      "select count(*) from hotline.person as p join hotline.unit as u on u.id = p.unit_id"
                      " where u.code = $1 and p.disabled_at is null",
                      1, values),
           args->at[0]);
    free(input);
    PQfinish(db);
    return 0;
}
