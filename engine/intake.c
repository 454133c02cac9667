#include "intake.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "catalog.h"
#include "feed.h"
#include "limit.h"
#include "loop.h"
#include "number.h"
#include "phone.h"
#include "private.h"
#include "secret.h"
#include "spool.h"
#include "upload.h"

enum {
    PERSON_NAME_MAX = 50,
    SLOW_MS = 3000, /* a database that has not answered for so long is away, as far as a citizen can tell */
    LOST_MS = 300,  /* a lane may be back by then */
    FULL_SECONDS = 30,
    NIGHT = 4 * 3600,      /* few people are awake then */
    CITY_OFFSET = 8 * 3600 /* the whole country keeps one time, without summer time */
};

static const struct api_fn api_intake = { .name = "intake", .write = true, .sorted = true, .whole = true };

static const char *const appeal_types[] = { "consult",    "help",   "complaint", "report",
                                            "suggestion", "praise", "other",     NULL };
static const char *const publish_words[] = { "not_asked", "agreed", "refused", "anonymised", NULL };

const struct field intake_fields[] = {
    { "type", JSON_WORD, .in = appeal_types, .must = true },
    { "title", JSON_TEXT, .must = true, .min = 2, .max = 200 },
    { "content", JSON_TEXT, .must = true, .min = 2, .max = 10000 },
    { "phone", JSON_PHONE },
    { "name", JSON_WORD, .min = 1, .max = PERSON_NAME_MAX },
    { "division", JSON_WORD, .min = 4, .max = 12 },
    { "address", JSON_TEXT, .max = 200 },
    { "lng", JSON_NUMBER, .least = 73, .most = 136 },
    { "lat", JSON_NUMBER, .least = 3, .most = 54 },
    { "category", JSON_WORD, .min = 2, .max = 6 },
    { "secrecy", JSON_INT, .least = 0, .most = 3 },
    { "publish", JSON_WORD, .in = publish_words },
    { "anonymous", JSON_BOOL },
    { "reply_wanted", JSON_BOOL },
    { "attachments", JSON_LIST, .max = UPLOADS_MOST, .of = &upload_fields },
};
const size_t intake_nfields = COUNT(intake_fields);

/* The call */

void call_begin(struct req *r, const char *principal)
{
    char digest[SECRET_HEX_SIZE];

    digest_body(r->input.data, r->input.len, digest);
    r->call = json_object(r->arena);
    cJSON_AddStringToObject(r->call, "principal", principal);
    cJSON_AddStringToObject(r->call, "route", arena_printf(r->arena, "%s %s", r->method, r->path));
    cJSON_AddStringToObject(r->call, "key", r->key);
    cJSON_AddStringToObject(r->call, "digest", digest);
    if (*r->session)
        cJSON_AddStringToObject(r->call, "session", r->session);
    if (r->language == LANGUAGE_EN)
        cJSON_AddStringToObject(r->call, "lang", "en");
}

/* Contact data */

static void seal_member(struct req *r, cJSON *contact, const char *field, const char *text)
{
    cJSON_AddStringToObject(contact, arena_printf(r->arena, "%s_enc", field), secret_seal(r->arena, text, field));
}

static enum next seal_phone(struct req *r, cJSON *fields, cJSON *contact, const char *raw)
{
    char phone[PHONE_SIZE], hash[SECRET_HEX_SIZE], mask[PHONE_MASK_SIZE];

    if (phone_normalise(raw, phone) == PHONE_BAD)
        return refuse(r, 422, "bad_inputs",
                      why_field(r->arena, "phone", "bad_phone", "电话号码不对，请填写 11 位手机号或带区号的固定电话。",
                                "This is not a phone number: 11 digits, or a landline with its area code."));
    phone_hash(phone, hash);
    phone_mask(phone, mask);
    seal_member(r, contact, "phone", phone);
    cJSON_AddStringToObject(contact, "phone_hmac", hash);
    cJSON_AddStringToObject(contact, "phone_mask", mask);
    cJSON_ReplaceItemInObject(fields, "phone", cJSON_CreateString(mask));
    return GO;
}

enum next contact_seal(struct req *r, cJSON *fields)
{
    const char *phone = json_text(fields, "phone"), *name = json_text(fields, "name");
    cJSON *contact;
    char mask[64];

    if (!phone && !name)
        return GO;
    contact = cJSON_AddObjectToObject(r->call, "contact");
    if (name && utf8_length(name) > PERSON_NAME_MAX)
        return refuse(
            r, 422, "bad_inputs",
            why_field(r->arena, "name", "too_long", "姓名最多 50 个字。", "A name has at most 50 characters."));
    if (name && *name) {
        seal_member(r, contact, "name", name);
        name_mask(name, mask, sizeof mask);
        cJSON_AddStringToObject(contact, "name_mask", mask);
        cJSON_ReplaceItemInObject(fields, "name", cJSON_CreateString(mask));
    }
    return phone && *phone ? seal_phone(r, fields, contact, phone) : GO;
}

