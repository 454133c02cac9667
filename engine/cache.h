#ifndef CACHE_H
#define CACHE_H

#include <stdbool.h>
#include <stddef.h>

/* Redis, which holds only what can be lost or rebuilt: no caller may fail because it is away. */

enum cache_kind {
    CACHE_ABSENT, /* no answer: Redis is away, late or overrun */
    CACHE_NIL,
    CACHE_TEXT,
    CACHE_NUMBER,
    CACHE_ERROR /* Redis refused the command; text says why */
};

/* Lives as long as the callback runs. */
struct cache_reply {
    enum cache_kind kind;
    const char *text;
    size_t len;
    long long number;
};

typedef void cache_fn(const struct cache_reply *reply, void *arg);
typedef void cache_message_fn(const char *text, size_t len, void *arg);

/* Read address and password, before the privileges go.  No address: Redis is always away.  False: they cannot be used. */
bool cache_prepare(void) __attribute__((warn_unused_result));

/* Start connecting and keep at it until cache_close. */
bool cache_open(void) __attribute__((warn_unused_result));

/* Every waiting command is told CACHE_ABSENT. */
void cache_close(void);

/* Connected and answering in time. */
bool cache_up(void);

/* Send one command; fn (may be NULL) is called once, never before this returns.  False: not sent, fn is never called. */
bool cache_command(cache_fn *fn, void *arg, int argc, const char *const argv[]);

/* Tell all subscribers of a channel; lost when Redis is away. */
void cache_publish(const char *channel, const char *text);

/* Hear a channel until cache_close, across reconnects; what was said in between is missed.  At most eight. */
void cache_subscribe(const char *name, cache_message_fn *fn, void *arg);

#endif
