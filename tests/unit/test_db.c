/* Lanes and batches against a real server.  HOTLINE_TEST_DB: conninfo of a superuser, who makes a database of this test's own. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <libpq-fe.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base.h"
#include "db.h"
#include "log.h"
#include "loop.h"
#include "settings.h"

enum { TOLD_MAX = 2000, PATIENCE = 20000 };

static const char schema[] =
    "create schema api; create type api.answer as (status int, body json);"
    "create table note(n int, key text, xid xid8 default pg_current_xact_id(), turn serial);"
    "create table late(n int unique deferrable initially deferred);"
    "create sequence tries;"
    "create function api.lock(ids bigint[]) returns void language plpgsql as $$"
    " begin for i in 1..cardinality(ids) loop perform pg_advisory_xact_lock(ids[i]); end loop; end $$;"
    "create function api.note(x jsonb) returns api.answer language plpgsql as $$ begin"
    " if x ? 'bad' then raise exception 'poison %', x; end if;"
    " insert into note(n, key) values ((x->>'n')::int, x->>'key');"
    " return (201, json_build_object('n', x->'n', 'xid', pg_current_xact_id()))::api.answer; end $$;"
    "create function api.sorted_note(x jsonb) returns api.answer language sql as 'select api.note(x)';"
    "create function api.conflict(x jsonb) returns api.answer language plpgsql as $$ begin"
    " if nextval('tries') <= 2 then raise exception 'again' using errcode = '40001'; end if; return api.note(x); end "
    "$$;"
    "create function api.at_commit(x jsonb) returns api.answer language plpgsql as $$ begin"
    " insert into late values ((x->>'n')::int); return api.note(x); end $$;"
    "create function api.locked(x jsonb) returns api.answer language sql volatile as $$"
    " select 200, json_agg(objid::bigint order by objid::bigint) from pg_locks where locktype = 'advisory' and pid = "
    "pg_backend_pid() "
    "$$;"
    "create function api.killed(x jsonb) returns api.answer language plpgsql as $$ begin"
    " if nextval('tries') <= 1 then perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(1); end if;"
    " return api.note(x); end $$;"
    "create function api.sleep(x jsonb) returns api.answer language plpgsql as $$ begin"
    " perform pg_sleep((x->>'s')::float); return (200, '{}')::api.answer; end $$;"
    "create function api.hello(x jsonb) returns api.answer language sql stable as $$ select 200, x::json $$;"
    "create function api.nothing(x jsonb) returns api.answer language sql stable as $$ select 204, null::json $$;"
    "create function api.sneak(x jsonb) returns api.answer language sql volatile as 'select api.note(x)';";

static const struct api_fn api_note = { .name = "note", .write = true };
static const struct api_fn api_sorted_note = { .name = "sorted_note", .write = true, .sorted = true };
static const struct api_fn api_conflict = { .name = "conflict", .write = true };
static const struct api_fn api_at_commit = { .name = "at_commit", .write = true };
static const struct api_fn api_locked = { .name = "locked", .write = true };
static const struct api_fn api_killed = { .name = "killed", .write = true };
static const struct api_fn api_sleep_write = { .name = "sleep", .write = true };
static const struct api_fn api_missing = { .name = "missing", .write = true };
static const struct api_fn api_hello = { .name = "hello" };
static const struct api_fn api_nothing = { .name = "nothing" };
static const struct api_fn api_sneak = { .name = "sneak" };
static const struct api_fn api_killed_read = { .name = "killed_read" };

/* ---- the database ----------------------------------------------------------------------------------------------------------- */

static char conninfo[600];
static PGconn *psql;

