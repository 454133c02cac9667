#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena.h"
#include "json.h"
#include "text_places.h"
#include "wechat/envelope.h"
#include "wechat/message.h"

#define KEY "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"

static const unsigned char salt[] = "aaaabbbbccccdddd";
static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){ text, strlen(text) };
}

static struct account account_of(const char *appid, const char *token, const char *key)
{
    struct account account = { 0 };

    snprintf(account.appid, sizeof account.appid, "%s", appid);
    snprintf(account.token, sizeof account.token, "%s", token);
    assert_true(envelope_key(&account, key));
    return account;
}

static char *read_shared(const char *name)
{
    FILE *file = shared_open(name);
    char *text;
    size_t len;

    if (!file)
        return NULL;
    text = arena_alloc(arena, 1 << 20);
    len = fread(text, 1, (1 << 20) - 1, file);
    text[len] = '\0';
    fclose(file);
    return text;
}

static void check_vector(const cJSON *vector)
{
    struct account account =
        account_of(json_text(vector, "appid"), json_text(vector, "token"), json_text(vector, "encoding_aes_key"));
    const char *encrypted = json_text(vector, "encrypt"), *plain = json_text(vector, "plaintext"),
               *signature = json_text(vector, "msg_signature");
    struct bytes text;

    if (!signature)
        signature = json_text(vector, "msg_signature_computed");
    assert_true(
        envelope_signed(&account, json_text(vector, "timestamp"), json_text(vector, "nonce"), encrypted, signature));
    assert_int_equal(envelope_open(arena, &account, encrypted, &text), ENVELOPE_GOOD);
    assert_string_equal(text.data, plain);
    assert_string_equal(
        envelope_seal(arena, &account, (const unsigned char *)json_text(vector, "random16"), bytes_of(plain)),
        encrypted);
}

static void the_vectors_of_other_implementations_open_and_come_out_the_same(void **state)
{
    char *text = read_shared("wechat/crypto_vectors.json");
    cJSON *vectors = text ? cJSON_Parse(text) : NULL;
    const cJSON *vector;

    (void)state;
    if (!text)
        skip();
    assert_true(cJSON_GetArraySize(vectors) >= 4);
    cJSON_ArrayForEach(vector, vectors) check_vector(vector);
    cJSON_Delete(vectors);
}

static void texts_of_any_length_come_back(void **state)
{
    struct account account = account_of("wxb11529c136998cb6", "pamtest", KEY);
    char text[201] = "";
    struct bytes out;

    (void)state;
    for (size_t len = 0; len < sizeof text - 1; len++) {
        assert_int_equal(envelope_open(arena, &account, envelope_seal(arena, &account, salt, bytes_of(text)), &out),
                         ENVELOPE_GOOD);
        assert_int_equal(out.len, len);
        assert_string_equal(out.data, text);
        text[len] = (char)('a' + len % 26);
        text[len + 1] = '\0';
    }
}

static void what_was_altered_is_refused(void **state)
{
    struct account account = account_of("wxb11529c136998cb6", "pamtest", KEY),
                   other = account_of("wxb11529c136998cb7", "pamtest", KEY),
                   none = { .appid = "wxb11529c136998cb6", .token = "pamtest" };
    char *sealed = envelope_seal(arena, &account, salt, bytes_of("我是中文abcd123"));
    char signature[SIGNATURE_SIZE], *altered;
    struct bytes out;

    (void)state;
    assert_int_equal(envelope_open(arena, &other, sealed, &out), ENVELOPE_BAD_APPID);
    assert_int_equal(envelope_open(arena, &none, sealed, &out), ENVELOPE_BAD_KEY);
    assert_int_equal(envelope_open(arena, &account, "", &out), ENVELOPE_BAD_CIPHER);
    assert_int_equal(envelope_open(arena, &account, "=", &out), ENVELOPE_BAD_CIPHER);
    assert_int_equal(envelope_open(arena, &account, "====", &out), ENVELOPE_BAD_CIPHER);
    assert_int_equal(envelope_open(arena, &account, "no base64!!!", &out), ENVELOPE_BAD_CIPHER);
    for (size_t len = strlen(sealed); len-- > 0;) /* cut at any place */
        assert_int_not_equal(envelope_open(arena, &account, arena_strndup(arena, sealed, len), &out), ENVELOPE_GOOD);
    altered = arena_strdup(arena, sealed);
    altered[strlen(altered) - 6] = (char)(altered[strlen(altered) - 6] == 'A' ? 'B' : 'A');
    assert_int_not_equal(envelope_open(arena, &account, altered, &out), ENVELOPE_GOOD);

    envelope_sign(&account, "1409304348", "xxxxxx", sealed, signature);
    assert_true(envelope_signed(&account, "1409304348", "xxxxxx", sealed, signature));
    assert_false(envelope_signed(&account, "1409304349", "xxxxxx", sealed, signature));
    assert_false(envelope_signed(&account, "1409304348", "xxxxxx", NULL, signature));
    assert_false(envelope_signed(&account, "1409304348", "xxxxxx", sealed, ""));
    signature[0] = (char)(signature[0] == '0' ? '1' : '0');
    assert_false(envelope_signed(&account, "1409304348", "xxxxxx", sealed, signature));
    assert_false(envelope_key(&account, "short"));
    assert_false(envelope_key(&account, "abcdefghijklmnopqrstuvwxyz0123456789ABCDE!G"));
}

