/* The most connections is a setting, kept below what the process may open.  Above it, one that has been silent for a second makes
 * room; where all are at work the new one is let in for a single answer, 503, since a connection that is closed at once takes
 * its reason along.  With too many of those nothing more is accepted until some have gone: the kernel holds who waits. */

#include "conns.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "arena.h"
#include "log.h"
#include "loop.h"
#include "problem.h"
#include "settings.h"
#include "stats.h"

enum {
    SURPLUS_MAX = 128,
    RESERVE = 32,     /* descriptors for Redis, the log, the helper and the like */
    SILENT_MS = 1000, /* who has just connected is about to ask */
    PAUSE_MS = 100,   /* after a failed accept */
    LOOK_MS = 250,    /* how often slow requests are looked for */
    QUIET_MS = 60000, /* between two complaints about failed accepts */
    TABLE_LEAST = 1024,
};

TAILQ_HEAD(conn_list, conn);

static struct {
    struct evconnlistener *listener;
    void (*adopt)(struct conn *conn, void *owner);
    struct conn_list fresh, idle, reading; /* accepted in this turn; and by state */
    struct conn **table;                   /* by descriptor */
    int room;
    int count, most;
    bool adopting, looking;
    bool full, failed; /* why nothing is accepted */
    int64_t complained_at;
    struct timer *look, *pause;
    struct arena *arena;
    char *too_slow; /* the answer to a request that does not come in time */
    int stat;
} conns;

enum { STAT_OPEN, STAT_ROOM, STAT_SURPLUS, STAT_SLOW };

static const char ended[] = "hotlined_http_connections_ended_total",
                  why_ended[] = "Connections ended before their time";

static const struct stat conns_stats[] = {
    [STAT_OPEN] = { "hotlined_http_connections", "Connections open now", STAT_GAUGE, NULL },
    [STAT_ROOM] = { ended, why_ended, STAT_COUNTER, "why=\"silent\"" },
    [STAT_SURPLUS] = { ended, why_ended, STAT_COUNTER, "why=\"surplus\"" },
    [STAT_SLOW] = { ended, why_ended, STAT_COUNTER, "why=\"slow\"" },
};

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

/* ---- lists ------------------------------------------------------------------------------------------------------------ */

static struct conn_list *list_of(enum conn_state state)
{
    return state == CONN_IDLE ? &conns.idle : state == CONN_READING ? &conns.reading : NULL;
}

static void look_later(void)
{
    if (conns.looking || TAILQ_EMPTY(&conns.reading))
        return;
    conns.looking = true;
    timer_set(conns.look, LOOK_MS);
}

static void leave(struct conn *conn)
{
    struct conn_list *list = list_of(conn->state);

    if (list)
        TAILQ_REMOVE(list, conn, next);
}

static void enter(struct conn *conn, enum conn_state state)
{
    struct conn_list *list = list_of(state);

    conn->state = state;
    conn->since = loop_now();
    if (list)
        TAILQ_INSERT_TAIL(list, conn, next);
    if (state == CONN_READING)
        look_later();
}

static void move(struct conn *conn, enum conn_state state)
{
    leave(conn);
    enter(conn, state);
}

static void count(int by)
{
    conns.count += by;
    stats_set(conns.stat + STAT_OPEN, conns.count);
}

/* Its owner sees the end of the stream and frees it. */
static void hang_up(struct conn *conn, int stat)
{
    stats_add(conns.stat + stat, 1);
    move(conn, CONN_ANSWERING); /* nobody looks at it again */
    shutdown(bufferevent_getfd(conn->bev), SHUT_RDWR);
}

/* ---- accepting -------------------------------------------------------------------------------------------------------- */

static void listen_or_not(void)
{
    if (!conns.listener)
        return;
    if (conns.full || conns.failed)
        evconnlistener_disable(conns.listener);
    else
        evconnlistener_enable(conns.listener);
}

/* The one that has been silent for the longest time goes. */
static bool make_room(void)
{
    struct conn *first = TAILQ_FIRST(&conns.idle);

    if (!first || loop_now() - first->since < SILENT_MS)
        return false;
    hang_up(first, STAT_ROOM);
    return true;
}

static void pause_over(void *arg)
{
    (void)arg;
    conns.failed = false;
    listen_or_not();
}

/* No descriptor or no memory: the connection stays with the kernel and would wake us again at once. */
static void accept_failed(struct evconnlistener *listener, void *arg)
{
    int why = errno;

    (void)listener;
    (void)arg;
    if (!conns.complained_at || loop_now() - conns.complained_at > QUIET_MS) {
        log_warn("accept_failed", "connections=%d err=%s", conns.count, strerror(why));
        conns.complained_at = loop_now();
    }
    (void)make_room();
    conns.failed = true;
    listen_or_not();
    timer_set(conns.pause, PAUSE_MS);
}

static void heard(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
    struct conn *conn = arg;

    (void)input;
    if (info->n_added && conn->state == CONN_IDLE)
        move(conn, CONN_READING);
}

static void place(struct conn *conn, int fd)
{
    assert(fd >= 0);
    if (fd >= conns.room) {
        int room = conns.room ? conns.room : TABLE_LEAST;

        while (room <= fd)
            room *= 2;
        conns.table = must(realloc(conns.table, (size_t)room * sizeof(struct conn *)));
        memset(conns.table + conns.room, 0, (size_t)(room - conns.room) * sizeof(struct conn *));
        conns.room = room;
    }
    conns.table[fd] = conn;
}

