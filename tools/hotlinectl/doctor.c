/* Is this installation fit to run?  One line a check: ok, warn or error, and what to do. */

#include "ctl.h"
#include "settings.h"

#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

const struct option doctor_options[] = {
    { "config", "FILE", "the engine's configuration, as given to hotlined" },
    { "sql", "DIR", "folder of the SQL files (default: $HOTLINE_SQL, ./sql, /usr/share/hotline/sql)" },
    { NULL, NULL, NULL },
};

static int errors, warnings;

static void line(const char *level, const char *what, const char *format, va_list list)
{
    printf("%-5s  %-12s ", level, what);
    vprintf(format, list);
    putchar('\n');
}

#define LINE(level)                                                                                                    \
    va_list list;                                                                                                      \
    va_start(list, format);                                                                                            \
    line(level, what, format, list);                                                                                   \
    va_end(list)

__attribute__((format(printf, 2, 3))) static void ok(const char *what, const char *format, ...)
{
    LINE("ok");
}

__attribute__((format(printf, 2, 3))) static void warn(const char *what, const char *format, ...)
{
    LINE("warn");
    warnings++;
}

__attribute__((format(printf, 2, 3))) static void error(const char *what, const char *format, ...)
{
    LINE("error");
    errors++;
}

/* ---- settings, files, Redis ---- */

static bool check_settings(const struct args *args)
{
    const char *config = args_text(args, "config", NULL);
    char name[] = "hotlinectl", option[4200];
    char *const words[] = { name, option, NULL };

    snprintf(option, sizeof option, "--config=%s", config ? config : "");
    if (settings_load(config ? 2 : 1, words) != SETTINGS_RUN) {
        error("settings", "cannot be used (see above): correct %s", config ? config : "the environment");
        return false;
    }
    ok("settings", "%s", config ? config : "from the environment and the defaults");
    return true;
}

static void check_key(const char *what, const char *path)
{
    struct stat st;

    if (!*path)
        error(what, "no file is set: make one with 32 random bytes in hex and name it in the setting %s_key_file",
              what);
    else if (stat(path, &st) != 0)
        error(what, "%s cannot be read: restore it from the backup, never make a new one for old data", path);
    else if (!S_ISREG(st.st_mode) || (st.st_mode & 077))
        error(what, "%s can be read by others: chmod 0600 %s", path, path);
    else if (st.st_size < 64)
        error(what, "%s is too short for a key of 32 bytes in hex", path);
    else
        ok(what, "%s", path);
}

static redisContext *redis_connect(const char *address)
{
    static const struct timeval limit = { 2, 0 };
    char host[256];
    const char *colon = strrchr(address, ':');

    if (*address == '/')
        return redisConnectUnixWithTimeout(address, limit);
    snprintf(host, sizeof host, "%.*s", colon ? (int)(colon - address) : (int)strlen(address), address);
    return redisConnectWithTimeout(host, colon ? atoi(colon + 1) : 6379, limit);
}

static void redis_password(redisContext *redis)
{
    char password[256] = "";
    FILE *file = *settings()->redis_password_file ? fopen(settings()->redis_password_file, "r") : NULL;

    if (!file)
        return;
    if (fgets(password, sizeof password, file)) {
        password[strcspn(password, "\r\n")] = '\0';
        freeReplyObject(redisCommand(redis, "AUTH %s", password));
    }
    fclose(file);
}

static void check_persistence(redisContext *redis)
{
    redisReply *reply = redisCommand(redis, "INFO persistence");

    if (!reply || reply->type != REDIS_REPLY_STRING)
        error("redis", "answers, but refuses INFO: check redis_password_file");
    else if (strstr(reply->str, "rdb_last_bgsave_status:err"))
        error("redis", "cannot save its data: look at its log, usually the disk is full");
    else if (strstr(reply->str, "aof_enabled:1") && strstr(reply->str, "aof_last_write_status:err"))
        error("redis", "cannot write its append-only file: look at its log, usually the disk is full");
    else
        ok("redis", "answers and saves (%s)", strstr(reply->str, "aof_enabled:1") ? "append-only file" : "snapshots");
    freeReplyObject(reply);
}

