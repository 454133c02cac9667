#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct place_row places[] = {
    { "4405", NULL, PLACE_CITY, "汕头市" },
    { "440507", "4405", PLACE_DISTRICT, "龙湖区" },
    { "440507001", "440507", PLACE_TOWN, "金霞街道" },
    { "440507001005", "440507001", PLACE_VILLAGE, "丹霞居委会" },
};

static const struct keyword_row keywords[] = {
    { "路灯", 30 },   { "不亮", 30 }, { "路灯不亮", 30 }, { "灯杆", 30 }, { "路灯", 10 }, { "停电", 20 },
    { "ＡＰＰ", 40 }, { "路灯", 30 }, { "", 50 },         { "\xff", 50 }, { "漏电", 20 }, { "电线", 20 },
};

static struct text_service *service;
static struct text_result result;

static void one_call_tells_all_about_a_complaint(void **state)
{
    (void)state;
    text_analyse(service, "丹霞社区路灯不亮",
                 "　龙湖区金霞街道丹霞社区，３栋门口的路灯不亮了，灯杆都锈了，ＡＰＰ报修没用。", NULL, &result);
    assert_string_equal(result.norm,
                        "丹霞社区路灯不亮\n龙湖区金霞街道丹霞社区,3栋门口的路灯不亮了,灯杆都锈了,app报修没用.");
    assert_int_equal(result.title_len, strlen("丹霞社区路灯不亮"));
    assert_int_equal(result.norm_len, strlen(result.norm));
    assert_false(result.truncated);
    assert_true(result.gram_count > 20);
    assert_string_equal(result.place.best.code, "440507001005");
    assert_true(result.place.best.confidence >= PLACE_SURE);
    assert_int_equal(result.item_count, 3);
    assert_int_equal(result.items[0].item, 30);
    assert_int_equal(result.items[0].count, 4);
    assert_int_equal(result.items[0].chars, 2 + 2 + 4 + 2);
    assert_int_equal(result.items[0].word_count, 4);
    assert_string_equal(result.items[0].words[0], "路灯");
    assert_string_equal(result.items[0].words[1], "路灯不亮");
    assert_int_equal(result.items[1].item, 40); /* three letters are more than two characters */
    assert_string_equal(result.items[1].words[0], "app");
    assert_int_equal(result.items[2].item, 10);
}

static void one_complaint_leaves_nothing_for_the_next(void **state)
{
    (void)state;
    text_analyse(service, "路灯不亮", "龙湖区", NULL, &result);
    text_analyse(service, "停电", "", NULL, &result);
    assert_string_equal(result.norm, "停电\n");
    assert_int_equal(result.item_count, 1);
    assert_int_equal(result.items[0].item, 20);
    assert_int_equal(result.items[0].count, 1);
    assert_string_equal(result.place.best.code, "");
    assert_int_equal(result.gram_count, 1);
}

static void words_do_not_reach_from_title_to_content(void **state)
{
    (void)state;
    text_analyse(service, "停", "电", NULL, &result);
    assert_int_equal(result.item_count, 0);
    assert_int_equal(result.gram_count, 0);
}

static void an_empty_complaint_is_empty(void **state)
{
    (void)state;
    text_analyse(service, NULL, NULL, NULL, &result);
    assert_string_equal(result.norm, "\n");
    assert_int_equal(result.title_len, 0);
    assert_int_equal(result.gram_count + result.item_count + result.place.count, 0);
}

static void unusable_keywords_are_counted(void **state)
{
    (void)state;
    assert_int_equal(text_service_skipped(service), 2);
}

static void the_items_with_most_words_are_kept(void **state)
{
    struct keyword_row rows[300];
    struct text_service *many;

    (void)state;
    for (int i = 0; i < 300; i++)
        rows[i] = (struct keyword_row){ i % 3 == 2 ? "停水" : "路灯", i / 3 };
    for (int i = 0; i < 300; i += 3)
        rows[i].word = i == 3 * 77 ? "不亮" : "路灯";
    many = text_service_new(NULL, 0, rows, 300);
    text_analyse(many, "路灯不亮", "停水", NULL, &result);
    assert_int_equal(result.item_count, TEXT_ITEMS);
    assert_int_equal(result.items[0].item, 77);
    assert_int_equal(result.items[0].count, 3);
    for (size_t i = 1; i < TEXT_ITEMS; i++)
        assert_int_equal(result.items[i].item, (int)i - 1);
    text_service_free(many);
    text_service_free(NULL);
}

static double milliseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Two megabytes of each: ten thousand characters are read, the rest only measured. */
static void no_text_takes_long(void **state)
{
    static const char *const parts[] = { "😀", "a", "路灯不亮", "金霞", "丹霞社区", "龙湖区金霞街道", " ", "①", "\xff" };
    size_t size = 2 << 20;
    char *text = malloc(size + 1);
    double worst = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(parts); i++) {
        size_t width = strlen(parts[i]), len = 0;
        double start, spent;

        for (; len + width <= size; len += width)
            memcpy(text + len, parts[i], width);
        text[len] = '\0';
        start = milliseconds();
        text_analyse(service, text, text, NULL, &result);
        spent = milliseconds() - start;
        worst = spent > worst ? spent : worst;
        assert_true(result.truncated);
        assert_true(result.norm_len < sizeof result.norm);
        assert_true(text_valid_utf8(result.norm, result.norm_len));
    }
    print_message("# the slowest of the long texts took %.2f ms\n", worst);
    assert_true(worst < 100); /* below 5 without sanitizers */
    free(text);
}

static int set_up(void **state)
{
    (void)state;
    service = text_service_new(places, COUNT(places), keywords, COUNT(keywords));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    text_service_free(service);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_call_tells_all_about_a_complaint),
        cmocka_unit_test(one_complaint_leaves_nothing_for_the_next),
        cmocka_unit_test(words_do_not_reach_from_title_to_content),
        cmocka_unit_test(an_empty_complaint_is_empty),
        cmocka_unit_test(unusable_keywords_are_counted),
        cmocka_unit_test(the_items_with_most_words_are_kept),
        cmocka_unit_test(no_text_takes_long),
    };

    return cmocka_run_group_tests_name("text", tests, set_up, tear_down);
}
