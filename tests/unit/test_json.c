#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <time.h>

#include "arena.h"
#include "json.h"
#include "problem.h"

static const char *const kinds[] = { "help", "complaint", NULL };
static const struct field element = { .kind = JSON_ID };
static const struct field place[] = { { "lng", JSON_NUMBER, .least = -180, .most = 180, .must = true },
                                      { "lat", JSON_NUMBER } };
static const struct field fields[] = {
    { "type", JSON_WORD, .in = kinds, .must = true },
    { "title", JSON_TEXT, .min = 2, .max = 5 },
    { "line", JSON_WORD },
    { "phone", JSON_PHONE },
    { "count", JSON_INT, .least = 0, .most = 10 },
    { "ratio", JSON_NUMBER },
    { "open", JSON_BOOL },
    { "id", JSON_ID },
    { "at", JSON_TIME },
    { "day", JSON_DATE },
    { "ids", JSON_LIST, .of = &element, .max = 3 },
    { "place", JSON_OBJECT, .fields = place, .nfields = COUNT(place) },
    { "any", JSON_OBJECT },
};

static struct arena *arena;

static int make_arena(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int drop_arena(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static struct bytes bytes(const char *text)
{
    return (struct bytes){ text, strlen(text) };
}

static void accepts(const char *text)
{
    const struct why *why = NULL;

    if (!json_read(arena, bytes(text), fields, COUNT(fields), &why))
        fail_msg("%s: %s %s", text, why->code, why->nfaults ? why->faults[0].code : "");
}

/* Refused with this code; for bad_fields the first fault is name and fault. */
static void refuses(const char *text, const char *code, const char *name, const char *fault)
{
    const struct why *why = NULL;

    if (json_read(arena, bytes(text), fields, COUNT(fields), &why))
        fail_msg("%s was accepted", text);
    assert_string_equal(why->code, code);
    assert_true(*why->zh && *why->en);
    if (!name)
        return;
    assert_true(why->nfaults >= 1);
    assert_string_equal(why->faults[0].name, name);
    assert_string_equal(why->faults[0].code, fault);
    assert_true(*why->faults[0].zh && *why->faults[0].en);
}

static void refuses_field(const char *member, const char *name, const char *fault)
{
    refuses(arena_printf(arena, "{\"type\":\"help\",%s}", member), "bad_fields", name, fault);
}

static void accepts_field(const char *member)
{
    accepts(arena_printf(arena, "{\"type\":\"help\",%s}", member));
}

static void a_good_body_is_read(void **state)
{
    (void)state;
    accepts("{\"type\":\"help\"}");
    accepts(
        " {\"type\" : \"complaint\", \"title\":\"\\u4f60好\\n\", \"count\":10, \"ratio\":-1.5e3, \"open\":false,\n"
        "\"id\":\"9223372036854775807\", \"at\":\"2018-02-28T23:59:59.123+08:00\", \"day\":\"2020-02-29\", "
        "\"ids\":[\"1\",\"2\"],"
        "\"place\":{\"lng\":116.7,\"lat\":23.4}, \"any\":{\"a\":[1,{\"b\":null}]}, \"phone\":\"１３８ 0013-8000\"} ");
    accepts("{\"type\":\"help\",\"line\":\"\\ud83d\\ude00\"}");
}

static void a_null_counts_as_absent(void **state)
{
    const struct why *why;
    cJSON *json = json_read(arena, bytes("{\"type\":\"help\",\"title\":null}"), fields, COUNT(fields), &why);

    (void)state;
    assert_non_null(json);
    assert_int_equal(cJSON_GetArraySize(json), 1);
    refuses("{\"type\":null}", "bad_fields", "type", "missing");
}

static void what_is_no_json_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "{",
        "}",
        "{]",
        "[}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{1:2}",
        "{} {}",
        "{}x",
        "nul",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":+1}",
        "{\"a\":1e}",
        "{\"a\":-}",
        "{\"a\"",
        "{\"a\":tru}",
        "{\"a\":\"x}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}",
        "{'a':1}",
        "{\"a\":NaN}",
        "[1 2]",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        refuses(texts[i], "bad_json", NULL, NULL);
    refuses("[]", "not_an_object", NULL, NULL);
    refuses("\"x\"", "not_an_object", NULL, NULL);
}

static void broken_utf8_is_refused(void **state)
{
    static const char *const texts[] = {
        "\x80",           "\xff",
        "\xc0\xaf",       "\xe0\x80\xaf",
        "\xed\xa0\x80",   "\xf4\x90\x80\x80",
        "\xe4\xbd",       "\xf8\x88\x80\x80\x80",
        "\\ud800",        "\\udc00",
        "\\ud800\\u0041",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        refuses(arena_printf(arena, "{\"type\":\"%s\"}", texts[i]), "bad_utf8", NULL, NULL);
}

static void control_characters_are_refused(void **state)
{
    const struct why *why;

    (void)state;
    refuses("{\"type\":\"a\nb\"}", "bad_character", NULL, NULL);
    refuses("{\"type\":\"a\\u0000b\"}", "bad_character", NULL, NULL);
    refuses_field("\"title\":\"a\\u0007b\"", "title", "bad_character");
    refuses_field("\"line\":\"a\\nb\"", "line", "bad_character");
    accepts_field("\"title\":\"a\\n\\tb\"");
    assert_null(json_read(arena, (struct bytes){ "{\"type\":\"a\0\"}", 13 }, fields, COUNT(fields), &why));
    assert_string_equal(why->code, "bad_character");
}

static void each_kind_is_checked(void **state)
{
    (void)state;
    refuses("{\"type\":\"praise\"}", "bad_fields", "type", "bad_word");
    refuses("{\"type\":5}", "bad_fields", "type", "wrong_type");
    refuses("{}", "bad_fields", "type", "missing");
    refuses_field("\"title\":\"一\"", "title", "too_short");
    refuses_field("\"title\":\"一二三四五六\"", "title", "too_long");
    accepts_field("\"title\":\"一二三四五\"");
    refuses_field("\"phone\":\"13800138000x\"", "phone", "bad_phone");
    refuses_field("\"phone\":\"\"", "phone", "bad_phone");
    refuses_field("\"count\":11", "count", "out_of_range");
    refuses_field("\"count\":1.5", "count", "wrong_type");
    refuses_field("\"count\":\"1\"", "count", "wrong_type");
    refuses_field("\"ratio\":1e400", "ratio", "out_of_range");
    refuses_field("\"open\":1", "open", "wrong_type");
    refuses_field("\"id\":\"9223372036854775808\"", "id", "bad_id");
    refuses_field("\"id\":\"0\"", "id", "bad_id");
    refuses_field("\"id\":7", "id", "wrong_type");
    refuses_field("\"ids\":[\"1\",\"x\"]", "ids[1]", "bad_id");
    refuses_field("\"ids\":[\"1\",\"2\",\"3\",\"4\"]", "ids", "too_many");
    refuses_field("\"place\":{\"lng\":200}", "place.lng", "out_of_range");
    refuses_field("\"place\":{\"lat\":2}", "place.lng", "missing");
    refuses_field("\"place\":{\"lng\":2,\"x\":1}", "place.x", "unknown_field");
    refuses_field("\"any\":{\"a\":{\"b\":1,\"b\":2}}", "b", "duplicate_field");
}

static void impossible_dates_are_refused(void **state)
{
    static const char *const times[] = {
        "2018-02-29T00:00:00+08:00", "2018-13-01T00:00:00Z",
        "2018-01-01T24:00:00Z",      "2018-01-01T00:00:60Z",
        "2018-01-01T00:00:00",       "2018-01-01 00:00:00Z",
        "2018-1-01T00:00:00Z",       "2018-01-01T00:00:00.Z",
        "2018-01-01T00:00:00+8:00",  "",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(times); i++)
        refuses_field(arena_printf(arena, "\"at\":\"%s\"", times[i]), "at", "bad_time");
    refuses_field("\"day\":\"2100-02-29\"", "day", "bad_date");
    accepts_field("\"at\":\"2000-02-29T23:59:59.5-03:30\"");
}

static void unknown_and_doubled_fields_are_named(void **state)
{
    (void)state;
    refuses_field("\"tpye\":1", "tpye", "unknown_field");
    refuses_field("\"type\":\"help\"", "type", "duplicate_field");
}

static void depth_is_bounded(void **state)
{
    const struct why *why;

    (void)state;
    assert_non_null(json_any(arena, bytes("[[[[[[[[1]]]]]]]]"), &why));
    assert_null(json_any(arena, bytes("[[[[[[[[[1]]]]]]]]]"), &why));
    assert_string_equal(why->code, "too_deep");
}

static char *repeated(const char *head, const char *part, size_t n, const char *tail)
{
    char *text = arena_alloc(arena, strlen(head) + n * strlen(part) + strlen(tail) + 1);
    char *at = text + sprintf(text, "%s", head);

    while (n--)
        at += sprintf(at, "%s", part);
    sprintf(at, "%s", tail);
    return text;
}

static void hostile_texts_take_little_time(void **state)
{
    const struct why *why;
    clock_t start = clock();

    (void)state;
    assert_null(json_any(arena, bytes(repeated("", "[", 262144, "")), &why));
    assert_string_equal(why->code, "too_deep");
    assert_null(json_any(arena, bytes(repeated("[", "1,", 131000, "1]")), &why));
    assert_string_equal(why->code, "too_many_values");
    assert_null(json_object_only(arena, bytes(repeated("{", "\"a\":1,", 19000, "\"a\":1}")), &why));
    assert_string_equal(why->faults[0].code, "duplicate_field");
    assert_null(json_read(arena, bytes(repeated("{", "\"x\":1,", 19000, "\"y\":1}")), fields, COUNT(fields), &why));
    assert_int_equal(why->nfaults, JSON_FAULTS_MAX);
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 2);
}

static void a_free_object_is_bounded_too(void **state)
{
    const struct why *why;

    (void)state;
    assert_non_null(json_object_only(arena, bytes("{\"a\":[{\"b\":1},{\"b\":2}],\"A\":1}"), &why));
    assert_null(json_object_only(arena, bytes("[1]"), &why));
    assert_string_equal(why->code, "not_an_object");
    assert_null(json_object_only(arena, bytes("{\"a\":1e999}"), &why));
    assert_string_equal(why->faults[0].code, "out_of_range");
}

static void a_problem_names_the_fields_in_the_callers_language(void **state)
{
    const struct why *why;
    cJSON *problem, *field;

    (void)state;
    assert_null(json_read(arena, bytes("{\"title\":\"\"}"), fields, COUNT(fields), &why));
    problem = cJSON_Parse(problem_make(arena, 422, "bad_ticket", why, LANGUAGE_EN));
    arena_defer(arena, (void (*)(void *))cJSON_Delete, problem);
    assert_string_equal(json_text(problem, "code"), "bad_ticket");
    assert_string_equal(json_text(problem, "type"), "urn:hotline:problem:bad_ticket");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(problem, "fields")), 2);
    field = cJSON_GetArrayItem(cJSON_GetObjectItem(problem, "fields"), 0);
    assert_string_equal(json_text(field, "name"), "title");
    assert_string_equal(json_text(field, "code"), "too_short");
    assert_string_equal(json_text(field, "detail"), "at least 2 characters");
}

