/* Up to three connections a worker: the cache's for commands and for subscriptions, the spool's for commands.  hiredis 0.14
 * knows no time-outs, so every link has a timer of its own.  A link counts as up when it has answered a PING: a stopped Redis
 * still accepts connections. */

#include "cache.h"

#include <arpa/inet.h>
#include <assert.h>
#include <hiredis/adapters/libevent.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "log.h"
#include "loop.h"
#include "secret.h"
#include "settings.h"

enum {
    MAX_PENDING = 1000,
    MAX_CHANNELS = 8,
    CONNECT_MS = 1000,
    SPOOL_MS = 3000, /* an append waits for the disk, and a refusal costs a citizen more than a wait */
    RETRY_MS = 100,
    RETRY_MAX_MS = 2000,
    PATIENCE = 5 /* a link whose oldest answer is this many time-outs late is dropped */
};

struct address {
    char host[108]; /* a path when port is 0 */
    int port;
};

enum link_state { LINK_DOWN, LINK_GREETING, LINK_UP };

struct cache;

struct link {
    const char *name;
    struct cache *of;
    enum link_state state;
    redisAsyncContext *redis;
    struct timer *timer; /* down: when to try again; greeting: when to give up */
    unsigned failures;
    void (*ready)(struct cache *cache);
};

/* One command sent.  Stays until hiredis hands back the answer, even when the caller has been told that it is late. */
struct call {
    TAILQ_ENTRY(call) next;
    struct cache *of;
    cache_fn *fn;
    void *arg;
    int64_t deadline;
    bool told;
};

struct channel {
    const char *name;
    cache_message_fn *fn;
    void *arg;
};

/* One Redis: its links, and the commands that wait for it. */
struct cache {
    struct address address;
    char password[256];
    int timeout_ms; /* how long a command waits for its answer */
    struct link commands, messages;
    TAILQ_HEAD(, call) calls; /* in the order sent, which is the order of their deadlines */
    size_t pending, late;
    struct timer *tick;
    struct channel channels[MAX_CHANNELS];
    size_t channel_count;
    bool ticking;
    void (*up)(void); /* told whenever commands can be sent again */
};

static struct cache caches[CACHE_ROLES];

static void connect_link(struct link *link);

/* Links */

/* Doubling waits, each between half and one and a half of its length, so that workers do not come back in step. */
static unsigned retry_ms(unsigned failures)
{
    unsigned ms = failures < 5 ? (unsigned)RETRY_MS << failures : RETRY_MAX_MS;

    return ms / 2 + randombytes_uniform(ms);
}

static void link_failed(struct link *link, const char *why)
{
    if (link->state == LINK_UP || link->failures == 0)
        log_warn("cache_lost", "link=%s err=\"%s\"", link->name, why);
    link->state = LINK_DOWN;
    link->redis = NULL;
    timer_set(link->timer, retry_ms(link->failures++));
}

static void drop_link(struct link *link, const char *why)
{
    redisAsyncContext *redis = link->redis;

    link_failed(link, why);
    if (redis != NULL)
        redisAsyncFree(redis);
}

static void on_greeted(redisAsyncContext *redis, void *answer, void *arg)
{
    struct link *link = arg;
    const redisReply *reply = answer;

    if (link->redis != redis || reply == NULL)
        return;
    if (reply->type == REDIS_REPLY_ERROR) { /* still loading its data, or the password is wrong */
        drop_link(link, reply->str);
        return;
    }
    timer_stop(link->timer);
    link->state = LINK_UP;
    if (link->failures > 0)
        log_info("cache_back", "link=%s", link->name);
    link->failures = 0;
    link->ready(link->of);
}

/* hiredis frees the connection itself after either of the next two. */
static void on_connect(const redisAsyncContext *redis, int status)
{
    struct link *link = redis->data;

    if (status != REDIS_OK && link->redis == redis)
        link_failed(link, redis->errstr);
}

static void on_disconnect(const redisAsyncContext *redis, int status)
{
    struct link *link = redis->data;

    if (link->redis == redis)
        link_failed(link, status == REDIS_OK ? "closed" : redis->errstr);
}

static redisAsyncContext *dial(const struct address *to)
{
    return to->port == 0 ? redisAsyncConnectUnix(to->host) : redisAsyncConnect(to->host, to->port);
}

static void greet(struct link *link)
{
    redisAsyncContext *redis = link->redis;

    redis->data = link;
    redisLibeventAttach(redis, loop_base());
    redisAsyncSetConnectCallback(redis, on_connect);
    redisAsyncSetDisconnectCallback(redis, on_disconnect);
    if (link->of->address.port != 0)
        redisEnableKeepAlive(&redis->c);
    if (*link->of->password != '\0') {
        const char *argv[] = { "AUTH", link->of->password };

        redisAsyncCommandArgv(redis, NULL, NULL, 2, argv, NULL);
    }
    redisAsyncCommand(redis, on_greeted, link, "PING");
}

