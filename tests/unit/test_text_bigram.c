#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bigram.h"
#include "utf8.h"

static size_t grams_of(const char *text, int32_t *out)
{
    return text_bigrams(text, strlen(text), out, TEXT_GRAMS);
}

/* What the database answers to grams @> query. */
static bool holds(const char *text, const char *query)
{
    int32_t a[TEXT_GRAMS], b[TEXT_GRAMS];
    size_t na = grams_of(text, a), nb = grams_of(query, b), i = 0;

    for (size_t j = 0; j < nb; j++) {
        while (i < na && a[i] < b[j])
            i++;
        if (i == na || a[i] != b[j])
            return false;
    }
    return nb > 0;
}

/* Rows in databases hold these; they may never change. */
static void the_hash_is_the_one_that_is_stored(void **state)
{
    int32_t out[8];

    (void)state;
    assert_int_equal(grams_of("路灯", out), 1);
    assert_int_equal(out[0], 221238077);
    assert_int_equal(grams_of("ab", out), 1);
    assert_int_equal(out[0], 213070650);
}

static void grams_are_distinct_sorted_and_positive(void **state)
{
    int32_t out[TEXT_GRAMS];
    size_t n = grams_of("小区停水小区停水小区停水,物业公司a1栋b2栋", out);

    (void)state;
    assert_int_equal(n, 13); /* 小区 区停 停水 水小, 物业 业公 公司 司a a1 1栋 栋b b2 2栋 */
    for (size_t i = 0; i < n; i++) {
        assert_true(out[i] > 0);
        if (i)
            assert_true(out[i - 1] < out[i]);
    }
}

static void a_complaint_is_found_by_its_words(void **state)
{
    const char *text = "金霞街道 丹霞社区3栋路灯不亮,物业(abc公司)不修";

    (void)state;
    assert_true(holds(text, "路灯"));
    assert_true(holds(text, "丹霞社区 路灯"));
    assert_true(holds(text, "abc公司"));
    assert_true(holds(text, "3栋"));
    assert_false(holds(text, "停水"));
    assert_false(holds(text, "街道丹霞")); /* pairs do not reach across a space */
}

static void a_single_character_cannot_be_searched(void **state)
{
    int32_t out[4];

    (void)state;
    assert_int_equal(grams_of("", out), 0);
    assert_int_equal(grams_of("水", out), 0);
    assert_int_equal(grams_of("水,电 气", out), 0);
    assert_int_equal(grams_of("水 路灯", out), 1);
}

static void the_cap_keeps_the_beginning(void **state)
{
    int32_t few[5], all[TEXT_GRAMS];
    size_t n;

    (void)state;
    n = text_bigrams("龙湖区金霞街道路灯不亮", strlen("龙湖区金霞街道路灯不亮"), few, 5);
    assert_int_equal(n, 5);
    assert_int_equal(grams_of("龙湖区金霞街", all), 5);
    assert_memory_equal(few, all, sizeof few);
    assert_int_equal(text_bigrams("路灯", 6, few, 0), 0);
}

static void more_than_the_largest_cap_is_never_written(void **state)
{
    static char text[4 * 4000];
    static int32_t out[TEXT_GRAMS_MAX];
    size_t len = 0;

    (void)state;
    for (uint32_t i = 0; i < 4000; i++)
        len += utf8_put(text + len, 0x4e00 + i);
    assert_int_equal(text_bigrams(text, len, out, SIZE_MAX), TEXT_GRAMS_MAX);
}

static void similarity_is_symmetric_and_between_0_and_1(void **state)
{
    static const char *const texts[] = {
        "", "水", "路灯不亮", "路灯坏了", "小区路灯不亮已经三天", "公交车不按站停靠", "路灯不亮"
    };
    int32_t a[TEXT_GRAMS], b[TEXT_GRAMS];

    (void)state;
    for (size_t i = 0; i < 7; i++)
        for (size_t j = 0; j < 7; j++) {
            size_t na = grams_of(texts[i], a), nb = grams_of(texts[j], b);
            double there = text_similarity(a, na, b, nb), back = text_similarity(b, nb, a, na);

            assert_true(there >= 0 && there <= 1 && !(there < back) && !(there > back));
            if (i == j && na)
                assert_true(there >= 1);
        }
}

static void the_same_matter_is_nearer_than_another(void **state)
{
    int32_t a[TEXT_GRAMS], b[TEXT_GRAMS], c[TEXT_GRAMS];
    size_t na = grams_of("丹霞社区路灯不亮很久没人修", a), nb = grams_of("丹霞社区的路灯不亮没人来修", b);
    size_t nc = grams_of("公交车不按站停靠", c);

    (void)state;
    assert_true(text_similarity(a, na, b, nb) > 0.4);
    assert_true(text_similarity(a, na, c, nc) < 0.05);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_the_one_that_is_stored),
        cmocka_unit_test(grams_are_distinct_sorted_and_positive),
        cmocka_unit_test(a_complaint_is_found_by_its_words),
        cmocka_unit_test(a_single_character_cannot_be_searched),
        cmocka_unit_test(the_cap_keeps_the_beginning),
        cmocka_unit_test(more_than_the_largest_cap_is_never_written),
        cmocka_unit_test(similarity_is_symmetric_and_between_0_and_1),
        cmocka_unit_test(the_same_matter_is_nearer_than_another),
    };

    return cmocka_run_group_tests_name("bigram", tests, NULL, NULL);
}
