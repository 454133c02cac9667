#include "follow.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "catalog.h"
#include "intake.h"
#include "private.h"
#include "secret.h"
#include "spool.h"
#include "upload.h"

static const struct api_fn api_follow = { .name = "follow" };
static const struct api_fn api_known = { .name = "known" };
static const struct api_fn api_citizen = { .name = "citizen", .write = true };

/* What the spool said of the number: NULL where there is no spool. */
struct looked {
    bool known, found;
};

/* "2018-01-02T10:00:00.123456+08:00" without the fraction, as the database writes it. */
static const char *whole_seconds(struct req *r, const char *at)
{
    return arena_printf(r->arena, "%.19s+08:00", at ? at : "");
}

static cJSON *received_view(struct req *r, const cJSON *call)
{
    const char *at = whole_seconds(r, json_text(call, "at"));
    cJSON *view = json_object(r->arena), *step = cJSON_CreateObject();

    cJSON_AddStringToObject(view, "number", json_text(r->call, "number"));
    cJSON_AddStringToObject(view, "title", json_text(call, "title"));
    cJSON_AddStringToObject(view, "type", json_text(call, "type"));
    cJSON_AddStringToObject(view, "state", "received");
    cJSON_AddStringToObject(view, "state_text", r->language == LANGUAGE_EN ? "Received" : "已收到");
    cJSON_AddNullToObject(view, "unit");
    cJSON_AddNullToObject(view, "promise_due_at");
    cJSON_AddNullToObject(view, "promise_state");
    cJSON_AddStringToObject(view, "submitted_at", at);
    cJSON_AddNullToObject(view, "reply");
    cJSON_AddNullToObject(view, "answer");
    cJSON_AddItemToArray(cJSON_AddArrayToObject(view, "timeline"), step);
    cJSON_AddStringToObject(step, "at", at);
    cJSON_AddStringToObject(step, "kind", "received");
    cJSON_AddStringToObject(step, "text", "您的诉求已收到，即将转交受理。");
    cJSON_AddStringToObject(step, "text_en", "Your complaint has been received and will be passed on for acceptance.");
    return view;
}

static void found(bool known, const char *text, void *arg)
{
    struct req *r = arg;
    struct looked *looked = r->state;
    const struct why *why;
    const cJSON *call = text ? json_object_only(r->arena, (struct bytes){ text, strlen(text) }, &why) : NULL;
    const char *hash = json_text(call, "query_code_hash");

    *looked = (struct looked){ .known = known, .found = call != NULL };
    if (call && hash && !strcmp(hash, json_text(r->call, "code_hash")))
        r->answer = (struct answer){ .status = 200, .body = json_print(r->arena, received_view(r, call)) };
    else if (call)
        r->answer = (struct answer){ .status = 404, .code = "no_such_ticket" };
    req_run(r);
}

enum next follow_spooled(struct req *r)
{
    if (!spool_exists())
        return GO;
    r->state = arena_alloc(r->arena, sizeof(struct looked));
    spool_find(json_text(r->call, "number"), found, r);
    return WAIT;
}

enum next follow_stored(struct req *r)
{
    const struct looked *looked = r->state;

    return looked && looked->found ? GO : ask_read(r, &api_follow, r->call);
}

/* While nobody can say what is in the spool, an unknown number may be one that was answered from there. */
bool follow_unsure(const struct req *r)
{
    const struct looked *looked = r->state;

    return r->answer.status == 404 && looked && !looked->known;
}

enum next follow_reply(struct req *r)
{
    req_set_header(r, "Cache-Control", "no-store");
    if (follow_unsure(r))
        return refuse_later(r, "database_away", 2);
    return reply(r, r->answer.status, r->answer.body);
}

bool follow_begin(struct req *r, const char *principal, const char *number, const char *code, const char *token)
{
    int round = token ? rating_round(number, token) : -1;
    char hash[SECRET_HEX_SIZE];
    bool coded = code && query_code_hash(code, hash);

    if (!coded && round < 0)
        return false;
    call_begin(r, principal);
    cJSON_AddStringToObject(r->call, "number", number);
    if (coded)
        cJSON_AddStringToObject(r->call, "code_hash", hash);
    else
        cJSON_AddNumberToObject(r->call, "link_round", round);
    return true;
}

enum next follow_ask(struct req *r)
{
    return ask_read(r, &api_known, r->call);
}

/* What the database said, and whether the spool has the complaint and the code is its own. */
struct word {
    struct answer stored;
    bool waits, said;
};