/* Four of them are what nobody knows. */
static void every_sample_is_recognised(void **state)
{
    char *text = read_shared("wechat/message_samples.jsonl"), *rest = NULL;
    int n = 0, unknown = 0;

    (void)state;
    if (!text)
        skip();
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), n++) {
        cJSON *sample = cJSON_Parse(line);
        const char *kind = json_text(sample, "msg_type"), *event = json_text(sample, "event");
        struct wechat_message *message = wechat_read(arena, bytes_of(json_text(sample, "xml")));
        bool foreign =
            kind && (!strcmp(kind, "notsure") || !strcmp(kind, "unknown") || (event && !strcmp(event, "unknown")));

        assert_non_null(message);
        if (kind)
            assert_string_equal(wechat_member(message, "MsgType"), kind);
        assert_int_equal(message->kind == WECHAT_UNKNOWN, foreign);
        unknown += foreign;
        assert_true(*message->id);
        cJSON_Delete(sample);
    }
    assert_true(n > 70);
    assert_int_equal(unknown, 4);
}

static void members_are_read_with_their_place(void **state)
{
    struct wechat_message *message = wechat_read(
        arena, bytes_of("<xml><ToUserName> "
                        "<![CDATA[gh_1]]></ToUserName><FromUserName>o&amp;1</FromUserName><MsgType>event</MsgType>"
                        "<Event>LOCATION_SELECT</Event><CreateTime>1</"
                        "CreateTime><SendLocationInfo><Label><![CDATA[<b>]]]]><![CDATA[>]]>"
                        "</Label></SendLocationInfo></xml>"));

    (void)state;
    assert_non_null(message);
    assert_string_equal(message->to, "gh_1");
    assert_string_equal(message->from, "o&1");
    assert_string_equal(wechat_member(message, "SendLocationInfo.Label"), "<b>]]>");
    assert_int_equal(message->kind, WECHAT_NOTED);
    assert_string_equal(
        wechat_answer(arena, message, "a<b]]>", 7).data,
        "<xml><ToUserName>o&amp;1</ToUserName><FromUserName>gh_1</FromUserName><CreateTime>7</CreateTime>"
        "<MsgType>text</MsgType><Content>a&lt;b]]&gt;</Content></xml>");
}

static void what_is_no_plain_xml_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "text",
        "<xml>",
        "<xml><a></xml>",
        "<xml><a>\xff</a></xml>",
        "<!DOCTYPE xml><xml><a>1</a></xml>",
        "<!DOCTYPE xml [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><xml><a>&b;</a></xml>",
        "<!DOCTYPE xml SYSTEM \"file:///etc/passwd\"><xml/>",
        "<xml><a>&unknown;</a></xml>",
        "<x><x><x><x><x><x><x><x><x>1</x></x></x></x></x></x></x></x></x>",
    };
    char *text;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_null(wechat_read(arena, bytes_of(bad[i])));
    text = arena_strdup(arena, "<xml>");
    for (int i = 0; i <= MESSAGE_MEMBERS_MOST; i++)
        text = arena_printf(arena, "%s<a>1</a>", text);
    assert_null(wechat_read(arena, bytes_of(arena_printf(arena, "%s</xml>", text))));
    text = arena_alloc(arena, MESSAGE_TEXT_MOST + 2);
    memset(text, 'x', MESSAGE_TEXT_MOST + 1);
    assert_null(wechat_read(arena, bytes_of(arena_printf(arena, "<xml><a>%s</a></xml>", text))));
    assert_non_null(wechat_read(arena, bytes_of(arena_printf(arena, "<xml><a>%s</a></xml>", text + 1))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_other_implementations_open_and_come_out_the_same),
        cmocka_unit_test(texts_of_any_length_come_back),
        cmocka_unit_test(what_was_altered_is_refused),
        cmocka_unit_test(every_sample_is_recognised),
        cmocka_unit_test(members_are_read_with_their_place),
        cmocka_unit_test(what_is_no_plain_xml_is_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