static const char *sql(const char *text)
{
    static char value[256];
    PGresult *result = PQexec(psql, text);

    if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", text, PQerrorMessage(psql));
    snprintf(value, sizeof value, "%s", PQntuples(result) ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    return value;
}

static int make_database(void **state)
{
    (void)state;
    psql = PQconnectdb(getenv("HOTLINE_TEST_DB"));
    sql("set client_min_messages = warning");
    sql("drop database if exists hotlined_test_db with (force)");
    sql("create database hotlined_test_db");
    PQfinish(psql);
    snprintf(conninfo, sizeof conninfo, "%s dbname=hotlined_test_db", getenv("HOTLINE_TEST_DB"));
    psql = PQconnectdb(conninfo);
    sql(schema);
    return 0;
}

static int drop_database(void **state)
{
    (void)state;
    PQfinish(psql);
    psql = PQconnectdb(getenv("HOTLINE_TEST_DB"));
    sql("drop database hotlined_test_db with (force)");
    PQfinish(psql);
    return 0;
}

/* ---- calls ------------------------------------------------------------------------------------------------------------------ */

static struct {
    int status;
    char body[100], code[24];
} told[TOLD_MAX];
static int ntold, awaited;

static void keep(const struct db_answer *answer, void *arg)
{
    int i = (int)(intptr_t)arg;

    assert_int_equal(told[i].status, 0); /* exactly once */
    told[i].status = answer->status;
    snprintf(told[i].body, sizeof told[i].body, "%s", answer->body ? answer->body : "");
    snprintf(told[i].code, sizeof told[i].code, "%s", answer->code ? answer->code : "");
    if (++ntold == awaited)
        loop_stop();
}

static void call_with(int i, const struct api_fn *fn, const char *key, const char *json, const int64_t *locks,
                      size_t nlocks)
{
    db_call(&(struct db_call){ .fn = fn,
                               .json = json,
                               .len = strlen(json),
                               .locks = locks,
                               .nlocks = nlocks,
                               .key = key,
                               .done = keep,
                               .arg = (void *)(intptr_t)i });
}

static void call(int i, const struct api_fn *fn, const char *key, const char *format, ...)
{
    char json[300];
    va_list args;

    va_start(args, format);
    vsnprintf(json, sizeof json, format, args);
    va_end(args);
    call_with(i, fn, key, json, NULL, 0);
}

static void too_late(void *arg)
{
    (void)arg;
    loop_stop();
}

/* Turn the loop until n calls in all have been answered. */
static void await(int n)
{
    struct timer *timer = timer_new(too_late, NULL);

    awaited = n;
    timer_set(timer, PATIENCE);
    if (ntold < n)
        loop_run();
    timer_free(timer);
    assert_int_equal(ntold, n);
}

static void turn(int ms)
{
    struct timer *timer = timer_new(too_late, NULL);

    timer_set(timer, ms);
    loop_run();
    timer_free(timer);
}

static void open_with(const char *database, const char *option)
{
    char setting[700];
    char *arguments[] = { "test",           setting,           "--log_level=error", "--write_lanes=2",
                          "--read_lanes=2", "--batch_ms=3000", "--read_ms=500",     "--connect_ms=700",
                          (char *)option };

    snprintf(setting, sizeof setting, "--database=%s", database);
    assert_int_equal(settings_load(COUNT(arguments), arguments), SETTINGS_RUN);
    log_open(settings()->log_level, NULL);
    assert_true(loop_open());
    assert_true(db_open());
}

static int start(void **state)
{
    (void)state;
    memset(told, 0, sizeof told);
    ntold = 0;
    sql("truncate note, late");
    sql("alter sequence tries restart");
    open_with(conninfo, "--queue_max=1000");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    db_close();
    loop_close();
    return 0;
}

static void close_and_open(const char *database, const char *option)
{
    stop(NULL);
    open_with(database, option);
}

/* ---- what is true ------------------------------------------------------------------------------------------------------------ */

static void every_call_gets_its_own_answer(void **state)
{
    char expected[40];

    (void)state;
    for (int i = 0; i < 500; i++)
        call(i, &api_note, NULL, "{\"n\": %d}", i);
    await(500);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(told[i].status, 201);
        snprintf(expected, sizeof expected, "{\"n\" : %d, ", i);
        assert_int_equal(strncmp(told[i].body, expected, strlen(expected)), 0);
    }
    assert_string_equal(sql("select count(*) || ' ' || count(distinct n) from note"), "500 500");
}

