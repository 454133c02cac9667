/* The WeChat official account: the platform posts what citizens say, and gets the answer in its reply.  README.md beside this file tells
 * the protocol. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "channel.h"
#include "envelope.h"
#include "message.h"
#include "stats.h"
#include "talk.h"

#define PATH "/wechat"

enum { FILE_MAX = 1024, WINDOW = 300, ANSWER_MS = 4500, ECHO_MOST = 128, TEXTS_MOST = 128 };

enum mode { MODE_PLAIN, MODE_COMPATIBLE, MODE_SAFE };

static struct {
    struct account account;
    enum mode mode;
    int messages, refusals; /* counters */
} wechat;

static const struct stat message_stats[] = {
    { "hotlined_wechat_messages_total", "Messages of the WeChat platform", STAT_COUNTER, NULL },
};

/* The platform's own numbers; what they have none for has ours. */
enum { STALE = -1 };

static const struct refusal {
    int fault, status;
    const char *text;
} refusals[] = {
    { ENVELOPE_BAD_SIGNATURE, 403, "-40001 bad_signature\n" },
    { ENVELOPE_BAD_XML, 400, "-40002 bad_xml\n" },
    { ENVELOPE_BAD_KEY, 400, "-40004 not_encrypted_here\n" },
    { ENVELOPE_BAD_APPID, 403, "-40005 bad_appid\n" },
    { ENVELOPE_BAD_CIPHER, 400, "-40007 bad_ciphertext\n" },
    { ENVELOPE_BAD_BUFFER, 400, "-40008 bad_buffer\n" },
    { STALE, 403, "stale_timestamp\n" },
};

static const struct stat refusal_stats[COUNT(refusals)] = {
    { "hotlined_wechat_refused_total", "Calls in the name of the WeChat platform that were refused", STAT_COUNTER,
      "code=\"bad_signature\"" },
    { "hotlined_wechat_refused_total", "", STAT_COUNTER, "code=\"bad_xml\"" },
    { "hotlined_wechat_refused_total", "", STAT_COUNTER, "code=\"not_encrypted_here\"" },
    { "hotlined_wechat_refused_total", "", STAT_COUNTER, "code=\"bad_appid\"" },
    { "hotlined_wechat_refused_total", "", STAT_COUNTER, "code=\"bad_ciphertext\"" },
    { "hotlined_wechat_refused_total", "", STAT_COUNTER, "code=\"bad_buffer\"" },
    { "hotlined_wechat_refused_total", "", STAT_COUNTER, "code=\"stale_timestamp\"" },
};

/* ---- the file ----------------------------------------------------------------------------------------------------------- */

static bool take(char *out, size_t size, const char *value)
{
    size_t len = strlen(value);

    if (!len || len >= size)
        return false;
    memcpy(out, value, len + 1);
    return true;
}

static bool take_mode(const char *value)
{
    static const char *const modes[] = { "plain", "compatible", "safe" };

    for (size_t i = 0; i < COUNT(modes); i++)
        if (!strcmp(modes[i], value)) {
            wechat.mode = (enum mode)i;
            return true;
        }
    return false;
}

static bool take_line(const char *line)
{
    char name[16], value[128], more[2];
    int words = sscanf(line, "%15s %127s %1s", name, value, more);

    if (words < 1 || *name == '#')
        return true;
    if (words != 2)
        return false;
    if (!strcmp(name, "appid"))
        return take(wechat.account.appid, sizeof wechat.account.appid, value);
    if (!strcmp(name, "token"))
        return take(wechat.account.token, sizeof wechat.account.token, value);
    if (!strcmp(name, "aes_key"))
        return envelope_key(&wechat.account, value);
    return !strcmp(name, "mode") && take_mode(value);
}

static bool take_file(char *text)
{
    char *rest = NULL;

    wechat.mode = MODE_SAFE;
    for (char *line = strtok_r(text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest))
        if (!take_line(line))
            return false;
    return *wechat.account.appid && *wechat.account.token && (wechat.mode == MODE_PLAIN || wechat.account.has_key);
}

static bool prepare_wechat(void)
{
    char text[FILE_MAX * 8];
    bool good;

    if (!*settings()->wechat_file)
        return true;
    if (!secret_text(settings()->wechat_file, text, sizeof text))
        return false;
    good = take_file(text);
    explicit_bzero(text, sizeof text);
    if (!good)
        log_error("wechat_file", "path=%s why=\"lines appid, token, mode (plain, compatible, safe), aes_key\"",
                  settings()->wechat_file);
    return good;
}

/* ---- refusals --------------------------------------------------------------------------------------------------------------- */

static enum next plain_text(struct req *r, int status, const char *text)
{
    req_set_header(r, "Cache-Control", "no-store");
    return reply_raw(r, status, "text/plain; charset=utf-8", (struct bytes){ text, strlen(text) });
}

static enum next deny(struct req *r, int fault)
{
    size_t i = 0;

    while (refusals[i].fault != fault)
        i++;
    stats_add(wechat.refusals + (int)i, 1);
    return plain_text(r, refusals[i].status, refusals[i].text);
}

