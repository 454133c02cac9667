#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../tools/hotlinectl/moment.c" /* NOLINT(bugprone-suspicious-include) */

static moment at(const char *text)
{
    moment read = 0;

    assert_true(moment_read(text, &read));
    return read;
}

static void says(moment when, const char *text)
{
    char out[MOMENT_SIZE];

    assert_string_equal(moment_text(when, out), text);
}

static void a_time_reads_back_as_it_was_written(void **state)
{
    (void)state;
    says(at("2018-01-02T08:00:00+08:00"), "2018-01-02T08:00:00+08:00");
    says(at("2018-01-02T00:00:00Z"), "2018-01-02T08:00:00+08:00");
    says(at("2018-01-01T20:30:00.25-03:30"), "2018-01-02T08:00:00+08:00");
}

static void a_time_without_offset_is_the_city_s(void **state)
{
    (void)state;
    says(at("2018-01-02 08:00"), "2018-01-02T08:00:00+08:00");
    says(at("2018-01-02"), "2018-01-02T00:00:00+08:00");
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "soon", "2018-13-02", "2018-01-02T", "2018-01-02T08:00:00x", "2018-01-02T25:00"
    };
    moment read;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(moment_read(bad[i], &read));
}

static void a_day_starts_at_the_city_s_midnight(void **state)
{
    (void)state;
    says(moment_day(at("2018-01-02T00:00:00+08:00")), "2018-01-02T00:00:00+08:00");
    says(moment_day(at("2018-01-01T23:59:59+08:00")), "2018-01-01T00:00:00+08:00");
}

static void office_minutes_skip_lunch_night_and_weekend(void **state)
{
    static const struct {
        const char *from;
        int minutes;
        const char *to;
    } cases[] = {
        { "2018-01-02T09:00", 30, "2018-01-02T09:30:00+08:00" },
        { "2018-01-02T11:50", 20, "2018-01-02T14:40:00+08:00" },
        { "2018-01-02T12:00", 0, "2018-01-02T14:30:00+08:00" },
        { "2018-01-02T17:20", 30, "2018-01-03T08:50:00+08:00" },
        { "2018-01-05T17:29", 2, "2018-01-08T08:31:00+08:00" },
        { "2018-01-06T10:00", 0, "2018-01-08T08:30:00+08:00" },
        { "2018-01-02T03:00", 390, "2018-01-03T08:30:00+08:00" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        says(moment_office(at(cases[i].from), cases[i].minutes), cases[i].to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_reads_back_as_it_was_written),
        cmocka_unit_test(a_time_without_offset_is_the_city_s),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(a_day_starts_at_the_city_s_midnight),
        cmocka_unit_test(office_minutes_skip_lunch_night_and_weekend),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