static void calls_of_one_turn_share_a_commit(void **state)
{
    (void)state;
    turn(300);
    for (int i = 0; i < 150; i++)
        call(i, &api_note, NULL, "{\"n\": %d}", i);
    await(150);
    assert_string_equal(
        sql("select string_agg(c::text, ' ' order by x) from (select xid x, count(*) c from note group by 1) a"),
        "64 64 22");
}

static void calls_run_in_order_of_arrival(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++)
        call(i, &api_note, NULL, "{\"n\": %d}", i);
    await(200);
    assert_string_equal(sql("select count(*) from (select n, lag(n) over (order by turn) p from note) a where p >= n"),
                        "0");
}

static void a_sorted_function_runs_in_order_of_keys(void **state)
{
    char key[20];

    (void)state;
    turn(300);
    for (int i = 0; i < 50; i++) {
        snprintf(key, sizeof key, "%03d", i * 37 % 50);
        call(i, &api_sorted_note, key, "{\"n\": %d, \"key\": \"%s\"}", i, key);
    }
    await(50);
    assert_string_equal(
        sql("select count(*) from (select key, lag(key) over (order by turn) p from note) a where p >= key"), "0");
}

/* A plan that remembered the answers of equal calls would run two of them once. */
static void equal_calls_run_as_often_as_they_are_made(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++)
        call(i, &api_note, NULL, "{\"n\": 7}");
    await(60);
    assert_string_equal(sql("select count(*) from note"), "60");
}

static void a_poisonous_call_fails_alone(void **state)
{
    (void)state;
    turn(300);
    for (int i = 0; i < 64; i++)
        call(i, &api_note, NULL, i == 17 || i == 40 ? "{\"n\": %d, \"bad\": true}" : "{\"n\": %d}", i);
    await(64);
    for (int i = 0; i < 64; i++)
        assert_int_equal(told[i].status, i == 17 || i == 40 ? 500 : 201);
    assert_string_equal(told[17].code, "internal");
    assert_string_equal(sql("select count(*) || ' ' || count(distinct n) from note"), "62 62");
}

static void text_the_database_cannot_read_fails_alone(void **state)
{
    (void)state;
    call(0, &api_note, NULL, "{\"n\": 1}");
    call(1, &api_note, NULL, "{\"n\": \"\\u0000\"}");
    call(2, &api_note, NULL, "{\"n\": 3}");
    await(3);
    assert_int_equal(told[0].status, 201);
    assert_int_equal(told[1].status, 500);
    assert_int_equal(told[2].status, 201);
}

