#include "admin.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "helper.h"
#include "intake.h"
#include "limit.h"
#include "secret.h"
#include "session.h"

static const struct api_fn api_admin_list = { .name = "admin_list" };
static const struct api_fn api_admin_get = { .name = "admin_get" };
static const struct api_fn api_admin_put = { .name = "admin_put", .write = true };

enum { CODE_MAX = 60, TEXT_MAX = 100, PASSWORD_MIN = 10, PASSWORD_MAX = 200 };

static void drop_json(void *item)
{
    cJSON_Delete(item);
}

static enum next count_request(struct req *r)
{
    return limited(r, LIMIT_STAFF, r->session);
}

static enum next refuse_field(struct req *r, const char *name, const char *zh, const char *en)
{
    return refuse(r, 422, "bad_inputs", why_field(r->arena, name, "bad_value", zh, en));
}

/* The path's kind and code; the code of a thing is as long as any code of ours. */
static enum next begin_call(struct req *r)
{
    const char *code = req_param(r, "code");

    call_begin(r, arena_printf(r->arena, "p%lld", (long long)r->user));
    cJSON_AddStringToObject(r->call, "kind", req_param(r, "kind"));
    if (code && (strlen(code) > CODE_MAX || !utf8_valid((struct bytes){ code, strlen(code) })))
        return refuse_field(r, "code", "编码太长。", "The code is too long.");
    if (code)
        cJSON_AddStringToObject(r->call, "code", code);
    return GO;
}

/* ?q=&cursor=&limit= */
static enum next take_page(struct req *r)
{
    static const char *const texts[] = { "q", "cursor" };
    const char *limit = req_query(r, "limit");

    for (size_t i = 0; i < r->nquery; i++)
        if (strcmp(r->query[i].name, "q") != 0 && strcmp(r->query[i].name, "cursor") != 0 &&
            strcmp(r->query[i].name, "limit") != 0)
            return refuse_field(r, r->query[i].name, "没有这个参数。", "There is no such parameter.");
    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *text = req_query(r, texts[i]);

        if (!text)
            continue;
        if (strlen(text) > TEXT_MAX || !utf8_valid((struct bytes){ text, strlen(text) }))
            return refuse_field(r, texts[i], "参数太长。", "The parameter is too long.");
        cJSON_AddStringToObject(r->call, texts[i], text);
    }
    if (limit) {
        long n = strspn(limit, "0123456789") == strlen(limit) ? strtol(limit, NULL, 10) : 0;

        if (n < 1 || n > 500)
            return refuse_field(r, "limit", "每页 1–500 条。", "Between 1 and 500 a page.");
        cJSON_AddNumberToObject(r->call, "limit", (double)n);
    }
    return GO;
}

static enum next read_list(struct req *r)
{
    return ask_read(r, &api_admin_list, r->call);
}

static enum next read_one(struct req *r)
{
    return ask_read(r, &api_admin_get, r->call);
}

static enum next answer(struct req *r)
{
    return reply(r, r->answer.status, r->answer.body);
}

/* POST /v1/admin/{kind}/{code}: "version", "dry_run" and "password" go beside the inputs. */

static enum next read_change(struct req *r)
{
    cJSON *version, *dry;

    r->json = json_object_only(r->arena, r->input, &r->why);
    if (!r->json)
        return refuse(r, 422, r->why->code, r->why);
    version = cJSON_DetachItemFromObjectCaseSensitive(r->json, "version");
    dry = cJSON_DetachItemFromObjectCaseSensitive(r->json, "dry_run");
    arena_defer(r->arena, drop_json, version);
    arena_defer(r->arena, drop_json, dry);
    if (version && (!cJSON_IsNumber(version) || version->valuedouble != version->valueint))
        return refuse_field(r, "version", "版本须为数字。", "The version is a number.");
    if (dry && !cJSON_IsBool(dry))
        return refuse_field(r, "dry_run", "须为 true 或 false。", "It is true or false.");
    if (version)
        cJSON_AddNumberToObject(r->call, "version", version->valueint);
    if (dry)
        cJSON_AddBoolToObject(r->call, "dry_run", cJSON_IsTrue(dry));
    return GO;
}

