#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "log.h"

static int saved, ends[2];
static char said[8192];

static int redirect(void **state)
{
    (void)state;
    saved = dup(STDERR_FILENO);
    return pipe(ends) || dup2(ends[1], STDERR_FILENO) < 0 ? -1 : 0;
}

static int restore(void **state)
{
    (void)state;
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[0]);
    return close(ends[1]);
}

/* What was logged, behind its time stamp. */
static const char *line(void)
{
    ssize_t n = read(ends[0], said, sizeof said - 1);

    assert_true(n > 0);
    said[n] = 0;
    assert_ptr_equal(strchr(said, '\n'), said + n - 1);
    assert_int_equal(strncmp(said, "ts=20", 5), 0);
    return strchr(said, ' ') + 1;
}

static void one_event_is_one_line(void **state)
{
    (void)state;
    log_open(LOG_LEVEL_INFO, "proc=worker1");
    log_warn("db_lost", "lane=%d err=%s n=%zu at=%lld part=%.*s", 2, "server closed", (size_t)7, -5LL, 3, "abcdef");
    assert_string_equal(line(), "level=warn proc=worker1 ev=db_lost lane=2 err=\"server closed\" n=7 at=-5 part=abc\n");
}

static void no_value_makes_a_second_line_or_key(void **state)
{
    const char *volatile none = NULL;

    (void)state;
    log_open(LOG_LEVEL_INFO, NULL);
    log_error("x", "a=%s b=\"%s\" c=%s d=%s", "1\nts=9 level=info", "q\" ev=\"y\\", "", none);
    assert_string_equal(line(), "level=error ev=x a=\"1 ts=9 level=info\" b=\"q\\\" ev=\\\"y\\\\\" c=\"\" d=-\n");
}

static void a_long_value_is_cut(void **state)
{
    static char text[5000];

    (void)state;
    memset(text, 'a', sizeof text - 1);
    log_open(LOG_LEVEL_INFO, NULL);
    log_error("x", "a=%s b=%s c=%s d=%s e=%s f=%s g=%s", text, text, text, text, text, text, text);
    assert_true(strlen(line()) < 2100);
}

static void a_quiet_level_says_nothing(void **state)
{
    enum log_level level;

    (void)state;
    log_open(LOG_LEVEL_WARN, NULL);
    log_info("unsaid", "n=%d", 1);
    log_warn("said", "n=%d", 2);
    assert_string_equal(line(), "level=warn ev=said n=2\n");
    assert_true(log_level_named("debug", &level));
    assert_int_equal(level, LOG_LEVEL_DEBUG);
    assert_false(log_level_named("loud", &level));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_event_is_one_line, redirect, restore),
        cmocka_unit_test_setup_teardown(no_value_makes_a_second_line_or_key, redirect, restore),
        cmocka_unit_test_setup_teardown(a_long_value_is_cut, redirect, restore),
        cmocka_unit_test_setup_teardown(a_quiet_level_says_nothing, redirect, restore),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