/* A new ticket */

/* The code to follow the ticket with: the same request gets the same one.  Stored as ciphertext and as a keyed hash. */
static void add_query_code(struct req *r, const char *principal)
{
    char code[QUERY_CODE_SIZE], hash[SECRET_HEX_SIZE];

    query_code(principal, json_text(r->call, "route"), r->key, json_text(r->call, "digest"), code);
    if (!query_code_hash(code, hash))
        return;
    cJSON_AddStringToObject(r->call, "query_code_enc", secret_seal(r->arena, code, "query_code"));
    cJSON_AddStringToObject(r->call, "query_code_hash", hash);
}

static void copy_fields(struct req *r)
{
    const cJSON *member;

    cJSON_ArrayForEach(member, r->json)
    {
        if (strcmp(member->string, "phone") != 0 && strcmp(member->string, "name") != 0 &&
            strcmp(member->string, "attachments") != 0)
            cJSON_AddItemToObject(r->call, member->string, cJSON_Duplicate(member, true));
    }
}

enum next intake_admit(struct req *r)
{
    return db_is_busy(&api_intake) ? refuse(r, 503, "busy", NULL) : GO;
}

enum next intake_prepare(struct req *r, const char *principal, const char *channel)
{
    const char *name = json_text(r->json, "name");

    if (!catalog_ready())
        return refuse_later(r, "database_away", 1);
    call_begin(r, principal);
    private_read(r->arena, r->call, r->json, private_texts, name);
    if (contact_seal(r, r->json) == DONE)
        return DONE;
    copy_fields(r);
    upload_name(r->call, cJSON_GetObjectItem(r->json, "attachments"));
    if (channel)
        cJSON_AddStringToObject(r->call, "channel", channel);
    catalog_read_text(r->arena, r->call, r->json);
    add_query_code(r, principal);
    /* Right after the database's return, or a worker's start, the next block may not be here yet. */
    if (number_take(r->call) || (channel && (spool_has_numbers() || (!db_takes_writes() && spool_usable()))))
        return GO;
    return refuse_later(r, "busy", 1);
}

/* With the spool behind it, the database gets little patience. */
static int64_t patience(const struct req *r)
{
    int64_t until = loop_now() + (db_takes_writes() ? SLOW_MS : LOST_MS);

    return spool_usable() && until < r->deadline ? until : r->deadline;
}

enum next intake_store(struct req *r)
{
    if (json_text(r->call, "seq"))
        return ask_until(r, &api_intake, r->call, patience(r));
    r->answer = (struct answer){ .status = 503, .code = "database_away" };
    return GO;
}

/* The spool */

/* The moment of a complaint in the city's time: the one given with it, a simulation's, else now. */
static void city_time(const struct req *r, struct tm *tm, int *micros)
{
    const char *given = r->at ? r->at : catalog_time(), *rest;
    int hours = 0, minutes = 0;
    struct timespec now;
    double fraction = 0;
    char sign = 'Z';

    clock_gettime(CLOCK_REALTIME, &now);
    *micros = (int)(now.tv_nsec / 1000);
    if (given) {
        memset(tm, 0, sizeof *tm);
        rest = strptime(given, "%Y-%m-%dT%H:%M:%S", tm);
        if (rest && *rest == '.') {
            size_t digits = strspn(rest + 1, "0123456789");

            sscanf(rest, "%lf", &fraction);
            rest += 1 + digits;
        }
        if (rest)
            sscanf(rest, "%c%d:%d", &sign, &hours, &minutes);
        now.tv_sec = timegm(tm) - (sign == '-' ? -1 : 1) * (hours * 3600L + minutes * 60L);
        *micros = (int)(fraction * 1000000);
    }
    now.tv_sec += CITY_OFFSET;
    gmtime_r(&now.tv_sec, tm);
}

enum next intake_key(struct req *r)
{
    char digest[SECRET_HEX_SIZE];
    struct tm tm;
    time_t night;
    int micros;

    if (r->key_given)
        return GO;
    city_time(r, &tm, &micros);
    night = timegm(&tm) - NIGHT;
    gmtime_r(&night, &tm);
    digest_body(r->input.data, r->input.len, digest);
    r->key = arena_printf(r->arena, "%.48s-%d-%d", digest, tm.tm_year + 1900, tm.tm_yday);
    return GO;
}

