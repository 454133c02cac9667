/* Short messages through HTTP gateways: the first is asked first, the next when one surely did not take it. */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "notice.h"

enum { FILE_MAX = 8192, GATEWAYS_MAX = 4, PATIENCE = 4 };

struct gateway {
    const char *name, *url, *sign, *secret;
    const cJSON *headers, *body, *templates, *never;
    const char *ok_member, *ok_value, *reference;
    bool form;
};

static struct {
    struct arena *arena; /* lives as long as the process */
    struct gateway *gateways;
    size_t n;
} sms;

/* One message on its way through the gateways. */
struct trip {
    struct message *m;
    size_t at;
    bool may_be; /* one of them may take it later */
    int retry_after, status;
    const char *why;
    const char *to, *text;
};

/* The file */

static bool is_object(const cJSON *json)
{
    return json == NULL || cJSON_IsObject(json);
}

static const char *text_or(const cJSON *json, const char *name, const char *otherwise)
{
    const char *text = json_text(json, name);

    return text ? text : otherwise;
}

static bool all_texts(const cJSON *object)
{
    const cJSON *member;

    cJSON_ArrayForEach(member, object)
    {
        if (!cJSON_IsString(member) || strpbrk(member->valuestring, "\r\n"))
            return false;
    }
    return true;
}

static const char *read_gateway(const cJSON *json, struct gateway *g)
{
    const cJSON *ok = cJSON_GetObjectItem(json, "ok");

    *g = (struct gateway){
        .name = json_text(json, "name"),
        .url = json_text(json, "url"),
        .sign = text_or(json, "sign", ""),
        .secret = text_or(json, "secret", ""),
        .headers = cJSON_GetObjectItem(json, "headers"),
        .body = cJSON_GetObjectItem(json, "body"),
        .templates = cJSON_GetObjectItem(json, "templates"),
        .never = cJSON_GetObjectItem(json, "never"),
        .form = cJSON_IsTrue(cJSON_GetObjectItem(json, "form")),
        .ok_member = json_text(ok, "member"),
        .ok_value = json_text(ok, "value"),
        .reference = text_or(json, "reference", ""),
    };
    if (!g->name || !g->url || !cJSON_IsObject(g->body))
        return "a gateway has a name, a url and a body";
    if (!is_object(g->headers) || !is_object(g->templates) || !is_object(ok) || !all_texts(g->headers) ||
        (g->form && !all_texts(g->body)))
        return "headers, templates and ok are objects; headers and the members of a form are texts of one line";
    if (ok && (!g->ok_member || !g->ok_value))
        return "ok has a member and a value";
    return NULL;
}

struct gateway *sms_read(struct arena *arena, struct bytes text, size_t *n, const char **why)
{
    const struct why *fault;
    cJSON *json = json_any(arena, text, &fault), *one;
    int count = cJSON_IsArray(json) ? cJSON_GetArraySize(json) : 0;
    struct gateway *gateways;

    *n = 0;
    *why = "it is a list of one to four gateways in JSON";
    if (count < 1 || count > GATEWAYS_MAX)
        return NULL;
    gateways = arena_alloc(arena, (size_t)count * sizeof *gateways);
    cJSON_ArrayForEach(one, json)
    {
        *why = read_gateway(one, &gateways[*n]);
        if (*why)
            return NULL;
        ++*n;
    }
    return gateways;
}

bool sms_prepare(void)
{
    char text[FILE_MAX];
    const char *why = NULL;

    sms.arena = arena_new();
    if (!*settings()->sms_file) {
        log_error("sms_file", "why=\"notice_ways names sms, and sms_file is empty\"");
        return false;
    }
    if (!secret_text(settings()->sms_file, text, sizeof text))
        return false;
    sms.gateways = sms_read(sms.arena, (struct bytes){ text, strlen(text) }, &sms.n, &why);
    explicit_bzero(text, sizeof text);
    if (!sms.gateways)
        log_error("sms_file", "path=%s why=%s", settings()->sms_file, why);
    return sms.gateways != NULL;
}

/* One request */

