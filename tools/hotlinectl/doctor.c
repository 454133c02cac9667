/* Is this installation fit to run?  One line a check: ok, warn or error, and what to do. */

#include "ctl.h"
#include "redis.h"
#include "settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

    if (!settings_of(args)) {
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
        redis_password(redis, settings()->redis_password_file);
        check_persistence(redis);
    }
    if (redis)
        redisFree(redis);
}

/* The value of a setting as the server has it; "" when it does not say. */
static void redis_config(redisContext *redis, const char *name, char *value, size_t size)
{
    redisReply *reply = redisCommand(redis, "CONFIG GET %s", name);

    *value = '\0';
    if (reply && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2)
        snprintf(value, size, "%s", reply->element[1]->str);
    freeReplyObject(reply);
}

/* The identity of a server: two addresses may lead to one. */
static void redis_run(redisContext *redis, char *run, size_t size)
{
    redisReply *reply = redisCommand(redis, "INFO server");
    const char *at = reply && reply->type == REDIS_REPLY_STRING ? strstr(reply->str, "run_id:") : NULL;

    snprintf(run, size, "%.40s", at ? at + 7 : "");
    freeReplyObject(reply);
}

static bool is_same_server(redisContext *spool)
{
    redisContext *cache = *settings()->redis ? redis_connect(settings()->redis) : NULL;
    char one[48] = "", other[48] = "";

    if (cache && !cache->err) {
        redis_password(cache, settings()->redis_password_file);
        redis_run(cache, one, sizeof one);
        redis_run(spool, other, sizeof other);
    }
    if (cache)
        redisFree(cache);
    return *one && !strcmp(one, other);
}

/* A complaint in the spool was answered 202: it must survive a kill -9 and must not be evicted. */
static void check_spool_settings(redisContext *spool)
{
    static const struct {
        const char *name, *value;
    } must[] = { { "appendonly", "yes" }, { "appendfsync", "always" }, { "maxmemory-policy", "noeviction" } };
    char value[128];
    int wrong = 0;

    for (int i = 0; i < COUNT(must); i++) {
        redis_config(spool, must[i].name, value, sizeof value);
        if (strcmp(value, must[i].value) != 0) {
            error("spool", "its %s is \"%s\": set %s %s in its configuration, else what was answered can be lost",
                  must[i].name, value, must[i].name, must[i].value);
            wrong++;
        }
    }
    if (is_same_server(spool)) {
        error("spool", "it is the same server as the setting redis: give it a process of its own");
        wrong++;
    }
    redis_config(spool, "maxmemory", value, sizeof value);
    if (!strcmp(value, "0"))
        warn("spool", "has no maxmemory: set one, about 8 kB for each of the %d complaints of spool_max",
             settings()->spool_max);
    if (!wrong)
        ok("spool", "keeps every write, evicts nothing, room for %d complaints", settings()->spool_max);
}

static void check_spool(void)
{
    redisContext *spool;

    if (!*settings()->spool_redis) {
        warn("spool", "none is set: while the database is away citizens are asked to come back later");
        return;
    }
    spool = redis_connect(settings()->spool_redis);
    if (!spool || spool->err)
        error("spool", "%s: %s; start it, or correct the setting spool_redis", settings()->spool_redis,
              spool ? spool->errstr : "no memory");
    else {
        redis_password(spool, settings()->spool_password_file);
        check_spool_settings(spool);
    }
    if (spool)
        redisFree(spool);
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
    char *where =
        sql_text(db,
                 "select string_agg(c.relname, ' ' order by c.relname) from pg_class as c"
                 " join pg_namespace as n on n.oid = c.relnamespace where n.nspname = 'hotline' and c.relispartition"
                 " and c.relname like '%\\_default' and c.relkind = 'r' and pg_relation_size(c.oid) > 0",
                 0, NULL);

    if (missing)
        error("partitions", "missing: %s; run hotlinectl migrate", missing);
    else if (strays)
        warn("partitions",
             "%ld tables have rows in their default partition (%s): make the months with hotline.partition_make after "
             "moving the rows out",
             strays, where ? where : "?");
    else
        ok("partitions", "there for three months ahead, none by default");
    free(missing);
    free(where);
}

/* Every calendar that units work by needs this year's holidays; the State Council publishes next year's in November. */
static char *calendars_without(PGconn *db, const char *years_ahead)
{
    return sql_text(db,
                    "select string_agg(c.name, ', ' order by c.id) from hotline.calendar as c"
                    " where not c.always_open and (c.id = 1 or c.id in (select calendar_id from hotline.unit))"
                    " and not exists (select from hotline.calendar_year as y where y.calendar_id = c.id"
                    " and y.year = extract(year from hotline.now())::int + $1::int)",
                    1, &years_ahead);
}

