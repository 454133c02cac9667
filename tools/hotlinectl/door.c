/* How the public doors are guarded; every worker sees a change within 15 seconds. */

#include "ctl.h"

#include <stdio.h>
#include <string.h>

static int show(PGconn *db)
{
    PGresult *rows = sql_query(db,
                               "select substr(name, 6) as door, value #>> '{}' as value, meaning from hotline.setting "
                               "where name like 'door.%' order by name",
                               0, NULL);

    sql_print(rows);
    PQclear(rows);
    return 0;
}

static void set(PGconn *db, const char *name, const char *value)
{
    const char *const values[] = { name, value };

    sql_do(db, "update hotline.setting set value = to_jsonb($2::text) where name = 'door.' || $1", 2, values);
    printf("%s is %s; the workers know within 15 seconds\n", name, value);
}

int door(const struct args *args)
{
    static const char *const allowed[][4] = { { "challenge", "auto", "on", "off" }, { "phone_code", "on", "off" } };
    PGconn *db = sql_open(args);
    bool found = args->n != 2;

    for (size_t i = 0; i < sizeof allowed / sizeof *allowed && !found; i++)
        for (size_t v = 1; v < 4 && !found; v++)
            found = allowed[i][v] && !strcmp(args->at[0], allowed[i][0]) && !strcmp(args->at[1], allowed[i][v]);
    if (args->n == 1 || !found)
        fail("hotlinectl door challenge auto|on|off, or phone_code on|off");
    if (args->n == 2)
        set(db, args->at[0], args->at[1]);
    show(db);
    PQfinish(db);
    return 0;
}
