#ifndef CACHE_H
#define CACHE_H

#include <stdbool.h>
#include <stddef.h>

/* Redis.  The shared one holds only what can be lost or rebuilt: no caller may fail because it is away.  The spool's is a
 * process of its own on this host and holds what citizens were promised (spool.h). */

enum cache_role { CACHE_SHARED, CACHE_SPOOL, CACHE_ROLES };

enum cache_kind {
    CACHE_ABSENT, /* no answer: Redis is away, late or overrun */
    CACHE_NIL,
    CACHE_TEXT,
    CACHE_NUMBER,
    CACHE_LIST,
    CACHE_ERROR /* Redis refused the command; text says why */
};

/* Lives as long as the callback runs. */
struct cache_reply {
    enum cache_kind kind;
    const char *text;
    size_t len;
    long long number;
    const struct cache_reply *parts; /* of a list; lists within it are empty */
    size_t nparts;
};

typedef void cache_fn(const struct cache_reply *reply, void *arg);
typedef void cache_message_fn(const char *text, size_t len, void *arg);

/* Read addresses and passwords, before the privileges go.  No address: that Redis is always away.  False: they cannot be
 * used. */
bool cache_prepare(void) __attribute__((warn_unused_result));

/* Start connecting and keep at it until cache_close. */
bool cache_open(void) __attribute__((warn_unused_result));

/* Every waiting command is told CACHE_ABSENT. */
void cache_close(void);

/* Connected and answering in time. */
bool cache_up(void);

/* Send one command; fn (may be NULL) is called once, never before this returns.  False: not sent, fn is never called. */
bool cache_command(cache_fn *fn, void *arg, int argc, const char *const argv[]);

/* The same two for either Redis. */
bool cache_is_up(enum cache_role role);
bool cache_send(enum cache_role role, cache_fn *fn, void *arg, int argc, const char *const argv[]);

/* Call up() now if commands can be sent, and each time they can be sent again, until cache_close. */
void cache_when_up(enum cache_role role, void (*up)(void));

/* Tell all subscribers of a channel; lost when Redis is away. */
void cache_publish(const char *channel, const char *text);

/* Hear a channel until cache_close, across reconnects; what was said in between is missed.  At most eight. */
void cache_subscribe(const char *name, cache_message_fn *fn, void *arg);

#endif