static void drop_json(void *item)
{
    cJSON_Delete(item);
}

static void fill_all(struct arena *arena, cJSON *json, const struct word *words, size_t n)
{
    cJSON *member;

    cJSON_ArrayForEach(member, json)
    {
        if (cJSON_IsString(member))
            cJSON_SetValuestring(member, notice_fill(arena, member->valuestring, words, n));
        else
            fill_all(arena, member, words, n);
    }
}

static const char *escape(struct arena *arena, const char *text)
{
    char *out = arena_alloc(arena, strlen(text) * 3 + 1), *at = out;

    for (; *text; text++)
        if (strchr("-._~", *text) || (*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'z') ||
            (*text >= 'A' && *text <= 'Z'))
            *at++ = *text;
        else
            at += sprintf(at, "%%%02X", (unsigned char)*text);
    *at = '\0';
    return out;
}

static const char *form_text(struct arena *arena, const cJSON *body)
{
    char *out = arena_strdup(arena, "");
    const cJSON *member;

    cJSON_ArrayForEach(member, body) out = arena_printf(
        arena, "%s%s%s=%s", out, *out ? "&" : "", escape(arena, member->string), escape(arena, member->valuestring));
    return out;
}

static const char *const *header_list(struct arena *arena, const struct gateway *g, const struct word *words, size_t n)
{
    size_t count = g->headers ? (size_t)cJSON_GetArraySize(g->headers) : 0, i = 0;
    const char **list = arena_alloc(arena, (count + 2) * sizeof *list);
    const cJSON *member;

    list[i++] = g->form ? "Content-Type: application/x-www-form-urlencoded" : "Content-Type: application/json";
    cJSON_ArrayForEach(member, g->headers) list[i++] =
        arena_printf(arena, "%s: %s", member->string, notice_fill(arena, member->valuestring, words, n));
    return list;
}

static void answered(const struct fetch_reply *reply, void *arg);

static void ask_gateway(struct trip *trip)
{
    const struct gateway *g = &sms.gateways[trip->at];
    struct arena *arena = trip->m->arena;
    const char *template = json_text(g->templates, json_text(trip->m->json, "kind")), *body;
    const char *stamp = arena_printf(arena, "%lld", (long long)time(NULL));
    cJSON *filled = cJSON_Duplicate(g->body, true);
    char mac[SECRET_HEX_SIZE];
    struct word words[] = {
        { "id", json_text(trip->m->json, "id") },
        { "to", trip->to },
        { "text", trip->text },
        { "sign", g->sign },
        { "number", json_text(trip->m->json, "number") },
        { "template", template ? template : "" },
        { "time", stamp },
        { "mac", "" }, /* the last one, of the body that holds the others */
    };

    arena_defer(arena, drop_json, filled);
    fill_all(arena, filled, words, COUNT(words) - 1);
    body = g->form ? form_text(arena, filled) : json_print(arena, filled);
    secret_sign(g->secret, arena_printf(arena, "%s.%s", stamp, body), mac);
    words[COUNT(words) - 1].value = mac;
    fetch_start(&(struct fetch){ .url = g->url,
                                 .headers = header_list(arena, g, words, COUNT(words)),
                                 .body = body,
                                 .len = strlen(body),
                                 .done = answered,
                                 .arg = trip });
}

/* What was answered */

static void end_trip(struct trip *trip, enum message_end end, const char *reference)
{
    message_end(trip->m, &(struct outcome){ .end = end,
                                            .provider = trip->at < sms.n ? sms.gateways[trip->at].name : NULL,
                                            .reference = reference,
                                            .why = trip->why,
                                            .status = trip->status,
                                            .retry_after = trip->retry_after });
}

static void ask_next(struct trip *trip)
{
    if (++trip->at < sms.n)
        ask_gateway(trip);
    else
        end_trip(trip, trip->may_be ? MESSAGE_LATER : MESSAGE_REFUSED, NULL);
}