static void chinese_is_spoken_unless_english_is_preferred(void **state)
{
    (void)state;
    assert_int_equal(problem_language(NULL), LANGUAGE_ZH);
    assert_int_equal(problem_language("fr, en;q=0.8, zh;q=0.9"), LANGUAGE_ZH);
    assert_int_equal(problem_language("en"), LANGUAGE_EN);
    assert_int_equal(problem_language("zh-CN;q=0.3,en-US;q=0.7"), LANGUAGE_EN);
    assert_int_equal(problem_language("en;q=0"), LANGUAGE_ZH);
    assert_int_equal(problem_language(",,;=q, en;q=x"), LANGUAGE_ZH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_body_is_read, make_arena, drop_arena),
        cmocka_unit_test_setup_teardown(a_null_counts_as_absent, make_arena, drop_arena),
        cmocka_unit_test_setup_teardown(what_is_no_json_is_refused, make_arena, drop_arena),
        cmocka_unit_test_setup_teardown(broken_utf8_is_refused, make_arena, drop_arena),
        cmocka_unit_test_setup_teardown(control_characters_are_refused, make_arena, drop_arena),
        cmocka_unit_test_setup_teardown(each_kind_is_checked, make_arena, drop_arena),
        cmocka_unit_test_setup_teardown(impossible_dates_are_refused, make_arena, drop_arena),
        cmocka_unit_test_setup_teardown(unknown_and_doubled_fields_are_named, make_arena, drop_arena),
        cmocka_unit_test_setup_teardown(depth_is_bounded, make_arena, drop_arena),
        cmocka_unit_test_setup_teardown(hostile_texts_take_little_time, make_arena, drop_arena),
        cmocka_unit_test_setup_teardown(a_free_object_is_bounded_too, make_arena, drop_arena),
        cmocka_unit_test_setup_teardown(a_problem_names_the_fields_in_the_callers_language, make_arena, drop_arena),
        cmocka_unit_test_setup_teardown(chinese_is_spoken_unless_english_is_preferred, make_arena, drop_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
