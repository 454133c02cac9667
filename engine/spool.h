#ifndef SPOOL_H
#define SPOOL_H

#include <stdbool.h>
#include <stddef.h>

/* Complaints taken while PostgreSQL is away: a bounded stream in a Redis of its own, beside it the numbers reserved for them.
 * Whoever is answered from here has a number for good; the drain makes the ticket, in the order of the stream.
 *
 * That Redis belongs to this host and does not fail over: a replica may lack what was already answered, so it must never be
 * promoted.  When the host is down its spool waits on its disk. */

enum spool_outcome {
    SPOOL_TAKEN,  /* in the stream, now or by an earlier request with the same key and body */
    SPOOL_REUSED, /* the key was used with another body */
    SPOOL_FULL,
    SPOOL_EMPTY, /* no numbers left */
    SPOOL_GONE,  /* the complaint that the word is about does not wait here any more */
    SPOOL_AWAY   /* no answer: it may be in the stream or not, and may be asked again with its key */
};

/* What is put: call is the JSON of api.intake without anything the drain can compute, prefix the first seven digits of the
 * number (the day of use and the group of the channel). */
struct spool_entry {
    const char *key; /* principal, route and idempotency key */
    const char *digest, *prefix, *call;
};

/* A further word on a complaint that still waits: call is the JSON of api.drain with "action". */
struct spool_word {
    const char *number, *key, *digest, *call;
};

typedef void spool_put_fn(enum spool_outcome outcome, const char *number, void *arg);

/* call is NULL when there is no such number; known is false when nobody could say. */
typedef void spool_find_fn(bool known, const char *call, void *arg);

typedef void spool_text_fn(const char *text, size_t len, void *arg);

bool spool_open(void) __attribute__((warn_unused_result));
void spool_close(void);

/* Connected, and set up so that it keeps what it is given. */
bool spool_usable(void);

/* Usable, with numbers in reserve. */
bool spool_has_numbers(void);

/* Is there one at all? */
bool spool_exists(void);

/* For /readyz: that it is in use, or what keeps it from being used; NULL when it is ready and empty. */
const char *spool_note(void);

/* Likewise of the database: what is wrong with it, NULL while the spool takes in what it cannot.  A host that still takes complaints
 * must not be taken out of the balancer. */
const char *spool_uncovered(void);

/* Each calls done once, never before it returned, and copies what it is given. */
void spool_put(const struct spool_entry *entry, spool_put_fn *done, void *arg);
void spool_say(const struct spool_word *word, spool_put_fn *done, void *arg);
void spool_find(const char *number, spool_find_fn *done, void *arg);

/* Keep what a worker has to know when it starts while the database is away, and get it back (NULL: nothing is kept). */
void spool_keep_catalog(const char *text);
void spool_recall_catalog(spool_text_fn *done, void *arg);

#endif