static void a_conflict_is_tried_again(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        call(i, &api_conflict, NULL, "{\"n\": %d}", i);
    await(5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(told[i].status, 201);
    assert_string_equal(sql("select count(*) from note"), "5");
}

static void what_fails_at_the_commit_is_not_answered_as_done(void **state)
{
    (void)state;
    turn(300);
    for (int i = 0; i < 8; i++)
        call(i, &api_at_commit, NULL, "{\"n\": %d}", i == 7 ? 3 : i);
    await(8);
    for (int i = 0; i < 7; i++)
        if (i != 3)
            assert_int_equal(told[i].status, 201);
    assert_int_equal(told[3].status + told[7].status, 201 + 500);
    assert_string_equal(sql("select count(*) from note"), "7");
}

static void a_batch_holds_the_union_of_its_locks_before_it_runs(void **state)
{
    static const int64_t first[] = { 30, 10 }, second[] = { 10, 20 };

    (void)state;
    turn(300);
    call_with(0, &api_locked, NULL, "{}", first, 2);
    call_with(1, &api_locked, NULL, "{}", second, 2);
    await(2);
    assert_string_equal(told[0].body, "[10, 20, 30]");
    assert_string_equal(told[1].body, "[10, 20, 30]");
}

static void a_call_with_a_key_survives_a_lost_connection(void **state)
{
    (void)state;
    call(0, &api_killed, "key-1", "{\"n\": 1}");
    call(1, &api_killed, "key-2", "{\"n\": 2}");
    await(2);
    assert_int_equal(told[0].status, 201);
    assert_int_equal(told[1].status, 201);
    assert_string_equal(sql("select count(*) from note"), "2");
}

static void a_call_without_a_key_is_not_repeated(void **state)
{
    (void)state;
    call(0, &api_killed, NULL, "{\"n\": 1}");
    await(1);
    assert_int_equal(told[0].status, 503);
    assert_string_equal(told[0].code, "database_away");
    assert_string_equal(sql("select count(*) from note"), "0");
}

static void a_read_survives_a_lost_connection(void **state)
{
    (void)state;
    sql("create or replace function api.killed_read(x jsonb) returns api.answer language plpgsql as $$ begin"
        " if pg_stat_file('postmaster.pid') is not null and (x->>'t')::timestamptz > clock_timestamp() - interval '0.2 "
        "s'"
        " then perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(1); end if; return (200, "
        "x::json)::api.answer; end $$");
    call(0, &api_killed_read, NULL, "{\"t\": \"%s\"}", sql("select clock_timestamp()"));
    await(1);
    assert_int_equal(told[0].status, 200);
}

static void a_full_queue_refuses_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < 1200; i++)
        call(i, &api_note, NULL, "{\"n\": %d}", i);
    await(1200);
    for (int i = 0; i < 1200; i++)
        assert_int_equal(told[i].status, i < 1000 ? 201 : 503);
    assert_string_equal(told[1199].code, "busy");
}

static int told_busy(int from, int to)
{
    int n = 0;

    for (int i = from; i < to; i++)
        n += !strcmp(told[i].code, "busy");
    return n;
}

static void a_burst_may_wait_but_a_lasting_overload_is_refused_at_once(void **state)
{
    (void)state;
    close_and_open(conninfo, "--batch_max=4");
    turn(300);
    for (int i = 0; i < 150; i++)
        call(i, &api_sleep_write, NULL, "{\"s\": 0.01}");
    turn(800);
    assert_int_equal(told_busy(0, 150), 0);
    assert_true(db_is_busy(&api_sleep_write));
    assert_false(db_is_busy(&api_note));
    for (int i = 150; i < 160; i++)
        call(i, &api_sleep_write, NULL, "{\"s\": 0}");
    turn(1);
    assert_int_equal(told_busy(150, 160), 10);
    call(160, &api_note, NULL, "{\"n\": 1}"); /* another function waits for itself alone */
    await(161);
    assert_int_equal(told_busy(0, 150), 0);
    assert_int_equal(told[160].status, 201);

    /* While it is not sure that it is over, a queue grows only as long as it may take. */
    for (int i = 161; i < 261; i++)
        call(i, &api_sleep_write, NULL, "{\"s\": 0.01}");
    await(261);
    assert_in_range(told_busy(161, 261), 75, 92); /* 150 ms are 15 calls; two batches of four may always wait */
}

static void a_database_that_does_not_answer_is_away(void **state)
{
    (void)state;
    close_and_open(conninfo, "--lock_ms=10");
    turn(300);
    call(0, &api_sleep_write, NULL, "{\"s\": 2.8}");
    turn(100);
    call(1, &api_sleep_write, NULL, "{\"s\": 0}");
    turn(2200);
    call(2, &api_sleep_write, NULL, "{\"s\": 0}");
    turn(1);
    assert_string_equal(told[2].code, "database_away");
    await(3);
    assert_int_equal(told[0].status, 200);
    assert_int_equal(told[1].status, 200);
}

