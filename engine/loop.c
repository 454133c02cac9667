#include "loop.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"

enum { SIGNALS_MAX = 8 };

struct timer {
    struct event *event;
    loop_fn *fn;
    void *arg;
};

struct watch {
    struct event *event;
    watch_fn *fn;
    void *arg;
    int fd, what;
};

struct later {
    struct later *next;
    loop_fn *fn;
    void *arg;
};

static struct {
    struct event_base *base;
    struct later *first, **last;
    struct timer *signals[SIGNALS_MAX];
    size_t nsignals;
    bool stop;
} loop;

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

bool loop_open(void)
{
    struct event_config *config = must(event_config_new());

    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    loop.base = event_base_new_with_config(config);
    event_config_free(config);
    loop.first = NULL;
    loop.last = &loop.first;
    if (!loop.base)
        log_error("loop_failed", "err=%s", strerror(errno));
    return loop.base != NULL;
}

/* What these calls defer in turn belongs to the next turn. */
static void run_deferred(void)
{
    struct later *later = loop.first;

    loop.first = NULL;
    loop.last = &loop.first;
    while (later) {
        struct later *next = later->next;

        later->fn(later->arg);
        free(later);
        later = next;
    }
}

void loop_run(void)
{
    for (loop.stop = false; !loop.stop;) {
        int how = EVLOOP_ONCE;

        if (loop.first)
            how |= EVLOOP_NONBLOCK;
        event_base_loop(loop.base, how);
        run_deferred();
    }
}

void loop_stop(void)
{
    loop.stop = true;
}

void loop_settle(void)
{
    while (loop.first)
        run_deferred();
}

void loop_close(void)
{
    loop_settle();
    while (loop.nsignals)
        timer_free(loop.signals[--loop.nsignals]);
    event_base_free(loop.base);
    loop.base = NULL;
}

struct event_base *loop_base(void)
{
    return loop.base;
}

void loop_defer(loop_fn *fn, void *arg)
{
    struct later *later = must(malloc(sizeof *later));

    *later = (struct later){ .fn = fn, .arg = arg };
    *loop.last = later;
    loop.last = &later->next;
}

int64_t loop_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void timer_fired(evutil_socket_t fd, short what, void *arg)
{
    struct timer *timer = arg;

    (void)fd;
    (void)what;
    timer->fn(timer->arg);
}

struct timer *timer_new(loop_fn *fn, void *arg)
{
    struct timer *timer = must(malloc(sizeof *timer));

    timer->fn = fn;
    timer->arg = arg;
    timer->event = must(evtimer_new(loop.base, timer_fired, timer));
    return timer;
}

void timer_set(struct timer *timer, int64_t ms)
{
    struct timeval wait;

    if (ms < 0)
        ms = 0;
    wait = (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
    evtimer_add(timer->event, &wait);
}

void timer_stop(struct timer *timer)
{
    evtimer_del(timer->event);
}

void timer_free(struct timer *timer)
{
    if (!timer)
        return;
    event_free(timer->event);
    free(timer);
}

static void watch_fired(evutil_socket_t fd, short what, void *arg)
{
    struct watch *watch = arg;

    watch->fn(fd, (what & EV_READ ? WATCH_READ : 0) | (what & EV_WRITE ? WATCH_WRITE : 0), watch->arg);
}

struct watch *watch_new(int fd, watch_fn *fn, void *arg)
{
    struct watch *watch = must(calloc(1, sizeof *watch));

    watch->fd = fd;
    watch->fn = fn;
    watch->arg = arg;
    watch->event = must(event_new(loop.base, fd, EV_PERSIST, watch_fired, watch));
    return watch;
}

void watch_set(struct watch *watch, int what)
{
    short events = EV_PERSIST;

    if (what == watch->what)
        return;
    watch->what = what;
    event_del(watch->event);
    if (!what)
        return;
    if (what & WATCH_READ)
        events |= EV_READ;
    if (what & WATCH_WRITE)
        events |= EV_WRITE;
    event_assign(watch->event, loop.base, watch->fd, events, watch_fired, watch);
    event_add(watch->event, NULL);
}

void watch_free(struct watch *watch)
{
    if (!watch)
        return;
    event_free(watch->event);
    free(watch);
}

void loop_signal(int number, loop_fn *fn, void *arg)
{
    struct timer *catcher = must(malloc(sizeof *catcher));

    assert(loop.nsignals < SIGNALS_MAX);
    catcher->fn = fn;
    catcher->arg = arg;
    catcher->event = must(evsignal_new(loop.base, number, timer_fired, catcher));
    event_add(catcher->event, NULL);
    loop.signals[loop.nsignals++] = catcher;
}
