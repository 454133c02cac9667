#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "match.h"

static void append(char *text, size_t size, const char *more)
{
    size_t len = strlen(text);

    snprintf(text + len, size - len, "%s", more);
}

static double milliseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void all_words_are_found_where_they_stand(void **state)
{
    const struct match_pattern patterns[] = { { "路灯", 7 }, { "灯不亮", 8 }, { "路灯不亮", 9 }, { "停水", 1 } };
    struct match *m = match_new(patterns, 4);
    const char *text = "小区路灯不亮,停水";
    struct match_hit hits[8];
    size_t n = match_hits(m, text, strlen(text), hits, 8);

    (void)state;
    assert_int_equal(n, 4);
    assert_int_equal(hits[0].payload, 7);
    assert_int_equal(hits[0].offset, strlen("小区"));
    assert_int_equal(hits[0].length, strlen("路灯"));
    assert_int_equal(hits[1].payload, 9); /* the longer of two that end together comes first */
    assert_int_equal(hits[2].payload, 8);
    assert_int_equal(hits[3].payload, 1);
    assert_int_equal(hits[3].offset, strlen("小区路灯不亮,"));
    match_free(m);
}

static void the_same_word_may_stand_for_several_things(void **state)
{
    const struct match_pattern patterns[] = { { "路灯", 1 }, { "噪音", 2 }, { "路灯", 3 } };
    struct match *m = match_new(patterns, 3);
    struct match_hit hits[4];

    (void)state;
    assert_int_equal(match_hits(m, "路灯", 6, hits, 4), 2);
    assert_int_equal(hits[0].pattern, 0);
    assert_int_equal(hits[1].pattern, 2);
    assert_int_equal(match_hits(m, "路灯", 6, hits, 1), 1);
    assert_int_equal(match_hits(m, "路灯", 6, hits, 0), 0);
    match_free(m);
}

static void unusable_words_are_left_out_and_counted(void **state)
{
    char longest[64 * 3 + 1] = "", too_long[65 * 3 + 1] = "";
    struct match_pattern patterns[] = { { "", 1 }, { "\xff", 2 }, { NULL, 3 }, { longest, 4 }, { too_long, 5 } };
    struct match_hit hit;
    struct match *m;

    (void)state;
    for (int i = 0; i < 65; i++) {
        if (i < 64)
            append(longest, sizeof longest, "水");
        append(too_long, sizeof too_long, "电");
    }
    m = match_new(patterns, 5);
    assert_int_equal(match_skipped(m), 4);
    assert_int_equal(match_hits(m, longest, strlen(longest), &hit, 1), 1);
    assert_int_equal(hit.payload, 4);
    match_free(m);
    m = match_new(NULL, 0);
    assert_int_equal(match_hits(m, "路灯", 6, &hit, 1), 0);
    match_free(m);
    match_free(NULL);
}

static void a_broken_byte_ends_every_word(void **state)
{
    const struct match_pattern patterns[] = { { "路灯", 1 } };
    struct match *m = match_new(patterns, 1);
    struct match_hit hit;

    (void)state;
    assert_int_equal(match_hits(m, "路\xff灯", 7, &hit, 1), 0);
    assert_int_equal(match_hits(m, "路灯", 5, &hit, 1), 0);
    match_free(m);
}

static uint32_t random_below(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) % n;
}

/* Words of a two-letter alphabet overlap in every way; a plain search says what must be found. */
static void it_finds_exactly_what_a_plain_search_finds(void **state)
{
    uint32_t seed = 7;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        char words[12][24], text[400] = "";
        struct match_pattern patterns[12];
        struct match_hit hits[1024];
        size_t expected = 0, found;
        struct match *m;

        for (int i = 0; i < 12; i++) {
            words[i][0] = '\0';
            for (uint32_t j = 1 + random_below(&seed, 5); j; j--)
                append(words[i], sizeof words[i], random_below(&seed, 2) ? "水" : "气");
            patterns[i] = (struct match_pattern){ words[i], i };
        }
        for (int i = 0; i < 60; i++)
            append(text, sizeof text, random_below(&seed, 2) ? "水" : "气");
        m = match_new(patterns, 12);
        found = match_hits(m, text, strlen(text), hits, 1024);
        for (int i = 0; i < 12; i++)
            for (const char *at = text; (at = strstr(at, words[i])); at++)
                expected++;
        assert_int_equal(found, expected);
        for (size_t i = 0; i < found; i++) {
            assert_int_equal(hits[i].length, strlen(words[hits[i].pattern]));
            assert_memory_equal(text + hits[i].offset, words[hits[i].pattern], hits[i].length);
        }
        match_free(m);
    }
}

static bool count(const struct match_hit *hit, void *arg)
{
    (void)hit;
    ++*(size_t *)arg;
    return true;
}

/* The size of a city: 1,800 keywords and 1,200 names. */
static void building_is_quick_and_small(void **state)
{
    static char words[3000][16];
    struct match_pattern patterns[3000];
    uint32_t seed = 3;
    double start;
    struct match *m;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        words[i][0] = '\0';
        for (uint32_t j = 2 + random_below(&seed, 3); j; j--) {
            uint32_t cp = 0x4e00 + random_below(&seed, 900);
            char one[4] = { (char)(0xe0 | cp >> 12), (char)(0x80 | (cp >> 6 & 63)), (char)(0x80 | (cp & 63)), 0 };

            append(words[i], sizeof words[i], one);
        }
        patterns[i] = (struct match_pattern){ words[i], i };
    }
    start = milliseconds();
    m = match_new(patterns, 3000);
    print_message("# built in %.1f ms, %zu kB\n", milliseconds() - start, match_bytes(m) / 1024);
    assert_true(milliseconds() - start < 200); /* 20 in production; sanitizers and busy machines need more */
    assert_true(match_bytes(m) < 1 << 20);
    match_free(m);
}

static void repeats_stay_linear(void **state)
{
    static char words[64][65], text[2 << 20];
    struct match_pattern patterns[64];
    size_t hits = 0;
    double start;
    struct match *m;

    (void)state;
    for (size_t i = 0; i < 64; i++) {
        memset(words[i], 'a', i + 1);
        words[i][i] = i % 2 ? 'b' : 'a'; /* near misses that fall back through the whole chain */
        patterns[i] = (struct match_pattern){ words[i], 0 };
    }
    memset(text, 'a', sizeof text);
    m = match_new(patterns, 64);
    start = milliseconds();
    assert_true(match_scan(m, text, sizeof text, count, &hits));
    assert_true(milliseconds() - start < 5000);
    assert_true(hits > sizeof text * 30);
    match_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_words_are_found_where_they_stand),
        cmocka_unit_test(the_same_word_may_stand_for_several_things),
        cmocka_unit_test(unusable_words_are_left_out_and_counted),
        cmocka_unit_test(a_broken_byte_ends_every_word),
        cmocka_unit_test(it_finds_exactly_what_a_plain_search_finds),
        cmocka_unit_test(building_is_quick_and_small),
        cmocka_unit_test(repeats_stay_linear),
    };

    return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