/* The call without what the drain computes from it, and with its moment: clocks start at the answer. */
static const char *entry_call(struct req *r, const struct tm *tm, int micros)
{
    static const char *const computed[] = { "grams", "hits", "found", "seq", "at" };
    char at[40];
    size_t len = strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%S", tm);

    snprintf(at + len, sizeof at - len, ".%06d+08:00", micros);
    for (size_t i = 0; i < COUNT(computed); i++)
        cJSON_DeleteItemFromObject(r->call, computed[i]);
    cJSON_AddStringToObject(r->call, "at", at);
    return json_print(r->arena, r->call);
}

static const char *number_prefix(struct req *r, const struct tm *tm)
{
    const char *channel = json_text(r->call, "channel");
    char day[8];

    strftime(day, sizeof day, "%y%m%d", tm);
    return arena_printf(r->arena, "%s%d", day, catalog_channel(channel ? channel : "web") / 10);
}

static const char *receipt(struct req *r, const char *number)
{
    cJSON *body = json_object(r->arena);

    cJSON_AddStringToObject(body, "number", number);
    cJSON_AddStringToObject(body, "query_code_enc", json_text(r->call, "query_code_enc"));
    cJSON_AddStringToObject(body, "state", "received");
    return json_print(r->arena, body);
}

static void spooled(enum spool_outcome outcome, const char *number, void *arg)
{
    struct req *r = arg;

    switch (outcome) {
    case SPOOL_TAKEN:
        r->answer = (struct answer){ .status = 202, .body = receipt(r, number) };
        break;
    case SPOOL_REUSED:
        r->answer = (struct answer){ .status = 422, .code = "key_reused" };
        break;
    case SPOOL_FULL:
    case SPOOL_EMPTY:
        r->answer = (struct answer){ .status = 503, .code = "spool_full" };
        break;
    case SPOOL_GONE: /* no answer to a complaint */
    case SPOOL_AWAY:
        r->answer = (struct answer){ .status = 503, .code = "database_away" };
    }
    req_run(r);
}

enum next intake_spool(struct req *r)
{
    const struct why *why;
    struct spool_entry entry;
    struct tm tm;
    int micros;

    if (!r->answer.code || strcmp(r->answer.code, "database_away") != 0 || !spool_exists())
        return GO;
    why = catalog_check(r->arena, r->call);
    if (!why)
        why = upload_missing(r->arena, r->call);
    if (why)
        return refuse(r, 422, why->code, why);
    city_time(r, &tm, &micros);
    entry = (struct spool_entry){
        .key = arena_printf(r->arena, "%s %s %s", json_text(r->call, "principal"), json_text(r->call, "route"), r->key),
        .digest = json_text(r->call, "digest"),
        .prefix = number_prefix(r, &tm),
        .call = entry_call(r, &tm, micros),
    };
    spool_put(&entry, spooled, r);
    return WAIT;
}

/* Answers */

static void open_member(struct req *r, cJSON *body, cJSON *member, size_t len)
{
    const char *field = arena_strndup(r->arena, member->string, len);
    const char *text = cJSON_IsString(member) ? secret_open(r->arena, member->valuestring, field) : NULL;

    cJSON_DeleteItemFromObject(body, member->string);
    if (text)
        cJSON_AddStringToObject(body, field, text);
    else
        cJSON_AddNullToObject(body, field);
}

/* The body with its sealed members in clear. */
static const char *open_sealed(struct req *r, const char *text)
{
    const struct why *why;
    cJSON *body = json_object_only(r->arena, (struct bytes){ text, strlen(text) }, &why), *member, *next;

    if (!body)
        return text;
    for (member = body->child; member; member = next) {
        size_t len = strlen(member->string);

        next = member->next;
        if (len > 4 && strcmp(member->string + len - 4, "_enc") == 0)
            open_member(r, body, member, len - 4);
    }
    return json_print(r->arena, body);
}

enum next answer_open(struct req *r)
{
    if (r->answer.status / 100 == 2)
        feed_poke();
    if (r->answer.body && strstr(r->answer.body, "_enc\""))
        r->answer.body = open_sealed(r, r->answer.body);
    if (r->answer.code && strcmp(r->answer.code, "spool_full") == 0)
        return refuse_later(r, r->answer.code, FULL_SECONDS);
    return GO;
}

enum next answer_sealed(struct req *r)
{
    return answer_open(r) == DONE ? DONE : reply(r, r->answer.status, r->answer.body);
}

enum next answer_tagged(struct req *r)
{
    const char *known = req_header(r, "If-None-Match");
    char digest[SECRET_HEX_SIZE], *etag;

    if (r->answer.status != 200)
        return reply(r, r->answer.status, r->answer.body);
    digest_body(r->answer.body, strlen(r->answer.body), digest);
    etag = arena_printf(r->arena, "\"%.16s\"", digest);
    req_set_header(r, "ETag", etag);
    req_set_header(r, "Cache-Control", "no-cache");
    return known && strstr(known, etag) ? reply(r, 304, NULL) : reply(r, 200, r->answer.body);
}
