#include "ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The server's warnings, not its chatter. */
static void warn(void *arg, const PGresult *result)
{
    (void)arg;
    fprintf(stderr, "database: %s\n", PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
}

PGconn *sql_open(const struct args *args)
{
    const char *conninfo = args_text(args, "database", getenv("HOTLINE_ADMIN_DATABASE"));
    PGconn *db;

    if (!conninfo || !*conninfo)
        fail("which database?  Give --database or set HOTLINE_ADMIN_DATABASE, e.g. 'host=/run/postgresql "
             "dbname=hotline'");
    db = PQconnectdb(conninfo);
    if (PQstatus(db) != CONNECTION_OK)
        fail("cannot connect to the database: %s", PQerrorMessage(db));
    PQsetNoticeReceiver(db, warn, NULL);
    sql_do(db, "set client_min_messages = warning", 0, NULL);
    sql_do(db, "set timezone = 'Asia/Shanghai'", 0, NULL);
    sql_do(db, "set application_name = 'hotlinectl'", 0, NULL);
    return db;
}

PGresult *sql_query(PGconn *db, const char *statement, int n, const char *const *values)
{
    PGresult *result = PQexecParams(db, statement, n, NULL, values, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        fail("the database refuses: %s", PQerrorMessage(db));
    return result;
}

void sql_do(PGconn *db, const char *statement, int n, const char *const *values)
{
    PQclear(sql_query(db, statement, n, values));
}

char *sql_text(PGconn *db, const char *statement, int n, const char *const *values)
{
    PGresult *result = sql_query(db, statement, n, values);
    char *text = NULL;

    if (PQntuples(result) > 0 && !PQgetisnull(result, 0, 0))
        text = strdup(PQgetvalue(result, 0, 0));
    PQclear(result);
    return text;
}

void sql_admin(PGconn *db, const char *kind, const char *key, const char *input, const char *hash)
{
    const char *const values[] = { kind, key, input, hash };
    char *why = sql_text(db, "select hotline.admin_by_hand($1, $2, $3::jsonb, $4)", 4, values);

    if (why)
        fail("%s %s: %s", kind, key, why);
}

bool sql_is(PGconn *db, const char *statement, int n, const char *const *values)
{
    char *text = sql_text(db, statement, n, values);
    bool is = text && !strcmp(text, "t");

    free(text);
    return is;
}

long sql_number(PGconn *db, const char *statement, int n, const char *const *values)
{
    char *text = sql_text(db, statement, n, values);
    long number = text ? strtol(text, NULL, 10) : 0;

    free(text);
    return number;
}

/* One a transaction: readers take the tables in any order, and must not wait for one while this waits for another. */
long sql_make_months(PGconn *db, const char *first, const char *last)
{
    long made = 0, more;

    do {
        more =
            sql_number(db, "select hotline.partition_make($1::date, $2::date, 1)", 2, (const char *[]){ first, last });
        made += more;
    } while (more);
    return made;
}

/* How many columns of a terminal a text takes: characters from U+1100 on count two, which is right for Chinese. */
static int width(const char *text)
{
    int n = 0;

    for (; *text; text++)
        if ((*text & 0xc0) != 0x80)
            n += 1 + ((unsigned char)*text >= 0xe1);
    return n;
}

static void print_cell(const char *text, int to, bool last)
{
    printf("%s%*s", text, last ? 0 : to - width(text) + 2, "");
}

void sql_print(PGresult *rows)
{
    int columns = PQnfields(rows), widths[16];

    if (columns > COUNT(widths))
        columns = COUNT(widths);
    for (int c = 0; c < columns; c++) {
        widths[c] = width(PQfname(rows, c));
        for (int r = 0; r < PQntuples(rows); r++)
            if (width(PQgetvalue(rows, r, c)) > widths[c])
                widths[c] = width(PQgetvalue(rows, r, c));
    }
    for (int r = -1; r < PQntuples(rows); r++) {
        for (int c = 0; c < columns; c++)
            print_cell(r < 0 ? PQfname(rows, c) : PQgetvalue(rows, r, c), widths[c], c == columns - 1);
        putchar('\n');
    }
}
