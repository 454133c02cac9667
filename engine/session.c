#include "session.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cache.h"
#include "helper.h"
#include "http.h"
#include "limit.h"
#include "secret.h"
#include "settings.h"

#define COOKIE "hotline_session"

/* In Redis under s:<hash>: the actor's JSON, or this for a session that was closed. */
static const char closed_mark[] = "-";
static const char kept_seconds[] = "60";

const char session_closed_channel[] = "closed";

enum { TOKEN_LENGTH = 43, PASSWORD_MAX = 200 };

static const struct api_fn api_session_get = { .name = "session_get" };
static const struct api_fn api_login_begin = { .name = "login_begin" };
static const struct api_fn api_session_open = { .name = "session_open", .write = true };
static const struct api_fn api_session_close = { .name = "session_close", .write = true };

/* Where a request comes from */

static bool is_safe(const struct req *r)
{
    return strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;
}

/* Is this Origin ours: the public one of the settings, else the host this request was sent to? */
static bool is_our_origin(const struct req *r, const char *origin)
{
    const char *ours = settings()->public_origin, *host = req_header(r, "Host"), *rest = strstr(origin, "://");

    if (*ours != '\0')
        return strcasecmp(origin, ours) == 0;
    return rest != NULL && host != NULL && strcasecmp(rest + 3, host) == 0;
}

/* Browsers say where a request was made; only those that cannot know us leave both headers out. */
static bool comes_from_our_pages(const struct req *r)
{
    const char *site = req_header(r, "Sec-Fetch-Site"), *origin = req_header(r, "Origin");

    if (site != NULL)
        return strcmp(site, "same-origin") == 0;
    return origin != NULL && is_our_origin(r, origin);
}

static enum next bad_origin(struct req *r)
{
    return refuse(r, 403, "bad_origin",
                  why_new(r->arena, "请求不是从本站页面发出的", "the request was not made by a page of this site"));
}

static enum next no_session(struct req *r)
{
    return refuse(r, 401, "no_session", why_new(r->arena, "请先登录", "please sign in"));
}

/* Tokens */

/* The value of our cookie, NULL without. */
static const char *cookie_token(const struct req *r)
{
    const char *at = req_header(r, "Cookie");

    while (at != NULL && *at != '\0') {
        size_t len;

        at += strspn(at, "; ");
        len = strcspn(at, ";");
        if (len >= sizeof COOKIE && strncmp(at, COOKIE "=", sizeof COOKIE) == 0)
            return arena_strndup(r->arena, at + sizeof COOKIE, len - sizeof COOKIE);
        at += len;
    }
    return NULL;
}

static const char *bearer_token(const struct req *r)
{
    const char *header = req_header(r, "Authorization");

    return header != NULL && strncasecmp(header, "Bearer ", 7) == 0 ? header + 7 + strspn(header + 7, " ") : NULL;
}

/* The actor */

static int64_t read_id(const cJSON *value)
{
    if (cJSON_IsNumber(value))
        return (int64_t)value->valuedouble;
    return cJSON_IsString(value) ? strtoll(value->valuestring, NULL, 10) : 0;
}

static const char *member_text(struct arena *arena, const cJSON *object, const char *name)
{
    const char *text = json_text(object, name);

    return arena_strdup(arena, text != NULL ? text : "");
}

static const char *const *read_roles(struct arena *arena, const cJSON *list)
{
    const char **roles = arena_alloc(arena, ((size_t)cJSON_GetArraySize(list) + 1) * sizeof *roles);
    const cJSON *role;
    size_t n = 0;

    cJSON_ArrayForEach(role, list) if (cJSON_IsString(role)) roles[n++] = arena_strdup(arena, role->valuestring);
    return roles;
}

static struct actor *copy_actor(struct arena *arena, const cJSON *object)
{
    const char *scope = json_text(object, "scope");
    struct actor *actor = arena_alloc(arena, sizeof *actor);

    *actor = (struct actor){
        .user = read_id(cJSON_GetObjectItem(object, "user")),
        .unit = read_id(cJSON_GetObjectItem(object, "unit")),
        .login = member_text(arena, object, "login"),
        .name = member_text(arena, object, "name"),
        .unit_name = member_text(arena, object, "unit_name"),
        .roles = read_roles(arena, cJSON_GetObjectItem(object, "roles")),
        .tickets = cJSON_IsTrue(cJSON_GetObjectItem(object, "tickets")),
        .all = scope != NULL && strcmp(scope, "all") == 0,
        .sealed = cJSON_IsTrue(cJSON_GetObjectItem(object, "sealed")),
    };
    return actor;
}

