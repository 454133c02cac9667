/* Mail to the offices of units, through the city's own mail server. */

#include <string.h>
#include <time.h>

#include "notice.h"

enum { LINE = 57 }; /* bytes that make one line of base64 */

static char password[256];

bool mail_prepare(void)
{
    if (!*settings()->smtp_url || !strchr(settings()->mail_from, '@')) {
        log_error("mail_unset", "why=\"notice_ways names email: set smtp_url and mail_from\"");
        return false;
    }
    return !*settings()->smtp_password_file || secret_line(settings()->smtp_password_file, password, sizeof password);
}

static char *base64(struct arena *arena, const char *text, size_t len)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = arena_alloc(arena, (len + 2) / 3 * 4 + 1), *at = out;
    const unsigned char *u = (const unsigned char *)text;

    for (size_t i = 0; i < len; i += 3) {
        unsigned bits = (unsigned)u[i] << 16 | (i + 1 < len ? u[i + 1] : 0U) << 8 | (i + 2 < len ? u[i + 2] : 0U);

        *at++ = letters[bits >> 18];
        *at++ = letters[bits >> 12 & 63];
        *at++ = i + 1 < len ? letters[bits >> 6 & 63] : '=';
        *at++ = i + 2 < len ? letters[bits & 63] : '=';
    }
    *at = '\0';
    return out;
}

static const char *body_lines(struct arena *arena, const char *text)
{
    size_t len = strlen(text);
    char *out = arena_strdup(arena, "");

    for (size_t at = 0; at < len; at += LINE)
        out = arena_printf(arena, "%s%s\r\n", out, base64(arena, text + at, len - at < LINE ? len - at : LINE));
    return out;
}

/* The message's id is the mail's: who gets it twice sees that. */
static const char *mail_text(struct message *m, const char *to)
{
    const char *from = settings()->mail_from, *subject = json_text(m->json, "subject");
    time_t now = time(NULL);
    struct tm tm;
    char date[64];

    gmtime_r(&now, &tm);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &tm);
    return arena_printf(m->arena,
                        "Date: %s\r\nFrom: <%s>\r\nTo: <%s>\r\nMessage-ID: <%s%s>\r\nSubject: =?UTF-8?B?%s?=\r\n"
                        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                        "Content-Transfer-Encoding: base64\r\nAuto-Submitted: auto-generated\r\n\r\n%s",
                        date, from, to, json_text(m->json, "id"), strchr(from, '@'),
                        base64(m->arena, subject, strlen(subject)), body_lines(m->arena, json_text(m->json, "text")));
}

static void answered(const struct fetch_reply *reply, void *arg)
{
    struct message *m = arg;
    struct outcome outcome = { .provider = "smtp", .status = reply->status, .why = arena_strdup(m->arena, reply->why) };

    if (reply->end == FETCH_UNREACHED)
        outcome.end = MESSAGE_LATER;
    else if (reply->end == FETCH_UNKNOWN)
        outcome.end = MESSAGE_UNKNOWN;
    else
        outcome.end = reply->status >= 500 ? MESSAGE_REFUSED : reply->status >= 400 ? MESSAGE_LATER : MESSAGE_SENT;
    message_end(m, &outcome);
}

static void send_mail(struct message *m)
{
    const char *to = json_text(m->json, "to"), *body;

    if (!to || !strchr(to, '@') || strpbrk(to, "\r\n<> ")) {
        message_end(m, &(struct outcome){ .end = MESSAGE_REFUSED, .why = "no mail address" });
        return;
    }
    body = mail_text(m, to);
    fetch_start(&(struct fetch){ .url = settings()->smtp_url,
                                 .body = body,
                                 .len = strlen(body),
                                 .from = settings()->mail_from,
                                 .to = to,
                                 .user = *settings()->smtp_user ? settings()->smtp_user : NULL,
                                 .password = password,
                                 .done = answered,
                                 .arg = m });
}

const struct way way_mail = { .name = "email", .send = send_mail };