static void connect_link(struct link *link)
{
    link->redis = dial(&link->of->address);
    if (link->redis == NULL || link->redis->err) {
        drop_link(link, link->redis == NULL ? "out of memory" : link->redis->errstr);
        return;
    }
    link->state = LINK_GREETING;
    timer_set(link->timer, CONNECT_MS);
    greet(link);
}

static void on_link_timer(void *arg)
{
    struct link *link = arg;

    if (link->state == LINK_DOWN)
        connect_link(link);
    else
        drop_link(link, "no answer to connect");
}

/* Commands */

static void tell(struct call *call, const struct cache_reply *reply)
{
    if (!call->told && call->fn != NULL)
        call->fn(reply, call->arg);
    call->told = true;
}

static void forget(struct call *call)
{
    TAILQ_REMOVE(&call->of->calls, call, next);
    call->of->pending--;
    free(call);
}

static struct cache_reply read_reply(const redisReply *reply)
{
    switch (reply == NULL ? -1 : reply->type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
        return (struct cache_reply){ .kind = CACHE_TEXT, .text = reply->str, .len = (size_t)reply->len };
    case REDIS_REPLY_ERROR:
        return (struct cache_reply){ .kind = CACHE_ERROR, .text = reply->str, .len = (size_t)reply->len };
    case REDIS_REPLY_INTEGER:
        return (struct cache_reply){ .kind = CACHE_NUMBER, .number = reply->integer };
    case REDIS_REPLY_NIL:
        return (struct cache_reply){ .kind = CACHE_NIL };
    case REDIS_REPLY_ARRAY:
        return (struct cache_reply){ .kind = CACHE_LIST, .nparts = reply->elements };
    default:
        return (struct cache_reply){ .kind = CACHE_ABSENT };
    }
}

/* The elements of a list, one level deep; malloced. */
static struct cache_reply *read_parts(const redisReply *list)
{
    struct cache_reply *parts = calloc(list->elements + 1, sizeof *parts);

    if (parts == NULL)
        abort();
    for (size_t i = 0; i < list->elements; i++)
        parts[i] = read_reply(list->element[i]);
    return parts;
}

static void on_reply(redisAsyncContext *redis, void *answer, void *arg)
{
    struct call *call = arg;
    struct cache_reply reply = read_reply(answer), *parts = NULL;

    (void)redis;
    if (reply.kind == CACHE_ERROR)
        log_warn("cache_refused", "link=%s err=\"%.*s\"", call->of->commands.name, (int)reply.len, reply.text);
    if (reply.kind == CACHE_LIST)
        reply.parts = parts = read_parts(answer);
    if (call->told)
        call->of->late--;
    tell(call, &reply);
    forget(call);
    free(parts);
}

/* Tell whoever has waited too long.  The answers still come, in order, and are dropped by on_reply. */
static void tell_the_late(struct cache *cache, int64_t now)
{
    const struct cache_reply absent = { .kind = CACHE_ABSENT };
    struct call *call;

    TAILQ_FOREACH(call, &cache->calls, next)
    {
        if (call->deadline > now)
            return;
        if (!call->told) {
            if (cache->late++ == 0)
                log_warn("cache_late", "link=%s ms=%d", cache->commands.name, cache->timeout_ms);
            call->told = true;
            if (call->fn != NULL)
                call->fn(&absent, call->arg);
        }
    }
}

static void arm_tick(struct cache *cache)
{
    if (cache->ticking || TAILQ_EMPTY(&cache->calls))
        return;
    cache->ticking = true;
    timer_set(cache->tick, cache->timeout_ms / 4 + 1);
}

static void on_tick(void *arg)
{
    struct cache *cache = arg;
    int64_t now = loop_now();
    const struct call *first = TAILQ_FIRST(&cache->calls);

    if (first != NULL && now - first->deadline > (int64_t)PATIENCE * cache->timeout_ms)
        drop_link(&cache->commands, "no answer");
    tell_the_late(cache, now);
    cache->ticking = false;
    arm_tick(cache);
}

bool cache_is_up(enum cache_role role)
{
    return caches[role].commands.state == LINK_UP && caches[role].late == 0;
}

/* While an answer is late nothing more is sent: better absent at once than late again. */
bool cache_send(enum cache_role role, cache_fn *fn, void *arg, int argc, const char *const argv[])
{
    struct cache *cache = &caches[role];
    struct call *call;

    if (!cache_is_up(role) || cache->pending >= MAX_PENDING || (call = calloc(1, sizeof *call)) == NULL)
        return false;
    *call = (struct call){ .of = cache, .fn = fn, .arg = arg, .deadline = loop_now() + cache->timeout_ms };
    if (redisAsyncCommandArgv(cache->commands.redis, on_reply, call, argc, (const char **)argv, NULL) != REDIS_OK) {
        free(call);
        return false;
    }
    TAILQ_INSERT_TAIL(&cache->calls, call, next);
    cache->pending++;
    arm_tick(cache);
    return true;
}

bool cache_up(void)
{
    return cache_is_up(CACHE_SHARED);
}

bool cache_command(cache_fn *fn, void *arg, int argc, const char *const argv[])
{
    return cache_send(CACHE_SHARED, fn, arg, argc, argv);
}

