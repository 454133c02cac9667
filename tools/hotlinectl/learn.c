#include "ctl.h"

#include <stdio.h>

const struct option learn_options[] = {
    { "from", "DATE", "first day of the tickets to learn from" },
    { "to", "DATE", "the day after the last" },
    { NULL, NULL, NULL },
};

int learn(const struct args *args)
{
    const char *const days[] = { args_must(args, "from"), args_must(args, "to") };
    PGconn *db = sql_open(args);
    PGresult *said = sql_query(db, "select cases, items from hotline.learn_directory($1::date, $2::date)", 2, days);

    printf("%s cases: %s directory items say which unit answered\n", PQgetvalue(said, 0, 0), PQgetvalue(said, 0, 1));
    PQclear(said);
    PQfinish(db);
    return 0;
}
