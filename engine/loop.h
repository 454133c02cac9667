#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stdint.h>

/* The one event loop of a process. */

struct event_base;
struct timer;
struct watch;

typedef void loop_fn(void *arg);
typedef void watch_fn(int fd, int ready, void *arg);

enum { WATCH_READ = 1, WATCH_WRITE = 2 };

bool loop_open(void) __attribute__((warn_unused_result));

/* Runs until loop_stop. */
void loop_run(void);
void loop_stop(void);
void loop_close(void);

/* For libraries that bring their own events. */
struct event_base *loop_base(void);

/* Call fn(arg) once at the end of this turn, when no event of the turn may name what it frees. */
void loop_defer(loop_fn *fn, void *arg);

/* Run all that was deferred, at the end of a process. */
void loop_settle(void);

/* Milliseconds that never go back. */
int64_t loop_now(void);

/* A timer fires once per timer_set; setting it again moves it.  Freed by its owner. */
struct timer *timer_new(loop_fn *fn, void *arg);
void timer_set(struct timer *timer, int64_t ms);
void timer_stop(struct timer *timer);
void timer_free(struct timer *timer);

/* Readiness of a descriptor, level-triggered; what = WATCH_READ | WATCH_WRITE, 0 sleeps.  The descriptor stays the caller's. */
struct watch *watch_new(int fd, watch_fn *fn, void *arg);
void watch_set(struct watch *watch, int what);
void watch_free(struct watch *watch);

/* Call fn(arg) in the loop when the signal comes. */
void loop_signal(int number, loop_fn *fn, void *arg);

#endif