/* Only now does its bufferevent have an owner; none any more: it has ended in the turn that brought it. */
static void adopt(struct conn *conn)
{
    void *owner = NULL;

    TAILQ_REMOVE(&conns.fresh, conn, next);
    bufferevent_getcb(conn->bev, NULL, NULL, NULL, &owner);
    bufferevent_decref(conn->bev);
    if (!owner) {
        count(-1);
        free(conn);
        return;
    }
    place(conn, bufferevent_getfd(conn->bev));
    conn->surplus = conn->surplus && !make_room();
    must(evbuffer_add_cb(bufferevent_get_input(conn->bev), heard, conn));
    enter(conn, evbuffer_get_length(bufferevent_get_input(conn->bev)) ? CONN_READING : CONN_IDLE);
    conns.adopt(conn, owner);
}

static void adopt_all(void)
{
    struct conn *conn;

    while ((conn = TAILQ_FIRST(&conns.fresh)))
        adopt(conn);
}

static void end_turn(void *arg)
{
    (void)arg;
    conns.adopting = false;
    adopt_all();
}

struct bufferevent *conns_accept(struct event_base *base, void *arg)
{
    struct conn *conn = must(calloc(1, sizeof *conn));

    (void)arg;
    conn->bev = must(bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE));
    bufferevent_incref(conn->bev); /* until it is adopted */
    TAILQ_INSERT_TAIL(&conns.fresh, conn, next);
    count(1);
    conn->surplus = conns.count > conns.most;
    if (conns.count >= conns.most + SURPLUS_MAX) {
        conns.full = true;
        listen_or_not();
    }
    if (!conns.adopting)
        loop_defer(end_turn, NULL);
    conns.adopting = true;
    return conn->bev;
}

struct conn *conn_of(int fd)
{
    adopt_all();
    assert(fd >= 0 && fd < conns.room && conns.table[fd]);
    return conns.table[fd];
}

/* ---- the life of one ---------------------------------------------------------------------------------------------------- */

void conn_begin(struct conn *conn)
{
    move(conn, CONN_ANSWERING);
}

/* What was sent ahead is here already and makes no sound. */
void conn_rest(struct conn *conn)
{
    move(conn, evbuffer_get_length(bufferevent_get_input(conn->bev)) ? CONN_READING : CONN_IDLE);
}

void conn_gone(struct conn *conn)
{
    int fd = bufferevent_getfd(conn->bev);

    leave(conn);
    if (fd >= 0 && fd < conns.room && conns.table[fd] == conn)
        conns.table[fd] = NULL;
    if (conn->surplus)
        stats_add(conns.stat + STAT_SURPLUS, 1);
    evbuffer_remove_cb(bufferevent_get_input(conn->bev), heard, conn);
    free(conn);
    count(-1);
    if (conns.full && conns.count < conns.most + SURPLUS_MAX / 2) {
        conns.full = false;
        listen_or_not();
    }
}

/* ---- requests that do not come in time ------------------------------------------------------------------------------------ */

static void end_slow(struct conn *conn)
{
    send(bufferevent_getfd(conn->bev), conns.too_slow, strlen(conns.too_slow), MSG_DONTWAIT | MSG_NOSIGNAL);
    hang_up(conn, STAT_SLOW);
}

static void look(void *arg)
{
    int64_t before = loop_now() - settings()->read_seconds * 1000L;
    struct conn *conn;

    (void)arg;
    conns.looking = false;
    while ((conn = TAILQ_FIRST(&conns.reading)) && conn->since <= before)
        end_slow(conn);
    look_later();
}

static void prepare_answer(void)
{
    const char *body;

    conns.arena = arena_new();
    body = problem_make(conns.arena, 408, "too_slow_request", NULL, LANGUAGE_ZH);
    conns.too_slow = arena_printf(conns.arena,
                                  "HTTP/1.1 408 Request Timeout\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                                  "Connection: close\r\n\r\n%s",
                                  PROBLEM_TYPE, strlen(body), body);
}

/* ---- the module ----------------------------------------------------------------------------------------------------------- */

static int most_connections(void)
{
    int wanted = settings()->conns_max, can;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > 1 << 24)
        return wanted;
    can = (int)limit.rlim_cur - RESERVE - settings()->write_lanes - settings()->read_lanes - SURPLUS_MAX;
    if (wanted <= can)
        return wanted;
    can = can < 1 ? 1 : can;
    log_warn("conns_max_lowered", "to=%d files=%ld", can, (long)limit.rlim_cur);
    return can;
}

void conns_open(struct evconnlistener *listener, void (*adopt_fn)(struct conn *conn, void *owner))
{
    TAILQ_INIT(&conns.fresh);
    TAILQ_INIT(&conns.idle);
    TAILQ_INIT(&conns.reading);
    conns.listener = listener;
    conns.adopt = adopt_fn;
    conns.most = most_connections();
    conns.look = timer_new(look, NULL);
    conns.pause = timer_new(pause_over, NULL);
    conns.stat = stats_register(conns_stats, COUNT(conns_stats));
    prepare_answer();
    evconnlistener_set_error_cb(listener, accept_failed);
}

void conns_stop(void)
{
    conns.listener = NULL;
}

void conns_close(void)
{
    timer_free(conns.look);
    timer_free(conns.pause);
    if (conns.arena)
        arena_free(conns.arena);
    free(conns.table);
    conns.listener = NULL;
    conns.look = conns.pause = NULL;
    conns.arena = NULL;
    conns.table = NULL;
    conns.room = 0;
}
