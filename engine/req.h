#ifndef REQ_H
#define REQ_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "base.h"
#include "db.h"
#include "json.h"
#include "problem.h"

/* One request and the steps that answer it. */

struct req;
struct route;

/* What a step says: run the following step, an answer will call it, the reply has been given. */
enum next { GO, WAIT, DONE };

typedef enum next step_fn(struct req *r);

enum {
    REQ_LOCKS_MAX = 256,
    REQ_PARAMS_MAX = 32,
    REQ_PATH_PARAMS_MAX = 4,
    REQ_KEY_MAX = 128,
    REQ_ADDRESS_SIZE = INET6_ADDRSTRLEN
};

struct param {
    const char *name, *value;
};

struct answer {
    int status;
    const char *body; /* JSON text */
    const char *code; /* set when the engine itself answers for the database: busy, database_away, internal … */
};

struct req {
    struct arena *arena;
    step_fn *const *step; /* the next one */
    const struct route *route;

    char id[17];                              /* in logs and X-Request-Id */
    const char *method;                       /* HEAD runs the GET route; this stays HEAD */
    const char *path;                         /* percent-decoded */
    struct param params[REQ_PATH_PARAMS_MAX]; /* of the route's {name}s */
    struct param query[REQ_PARAMS_MAX];
    size_t nparams, nquery;
    struct bytes input; /* the body as it came */
    const char *key;    /* Idempotency-Key, or one of ours; never NULL on a POST */
    bool key_given;
    const char *at;                 /* X-Hotline-Time, NULL outside a simulation */
    char address[REQ_ADDRESS_SIZE]; /* the client's, proxies seen through */
    enum language language;

    cJSON *json; /* the body, checked */
    cJSON *call; /* what is said to the database */
    const struct why *why;
    struct answer answer; /* what the last ask brought */

    int64_t *locks; /* tickets the next ask of a write function locks */
    size_t nlocks;

    char session[65]; /* hash of the session token; empty: nobody signed in */
    int64_t user;
    void *actor; /* the session module's, in the arena */
    void *state; /* the handler's, in the arena */
    void *talk;  /* a channel's, in the arena, beside steps of the engine that use state */

    int64_t started, deadline; /* loop_now() milliseconds */
    bool gone;                 /* the client left; the reply will be dropped */
    void *wire;                /* http.c's */
};

/* What a route allows beyond its method. */
enum {
    ROUTE_RAW = 1,    /* the body is not JSON: any content type */
    ROUTE_STREAM = 2, /* answers with a stream: no deadline */
};

struct route {
    const char *method, *path; /* "/v1/tickets/{number}"; a last segment {name*} takes the rest of the path */
    step_fn *const *steps;     /* the last one returns DONE */
    unsigned flags;
};

/* Add routes; the table must live on.  Called by modules as they open. */
void http_routes(const struct route *routes, size_t n);

/* How a protocol of its own refuses: instead of a problem document, for every path that starts with prefix (which must live on).
 * why may be NULL for the codes problem.c knows.  At most four. */
typedef enum next refuse_fn(struct req *r, int status, const char *code, const struct why *why);
void req_protocol(const char *prefix, refuse_fn *otherwise);

/* The registered routes, for the test that compares them with the description. */
const struct route *http_route(size_t i);

/* Taken from a database marked as a simulation: X-Hotline-Time is then allowed. */
void req_allow_time(bool allowed);

/* A new request, which http.c fills; then find its route and run it. */
struct req *req_new(void);
void req_begin(struct req *r);

/* The reply has been given (or its stream has ended): r is gone. */
void req_finish(struct req *r);

/* Run the steps from where they stopped. */
void req_run(struct req *r);

/* Call an api function with json (an object of r's arena); the answer wakes the next step with r->answer filled.
 * A write call takes r->key and r->locks along. */
enum next ask(struct req *r, const struct api_fn *fn, cJSON *json);

/* As ask, with less patience than the request has: at the deadline the answer is database_away, the outcome unknown. */
enum next ask_until(struct req *r, const struct api_fn *fn, cJSON *json, int64_t deadline);

/* As ask, and asserts that the function is no writer. */
enum next ask_read(struct req *r, const struct api_fn *fn, cJSON *json);

/* Answer with JSON text (a problem document from 400 on).  body NULL: r->answer.code's own problem, or nothing for 204. */
enum next reply(struct req *r, int status, const char *body);
enum next reply_json(struct req *r, int status, const cJSON *body);

/* Answer with anything else. */
enum next reply_raw(struct req *r, int status, const char *type, struct bytes body);

/* Answer with len bytes of an open file from there on; fd is closed when they are sent. */
enum next reply_file(struct req *r, int status, const char *type, int fd, int64_t from, size_t len);

/* Answer with a problem document; why may be NULL for the codes problem.c knows. */
enum next refuse(struct req *r, int status, const char *code, const struct why *why);

/* refuse with 503 and when to come again. */
enum next refuse_later(struct req *r, const char *code, int seconds);

/* A header sent by the client, a parameter of the path or the query; NULL when absent. */
const char *req_header(const struct req *r, const char *name);
const char *req_param(const struct req *r, const char *name);
const char *req_query(const struct req *r, const char *name);

/* A header of the reply. */
void req_set_header(struct req *r, const char *name, const char *value);

/* Lock this ticket before the next write call; doubles are fine. */
void req_lock(struct req *r, int64_t ticket);

/* Requests under way. */
size_t req_count(void);

#endif