/* The parsed text goes at once: a stream would keep it for hours. */
struct actor *actor_read(struct arena *arena, struct bytes json)
{
    const struct why *why;
    struct arena *scratch = arena_new();
    const cJSON *object = json_object_only(scratch, json, &why);
    bool good = object != NULL && read_id(cJSON_GetObjectItem(object, "user")) > 0;
    struct actor *actor = good ? copy_actor(arena, object) : NULL;

    arena_free(scratch);
    return actor;
}

bool actor_has(const struct actor *actor, const char *role)
{
    for (const char *const *has = actor->roles; *has != NULL; has++)
        if (strcmp(*has, role) == 0)
            return true;
    return false;
}

const struct actor *session_actor(const struct req *r)
{
    assert(r->actor != NULL);
    return r->actor;
}

/* The actor as pages and programs see it. */
static cJSON *describe(struct arena *arena, const struct actor *actor)
{
    cJSON *user = json_object(arena), *roles = cJSON_AddArrayToObject(user, "roles");
    cJSON *unit = cJSON_AddObjectToObject(user, "unit");

    cJSON_AddStringToObject(user, "id", arena_printf(arena, "%lld", (long long)actor->user));
    cJSON_AddStringToObject(user, "login", actor->login);
    cJSON_AddStringToObject(user, "name", actor->name);
    cJSON_AddStringToObject(user, "scope", actor->all ? "all" : "unit");
    cJSON_AddStringToObject(unit, "id", arena_printf(arena, "%lld", (long long)actor->unit));
    cJSON_AddStringToObject(unit, "name", actor->unit_name);
    for (const char *const *role = actor->roles; *role != NULL; role++)
        cJSON_AddItemToArray(roles, cJSON_CreateString(*role));
    return user;
}

/* {"user": …}, its member still owned by the arena. */
static cJSON *with_user(struct req *r, const struct actor *actor)
{
    cJSON *body = json_object(r->arena);

    cJSON_AddItemReferenceToObject(body, "user", describe(r->arena, actor));
    return body;
}

/* Loading: a list of steps within the caller's list, to which it goes back at the end. */

struct loading {
    step_fn *const *back;
    struct bytes cached; /* what Redis had */
};

static const char *cache_key(const struct req *r)
{
    return arena_printf(r->arena, "s:%s", r->session);
}

static void take_cached(const struct cache_reply *reply, void *arg)
{
    struct req *r = arg;
    struct loading *loading = r->actor;

    if (reply->kind == CACHE_TEXT)
        loading->cached = (struct bytes){ arena_strndup(r->arena, reply->text, reply->len), reply->len };
    req_run(r);
}

static enum next look_in_cache(struct req *r)
{
    const char *const get[] = { "GET", cache_key(r) };

    return cache_command(take_cached, r, COUNT(get), get) ? WAIT : GO;
}

static enum next look_in_database(struct req *r)
{
    const struct loading *loading = r->actor;
    cJSON *call;

    if (loading->cached.data != NULL) {
        r->answer = (struct answer){ .status = strcmp(loading->cached.data, closed_mark) ? 200 : 401,
                                     .body = loading->cached.data };
        return GO;
    }
    call = json_object(r->arena);
    cJSON_AddStringToObject(call, "session", r->session);
    return ask_read(r, &api_session_get, call);
}

/* NX: an answer read before the session was closed must not cover the mark that it is. */
static void keep_in_cache(const struct req *r)
{
    const char *const set[] = { "SET", cache_key(r), r->answer.body, "EX", kept_seconds, "NX" };

    (void)cache_command(NULL, NULL, COUNT(set), set);
}

static enum next take_actor(struct req *r)
{
    struct loading *loading = r->actor;
    struct actor *actor = NULL;