static void take_hash(enum helper_result result, const char *text, size_t len, void *arg)
{
    struct req *r = arg;

    r->answer.status = result == HELPER_LOST ? 503 : 200;
    if (result == HELPER_YES)
        cJSON_AddStringToObject(r->call, "password_hash", arena_strndup(r->arena, text, len));
    req_run(r);
}

/* The helper makes the hash; the words of it are wiped wherever they lay. */
static enum next hash_password(struct req *r)
{
    cJSON *password = cJSON_DetachItemFromObjectCaseSensitive(r->json, "password");
    size_t len;
    bool asked;

    r->answer.status = 200;
    if (!password)
        return GO;
    arena_defer(r->arena, drop_json, password);
    sodium_memzero((char *)r->input.data, r->input.len);
    len = cJSON_IsString(password) ? strlen(password->valuestring) : 0;
    if (strcmp(req_param(r, "kind"), "user") != 0 || len < PASSWORD_MIN || len > PASSWORD_MAX)
        return refuse_field(r, "password", "密码须为 10–200 字节，且只用于账号。",
                            "A password has 10 to 200 bytes, and belongs to an account.");
    asked = helper_ask(HELPER_HASH, password->valuestring, len, take_hash, r);
    sodium_memzero(password->valuestring, len);
    return asked ? WAIT : refuse_later(r, "busy", 1);
}

static enum next store_change(struct req *r)
{
    if (r->answer.status == 503)
        return refuse_later(r, "busy", 1);
    cJSON_AddItemToObject(r->call, "inputs", cJSON_Duplicate(r->json, true));
    return ask(r, &api_admin_put, r->call);
}

/* A unit's key is made from this very request, so that a repeat gets the same one; the database keeps its hash. */
static enum next make_key(struct req *r)
{
    char key[SECRET_HEX_SIZE], hash[SECRET_HEX_SIZE];

    if (strcmp(req_param(r, "kind"), "key") != 0)
        return GO;
    unit_key(req_param(r, "code"), r->key, json_text(r->call, "digest"), key);
    unit_key_hash(key, hash);
    sodium_memzero(key, sizeof key);
    cJSON_AddStringToObject(r->call, "password_hash", hash);
    return GO;
}

/* A new secret is told once, here: {"effect":{…,"secret"}}. */
static enum next tell_secret(struct req *r)
{
    const struct why *why;
    const char *key;
    char secret[SECRET_HEX_SIZE];
    cJSON *body, *effect;

    if (r->answer.status != 200 ||
        (strcmp(req_param(r, "kind"), "link") != 0 && strcmp(req_param(r, "kind"), "key") != 0))
        return GO;
    body = json_object_only(r->arena, (struct bytes){ r->answer.body, strlen(r->answer.body) }, &why);
    effect = cJSON_GetObjectItem(body, "effect");
    key = json_text(effect, "key");
    if (cJSON_IsTrue(cJSON_GetObjectItem(body, "dry_run")) ||
        (!key && !cJSON_IsTrue(cJSON_GetObjectItem(effect, "new_key"))))
        return GO;
    if (key)
        webhook_secret(key, secret);
    else
        unit_key(req_param(r, "code"), r->key, json_text(r->call, "digest"), secret);
    cJSON_AddStringToObject(effect, "secret", secret);
    r->answer.body = json_print(r->arena, body);
    return GO;
}

static step_fn *const get_list[] = { session_load, count_request, begin_call, take_page, read_list, answer };
static step_fn *const get_one[] = { session_load, count_request, begin_call, read_one, answer };
static step_fn *const post_change[] = { session_load, count_request, begin_call,  read_change, hash_password,
                                        make_key,     store_change,  tell_secret, answer };

static const struct route routes[] = {
    { "GET", "/v1/admin/{kind}", get_list, 0 },
    { "GET", "/v1/admin/{kind}/{code}", get_one, 0 },
    { "POST", "/v1/admin/{kind}/{code}", post_change, 0 },
};

bool admin_open(void)
{
    http_routes(routes, COUNT(routes));
    return true;
}