void cache_publish(const char *channel, const char *text)
{
    const char *const argv[] = { "PUBLISH", channel, text };

    (void)cache_command(NULL, NULL, 3, argv);
}

static void commands_ready(struct cache *cache)
{
    if (cache->up != NULL)
        cache->up();
}

void cache_when_up(enum cache_role role, void (*up)(void))
{
    caches[role].up = up;
    if (up != NULL && cache_is_up(role))
        up();
}

/* Messages */

/* What a subscription hears: [ "message", channel, text ], its own confirmation, or NULL at the end of the link. */
static void on_message(redisAsyncContext *redis, void *answer, void *arg)
{
    const redisReply *reply = answer;
    const struct channel *channel = arg;

    (void)redis;
    if (reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
        strcmp(reply->element[0]->str, "message") == 0)
        channel->fn(reply->element[2]->str, (size_t)reply->element[2]->len, channel->arg);
}

static void listen_to(struct cache *cache, struct channel *channel)
{
    const char *argv[] = { "SUBSCRIBE", channel->name };

    redisAsyncCommandArgv(cache->messages.redis, on_message, channel, 2, argv, NULL);
}

static void messages_ready(struct cache *cache)
{
    for (size_t i = 0; i < cache->channel_count && cache->messages.state == LINK_UP; i++)
        listen_to(cache, &cache->channels[i]);
}

void cache_subscribe(const char *name, cache_message_fn *fn, void *arg)
{
    struct cache *cache = &caches[CACHE_SHARED];
    struct channel *channel = &cache->channels[cache->channel_count++];

    assert(cache->channel_count <= MAX_CHANNELS);
    *channel = (struct channel){ name, fn, arg };
    if (cache->messages.state == LINK_UP)
        listen_to(cache, channel);
}

/* Opening and closing */

static bool is_numeric(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static bool read_address(const char *text, struct address *to)
{
    const char *colon = strrchr(text, ':');
    bool bracket = *text == '[';
    int host;

    to->port = 0;
    if (*text == '/')
        return snprintf(to->host, sizeof to->host, "%s", text) < (int)sizeof to->host;
    if (colon == NULL)
        return false;
    host = (int)(colon - text) - (bracket ? 2 : 0);
    if (host <= 0 || host >= (int)sizeof to->host)
        return false;
    snprintf(to->host, sizeof to->host, "%.*s", host, text + bracket);
    to->port = atoi(colon + 1);
    return is_numeric(to->host) && to->port > 0 && to->port < 65536;
}

static void open_link(struct cache *cache, struct link *link, const char *name, void (*ready)(struct cache *))
{
    *link = (struct link){ .name = name, .of = cache, .ready = ready };
    link->timer = timer_new(on_link_timer, link);
    connect_link(link);
}

static void close_link(struct link *link)
{
    redisAsyncContext *redis = link->redis;

    if (link->timer == NULL)
        return;
    link->redis = NULL;
    link->state = LINK_DOWN;
    if (redis != NULL)
        redisAsyncFree(redis);
    timer_free(link->timer);
    link->timer = NULL;
}

static bool prepare(enum cache_role role, const char *address, const char *file)
{
    struct cache *cache = &caches[role];

    *cache->address.host = *cache->password = '\0';
    if (*address == '\0')
        return true;
    if (sodium_init() < 0 || !read_address(address, &cache->address)) {
        log_error("cache_address", "address=%s why=\"neither a socket's path nor numeric address:port\"", address);
        return false;
    }
    return *file == '\0' || secret_line(file, cache->password, sizeof cache->password);
}

bool cache_prepare(void)
{
    return prepare(CACHE_SHARED, settings()->redis, settings()->redis_password_file) &&
           prepare(CACHE_SPOOL, settings()->spool_redis, settings()->spool_password_file);
}

/* Is there such a Redis at all?  Then it has what both kinds need. */
static bool begin(struct cache *cache, int timeout_ms)
{
    if (*cache->address.host == '\0')
        return false;
    TAILQ_INIT(&cache->calls);
    cache->timeout_ms = timeout_ms;
    cache->tick = timer_new(on_tick, cache);
    return true;
}

bool cache_open(void)
{
    struct cache *shared = &caches[CACHE_SHARED], *spool = &caches[CACHE_SPOOL];

    if (begin(shared, settings()->redis_ms)) {
        open_link(shared, &shared->commands, "commands", commands_ready);
        open_link(shared, &shared->messages, "messages", messages_ready);
    }
    if (begin(spool, SPOOL_MS))
        open_link(spool, &spool->commands, "spool", commands_ready);
    return true;
}

static void close_cache(struct cache *cache)
{
    cache->channel_count = 0;
    cache->up = NULL;
    if (*cache->address.host == '\0')
        return;
    close_link(&cache->commands);
    close_link(&cache->messages);
    timer_free(cache->tick);
    cache->ticking = false;
    cache->late = 0;
}

void cache_close(void)
{
    for (size_t role = 0; role < CACHE_ROLES; role++)
        close_cache(&caches[role]);
}