    if (r->answer.status == 200)
        actor = actor_read(r->arena, (struct bytes){ r->answer.body, strlen(r->answer.body) });
    if (actor == NULL)
        return r->answer.status == 200 || r->answer.status == 401 ? no_session(r)
                                                                  : reply(r, r->answer.status, r->answer.body);
    if (loading->cached.data == NULL)
        keep_in_cache(r);
    r->actor = actor;
    r->user = actor->user;
    r->step = loading->back;
    return GO;
}

static step_fn *const load_steps[] = { look_in_cache, look_in_database, take_actor };

enum next session_load(struct req *r)
{
    const char *bearer = bearer_token(r), *token = bearer != NULL ? bearer : cookie_token(r);
    struct loading *loading;

    if (token == NULL || strlen(token) != TOKEN_LENGTH)
        return no_session(r);
    if (bearer == NULL && !is_safe(r) && !comes_from_our_pages(r))
        return bad_origin(r);
    session_hash(token, r->session);
    loading = arena_alloc(r->arena, sizeof *loading);
    loading->back = r->step;
    r->actor = loading; /* until the real one is known */
    r->step = load_steps;
    return GO;
}

/* POST /v1/session */

struct login {
    const char *name;
    char *password;
    const char *hash;
    const char *token;
    bool fits;
};

static const struct field login_fields[] = {
    { "login", JSON_WORD, .must = true, .min = 1, .max = 64 },
    { "password", JSON_TEXT, .must = true, .min = 1, .max = PASSWORD_MAX },
};

/* A page of another site must not sign its visitor in as somebody else. */
static enum next check_login_origin(struct req *r)
{
    bool browser = req_header(r, "Origin") != NULL || req_header(r, "Sec-Fetch-Site") != NULL;

    return browser && !comes_from_our_pages(r) ? bad_origin(r) : GO;
}

/* The body came with the password: from here on it is in one place, wiped by forget_password. */
static enum next read_login(struct req *r)
{
    struct login *login = arena_alloc(r->arena, sizeof *login);

    r->json = json_read(r->arena, r->input, login_fields, COUNT(login_fields), &r->why);
    sodium_memzero((char *)r->input.data, r->input.len);
    if (r->json == NULL)
        return refuse(r, 422, r->why->code, r->why);
    login->name = json_text(r->json, "login");
    login->password = cJSON_GetObjectItem(r->json, "password")->valuestring;
    r->state = login;
    return GO;
}

static enum next limit_failed_address(struct req *r)
{
    return limit_spent(r, LIMIT_LOGIN, r->address);
}

static enum next limit_failed_name(struct req *r)
{
    const struct login *login = r->state;

    return limit_spent(r, LIMIT_LOGIN_NAME, login->name);
}

static enum next find_hash(struct req *r)
{
    const struct login *login = r->state;

    r->call = json_object(r->arena);
    cJSON_AddStringToObject(r->call, "login", login->name);
    return ask_read(r, &api_login_begin, r->call);
}

static void forget_password(struct login *login)
{
    sodium_memzero(login->password, strlen(login->password));
}

/* What login_begin said goes on into session_open: the user, or null for a name nobody has. */
static enum next read_hash(struct req *r)
{
    struct login *login = r->state;
    const struct why *why;
    const cJSON *found;

    if (r->answer.status != 200) {
        forget_password(login);
        return reply(r, r->answer.status, r->answer.body);
    }
    found = json_object_only(r->arena, (struct bytes){ r->answer.body, strlen(r->answer.body) }, &why);
    login->hash = json_text(found, "hash");
    if (login->hash == NULL)
        login->hash = HELPER_DUMMY_HASH;
    cJSON_AddItemReferenceToObject(r->call, "user", cJSON_GetObjectItem(found, "user"));
    return GO;
}

static void take_verdict(enum helper_result result, const char *text, size_t len, void *arg)
{
    struct req *r = arg;
    struct login *login = r->state;

    (void)text;
    (void)len;
    login->fits = result == HELPER_YES;
    r->answer.status = result == HELPER_LOST ? 503 : 200;
    req_run(r);
}

static enum next verify_password(struct req *r)
{
    struct login *login = r->state;
    size_t hash = strlen(login->hash) + 1, password = strlen(login->password);
    char *payload = arena_alloc(r->arena, hash + password + 1);
    bool asked;

