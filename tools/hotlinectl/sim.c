#include "sim.h"

#include "ctl.h"

#include <stdio.h>
#include <stdlib.h>

bool sim_is_on(PGconn *db)
{
    return sql_is(db, "select exists (select from hotline.simulation)", 0, NULL);
}

moment sim_now(PGconn *db)
{
    return sql_number(db, "select floor(extract(epoch from hotline.now()))::bigint", 0, NULL);
}

static bool has_tickets(PGconn *db)
{
    return sql_is(db, "select exists (select from hotline.ticket)", 0, NULL);
}

void sim_move(PGconn *db, moment to)
{
    char text[MOMENT_SIZE];
    const char *const values[] = { moment_text(to, text) };

    sql_do(db, "update hotline.simulation set at = $1", 1, values);
}

void sim_make_months(PGconn *db, moment at)
{
    char first[MOMENT_SIZE], last[MOMENT_SIZE];

    sql_make_months(db, moment_text(at - 31 * DAY, first), moment_text(at + 124 * DAY, last));
}

static moment read_moment(const char *text)
{
    moment at;

    if (!moment_read(text, &at))
        fail("not a time: %s (write 2018-01-02T08:00+08:00, or without the offset for the city's own time)", text);
    return at;
}

static void must_be_on(PGconn *db)
{
    if (!sim_is_on(db))
        fail("this database is no simulation; hotlinectl sim on marks an empty one");
}

static int show(PGconn *db)
{
    char text[MOMENT_SIZE];

    puts(moment_text(sim_now(db), text));
    PQfinish(db);
    return 0;
}

/* Where there is no ticket yet, nothing was due before now. */
static void start_sweep(PGconn *db)
{
    sql_do(db, "update hotline.sweep set swept_to = hotline.now()", 0, NULL);
}

int sim_on(const struct args *args)
{
    PGconn *db = sql_open(args);

    if (!sim_is_on(db) && has_tickets(db))
        fail("this database has real tickets: it cannot become a simulation");
    sql_do(db, "begin", 0, NULL);
    sql_do(db, "insert into hotline.simulation (at) select hotline.now() on conflict do nothing", 0, NULL);
    sql_do(db, "select hotline.sim_install(true)", 0, NULL);
    if (args->n)
        sim_move(db, read_moment(args->at[0]));
    if (!has_tickets(db))
        start_sweep(db);
    sql_do(db, "commit", 0, NULL);
    sim_make_months(db, sim_now(db));
    return show(db);
}

int sim_off(const struct args *args)
{
    PGconn *db = sql_open(args);

    must_be_on(db);
    if (has_tickets(db))
        fail("this simulation has tickets, which would pass for real ones: create another database instead");
    sql_do(db, "begin", 0, NULL);
    sql_do(db, "delete from hotline.simulation", 0, NULL);
    sql_do(db, "select hotline.sim_install(false)", 0, NULL);
    start_sweep(db);
    sql_do(db, "commit", 0, NULL);
    puts("the database runs in real time");
    PQfinish(db);
    return 0;
}

int sim_set(const struct args *args)
{
    moment to = read_moment(args->at[0]);
    PGconn *db = sql_open(args);

    must_be_on(db);
    if (to < sim_now(db) && has_tickets(db))
        fail("the clock of a simulation with tickets only goes forward");
    sim_move(db, to);
    if (!has_tickets(db))
        start_sweep(db);
    sim_make_months(db, to);
    return show(db);
}

int sim_show(const struct args *args)
{
    PGconn *db = sql_open(args);

    must_be_on(db);
    return show(db);
}

int sim_advance(const struct args *args)
{
    PGconn *db = sql_open(args);

    must_be_on(db);
    if (!sql_is(db, "select $1::interval >= '0'", 1, args->at))
        fail("the clock of a simulation only goes forward");
    sql_do(db, "update hotline.simulation set at = hotline.now() + $1::interval", 1, args->at);
    sim_make_months(db, sim_now(db));
    return show(db);
}