static void check_calendar(PGconn *db)
{
    bool late = sql_is(db, "select extract(month from hotline.now()) = 12", 0, NULL);
    char *this_year = calendars_without(db, "0"), *next_year = calendars_without(db, "1");
    char *end = sql_text(
        db, "select min(last)::text from (select max(day) as last from hotline.workday group by calendar_id) as d", 0,
        NULL);
    long beyond = sql_number(db,
                             "select count(*) from hotline.clock where met_at is null and stopped_at is null"
                             " and due_at > (select max(day) from hotline.workday) and unit in ('workday', 'workhour')",
                             0, NULL);

    if (!end || beyond ||
        sql_is(db, "select $1::date < hotline.now() + interval '2 years'", 1, (const char *const *)&end))
        error("calendar", "the numbered days end %s: run hotlinectl migrate of a version that numbers more years",
              end ? end : "before they begin");
    else if (this_year)
        error("calendar",
              "this year's holidays are not loaded (%s): add them to hotline.calendar_day and calendar_year, then "
              "migrate",
              this_year);
    else if (next_year && late)
        warn("calendar", "next year's holidays are published by now: load them (%s), due dates are provisional",
             next_year);
    else
        ok("calendar", "%s, days are numbered to %s",
           next_year ? "this year; next year's holidays are published in November, until then its dates are provisional"
                     : "this year and the next",
           end);
    free(this_year);
    free(next_year);
    free(end);
}

static double wall(void)
{
    struct timeval now;

    gettimeofday(&now, NULL);
    return (double)now.tv_sec + (double)now.tv_usec / 1e6;
}

/* The database's clock against ours in the middle of the question, the best of five: the fastest answer knows most. */
static double clock_skew(PGconn *db, double *doubt)
{
    double skew = 0;

    *doubt = 1e9;
    for (int i = 0; i < 5; i++) {
        double before = wall(), after, theirs;
        char *text = sql_text(db, "select extract(epoch from clock_timestamp())", 0, NULL);

        after = wall();
        theirs = strtod(text, NULL);
        free(text);
        if (after - before < *doubt) {
            *doubt = after - before;
            skew = theirs - (before + after) / 2;
        }
    }
    *doubt /= 2;
    return skew;
}

static void check_clock(PGconn *db)
{
    double doubt, skew = clock_skew(db, &doubt), size = skew < 0 ? -skew : skew;

    if (size - doubt > 2)
        error("clock", "this machine and the database differ by %.1f s: set up time synchronisation on both", skew);
    else if (size - doubt > 0.2)
        warn("clock", "this machine and the database differ by %.2f s: is time synchronisation running on both?", skew);
    else
        ok("clock", "agrees with the database's (%+.1f ms, ± %.1f)", skew * 1e3, doubt * 1e3);
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

static void check_audit(PGconn *db)
{
    char *last = sql_text(db, "select to_char(max(at), 'YYYY-MM-DD HH24:MI') from hotline.audit_root", 0, NULL);

    if (!last)
        warn("audit", "no root was ever signed: hotlinectl audit key, then the timer hotline-audit");
    else if (sql_is(db, "select max(at) < hotline.now() - interval '2 days' from hotline.audit_root", 0, NULL))
        warn("audit", "the last root was signed %s: look at the timer hotline-audit", last);
    else
        ok("audit", "last root signed %s", last);
    free(last);
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

/* A code that is asked for must come. */
static void check_doors(PGconn *db)
{
    bool codes = sql_is(db, "select value = '\"on\"' from hotline.setting where name = 'door.phone_code'", 0, NULL);
    char *challenge = sql_text(db, "select value #>> '{}' from hotline.setting where name = 'door.challenge'", 0, NULL);

    if (codes && !strstr(settings()->notice_ways, "sms"))
        error("doors",
              "codes are asked for (door.phone_code), and nobody is asked while notice_ways has no sms: set up "
              "sms_file, or hotlinectl door phone_code off");
    else if (challenge && !strcmp(challenge, "on"))
        warn("doors",
             "the public solves a proof of work before it files: hotlinectl door challenge auto when the attack "
             "is over");
    else if (challenge && !strcmp(challenge, "auto") && !settings()->challenge_rate)
        warn("doors", "challenge_rate is 0: in an attack somebody must type hotlinectl door challenge on");
    else
        ok("doors", "challenge %s above %d complaints a minute, codes %s", challenge ? challenge : "off",
           settings()->challenge_rate, codes ? "on" : "off");
    free(challenge);
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
        check_audit(db);
        check_people(db);
        check_doors(db);
    }
    PQfinish(db);
}

int doctor(const struct args *args)
{
    if (check_settings(args)) {
        check_key("contact", settings()->contact_key_file);
        check_key("hash", settings()->hash_key_file);
        check_redis();
        check_spool();
        check_database(args);
    }
    printf("\n%d errors, %d warnings\n", errors, warnings);
    return errors ? 1 : 0;
}
