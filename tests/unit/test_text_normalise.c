#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "normalise.c" /* NOLINT(bugprone-suspicious-include): its table is private */

static void gives(const char *from, const char *to)
{
    char out[256];
    size_t len = text_normalise(from, strlen(from), out, sizeof out);

    assert_string_equal(out, to);
    assert_int_equal(len, strlen(to));
}

static void width_case_and_digits_become_one_form(void **state)
{
    (void)state;
    gives("电话：１３８００１３８０００，找ＡＢＣ公司！", "电话:13800138000,找abc公司!");
    gives("Hello World", "hello world");
    gives("ÀÉÎ Ωμέγα ПРИВЕТ Ǎ", "àéî ωμέγα привет ǎ");
    gives("①物业②保安⑩门卫⓪", "1物业2保安10门卫0");
    gives("⒈停水⑵停电", "1 停水2 停电");
    gives("𝟙𝟘𝟘元 𝐀𝐛 ٣ m²", "100元 ab 3 m2");
    gives("100㎡，5㎞", "100m2,5km");
    gives("【投诉】“物业”、保安。", "[投诉]\"物业\",保安.");
}

static void chinese_numerals_stay(void **state)
{
    (void)state;
    gives("三合村五一路十二号㈠", "三合村五一路十二号㈠");
}

static void traditional_forms_become_simplified(void **state)
{
    (void)state;
    gives("路燈壞了，夜間噪聲擾民", "路灯坏了,夜间噪声扰民");
    gives("頭髮 發現 皇后 後面", "头发 发现 皇后 后面");
    gives("臺灣鐘錶", "台湾钟表");
}

static void white_space_is_one_space_and_none_at_the_ends(void **state)
{
    (void)state;
    gives("　 \t小区\r\n\r\n停水  了\xc2\xa0 \xe2\x80\x83", "小区 停水 了");
    gives(" \n\t", "");
    gives("", "");
}

static void what_cannot_be_seen_goes(void **state)
{
    (void)state;
    gives("路\xe2\x80\x8b灯\xef\xbb\xbf不\xe2\x80\xae亮\x01\x7f", "路灯不亮");
    gives("1\xef\xb8\x8f\xe2\x83\xa3楼", "1楼"); /* a keycap */
}

static void bytes_that_are_not_utf8_are_dropped(void **state)
{
    (void)state;
    gives("路\xff灯\xe4\xb8", "路灯");
}

static void valid_text_is_told_from_broken(void **state)
{
    static const char *const broken[] = { "\x80",
                                          "\xc0\x80",
                                          "\xc1\xbf",
                                          "\xe0\x80\x80",
                                          "\xed\xa0\x80",
                                          "\xf0\x80\x80\x80",
                                          "\xf4\x90\x80\x80",
                                          "\xf5\x80\x80\x80",
                                          "\xe4\xb8",
                                          "\xe4\xb8\x41",
                                          "\xff",
                                          "a\xc3" };

    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        assert_false(text_valid_utf8(broken[i], strlen(broken[i])));
    assert_true(text_valid_utf8("路灯 \xf4\x8f\xbf\xbf", strlen("路灯 \xf4\x8f\xbf\xbf")));
    assert_true(text_valid_utf8("a\0b", 3));
    assert_true(text_valid_utf8("", 0));
}

static void the_rows_are_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        assert_true(rules[i].first <= rules[i].last);
        if (i)
            assert_true(rules[i - 1].last < rules[i].first);
    }
}

/* Every code point there is. */
static void doing_it_twice_changes_nothing_and_nothing_grows(void **state)
{
    char one[4], once[16], twice[16];

    (void)state;
    for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
        size_t width, len;

        if (cp >= 0xd800 && cp <= 0xdfff)
            continue;
        width = utf8_put(one, cp);
        assert_true(text_valid_utf8(one, width));
        len = text_normalise(one, width, once, sizeof once);
        assert_true(len <= width);
        assert_true(text_valid_utf8(once, len));
        assert_int_equal(text_normalise(once, len, twice, sizeof twice), len);
        assert_string_equal(once, twice);
    }
}

static void a_small_buffer_cuts_between_characters(void **state)
{
    const char *text = "小区 停水ＡＢ⑳了";
    size_t len = strlen(text);
    char whole[64], *out;

    (void)state;
    text_normalise(text, len, whole, sizeof whole);
    for (size_t cap = 1; cap <= len + 1; cap++) {
        char again[64];
        size_t used;

        out = malloc(cap); /* its own block: the sanitizer sees one byte too many */
        used = text_normalise(text, len, out, cap);
        assert_true(used < cap);
        assert_int_equal(out[used], '\0');
        assert_true(text_valid_utf8(out, used));
        assert_memory_equal(out, whole, used);
        assert_int_equal(text_normalise(out, used, again, sizeof again), used);
        free(out);
    }
}

static void random_text_stays_valid_and_settles(void **state)
{
    uint32_t seed = 12345;
    char from[200], once[201], twice[201];

    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t len = 0, n;

        while (len < 190) {
            uint32_t cp;

            seed = seed * 1664525 + 1013904223;
            cp = seed >> 8 & 3 ? seed >> 12 & 0xffff : seed >> 12 & 0xff;
            if (cp < 0xd800 || cp > 0xdfff)
                len += utf8_put(from + len, cp);
        }
        n = text_normalise(from, len, once, sizeof once);
        assert_true(n <= len && text_valid_utf8(once, n));
        assert_int_equal(text_normalise(once, n, twice, sizeof twice), n);
        assert_memory_equal(once, twice, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(width_case_and_digits_become_one_form),
        cmocka_unit_test(chinese_numerals_stay),
        cmocka_unit_test(traditional_forms_become_simplified),
        cmocka_unit_test(white_space_is_one_space_and_none_at_the_ends),
        cmocka_unit_test(what_cannot_be_seen_goes),
        cmocka_unit_test(bytes_that_are_not_utf8_are_dropped),
        cmocka_unit_test(valid_text_is_told_from_broken),
        cmocka_unit_test(the_rows_are_in_order),
        cmocka_unit_test(doing_it_twice_changes_nothing_and_nothing_grows),
        cmocka_unit_test(a_small_buffer_cuts_between_characters),
        cmocka_unit_test(random_text_stays_valid_and_settles),
    };

    return cmocka_run_group_tests_name("normalise", tests, NULL, NULL);
}