static enum next tell(struct req *r);

/* A citizen who waits for an answer gets a sentence; the platform a word. */
static enum next refuse_wechat(struct req *r, int status, const char *code, const struct why *why)
{
    if (!r->talk)
        return plain_text(r, status, arena_printf(r->arena, "%s\n", code));
    talk_refused(r, code, why);
    return tell(r);
}

/* ---- who calls ------------------------------------------------------------------------------------------------------------- */

static const char *query(const struct req *r, const char *name)
{
    const char *value = req_query(r, name);

    return value && strlen(value) <= TEXTS_MOST ? value : "";
}

static bool is_recent(const char *stamp)
{
    long long age = (long long)time(NULL) - strtoll(stamp, NULL, 10);

    return age <= WINDOW && age >= -WINDOW;
}

static bool is_signed(const struct req *r, const char *name, const char *encrypted)
{
    return envelope_signed(&wechat.account, query(r, "timestamp"), query(r, "nonce"), encrypted, query(r, name));
}

/* The platform asks once, as the address is set up. */
static enum next echo(struct req *r)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=-_";
    const char *text = query(r, "echostr");

    if (!is_signed(r, "signature", NULL) || strlen(text) > ECHO_MOST || strspn(text, allowed) != strlen(text))
        return deny(r, ENVELOPE_BAD_SIGNATURE);
    return is_recent(query(r, "timestamp")) ? plain_text(r, 200, text) : deny(r, STALE);
}

/* ---- a message ----------------------------------------------------------------------------------------------------------------- */

static bool is_encrypted(const struct req *r)
{
    return !strcmp(query(r, "encrypt_type"), "aes");
}

static enum next tell(struct req *r)
{
    const struct talk *talk = r->talk;
    const char *timestamp = arena_printf(r->arena, "%lld", (long long)time(NULL)), *nonce = r->id, *encrypted;
    char signature[SIGNATURE_SIZE];
    unsigned char salt[16];
    struct bytes out;

    if (!talk->said)
        return plain_text(r, 200, "success");
    out = wechat_answer(r->arena, talk->message, talk->said, (long long)time(NULL));
    if (is_encrypted(r)) {
        if (getrandom(salt, sizeof salt, 0) != (ssize_t)sizeof salt)
            abort();
        encrypted = envelope_seal(r->arena, &wechat.account, salt, out);
        envelope_sign(&wechat.account, timestamp, nonce, encrypted, signature);
        out = wechat_envelope(r->arena, encrypted, signature, timestamp, nonce);
    }
    req_set_header(r, "Cache-Control", "no-store");
    return reply_raw(r, 200, "text/xml; charset=utf-8", out);
}

static enum envelope_fault open_message(struct req *r, struct wechat_message **message)
{
    const char *encrypted = NULL;
    enum envelope_fault fault;
    struct bytes text;

    if (!is_encrypted(r)) {
        if (wechat.mode == MODE_SAFE || !is_signed(r, "signature", NULL))
            return ENVELOPE_BAD_SIGNATURE;
        *message = wechat_read(r->arena, r->input);
        return *message && *(*message)->from ? ENVELOPE_GOOD : ENVELOPE_BAD_XML;
    }
    if (wechat.mode == MODE_PLAIN)
        return ENVELOPE_BAD_KEY;
    *message = wechat_read(r->arena, r->input);
    encrypted = *message ? (*message)->encrypted : NULL;
    if (!encrypted)
        return ENVELOPE_BAD_XML;
    if (!is_signed(r, "msg_signature", encrypted))
        return ENVELOPE_BAD_SIGNATURE;
    fault = envelope_open(r->arena, &wechat.account, encrypted, &text);
    if (fault != ENVELOPE_GOOD)
        return fault;
    *message = wechat_read(r->arena, text);
    return *message && *(*message)->from ? ENVELOPE_GOOD : ENVELOPE_BAD_XML;
}

static enum next take_message(struct req *r)
{
    struct wechat_message *message = NULL;
    enum envelope_fault fault = open_message(r, &message);

    if (fault != ENVELOPE_GOOD)
        return deny(r, fault);
    if (!is_recent(query(r, "timestamp")))
        return deny(r, STALE);
    stats_add(wechat.messages, 1);
    r->language = LANGUAGE_ZH;
    r->deadline = r->started + ANSWER_MS; /* the platform waits for five seconds */
    return talk_begin(r, message, tell);
}

static step_fn *const get_callback[] = { echo };
static step_fn *const post_callback[] = { take_message };

static const struct route routes[] = {
    { "GET", PATH, get_callback, 0 },
    { "POST", PATH, post_callback, ROUTE_RAW },
};

static bool open_wechat(void)
{
    if (!*settings()->wechat_file)
        return true;
    wechat.messages = stats_register(message_stats, COUNT(message_stats));
    wechat.refusals = stats_register(refusal_stats, COUNT(refusal_stats));
    req_protocol(PATH, refuse_wechat);
    http_routes(routes, COUNT(routes));
    return true;
}

const struct channel channel_wechat = { .name = "wechat", .prepare = prepare_wechat, .open = open_wechat };