static void a_slow_batch_does_not_hold_up_another_function(void **state)
{
    (void)state;
    turn(300);
    call(0, &api_sleep_write, NULL, "{\"s\": 1}");
    call(1, &api_note, NULL, "{\"n\": 1}");
    await(1);
    assert_int_equal(told[1].status, 201);
    assert_int_equal(told[0].status, 0);
    await(2);
    assert_int_equal(told[0].status, 200);
}

static void reads_are_answered_beside_each_other(void **state)
{
    static const struct api_fn api_sleep_read = { .name = "sleep" };
    static const struct api_fn *const fns[] = { &api_hello, &api_nothing };

    (void)state;
    for (int i = 0; i < 100; i++)
        call(i, fns[i % 2], NULL, "{\"i\": %d}", i);
    await(100);
    assert_string_equal(told[42].body, "{\"i\": 42}");
    assert_int_equal(told[43].status, 204);
    assert_string_equal(told[43].body, "");
    call(100, &api_sleep_read, NULL, "{\"s\": 2}");
    await(101);
    assert_int_equal(told[100].status, 503);
    assert_string_equal(told[100].code, "too_slow");
}

static void a_read_cannot_write(void **state)
{
    (void)state;
    call(0, &api_sneak, NULL, "{\"n\": 1}");
    call(1, &api_hello, NULL, "{}");
    await(2);
    assert_int_equal(told[0].status, 500);
    assert_int_equal(told[1].status, 200);
    assert_string_equal(sql("select count(*) from note"), "0");
}

static void a_function_that_is_not_there_hurts_no_other(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        call(i, &api_missing, NULL, "{}");
    call(10, &api_note, NULL, "{\"n\": 1}");
    await(11);
    assert_int_equal(told[0].status, 500);
    assert_int_equal(told[9].status, 500);
    assert_int_equal(told[10].status, 201);
}

static void a_function_replaced_under_way_is_planned_anew(void **state)
{
    (void)state;
    call(0, &api_hello, NULL, "{}");
    await(1);
    sql("drop function api.hello(jsonb); create function api.hello(x jsonb) returns api.answer language sql stable as "
        "$$ select 200, x::json $$");
    call(1, &api_hello, NULL, "{}");
    await(2);
    assert_int_equal(told[1].status, 200);
}

static void without_a_server_calls_are_refused_soon(void **state)
{
    int64_t start_ms;

    (void)state;
    close_and_open("host=/nonexistent dbname=x", "--request_ms=60000");
    start_ms = loop_now();
    call(0, &api_note, "key", "{}");
    call(1, &api_hello, NULL, "{}");
    await(2);
    assert_string_equal(told[0].code, "database_away");
    assert_string_equal(told[1].code, "database_away");
    assert_in_range(loop_now() - start_ms, 1500, 4000);
    assert_non_null(db_state());
    call(2, &api_note, "key", "{}");
    await(3);
    assert_in_range(loop_now() - start_ms, 1500, 4100);
}

static int silent_port(int *fd)
{
    struct sockaddr_in where = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof where;

    *fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&where, sizeof where) | listen(*fd, 100), 0);
    getsockname(*fd, (struct sockaddr *)&where, &size);
    return ntohs(where.sin_port);
}

/* The first accepts and says nothing, the second refuses; the third is ours. */
static void the_next_host_is_tried_when_one_is_silent(void **state)
{
    char several[900];
    int fd, port = silent_port(&fd);

    (void)state;
    snprintf(several, sizeof several, "%s host=127.0.0.1,/nonexistent,%s port=%d,5432,%s", conninfo, PQhost(psql), port,
             PQport(psql));
    close_and_open(several, "--request_ms=10000");
    turn(1500);
    assert_null(db_state());
    call(0, &api_note, NULL, "{\"n\": 1}");
    await(1);
    assert_int_equal(told[0].status, 201);
    close(fd);
}

