#include "req.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "http.h"
#include "log.h"
#include "loop.h"
#include "settings.h"
#include "stats.h"

enum { ROUTES_MAX = 256, PROTOCOLS_MAX = 4, KEY_BYTES = 16, LOCKS_LEAST = 4 };

struct protocol {
    const char *prefix;
    refuse_fn *refuse;
};

static struct {
    const struct route *routes[ROUTES_MAX];
    int stats[ROUTES_MAX];
    size_t nroutes, live;
    struct protocol protocols[PROTOCOLS_MAX];
    size_t nprotocols;
    bool time_allowed, time_known; /* may a request bring its time, and has the database said so */
    uint64_t ids;                  /* of requests; starts anywhere so that workers differ */
    int replies;                   /* counters by class of status */
} all;

static const struct stat reply_stats[] = {
    { "hotlined_http_replies_total", "Replies by class of status", STAT_COUNTER, "class=\"1xx\"" },
    { "hotlined_http_replies_total", "Replies by class of status", STAT_COUNTER, "class=\"2xx\"" },
    { "hotlined_http_replies_total", "Replies by class of status", STAT_COUNTER, "class=\"3xx\"" },
    { "hotlined_http_replies_total", "Replies by class of status", STAT_COUNTER, "class=\"4xx\"" },
    { "hotlined_http_replies_total", "Replies by class of status", STAT_COUNTER, "class=\"5xx\"" },
};

/* ---- routes ----------------------------------------------------------------------------------------------------------- */

static int duration_of(const struct route *route)
{
    char label[96];
    struct stat stat = { "hotlined_http_seconds", "Time from a request to its reply", STAT_SECONDS, label };

    snprintf(label, sizeof label, "route=\"%s %s\"", route->method, route->path);
    return stats_register(&stat, 1);
}

void http_routes(const struct route *routes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert(all.nroutes < ROUTES_MAX);
        all.routes[all.nroutes] = &routes[i];
        all.stats[all.nroutes++] = duration_of(&routes[i]);
    }
}

void req_protocol(const char *prefix, refuse_fn *otherwise)
{
    assert(all.nprotocols < PROTOCOLS_MAX);
    all.protocols[all.nprotocols++] = (struct protocol){ .prefix = prefix, .refuse = otherwise };
}

const struct route *http_route(size_t i)
{
    return i < all.nroutes ? all.routes[i] : NULL;
}

/* Take the value of the parameter at pattern, "{name}" or "{name*}", from path. */
static bool take_param(struct req *r, const char **pattern, const char **path)
{
    size_t name = strcspn(*pattern + 1, "*}"), value;
    bool rest = (*pattern)[1 + name] == '*';

    value = rest ? strlen(*path) : strcspn(*path, "/");
    if (!value && !rest)
        return false;
    assert(r->nparams < REQ_PATH_PARAMS_MAX);
    r->params[r->nparams++] = (struct param){
        .name = arena_strndup(r->arena, *pattern + 1, name),
        .value = arena_strndup(r->arena, *path, value),
    };
    *pattern += 1 + name + rest + 1;
    *path += value;
    return true;
}