static void check_redis(void)
{
    redisContext *redis;

    if (!*settings()->redis) {
        warn("redis", "none is set: every process keeps limits of its own and streams hear other processes late");
        return;
    }
    redis = redis_connect(settings()->redis);
    if (!redis || redis->err)
        error("redis", "%s: %s; start it, or correct the setting redis", settings()->redis,
              redis ? redis->errstr : "no memory");
    else {
        redis_password(redis);
        check_persistence(redis);
    }
    if (redis)
        redisFree(redis);
}

/* ---- database ---- */

static void check_server(PGconn *db)
{
    int version = PQserverVersion(db);
    char *encoding = sql_text(
        db, "select pg_encoding_to_char(encoding) from pg_database where datname = current_database()", 0, NULL);
    char *zone = sql_text(db, "select reset_val from pg_settings where name = 'TimeZone'", 0, NULL);

    if (version < 150000)
        error("server", "PostgreSQL %d is too old: 15 or newer is needed", version / 10000);
    else
        ok("server", "PostgreSQL %d.%d, database %s", version / 10000, version % 10000, PQdb(db));
    if (strcmp(encoding, "UTF8") != 0)
        error("encoding", "%s: the database must be made with encoding UTF8", encoding);
    else
        ok("encoding", "UTF8");
    if (strcmp(zone, "Asia/Shanghai") != 0)
        error("time zone", "%s instead of Asia/Shanghai: run hotlinectl migrate, which sets it", zone);
    else
        ok("time zone", "%s", zone);
    free(encoding);
    free(zone);
}

static bool check_migration(PGconn *db, const struct args *args)
{
    int missing = migrate_missing(db, args);
    char *last;

    if (!sql_is(db, "select to_regclass('hotline.migration') is not null", 0, NULL)) {
        error("schema", "this database is empty: run hotlinectl migrate");
        return false;
    }
    last = sql_text(db, "select name from hotline.migration order by name desc limit 1", 0, NULL);
    if (missing < 0)
        warn("schema", "%s; no folder of SQL files here to compare it with (--sql DIR)",
             last ? last : "nothing applied");
    else if (missing)
        error("schema", "%d schema files are not applied or have changed: run hotlinectl migrate", missing);
    else
        ok("schema", "newest (%s)", last ? last : "");
    free(last);
    return true;
}

/* Not what the catalogue says, but what happens. */
static bool engine_can_read(PGconn *db)
{
    PGresult *result;
    bool can;

    sql_do(db, "begin", 0, NULL);
    sql_do(db, "set local role hotline_engine", 0, NULL);
    result = PQexec(db, "select 1 from hotline.ticket limit 1");
    can = PQresultStatus(result) == PGRES_TUPLES_OK;
    PQclear(result);
    sql_do(db, "rollback", 0, NULL);
    return can;
}

static void check_rights(PGconn *db)
{
    long tables =
        sql_number(db,
                   "select count(*) from pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
                   " where n.nspname in ('hotline', 'api') and c.relkind in ('r', 'p', 'v', 'm')"
                   " and has_table_privilege('hotline_engine', c.oid, 'select, insert, update, delete, truncate')",
                   0, NULL);
    long closed =
        sql_number(db,
                   "select count(*) from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace"
                   " where n.nspname = 'api' and not has_function_privilege('hotline_engine', p.oid, 'execute')",
                   0, NULL);
    bool inside = sql_is(db, "select has_schema_privilege('hotline_engine', 'hotline', 'usage')", 0, NULL);

    if (tables || inside || engine_can_read(db))
        error("rights", "the engine's role reaches into the tables: revoke what was granted to hotline_engine by hand");
    else if (closed)
        error("rights", "the engine's role may not call %ld functions of api: run hotlinectl migrate", closed);
    else
        ok("rights", "the engine's role may call api and read no table");
}

static void check_login(void)
{
    PGconn *db = PQconnectdb(settings()->database);
    PGresult *result;

    if (PQstatus(db) != CONNECTION_OK)
        error("engine", "cannot connect as the engine does: %s", PQerrorMessage(db));
    else {
        result = PQexec(db, "select status from api.boot('{}') as b");
        if (PQresultStatus(result) != PGRES_TUPLES_OK)
            error("engine", "connects, but cannot call api.boot: %s", PQerrorMessage(db));
        else
            ok("engine", "connects as %s and calls api", PQuser(db));
        PQclear(result);
    }
    PQfinish(db);
}