static void word_looked(bool known, const char *text, void *arg)
{
    struct req *r = arg;
    struct word *word = r->state;
    const struct why *why;
    const cJSON *call = text ? json_object_only(r->arena, (struct bytes){ text, strlen(text) }, &why) : NULL;
    const char *hash = json_text(call, "query_code_hash"), *code = json_text(r->call, "code_hash");

    (void)known;
    word->waits = hash && code && !strcmp(hash, code);
    req_run(r);
}

enum next follow_look(struct req *r)
{
    struct word *word = arena_alloc(r->arena, sizeof *word);
    bool away = r->answer.status == 503 && r->answer.code && !strcmp(r->answer.code, "database_away");

    *word = (struct word){ .stored = r->answer };
    r->state = word;
    if (!spool_exists() || (r->answer.status != 404 && !away))
        return GO;
    spool_find(json_text(r->call, "number"), word_looked, r);
    return WAIT;
}

/* When it was said, as the drain reads it. */
static const char *word_moment(struct req *r)
{
    const char *given = r->at ? r->at : catalog_time();
    struct timespec now;
    struct tm tm;
    char text[32];

    if (given)
        return given;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    return arena_printf(r->arena, "%s.%06ldZ", text, now.tv_nsec / 1000);
}

static const char *word_call(struct req *r, const char *action)
{
    cJSON_DeleteItemFromObject(r->call, "at");
    cJSON_AddStringToObject(r->call, "at", word_moment(r));
    cJSON_AddStringToObject(r->call, "action", action);
    cJSON_AddItemToObject(r->call, "inputs", cJSON_Duplicate(r->json, true));
    private_read(r->arena, r->call, r->json, NULL, NULL);
    return json_print(r->arena, r->call);
}

static void word_put(enum spool_outcome outcome, const char *number, void *arg)
{
    struct req *r = arg;
    cJSON *body;

    if (outcome == SPOOL_TAKEN) {
        body = json_object(r->arena);
        cJSON_AddStringToObject(body, "number", number);
        cJSON_AddStringToObject(body, "state", "received");
        r->answer = (struct answer){ .status = 202, .body = json_print(r->arena, body) };
    } else if (outcome == SPOOL_REUSED) {
        r->answer = (struct answer){ .status = 422, .code = "key_reused" };
    } else if (outcome == SPOOL_FULL || outcome == SPOOL_EMPTY) {
        r->answer = (struct answer){ .status = 503, .code = "spool_full" };
    } else {
        r->answer =
            (struct answer){ .status = 503, .code = "database_away" }; /* gone: it is stored by the next attempt */
    }
    req_run(r);
}

enum next follow_put(struct req *r, const char *action)
{
    struct word *word = r->state;
    struct spool_word entry;

    if (!word->waits) {
        r->answer = word->stored;
        return GO;
    }
    word->said = true;
    entry = (struct spool_word){
        .number = json_text(r->call, "number"),
        .key = arena_printf(r->arena, "%s %s %s", json_text(r->call, "number"), json_text(r->call, "route"), r->key),
        .digest = json_text(r->call, "digest"),
        .call = word_call(r, action),
    };
    spool_say(&entry, word_put, r);
    return WAIT;
}

enum next follow_told(struct req *r)
{
    const struct word *word = r->state;

    if (!word->said)
        return GO;
    if (r->answer.status == 202)
        return reply(r, 202, r->answer.body);
    return r->answer.status == 503 ? refuse_later(r, r->answer.code, 2)
                                   : refuse(r, r->answer.status, r->answer.code, NULL);
}

enum next follow_take(struct req *r)
{
    const struct why *why;
    const char *id;

    if (r->answer.status != 200)
        return r->answer.status == 404 ? GO : reply(r, r->answer.status, r->answer.body);
    id = json_text(json_object_only(r->arena, (struct bytes){ r->answer.body, strlen(r->answer.body) }, &why), "id");
    cJSON_AddStringToObject(r->call, "id", id);
    req_lock(r, strtoll(id, NULL, 10));
    return GO;
}

enum next follow_say(struct req *r, const char *action)
{
    cJSON_AddStringToObject(r->call, "action", action);
    cJSON_AddItemToObject(r->call, "inputs", cJSON_Duplicate(r->json, true));
    private_read(r->arena, r->call, r->json, NULL, NULL);
    upload_name(r->call, cJSON_GetObjectItem(r->json, "attachments"));
    return ask(r, &api_citizen, r->call);
}