static void a_host_that_takes_no_writes_is_passed_over(void **state)
{
    (void)state;
    sql("alter database hotlined_test_db set default_transaction_read_only = on");
    close_and_open(conninfo, "--request_ms=10000");
    turn(3000);
    assert_string_equal(db_state(), "no connection to a database that takes writes");
    call(0, &api_hello, NULL, "{}");
    await(1);
    assert_int_equal(told[0].status, 200);
    sql("set default_transaction_read_only = off");
    sql("alter database hotlined_test_db reset default_transaction_read_only");
    turn(4000);
    assert_null(db_state());
}

static void closing_answers_what_still_waits(void **state)
{
    (void)state;
    turn(300);
    call(0, &api_sleep_write, "key", "{\"s\": 5}");
    turn(100);
    call(1, &api_sleep_write, "key", "{\"s\": 5}");
    db_close();
    assert_int_equal(ntold, 2);
    assert_string_equal(told[0].code, "database_away");
    assert_true(db_open());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_call_gets_its_own_answer, start, stop),
        cmocka_unit_test_setup_teardown(calls_of_one_turn_share_a_commit, start, stop),
        cmocka_unit_test_setup_teardown(calls_run_in_order_of_arrival, start, stop),
        cmocka_unit_test_setup_teardown(a_sorted_function_runs_in_order_of_keys, start, stop),
        cmocka_unit_test_setup_teardown(equal_calls_run_as_often_as_they_are_made, start, stop),
        cmocka_unit_test_setup_teardown(a_poisonous_call_fails_alone, start, stop),
        cmocka_unit_test_setup_teardown(text_the_database_cannot_read_fails_alone, start, stop),
        cmocka_unit_test_setup_teardown(a_conflict_is_tried_again, start, stop),
        cmocka_unit_test_setup_teardown(what_fails_at_the_commit_is_not_answered_as_done, start, stop),
        cmocka_unit_test_setup_teardown(a_batch_holds_the_union_of_its_locks_before_it_runs, start, stop),
        cmocka_unit_test_setup_teardown(a_call_with_a_key_survives_a_lost_connection, start, stop),
        cmocka_unit_test_setup_teardown(a_call_without_a_key_is_not_repeated, start, stop),
        cmocka_unit_test_setup_teardown(a_read_survives_a_lost_connection, start, stop),
        cmocka_unit_test_setup_teardown(a_full_queue_refuses_at_once, start, stop),
        cmocka_unit_test_setup_teardown(a_burst_may_wait_but_a_lasting_overload_is_refused_at_once, start, stop),
        cmocka_unit_test_setup_teardown(a_database_that_does_not_answer_is_away, start, stop),
        cmocka_unit_test_setup_teardown(a_slow_batch_does_not_hold_up_another_function, start, stop),
        cmocka_unit_test_setup_teardown(reads_are_answered_beside_each_other, start, stop),
        cmocka_unit_test_setup_teardown(a_read_cannot_write, start, stop),
        cmocka_unit_test_setup_teardown(a_function_that_is_not_there_hurts_no_other, start, stop),
        cmocka_unit_test_setup_teardown(a_function_replaced_under_way_is_planned_anew, start, stop),
        cmocka_unit_test_setup_teardown(without_a_server_calls_are_refused_soon, start, stop),
        cmocka_unit_test_setup_teardown(the_next_host_is_tried_when_one_is_silent, start, stop),
        cmocka_unit_test_setup_teardown(a_host_that_takes_no_writes_is_passed_over, start, stop),
        cmocka_unit_test_setup_teardown(closing_answers_what_still_waits, start, stop),
    };

    if (!getenv("HOTLINE_TEST_DB")) {
        puts("Bail out! HOTLINE_TEST_DB must name a throw-away PostgreSQL: the conninfo of a superuser");
        return 1;
    }
    return cmocka_run_group_tests(tests, make_database, drop_database);
}
