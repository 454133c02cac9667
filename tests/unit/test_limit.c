#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "cache.h"
#include "loop.h"
#include "settings.h"

/* The request's side, recorded: what limit.c sets, refuses and wakes. */
#define req_run limit_test_run
#define req_set_header limit_test_header
#define refuse limit_test_refuse

#include "limit.c" /* NOLINT(bugprone-suspicious-include) */

static char retry_after[24];
static int refused_status, passed;

void limit_test_header(struct req *r, const char *name, const char *value)
{
    (void)r;
    assert_string_equal(name, "Retry-After");
    snprintf(retry_after, sizeof retry_after, "%s", value);
}

enum next limit_test_refuse(struct req *r, int status, const char *code, const struct why *why)
{
    (void)r;
    assert_string_equal(code, "too_many");
    assert_non_null(why->zh);
    refused_status = status;
    return DONE;
}

void limit_test_run(struct req *r)
{
    enum next next;

    do
        next = (*r->step++)(r);
    while (next == GO);
}

static enum limit_kind kind;
static char key[64];

static enum next count_one(struct req *r)
{
    return limited(r, kind, key);
}

static enum next look(struct req *r)
{
    return limit_spent(r, kind, key);
}

static enum next pass(struct req *r)
{
    (void)r;
    passed++;
    return DONE;
}

static step_fn *const counting[] = { count_one, pass };
static step_fn *const looking[] = { look, pass };

static void turn(int ms)
{
    const struct timeval wait = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

    event_base_loopexit(loop_base(), &wait);
    event_base_dispatch(loop_base());
}

/* One request through these steps; true when it passed. */
static bool try(step_fn *const *steps)
{
    struct req r = { .arena = arena_new(), .step = steps };

    passed = refused_status = 0;
    *retry_after = '\0';
    limit_test_run(&r);
    for (int i = 0; i < 200 && !passed && !refused_status; i++)
        turn(5);
    arena_free(r.arena);
    assert_int_equal(passed + (refused_status == 429), 1);
    return passed == 1;
}

static void use(enum limit_kind now, const char *name)
{
    kind = now;
    snprintf(key, sizeof key, "%s-%d-%lld", name, (int)getpid(), (long long)loop_now());
}

static void load_settings(const char *redis)
{
    char one[160];
    char *argv[] = { "hotlined", one, "--limit-submit=3", "--limit-staff=0", "--limit-login=120" };

    snprintf(one, sizeof one, "--redis=%s", redis);
    assert_int_equal(settings_load(5, argv), SETTINGS_RUN);
}

static void wait_up(void)
{
    for (int i = 0; i < 500 && !cache_up(); i++)
        turn(10);
    assert_true(cache_up());
}

static int set_up(void **state)
{
    const char *redis = getenv("HOTLINE_TEST_REDIS");

    (void)state;
    if (redis == NULL)
        fail_msg("HOTLINE_TEST_REDIS must name the socket of a running Redis");
    load_settings(redis);
    assert_true(loop_open());
    assert_true(limit_open());
    assert_true(cache_prepare());
    assert_true(cache_open());
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cache_close();
    loop_close();
    return 0;
}

static void three_pass_and_the_fourth_waits(void)
{
    use(LIMIT_SUBMIT, "burst");
    assert_true(try(counting));
    assert_true(try(counting));
    assert_true(try(looking));
    assert_true(try(counting));
    assert_false(try(looking));
    assert_false(try(counting));
    assert_in_range(atoi(retry_after), 19, 20); /* 60 seconds for three: one is paid back after twenty */
    use(LIMIT_SUBMIT, "another");
    assert_true(try(counting));
}

static void a_burst_passes_and_the_next_one_waits(void **state)
{
    (void)state;
    wait_up();
    three_pass_and_the_fourth_waits();
}

static void looking_counts_nothing(void **state)
{
    (void)state;
    wait_up();
    use(LIMIT_CODE, "guess");
    for (int i = 0; i < 10; i++)
        assert_true(try(looking));
    for (int i = 0; i < 5; i++) {
        assert_true(try(looking));
        limit_count(LIMIT_CODE, key);
    }
    assert_false(try(looking));
    assert_in_range(atoi(retry_after), 179, 180);
}

static void time_pays_back(void **state)
{
    (void)state;
    wait_up();
    use(LIMIT_LOGIN, "fast"); /* 120 a minute: one each 500 ms */
    while (try(counting))
        ;
    assert_string_equal(retry_after, "1");
    turn(550);
    assert_true(try(counting));
}

static void no_setting_no_limit(void **state)
{
    (void)state;
    use(LIMIT_STAFF, "staff");
    for (int i = 0; i < 50; i++)
        assert_true(try(counting));
}

static void without_redis_the_same_sum_is_done_here(void **state)
{
    (void)state;
    cache_close();
    load_settings("/nonexistent/redis");
    assert_true(cache_prepare());
    assert_true(cache_open());
    assert_false(cache_up());
    three_pass_and_the_fourth_waits();
    use(LIMIT_CODE, "guess");
    for (int i = 0; i < 5; i++)
        limit_count(LIMIT_CODE, key);
    assert_false(try(looking));
}

static void the_table_stays_bounded_and_keeps_the_worst(void **state)
{
    struct taking worst = taking_of(LIMIT_CODE, "worst", true);

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(take_here(&worst), 0);
    for (int i = 0; i < 20000; i++) {
        struct taking one;
        char name[16];

        snprintf(name, sizeof name, "%d", i);
        one = taking_of(LIMIT_SUBMIT, name, true);
        assert_int_equal(take_here(&one), 0);
    }
    assert_true(take_here(&worst) > 0);
}

static void key_is(const char *given, const char *expected)
{
    struct taking taking = taking_of(LIMIT_SUBMIT, given, true);

    assert_string_equal(taking.key, expected);
}

static void a_network_counts_as_one_address(void **state)
{
    (void)state;
    key_is("192.0.2.7", "l:submit:192.0.2.7");
    key_is("2001:db8:1:2:3:4:5:6", "l:submit:2001:db8:1:2::");
    key_is("2001:db8:1:2:ffff::1", "l:submit:2001:db8:1:2::");
    key_is("2001:db8:1:3::1", "l:submit:2001:db8:1:3::");
    key_is("2001:db8:1:3::1 2611242000100619", "l:submit:2001:db8:1:3:: 2611242000100619");
    key_is("someone", "l:submit:someone");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_passes_and_the_next_one_waits),
        cmocka_unit_test(looking_counts_nothing),
        cmocka_unit_test(time_pays_back),
        cmocka_unit_test(a_network_counts_as_one_address),
        cmocka_unit_test(no_setting_no_limit),
        cmocka_unit_test(without_redis_the_same_sum_is_done_here),
        cmocka_unit_test(the_table_stays_bounded_and_keeps_the_worst),
    };

    return cmocka_run_group_tests_name("limit", tests, set_up, tear_down);
}
