/* The spool against a real Redis, which is killed and comes back; the database's part is played by the scripts alone. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>
#include <signal.h>

#include "../../engine/spool.c" /* NOLINT(bugprone-suspicious-include): its scripts are what is tested */

static char folder[] = "/tmp/hotline-spool-XXXXXX";
static char path[64];
static pid_t redis;

static void turn(int ms)
{
    const struct timeval wait = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

    event_base_loopexit(loop_base(), &wait);
    event_base_dispatch(loop_base());
    loop_settle();
}

static void wait_usable(bool usable)
{
    for (int i = 0; i < 800 && spool_usable() != usable; i++)
        turn(10);
    assert_int_equal(spool_usable(), usable);
}

static void start_redis(void)
{
    redis = fork();
    assert_true(redis >= 0);
    if (redis == 0) {
        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", path, "--dir", folder, "--save", "",
               "--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction", "--logfile",
               "/dev/null", (char *)NULL);
        _exit(127);
    }
}

static void kill_redis(void)
{
    kill(redis, SIGKILL);
    assert_int_equal(waitpid(redis, NULL, 0), redis);
    unlink(path);
}

static int set_up(void **state)
{
    char address[128], most[] = "--spool-max=5";
    char *argv[] = { "hotlined", address, most };

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/redis", folder);
    snprintf(address, sizeof address, "--spool-redis=%s", path);
    assert_int_equal(settings_load(3, argv), SETTINGS_RUN);
    start_redis();
    assert_true(loop_open());
    assert_true(cache_prepare());
    assert_true(cache_open());
    assert_true(spool_open());
    wait_usable(true);
    return 0;
}