static void check_partitions(PGconn *db)
{
    char *missing =
        sql_text(db,
                 "select string_agg(c.relname || to_char(m, '_YYYYMM'), ' ' order by m) from pg_class as c"
                 " join pg_namespace as n on n.oid = c.relnamespace"
                 " cross join generate_series(date_trunc('month', hotline.now()), hotline.now() + interval '3 months',"
                 "  interval '1 month') as m"
                 " where n.nspname = 'hotline' and c.relkind = 'p'"
                 " and to_regclass('hotline.' || c.relname || to_char(m, '_YYYYMM')) is null",
                 0, NULL);
    long strays = sql_number(db, "select hotline.partition_strays()", 0, NULL);

    if (missing)
        error("partitions", "missing: %s; run hotlinectl migrate", missing);
    else if (strays)
        warn("partitions", "%ld tables have rows in their default partition: run hotlinectl migrate and move them",
             strays);
    else
        ok("partitions", "there for three months ahead, none by default");
    free(missing);
}

/* The State Council publishes next year's holidays in November. */
static void check_calendar(PGconn *db)
{
    static const char has[] = "select exists (select from hotline.calendar_year where calendar_id = 1"
                              " and year = extract(year from hotline.now())::int + $1::int)";
    const char *const this_year[] = { "0" }, *const next_year[] = { "1" };
    bool late = sql_is(db, "select extract(month from hotline.now()) = 12", 0, NULL);

    if (!sql_is(db, has, 1, this_year))
        error("calendar",
              "this year's holidays are not loaded: add them to hotline.calendar_day and calendar_year, then migrate");
    else if (!sql_is(db, has, 1, next_year))
        (late ? warn : ok)(
            "calendar",
            late ? "next year's holidays are published by now: load them, due dates are provisional"
                 : "this year; next year's holidays are published in November, until then its dates are provisional");
    else
        ok("calendar", "this year and the next");
}

static void check_clock(PGconn *db)
{
    double off = (double)time(NULL) -
                 (double)sql_number(db, "select floor(extract(epoch from clock_timestamp()))::bigint", 0, NULL);

    if (off > 2 || off < -2)
        error("clock", "this machine and the database differ by %.0f s: set up time synchronisation on both", off);
    else
        ok("clock", "agrees with the database's");
    if (sql_is(db, "select hotline.is_simulation()", 0, NULL))
        warn("simulation", "this database is a simulation: its time is what hotlinectl sim sets");
}

static void check_sweep(PGconn *db)
{
    long late =
        sql_number(db, "select count(*) from hotline.timer where at < hotline.now() - interval '5 minutes'", 0, NULL);
    long unfolded = sql_number(db, "select count(*) from hotline.fact_delta", 0, NULL);

    if (late)
        error("sweep",
              "%ld timers are overdue by more than five minutes: is an engine running?  Look for ev=sweep in its log",
              late);
    else
        ok("sweep", "nothing overdue");
    if (unfolded > 500000)
        warn("figures", "%ld differences wait to be folded: hotlinectl metrics fold, and see why the engine does not",
             unfolded);
}

static void check_people(PGconn *db)
{
    long people = sql_number(db, "select count(*) from hotline.person where disabled_at is null and not demo", 0, NULL);
    long demo = sql_number(db, "select count(*) from hotline.person where disabled_at is null and demo", 0, NULL);

    if (demo && !sql_is(db, "select hotline.is_simulation()", 0, NULL))
        warn("accounts", "%ld demonstration accounts with a published password are open: disable them before real work",
             demo);
    else if (!people && !demo)
        warn("accounts", "nobody can sign in: hotlinectl user add");
    else
        ok("accounts", "%ld people", people + demo);
}

static void check_database(const struct args *args)
{
    PGconn *db = sql_open(args);

    check_server(db);
    if (check_migration(db, args)) {
        check_rights(db);
        check_login();
        check_partitions(db);
        check_calendar(db);
        check_clock(db);
        check_sweep(db);
        check_people(db);
    }
    PQfinish(db);
}

int doctor(const struct args *args)
{
    if (check_settings(args)) {
        check_key("contact", settings()->contact_key_file);
        check_key("hash", settings()->hash_key_file);
        check_redis();
        check_database(args);
    }
    printf("\n%d errors, %d warnings\n", errors, warnings);
    return errors ? 1 : 0;
}