    memcpy(payload, login->hash, hash);
    memcpy(payload + hash, login->password, password);
    asked = helper_ask(HELPER_VERIFY, payload, hash + password, take_verdict, r);
    sodium_memzero(payload, hash + password);
    forget_password(login);
    return asked ? WAIT : refuse_later(r, "busy", 2);
}

static enum next store_session(struct req *r)
{
    struct login *login = r->state;

    if (r->answer.status == 503)
        return refuse_later(r, "busy", 1);
    if (!login->fits) {
        limit_count(LIMIT_LOGIN, r->address);
        limit_count(LIMIT_LOGIN_NAME, login->name);
    }
    login->token = session_token(r->arena);
    session_hash(login->token, r->session);
    cJSON_AddStringToObject(r->call, "session", r->session);
    cJSON_AddBoolToObject(r->call, "ok", login->fits);
    return ask(r, &api_session_open, r->call);
}

/* Secure wherever the pages are reached by https; on a plain development machine browsers would drop the cookie. */
static void set_cookie(struct req *r, const char *token, int seconds)
{
    bool secure = strncmp(settings()->public_origin, "https:", 6) == 0;

    req_set_header(r, "Set-Cookie",
                   arena_printf(r->arena, COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d%s", token, seconds,
                                secure ? "; Secure" : ""));
}

/* How long the session lives, as the database says. */
static int seconds_left(struct req *r)
{
    const struct why *why;
    const cJSON *said = json_object_only(r->arena, (struct bytes){ r->answer.body, strlen(r->answer.body) }, &why);
    const cJSON *left = cJSON_GetObjectItem(said, "expires_in");

    return cJSON_IsNumber(left) ? left->valueint : 0;
}

/* A locked account: the database says for how long. */
static enum next refuse_login(struct req *r)
{
    const struct why *why;
    const char *text = r->answer.body ? r->answer.body : "";
    const cJSON *said = json_object_only(r->arena, (struct bytes){ text, strlen(text) }, &why);
    const cJSON *after = cJSON_GetObjectItem(said, "retry_after");

    if (cJSON_IsNumber(after))
        req_set_header(r, "Retry-After", arena_printf(r->arena, "%d", after->valueint));
    return reply(r, r->answer.status, r->answer.body);
}

static enum next answer_login(struct req *r)
{
    const struct login *login = r->state;
    const struct actor *actor;
    cJSON *body;

    if (r->answer.status != 200)
        return refuse_login(r);
    actor = actor_read(r->arena, (struct bytes){ r->answer.body, strlen(r->answer.body) });
    if (actor == NULL)
        return refuse(r, 500, "internal", NULL);
    set_cookie(r, login->token, seconds_left(r));
    req_set_header(r, "Cache-Control", "no-store");
    body = with_user(r, actor);
    cJSON_AddStringToObject(body, "token", login->token);
    return reply_json(r, 200, body);
}

static step_fn *const post_session[] = { check_login_origin, read_login,    limit_failed_address,
                                         limit_failed_name,  find_hash,     read_hash,
                                         verify_password,    store_session, answer_login };

/* GET /v1/session */

static enum next answer_actor(struct req *r)
{
    req_set_header(r, "Cache-Control", "no-store");
    return reply_json(r, 200, with_user(r, session_actor(r)));
}

static step_fn *const get_session[] = { session_load, answer_actor };

/* DELETE /v1/session */

static enum next close_session(struct req *r)
{
    r->call = json_object(r->arena);
    cJSON_AddStringToObject(r->call, "session", r->session);
    return ask(r, &api_session_close, r->call);
}

static enum next answer_closed(struct req *r)
{
    const char *const mark[] = { "SET", cache_key(r), closed_mark, "EX", kept_seconds };

    if (r->answer.status >= 300)
        return reply(r, r->answer.status, r->answer.body);
    (void)cache_command(NULL, NULL, COUNT(mark), mark);
    cache_publish(session_closed_channel, r->session);
    set_cookie(r, "", 0);
    return reply(r, 204, NULL);
}

static step_fn *const delete_session[] = { session_load, close_session, answer_closed };

static const struct route routes[] = {
    { "POST", "/v1/session", post_session, 0 },
    { "GET", "/v1/session", get_session, 0 },
    { "DELETE", "/v1/session", delete_session, 0 },
};

bool session_open(void)
{
    http_routes(routes, COUNT(routes));
    return true;
}