static int tear_down(void **state)
{
    char command[96];

    (void)state;
    spool_close();
    cache_close();
    loop_close();
    kill_redis();
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/* One command, its answer as text. */

static char heard[100000];
static int told;

static void keep(const struct cache_reply *reply, void *arg)
{
    (void)arg;
    told++;
    *heard = '\0';
    if (reply->kind == CACHE_NUMBER)
        snprintf(heard, sizeof heard, "%lld", reply->number);
    else if (reply->kind == CACHE_TEXT || reply->kind == CACHE_ERROR)
        snprintf(heard, sizeof heard, "%.*s", (int)reply->len, reply->text);
}

static const char *wait_told(void)
{
    for (int i = 0; i < 500 && told == 0; i++)
        turn(10);
    assert_int_equal(told, 1);
    return heard;
}

static const char *say(int argc, const char *const argv[])
{
    told = 0;
    assert_true(cache_send(CACHE_SPOOL, keep, NULL, argc, argv));
    return wait_told();
}

#define SAY(...) say((int)COUNT(((const char *const[]){ __VA_ARGS__ })), (const char *const[]){ __VA_ARGS__ })

static void fill_with(const char *numbers)
{
    told = 0;
    assert_true(RUN(fill_script, keep, NULL, spool.run, "1000", "0", numbers));
    wait_told();
}

static enum spool_outcome outcome;
static char number[NUMBER_SIZE];

static void keep_put(enum spool_outcome what, const char *which, void *arg)
{
    (void)arg;
    told++;
    outcome = what;
    snprintf(number, sizeof number, "%s", which);
}

static enum spool_outcome put(const char *key, const char *digest)
{
    told = 0;
    spool_put(&(struct spool_entry){ .key = key, .digest = digest, .prefix = "2603092", .call = "{\"title\":\"t\"}" },
              keep_put, NULL);
    assert_int_equal(told, 0);
    wait_told();
    return outcome;
}

static void keep_find(bool known, const char *call, void *arg)
{
    (void)arg;
    told++;
    snprintf(heard, sizeof heard, "%s", !known ? "unknown" : call ? call : "none");
}

static const char *find(const char *which)
{
    told = 0;
    spool_find(which, keep_find, NULL);
    return wait_told();
}

static int empty(void **state)
{
    (void)state;
    assert_string_equal(SAY("FLUSHALL"), "OK");
    return 0;
}

static void a_number_is_the_day_the_channel_the_sequence_and_a_check(void **state)
{
    (void)state;
    fill_with("[7,9999999]");
    assert_int_equal(put("a", "d"), SPOOL_TAKEN);
    assert_string_equal(number, "2603092000000777"); /* as hotline.ticket_no makes it */
    assert_int_equal(put("b", "d"), SPOOL_TAKEN);
    assert_memory_equal(number, "26030929999999", 14);
    assert_string_equal(find(number), "{\"title\":\"t\"}");
    assert_string_equal(find("2603092000000000"), "none");
}

static void a_key_gets_its_first_answer_and_another_body_none(void **state)
{
    char first[NUMBER_SIZE];

    (void)state;
    fill_with("[1,2,3]");
    assert_int_equal(put("a", "d"), SPOOL_TAKEN);
    memcpy(first, number, sizeof first);
    assert_int_equal(put("a", "d"), SPOOL_TAKEN);
    assert_string_equal(number, first);
    assert_int_equal(put("a", "other"), SPOOL_REUSED);
    assert_string_equal(SAY("XLEN", "spool"), "1");
    assert_string_equal(SAY("LLEN", "spool:numbers"), "2");
}

static void a_full_stream_refuses_and_still_knows_its_keys(void **state)
{
    static const char *const keys[] = { "a", "b", "c", "d", "e" };

    (void)state;
    fill_with("[1,2,3,4,5,6]");
    for (size_t i = 0; i < COUNT(keys); i++)
        assert_int_equal(put(keys[i], "d"), SPOOL_TAKEN);
    assert_int_equal(put("f", "d"), SPOOL_FULL);
    assert_int_equal(put("a", "d"), SPOOL_TAKEN);
    assert_string_equal(SAY("XLEN", "spool"), "5");
    assert_string_equal(SAY("LLEN", "spool:numbers"), "1");
}

static void without_numbers_nothing_is_taken(void **state)
{
    (void)state;
    assert_int_equal(put("a", "d"), SPOOL_EMPTY);
    fill_with("[1]");
    assert_int_equal(put("a", "d"), SPOOL_TAKEN);
    assert_int_equal(put("b", "d"), SPOOL_EMPTY);
    assert_string_equal(SAY("XLEN", "spool"), "1");
}

static void a_refused_write_leaves_nothing_behind(void **state)
{
    (void)state;
    fill_with("[1,2]");
    assert_string_equal(SAY("CONFIG", "SET", "maxmemory", "1"), "OK");
    assert_int_equal(put("a", "d"), SPOOL_AWAY);
    assert_string_equal(SAY("CONFIG", "SET", "maxmemory", "0"), "OK");
    assert_string_equal(SAY("LLEN", "spool:numbers"), "2");
    assert_string_equal(SAY("HGET", "spool:block", "taken"), "0");
    assert_string_equal(SAY("XLEN", "spool"), "0");
    assert_int_equal(put("a", "d"), SPOOL_TAKEN);
}

static void a_killed_redis_keeps_entries_keys_and_numbers(void **state)
{
    char first[NUMBER_SIZE];

    (void)state;
    fill_with("[1,2,3]");
    assert_int_equal(put("a", "d"), SPOOL_TAKEN);
    memcpy(first, number, sizeof first);
    kill_redis();
    wait_usable(false);
    assert_int_equal(put("b", "d"), SPOOL_AWAY);
    assert_string_equal(find(first), "unknown");
    start_redis();
    wait_usable(true);
    assert_string_equal(find(first), "{\"title\":\"t\"}");
    assert_int_equal(put("a", "d"), SPOOL_TAKEN);
    assert_string_equal(number, first);
    assert_int_equal(put("b", "d"), SPOOL_TAKEN);
    assert_memory_equal(number, "26030920000002", 14);
}

static const char *restart(void)
{
    kill_redis();
    wait_usable(false);
    start_redis();
    wait_usable(true);
    return SAY("EXISTS", "spool:numbers");
}

static void numbers_in_doubt_are_discarded_at_the_next_life_of_redis(void **state)
{
    (void)state;
    fill_with("[1,2]");
    assert_string_equal(SAY("HDEL", "spool:block", "taken"), "1");
    assert_string_equal(restart(), "0");
    fill_with("[3,4]");
    assert_string_equal(SAY("LPOP", "spool:numbers"), "3"); /* one is missing that the account does not know of */
    assert_string_equal(restart(), "0");
    fill_with("[5,6]");
    assert_string_equal(SAY("CONFIG", "SET", "appendfsync", "everysec"), "OK");
    check(NULL);
    wait_usable(false);
    assert_string_equal(SAY("HGET", "spool:block", "doubt"), "1");
    assert_string_equal(restart(), "0");
    fill_with("[7,8]");
    assert_string_equal(restart(), "1");
}

static void settings_that_lose_or_evict_keep_it_from_being_used(void **state)
{
    (void)state;
    fill_with("[1,2]");
    assert_string_equal(SAY("CONFIG", "SET", "maxmemory-policy", "allkeys-lru"), "OK");
    check(NULL);
    wait_usable(false);
    assert_non_null(strstr(spool_note(), "maxmemory-policy"));
    assert_int_equal(put("a", "d"), SPOOL_AWAY);
    assert_string_equal(SAY("CONFIG", "SET", "maxmemory-policy", "noeviction"), "OK");
    check(NULL);
    wait_usable(true);
    assert_int_equal(put("a", "d"), SPOOL_TAKEN);
}

static void keep_text(const char *text, size_t len, void *arg)
{
    (void)arg;
    told++;
    snprintf(heard, sizeof heard, "%.*s", (int)len, text ? text : "");
}

static void what_a_worker_needs_to_start_is_kept(void **state)
{
    (void)state;
    told = 0;
    spool_recall_catalog(keep_text, NULL);
    assert_string_equal(wait_told(), "");
    spool_keep_catalog("{\"version\":\"1\"}");
    told = 0;
    spool_recall_catalog(keep_text, NULL);
    assert_string_equal(wait_told(), "{\"version\":\"1\"}");
}

static void one_holds_the_lock_and_only_that_one_gets_pages(void **state)
{
    (void)state;
    fill_with("[1,2]");
    assert_int_equal(put("a", "d"), SPOOL_TAKEN);
    told = 0;
    assert_true(RUN(lock_script, keep, NULL, "one", "60000"));
    assert_string_equal(wait_told(), "1");
    told = 0;
    assert_true(RUN(lock_script, keep, NULL, "two", "60000"));
    assert_string_equal(wait_told(), "0");
    told = 0;
    assert_true(RUN(unlock_script, keep, NULL, "two"));
    wait_told();
    assert_string_equal(SAY("GET", "spool:lock"), "one");
    told = 0;
    assert_true(RUN(unlock_script, keep, NULL, "one"));
    wait_told();
    assert_string_equal(SAY("EXISTS", "spool:lock"), "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_number_is_the_day_the_channel_the_sequence_and_a_check, empty),
        cmocka_unit_test_setup(a_key_gets_its_first_answer_and_another_body_none, empty),
        cmocka_unit_test_setup(a_full_stream_refuses_and_still_knows_its_keys, empty),
        cmocka_unit_test_setup(without_numbers_nothing_is_taken, empty),
        cmocka_unit_test_setup(a_refused_write_leaves_nothing_behind, empty),
        cmocka_unit_test_setup(a_killed_redis_keeps_entries_keys_and_numbers, empty),
        cmocka_unit_test_setup(numbers_in_doubt_are_discarded_at_the_next_life_of_redis, empty),
        cmocka_unit_test_setup(settings_that_lose_or_evict_keep_it_from_being_used, empty),
        cmocka_unit_test_setup(what_a_worker_needs_to_start_is_kept, empty),
        cmocka_unit_test_setup(one_holds_the_lock_and_only_that_one_gets_pages, empty),
    };

    return cmocka_run_group_tests_name("spool", tests, set_up, tear_down);
}
