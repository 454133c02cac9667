#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "base.h"
#include "settings.h"

static char path[] = "/tmp/hotlined-settings-XXXXXX";

static int make_file(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int drop_file(void **state)
{
    (void)state;
    return unlink(path);
}

/* Load with this file and this one argument (either may be NULL); what is said on stderr goes nowhere. */
static enum settings_verdict load(const char *file, const char *argument)
{
    char config[100], *arguments[] = { "hotlined", config, (char *)argument };
    FILE *out = fopen(path, "w");
    int said = dup(STDERR_FILENO);
    enum settings_verdict verdict;

    fputs(file ? file : "", out);
    fclose(out);
    snprintf(config, sizeof config, "--config=%s", path);
    assert_non_null(freopen("/dev/null", "w", stderr));
    verdict = settings_load(argument ? 3 : 2, arguments);
    fflush(stderr);
    dup2(said, STDERR_FILENO);
    close(said);
    return verdict;
}

static void defaults_hold_where_nothing_is_said(void **state)
{
    (void)state;
    assert_int_equal(load(NULL, NULL), SETTINGS_RUN);
    assert_string_equal(settings()->listen, "127.0.0.1");
    assert_int_equal(settings()->port, 12345);
    assert_int_equal(settings()->log_level, LOG_LEVEL_INFO);
    assert_int_equal(settings()->body_max, 262144);
}

static void the_later_source_wins(void **state)
{
    (void)state;
    assert_int_equal(load("# a comment\n\n  port = 1000 \r\nlisten=::1\ndatabase = host=a,b dbname=x\n", NULL),
                     SETTINGS_RUN);
    assert_int_equal(settings()->port, 1000);
    assert_string_equal(settings()->listen, "::1");
    assert_string_equal(settings()->database, "host=a,b dbname=x");
    setenv("HOTLINE_PORT", "2000", 1);
    assert_int_equal(load("port = 1000\n", NULL), SETTINGS_RUN);
    assert_int_equal(settings()->port, 2000);
    assert_int_equal(load("port = 1000\n", "--port=3000"), SETTINGS_RUN);
    assert_int_equal(settings()->port, 3000);
    unsetenv("HOTLINE_PORT");
}

static void dashes_stand_for_underscores(void **state)
{
    (void)state;
    assert_int_equal(load(NULL, "--drain-seconds=3"), SETTINGS_RUN);
    assert_int_equal(settings()->drain_seconds, 3);
}

static void what_is_unknown_or_wrong_is_an_error(void **state)
{
    static const char *const files[] = { "prot = 1\n",     "port\n",       "port = x\n", "port = 65536\n",
                                         "port = -1\n",    "port = 1 2\n", "port = \n",  "log_level = loud\n",
                                         "batch_max = 0\n" };
    static const char *const arguments[] = { "--prot=1", "--port", "port=1", "--port=", "--=1", "-p" };

    (void)state;
    for (size_t i = 0; i < COUNT(files); i++)
        assert_int_equal(load(files[i], NULL), SETTINGS_BAD);
    for (size_t i = 0; i < COUNT(arguments); i++)
        assert_int_equal(load(NULL, arguments[i]), SETTINGS_BAD);
    setenv("HOTLINE_WORKERS", "many", 1);
    assert_int_equal(load(NULL, NULL), SETTINGS_BAD);
    unsetenv("HOTLINE_WORKERS");
}

static void a_missing_file_is_an_error(void **state)
{
    char *arguments[] = { "hotlined", "--config=/nonexistent/hotlined.conf" };

    (void)state;
    assert_int_equal(settings_load(2, arguments), SETTINGS_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_hold_where_nothing_is_said), cmocka_unit_test(the_later_source_wins),
        cmocka_unit_test(dashes_stand_for_underscores),        cmocka_unit_test(what_is_unknown_or_wrong_is_an_error),
        cmocka_unit_test(a_missing_file_is_an_error),
    };

    return cmocka_run_group_tests(tests, make_file, drop_file);
}
