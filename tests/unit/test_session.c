#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The pure half of sessions: tokens, origins, actors.  Sign-in and its refusals are seen by the HTTP tests. */
#define req_header session_test_header

#include "session.c" /* NOLINT(bugprone-suspicious-include) */

static struct arena *arena;
static const char *headers[4][2];

const char *session_test_header(const struct req *r, const char *name)
{
    (void)r;
    for (size_t i = 0; i < COUNT(headers); i++)
        if (headers[i][0] != NULL && strcasecmp(headers[i][0], name) == 0)
            return headers[i][1];
    return NULL;
}

static struct req request(const char *method, const char *name, const char *value)
{
    memset(headers, 0, sizeof headers);
    headers[0][0] = name;
    headers[0][1] = value;
    headers[1][0] = "Host";
    headers[1][1] = "hotline.example:8443";
    return (struct req){ .arena = arena, .method = method };
}

static void set_origin(const char *origin)
{
    char one[96];
    char *argv[] = { "hotlined", one };

    snprintf(one, sizeof one, "--public-origin=%s", origin);
    assert_int_equal(settings_load(2, argv), SETTINGS_RUN);
}

static int set_up(void **state)
{
    (void)state;
    arena = arena_new();
    set_origin("");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void the_cookie_is_found_among_others(void **state)
{
    static const char *const cookies[][2] = {
        { "hotline_session=abc", "abc" },
        { "a=b; hotline_session=abc; c=d", "abc" },
        { "a=b;hotline_session=abc", "abc" },
        { "hotline_session=", "" },
        { "xhotline_session=abc", NULL },
        { "hotline_sessions=abc", NULL },
        { "a=hotline_session=abc", NULL },
        { "", NULL },
        { ";;; ;", NULL },
        { "hotline_session", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cookies); i++) {
        struct req r = request("GET", "Cookie", cookies[i][0]);
        const char *token = cookie_token(&r);

        if (cookies[i][1] == NULL)
            assert_null(token);
        else
            assert_string_equal(token, cookies[i][1]);
    }
}

static void a_bearer_token_is_found(void **state)
{
    struct req r = request("GET", "Authorization", "bearer  abc");

    (void)state;
    assert_string_equal(bearer_token(&r), "abc");
    r = request("GET", "Authorization", "Basic abc");
    assert_null(bearer_token(&r));
    r = request("GET", "X", "Bearer abc");
    assert_null(bearer_token(&r));
}

static bool is_ours(const char *name, const char *value)
{
    struct req r = request("POST", name, value);

    return comes_from_our_pages(&r);
}

static void only_our_own_pages_may_use_the_cookie_to_change_things(void **state)
{
    (void)state;
    assert_true(is_ours("Sec-Fetch-Site", "same-origin"));
    assert_false(is_ours("Sec-Fetch-Site", "same-site"));
    assert_false(is_ours("Sec-Fetch-Site", "cross-site"));
    assert_false(is_ours("Sec-Fetch-Site", "none"));
    assert_true(is_ours("Origin", "https://hotline.example:8443"));
    assert_true(is_ours("Origin", "https://HOTLINE.example:8443"));
    assert_false(is_ours("Origin", "https://hotline.example"));
    assert_false(is_ours("Origin", "https://hotline.example:8443.evil.example"));
    assert_false(is_ours("Origin", "null"));
    assert_false(is_ours("Origin", ""));
    assert_false(is_ours("Referer", "https://hotline.example:8443/"));
}

static void the_public_origin_decides_when_it_is_set(void **state)
{
    (void)state;
    set_origin("https://12345.example");
    assert_true(is_ours("Origin", "https://12345.example"));
    assert_false(is_ours("Origin", "http://12345.example"));
    assert_false(is_ours("Origin", "https://hotline.example:8443"));
    set_origin("");
}

static const struct actor *actor_of(const char *json)
{
    return actor_read(arena, (struct bytes){ json, strlen(json) });
}

static void an_actor_is_read_with_numbers_or_strings_as_ids(void **state)
{
    const struct actor *actor =
        actor_of("{\"user\":7,\"unit\":\"12\",\"login\":\"a\",\"name\":\"王\",\"unit_name\":\"u\","
                 "\"roles\":[\"DSP\",\"LDR\"],\"scope\":\"all\",\"expires_at\":null}");

    (void)state;
    assert_int_equal(actor->user, 7);
    assert_int_equal(actor->unit, 12);
    assert_string_equal(actor->name, "王");
    assert_true(actor->all);
    assert_true(actor_has(actor, "LDR"));
    assert_false(actor_has(actor, "SUP"));
    assert_false(actor_has(actor, "L"));
}

static void what_is_no_actor_is_nobody(void **state)
{
    static const char *const bad[] = {
        "", "-", "null", "[]", "{}", "{\"user\":0}", "{\"user\":null}", "{\"user\":-1}"
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_null(actor_of(bad[i]));
    assert_false(actor_of("{\"user\":1}")->all);
    assert_false(actor_has(actor_of("{\"user\":1,\"roles\":\"LDR\"}"), "LDR"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cookie_is_found_among_others),
        cmocka_unit_test(a_bearer_token_is_found),
        cmocka_unit_test(only_our_own_pages_may_use_the_cookie_to_change_things),
        cmocka_unit_test(the_public_origin_decides_when_it_is_set),
        cmocka_unit_test(an_actor_is_read_with_numbers_or_strings_as_ids),
        cmocka_unit_test(what_is_no_actor_is_nobody),
    };

    return cmocka_run_group_tests_name("session", tests, set_up, tear_down);
}