/* A member's value as text, in the arena. */
static const char *member_text(struct arena *arena, const cJSON *json, const char *name)
{
    const cJSON *member = name ? cJSON_GetObjectItem(json, name) : NULL;

    if (cJSON_IsString(member))
        return arena_strdup(arena, member->valuestring);
    return member ? json_print(arena, member) : "";
}

static bool is_never(const struct gateway *g, const char *value)
{
    const cJSON *one;

    cJSON_ArrayForEach(one, g->never)
    {
        if (cJSON_IsString(one) && !strcmp(one->valuestring, value))
            return true;
    }
    return false;
}

enum verdict { TAKEN, NOT_NOW, NEVER, PERHAPS };

static enum verdict judge(struct trip *trip, const struct fetch_reply *reply, const char **reference)
{
    const struct gateway *g = &sms.gateways[trip->at];
    struct arena *arena = trip->m->arena;
    const struct why *fault;
    cJSON *body;
    const char *value;

    if (reply->end != FETCH_ANSWERED)
        return reply->end == FETCH_UNREACHED ? NOT_NOW : PERHAPS;
    if (reply->status == 502 || reply->status == 504) /* somebody in between did not hear the end */
        return PERHAPS;
    if (reply->status >= 500 || reply->status == 408 || reply->status == 425 || reply->status == 429)
        return NOT_NOW;
    if (reply->status / 100 != 2)
        return NEVER;
    body = json_any(arena, (struct bytes){ reply->body, reply->len }, &fault);
    *reference = member_text(arena, body, g->reference);
    if (!g->ok_member)
        return TAKEN;
    value = member_text(arena, body, g->ok_member);
    if (!strcmp(value, g->ok_value))
        return TAKEN;
    trip->why = arena_printf(arena, "%s %.40s", g->ok_member, value);
    return is_never(g, value) ? NEVER : NOT_NOW;
}

static void answered(const struct fetch_reply *reply, void *arg)
{
    struct trip *trip = arg;
    const char *reference = "";
    enum verdict verdict;

    trip->status = reply->status;
    trip->why = arena_strdup(trip->m->arena, reply->why ? reply->why : "");
    if (reply->retry_after > trip->retry_after)
        trip->retry_after = reply->retry_after;
    verdict = judge(trip, reply, &reference);
    /* Asked again and again a gateway that never answers is given up for the next. */
    if (verdict == PERHAPS && trip->at + 1 < sms.n &&
        cJSON_GetNumberValue(cJSON_GetObjectItem(trip->m->json, "try")) > PATIENCE)
        verdict = NOT_NOW;
    if (verdict == NOT_NOW)
        trip->may_be = true;
    if (verdict == TAKEN)
        end_trip(trip, MESSAGE_SENT, reference);
    else if (verdict == PERHAPS)
        end_trip(trip, MESSAGE_UNKNOWN, NULL);
    else
        ask_next(trip);
}

/* The gateway that may have it already goes first. */
static size_t first_gateway(const struct message *m)
{
    const char *provider = json_text(m->json, "provider");

    for (size_t i = 0; provider && i < sms.n; i++)
        if (!strcmp(sms.gateways[i].name, provider))
            return i;
    return 0;
}

/* The number is in clear from here until the message ends. */
static void send_sms(struct message *m)
{
    const char *sealed = json_text(m->json, "phone_enc");
    const char *phone = sealed ? secret_open(m->arena, sealed, "phone") : NULL;
    struct trip *trip = arena_alloc(m->arena, sizeof *trip);
    char number[PHONE_SIZE];

    if (sealed && !phone) {
        message_end(m, &(struct outcome){ .end = MESSAGE_LATER, .why = "contact key unknown here" });
        return;
    }
    if (!phone || phone_normalise(phone, number) != PHONE_MOBILE) {
        message_end(m, &(struct outcome){ .end = MESSAGE_DROPPED, .why = "no mobile number" });
        return;
    }
    *trip =
        (struct trip){ .m = m, .at = first_gateway(m), .to = arena_strdup(m->arena, number), .text = notice_text(m) };
    ask_gateway(trip);
}

const struct way way_sms = { .name = "sms", .send = send_sms };