static bool matches(struct req *r, const char *pattern, const char *path)
{
    r->nparams = 0;
    while (*pattern) {
        if (*pattern == '{') {
            if (!take_param(r, &pattern, &path))
                return false;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return !*path;
}

static bool method_fits(const char *wanted, const char *method)
{
    return !strcmp(wanted, method) || (!strcmp(method, "HEAD") && !strcmp(wanted, "GET"));
}

/* A plain path goes before one with parameters, that before one which takes any rest: POST /v1/session is no page. */
static int rank_of(const struct route *route)
{
    return strstr(route->path, "*}") ? 2 : strchr(route->path, '{') != NULL;
}

/* The best rank among the routes of this path, whatever their method; 3: none. */
static int best_rank(struct req *r)
{
    int best = 3;

    for (size_t i = 0; i < all.nroutes; i++)
        if (rank_of(all.routes[i]) < best && matches(r, all.routes[i]->path, r->path))
            best = rank_of(all.routes[i]);
    return best;
}

static const struct route *find_route(struct req *r, int rank)
{
    for (size_t i = 0; i < all.nroutes; i++)
        if (rank_of(all.routes[i]) == rank && method_fits(all.routes[i]->method, r->method) &&
            matches(r, all.routes[i]->path, r->path))
            return all.routes[i];
    return NULL;
}

/* 405 with what this path does take, or 404. */
static enum next refuse_route(struct req *r, int rank)
{
    char *allow = NULL;

    for (size_t i = 0; i < all.nroutes; i++) {
        const char *method = all.routes[i]->method;

        if (rank_of(all.routes[i]) != rank || !matches(r, all.routes[i]->path, r->path))
            continue;
        if (!strcmp(method, "GET"))
            method = "GET, HEAD";
        allow = allow ? arena_printf(r->arena, "%s, %s", allow, method) : arena_strdup(r->arena, method);
    }
    if (!allow)
        return refuse(r, 404, "no_such_route", NULL);
    req_set_header(r, "Allow", allow);
    return refuse(r, 405, "method_not_allowed", NULL);
}

/* ---- before the first step ---------------------------------------------------------------------------------------------- */

static char *random_key(struct arena *arena)
{
    unsigned char bytes[KEY_BYTES];
    char *key = arena_alloc(arena, 2 * KEY_BYTES + 1);

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        abort();
    for (size_t i = 0; i < sizeof bytes; i++)
        sprintf(key + 2 * i, "%02x", bytes[i]);
    return key;
}

static bool is_key(const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < len; i++)
        if (key[i] <= ' ' || key[i] > '~')
            return false;
    return len >= 1 && len <= REQ_KEY_MAX;
}

static enum next read_key(struct req *r)
{
    const char *key = req_header(r, "Idempotency-Key");

    r->key_given = key != NULL;
    if (!key && !method_fits("GET", r->method))
        key = random_key(r->arena);
    r->key = key;
    return !key || is_key(key) ? GO : refuse(r, 400, "bad_key", NULL);
}

static enum next read_time(struct req *r)
{
    const char *at = req_header(r, "X-Hotline-Time");

    if (!at)
        return GO;
    if (!all.time_known)
        return refuse_later(r, "database_away", 1);
    if (!all.time_allowed)
        return refuse(r, 400, "time_not_allowed", NULL);
    if (!time_valid(at))
        return refuse(r, 400, "bad_time", NULL);
    r->at = at;
    return GO;
}

static enum next check_body(struct req *r)
{
    const char *type = req_header(r, "Content-Type");
    size_t len = type ? strcspn(type, "; ") : 0;

    if (r->input.len > (size_t)settings()->body_max)
        return refuse(r, 413, "body_too_large", NULL);
    if (!r->input.len || (r->route->flags & ROUTE_RAW))
        return GO;
    return len == 16 && !strncasecmp(type, "application/json", len) ? GO : refuse(r, 415, "not_json", NULL);
}

static enum next enter_route(struct req *r)
{
    r->step = r->route->steps;
    return GO;
}

static enum next route_request(struct req *r)
{
    int rank = best_rank(r);

    r->route = find_route(r, rank);
    return r->route ? GO : refuse_route(r, rank);
}

static step_fn *const first_steps[] = { route_request, read_key, read_time, check_body, enter_route };

struct req *req_new(void)
{
    struct arena *arena = arena_new();
    struct req *r = arena_alloc(arena, sizeof *r);

    if (!all.ids) {
        if (getrandom(&all.ids, sizeof all.ids, 0) != (ssize_t)sizeof all.ids)
            abort();
        all.replies = stats_register(reply_stats, COUNT(reply_stats));
    }
    r->arena = arena;
    snprintf(r->id, sizeof r->id, "%016llx", (unsigned long long)all.ids++);
    r->started = loop_now();
    r->deadline = r->started + settings()->request_ms;
    r->step = first_steps;
    all.live++;
    return r;
}

void req_begin(struct req *r)
{
    req_run(r);
}

/* The whole scheduler.  A step that returns WAIT has left r in exactly one place that will call this again. */
void req_run(struct req *r)
{
    enum next next;

    do
        next = (*r->step++)(r);
    while (next == GO);
    if (next == DONE)
        req_finish(r);
}

void req_finish(struct req *r)
{
    for (size_t i = 0; r->route && i < all.nroutes; i++)
        if (all.routes[i] == r->route && !(r->route->flags & ROUTE_STREAM))
            stats_observe(all.stats[i], (double)(loop_now() - r->started) / 1000);
    all.live--;
    arena_free(r->arena);
}

size_t req_count(void)
{
    return all.live;
}

void req_allow_time(bool allowed)
{
    all.time_allowed = allowed;
    all.time_known = true;
}

/* ---- asking the database ------------------------------------------------------------------------------------------------ */

static void answered(const struct db_answer *answer, void *arg)
{
    struct req *r = arg;

    r->answer = (struct answer){ .status = answer->status, .code = answer->code };
    if (answer->body)
        r->answer.body = arena_strndup(r->arena, answer->body, answer->len);
    req_run(r);
}

enum next ask_until(struct req *r, const struct api_fn *fn, cJSON *json, int64_t deadline)
{
    struct db_call call = { .fn = fn, .key = r->key, .deadline = deadline, .done = answered, .arg = r };

    if (r->at && !cJSON_HasObjectItem(json, "at"))
        cJSON_AddStringToObject(json, "at", r->at);
    call.json = json_print(r->arena, json);
    call.len = strlen(call.json);
    if (fn->write) {
        call.locks = r->locks;
        call.nlocks = r->nlocks;
    }
    db_call(&call);
    return WAIT;
}

enum next ask(struct req *r, const struct api_fn *fn, cJSON *json)
{
    return ask_until(r, fn, json, r->deadline);
}

enum next ask_read(struct req *r, const struct api_fn *fn, cJSON *json)
{
    assert(!fn->write);
    return ask(r, fn, json);
}

void req_lock(struct req *r, int64_t ticket)
{
    bool full = r->nlocks == 0 || (r->nlocks >= LOCKS_LEAST && (r->nlocks & (r->nlocks - 1)) == 0);

    assert(r->nlocks < REQ_LOCKS_MAX);
    if (full) { /* at each power of two */
        size_t room = r->nlocks ? 2 * r->nlocks : LOCKS_LEAST;
        int64_t *locks = arena_alloc(r->arena, room * sizeof *locks);

        if (r->nlocks)
            memcpy(locks, r->locks, r->nlocks * sizeof *locks);
        r->locks = locks;
    }
    r->locks[r->nlocks++] = ticket;
}

/* ---- replying ------------------------------------------------------------------------------------------------------------- */

static void note_reply(const struct req *r, int status)
{
    stats_add(all.replies + status / 100 - 1, 1);
    log_debug("request", "req=%s method=%s route=%s status=%d ms=%lld", r->id, r->method,
              r->route ? r->route->path : "-", status, (long long)(loop_now() - r->started));
}

static enum next give(struct req *r, int status, const char *type, struct bytes body)
{
    note_reply(r, status);
    http_reply(r, status, type, body);
    return DONE;
}

enum next reply_raw(struct req *r, int status, const char *type, struct bytes body)
{
    return give(r, status, type, body);
}

enum next reply_file(struct req *r, int status, const char *type, int fd, int64_t from, size_t len)
{
    if (!http_reply_file(r, status, type, fd, from, len))
        return refuse(r, 503, "busy", NULL);
    note_reply(r, status);
    return DONE;
}

static refuse_fn *speaks_otherwise(const struct req *r)
{
    for (size_t i = 0; r->path && i < all.nprotocols; i++)
        if (!strncmp(r->path, all.protocols[i].prefix, strlen(all.protocols[i].prefix)))
            return all.protocols[i].refuse;
    return NULL;
}

static enum next say_no(struct req *r, int status, const char *code, const struct why *why)
{
    refuse_fn *otherwise = speaks_otherwise(r);
    const char *body;

    if (otherwise)
        return otherwise(r, status, code, why);
    body = problem_make(r->arena, status, code, why, r->language);
    return give(r, status, PROBLEM_TYPE, (struct bytes){ body, strlen(body) });
}

enum next refuse(struct req *r, int status, const char *code, const struct why *why)
{
    if (status == 503)
        req_set_header(r, "Retry-After", "2");
    return say_no(r, status, code, why);
}

enum next refuse_later(struct req *r, const char *code, int seconds)
{
    req_set_header(r, "Retry-After", arena_printf(r->arena, "%d", seconds));
    return say_no(r, 503, code, NULL);
}

enum next reply(struct req *r, int status, const char *body)
{
    const char *code;

    if (!body && r->answer.code)
        return refuse(r, status, r->answer.code, NULL);
    if (!body || status == 204 || status == 304)
        return give(r, status, NULL, (struct bytes){ "", 0 });
    if (status == 503)
        req_set_header(r, "Retry-After", "2");
    if (status >= 400 && speaks_otherwise(r)) {
        const struct why *why = problem_read(r->arena, body, &code);

        return say_no(r, status, code, why);
    }
    return give(r, status, status >= 400 ? PROBLEM_TYPE : "application/json", (struct bytes){ body, strlen(body) });
}

enum next reply_json(struct req *r, int status, const cJSON *body)
{
    return reply(r, status, json_print(r->arena, body));
}

/* ---- looking things up ------------------------------------------------------------------------------------------------------ */

static const char *value_of(const struct param *params, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(params[i].name, name))
            return params[i].value;
    return NULL;
}

const char *req_param(const struct req *r, const char *name)
{
    return value_of(r->params, r->nparams, name);
}

const char *req_query(const struct req *r, const char *name)
{
    return value_of(r->query, r->nquery, name);
}

const char *req_header(const struct req *r, const char *name)
{
    return http_header(r, name);
}

void req_set_header(struct req *r, const char *name, const char *value)
{
    http_set_header(r, name, value);
}
