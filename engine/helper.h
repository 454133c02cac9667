#ifndef HELPER_H
#define HELPER_H

#include <stdbool.h>
#include <stddef.h>

/* Small processes for what must not block a loop: one for passwords, one for files.  The parent makes one channel for each worker slot before it forks, so a
 * restarted worker and a respawned process find the same channels again. */

enum helper_job {
    HELPER_VERIFY, /* payload: stored hash, NUL, password → YES or NO */
    HELPER_HASH,   /* payload: password → YES and the hash to store */
    HELPER_STORE,  /* payload: id of an upload whose bytes are all there → YES and what store.h says */
    HELPER_JOBS
};

/* The hash of a password nobody knows, of the same cost as the real ones: compared for names that do not exist, so that they
 * take as long as the others. */
#define HELPER_DUMMY_HASH                                                                                              \
    "$argon2id$v=19$m=65536,t=2,p=1$guJi9CAWswfmZ9tmmil3DA$dOHi87tsL572G65ehqHMRAKdnWLnfA23eq+noIHxgMY"

enum helper_result { HELPER_NO, HELPER_YES, HELPER_LOST };

/* HELPER_LOST: no answer in time.  text (len bytes and a NUL) lives as long as the call. */
typedef void helper_fn(enum helper_result result, const char *text, size_t len, void *arg);

/* Make the channels, in the parent and before any fork. */
bool helper_prepare(int workers) __attribute__((warn_unused_result));

/* The processes themselves: each works until it is killed or its parent dies. */
int helper_run(void);
int helper_run_files(void);

/* A worker takes the channel of its slot. */
bool helper_open(void) __attribute__((warn_unused_result));

/* Every waiting question is told HELPER_LOST. */
void helper_close(void);

/* Ask.  fn is called once, never before this returns.  False: too many are waiting, or for too long (five
 * seconds, as it looks; ten for files); fn is never called.  The caller wipes
 * what it must keep secret; no copy is left here. */
bool helper_ask(enum helper_job job, const void *payload, size_t len, helper_fn *fn, void *arg)
    __attribute__((warn_unused_result));

#endif
