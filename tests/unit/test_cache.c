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

#include "base.h"
#include "cache.h"
#include "loop.h"
#include "settings.h"

/* A Redis of our own, which can be stopped and killed. */

enum { TIMEOUT_MS = 100 };

static char folder[] = "/tmp/hotline-cache-XXXXXX";
static char path[64];
static pid_t redis;

struct heard {
    int told;
    enum cache_kind kind;
    char text[64];
    long long number;
};

static void keep(const struct cache_reply *reply, void *arg)
{
    struct heard *heard = arg;

    heard->told++;
    heard->kind = reply->kind;
    heard->number = reply->number;
    snprintf(heard->text, sizeof heard->text, "%.*s", (int)reply->len, reply->text != NULL ? reply->text : "");
}

static void keep_message(const char *text, size_t len, void *arg)
{
    struct heard *heard = arg;

    heard->told++;
    snprintf(heard->text, sizeof heard->text, "%.*s", (int)len, text);
}

static void turn(int ms)
{
    const struct timeval wait = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

    event_base_loopexit(loop_base(), &wait);
    event_base_dispatch(loop_base());
}

static void wait_for(const int *told)
{
    for (int i = 0; i < 500 && *told == 0; i++)
        turn(10);
    assert_true(*told > 0);
}

static void wait_up(bool up)
{
    for (int i = 0; i < 500 && cache_up() != up; i++)
        turn(10);
    assert_int_equal(cache_up(), up);
}

static void start_redis(void)
{
    redis = fork();
    assert_true(redis >= 0);
    if (redis == 0) {
        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", path, "--dir", folder, "--save", "",
               "--logfile", "/dev/null", (char *)NULL);
        _exit(127);
    }
}

static void stop_redis(void)
{
    kill(redis, SIGKILL);
    assert_int_equal(waitpid(redis, NULL, 0), redis);
    unlink(path);
}

static void set_address(const char *address)
{
    char one[128];
    char *argv[] = { "hotlined", one, "--redis-ms=100" };

    snprintf(one, sizeof one, "--redis=%s", address);
    assert_int_equal(settings_load(3, argv), SETTINGS_RUN);
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/redis", folder);
    start_redis();
    set_address(path);
    assert_true(loop_open());
    assert_true(cache_prepare());
    assert_true(cache_open());
    wait_up(true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cache_close();
    loop_close();
    stop_redis();
    return rmdir(folder);
}

static struct heard say(int argc, const char *const argv[])
{
    struct heard heard = { 0 };

    assert_true(cache_command(keep, &heard, argc, argv));
    assert_int_equal(heard.told, 0);
    wait_for(&heard.told);
    assert_int_equal(heard.told, 1);
    return heard;
}

#define SAY(...) say((int)COUNT(((const char *const[]){ __VA_ARGS__ })), (const char *const[]){ __VA_ARGS__ })

static void answers_come_in_their_own_kinds(void **state)
{
    (void)state;
    assert_string_equal(SAY("SET", "k", "v v\r\n").text, "OK");
    assert_string_equal(SAY("GET", "k").text, "v v\r\n");
    assert_int_equal(SAY("GET", "none").kind, CACHE_NIL);
    assert_int_equal(SAY("INCRBY", "n", "41").number, 41);
    assert_int_equal(SAY("INCR", "k").kind, CACHE_ERROR);
    assert_true(cache_up());
}

static void what_is_published_is_heard(void **state)
{
    struct heard heard = { 0 };

    (void)state;
    cache_subscribe("news", keep_message, &heard);
    turn(50);
    cache_publish("other", "no");
    cache_publish("news", "yes");
    wait_for(&heard.told);
    assert_int_equal(heard.told, 1);
    assert_string_equal(heard.text, "yes");
}

static void a_stopped_redis_makes_nobody_wait_long(void **state)
{
    const char *const get[] = { "GET", "k" };
    struct heard heard = { 0 };
    int64_t start;

    (void)state;
    kill(redis, SIGSTOP);
    start = loop_now();
    assert_true(cache_command(keep, &heard, 2, get));
    wait_for(&heard.told);
    assert_int_equal(heard.kind, CACHE_ABSENT);
    assert_in_range(loop_now() - start, TIMEOUT_MS, 3 * TIMEOUT_MS);
    assert_false(cache_up());
    assert_false(cache_command(keep, &heard, 2, get));
    kill(redis, SIGCONT);
    wait_up(true);
    assert_int_equal(heard.told, 1); /* the late answer told nobody again */
    assert_string_equal(SAY("SET", "k", "w").text, "OK");
}

static void a_redis_stopped_for_long_is_dialled_again(void **state)
{
    const char *const get[] = { "GET", "k" };
    struct heard heard = { 0 };

    (void)state;
    kill(redis, SIGSTOP);
    assert_true(cache_command(keep, &heard, 2, get));
    turn(10 * TIMEOUT_MS);
    assert_false(cache_up());
    kill(redis, SIGCONT);
    wait_up(true);
    assert_int_equal(SAY("PING").kind, CACHE_TEXT);
    assert_int_equal(heard.told, 1);
}

static void a_killed_redis_is_found_again_and_so_are_the_channels(void **state)
{
    const char *const get[] = { "GET", "k" };
    struct heard pending = { 0 }, heard = { 0 };

    (void)state;
    cache_subscribe("again", keep_message, &heard);
    turn(50);
    kill(redis, SIGSTOP); /* so that the command is surely unanswered when it dies */
    assert_true(cache_command(keep, &pending, 2, get));
    turn(10);
    stop_redis();
    wait_for(&pending.told);
    assert_int_equal(pending.kind, CACHE_ABSENT);
    wait_up(false);
    assert_false(cache_command(keep, &pending, 2, get));
    start_redis();
    wait_up(true);
    for (int i = 0; i < 200 && heard.told == 0; i++) {
        cache_publish("again", "back");
        turn(20);
    }
    assert_string_equal(heard.text, "back");
    assert_int_equal(pending.told, 1);
}

static void waiting_commands_are_bounded(void **state)
{
    const char *const get[] = { "GET", "k" };
    static struct heard heard;
    int sent = 0;

    (void)state;
    while (sent < 100000 && cache_command(keep, &heard, 2, get))
        sent++;
    assert_int_equal(sent, 1000);
    for (int i = 0; i < 200 && heard.told < sent; i++)
        turn(10);
    assert_int_equal(heard.told, sent);
}

static void addresses_that_would_block_are_refused(void **state)
{
    static const char *const bad[] = { "localhost:6379", "redis.example:6379", "127.0.0.1",
                                       "127.0.0.1:0",    "127.0.0.1:66000",    ":1",
                                       "redis" };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        set_address(bad[i]);
        assert_false(cache_prepare());
    }
    set_address("[::1]:6379");
    assert_true(cache_prepare());
    set_address("127.0.0.1:6379");
    assert_true(cache_prepare());
    set_address(path);
    assert_true(cache_prepare());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_in_their_own_kinds),
        cmocka_unit_test(what_is_published_is_heard),
        cmocka_unit_test(a_stopped_redis_makes_nobody_wait_long),
        cmocka_unit_test(a_redis_stopped_for_long_is_dialled_again),
        cmocka_unit_test(a_killed_redis_is_found_again_and_so_are_the_channels),
        cmocka_unit_test(waiting_commands_are_bounded),
        cmocka_unit_test(addresses_that_would_block_are_refused),
    };

    return cmocka_run_group_tests_name("cache", tests, set_up, tear_down);
}
