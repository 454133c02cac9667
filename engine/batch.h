#ifndef BATCH_H
#define BATCH_H

#include "db.h"

/* What waits for the database and how it leaves together: queues of calls by function, and batches that may come back to be
 * sent again or cut in two.  Knows no connection. */

struct call {
    struct call *next;
    struct func *func;
    char *json;
    size_t len;
    int64_t *locks;
    size_t nlocks;
    char *key;
    int64_t deadline, started;
    uint64_t turn; /* order of arrival */
    db_fn *done;
    void *arg;
    const char *code; /* refused with this */
};

struct queue {
    struct call *first, **last;
    int count;
};

/* Calls under way as one statement; those answered early are NULL. */
struct batch {
    struct batch *next;
    struct func *func;
    struct call **calls;
    int count;
    int tries;  /* sent again after a conflict */
    int losses; /* sent again after a lost connection */
};

struct func {
    struct func *next;
    const struct api_fn *fn;
    int number;           /* from 0 in order of first use */
    struct queue waiting; /* never sent */
    struct batch *again;  /* sent and failed, to be sent before those that wait */
    int away;             /* batches under way */
    int stat;             /* its histogram of durations */

    double pace;       /* milliseconds a call takes, an average; 0: not known */
    int64_t behind_at; /* since when calls have waited too long, 0: they do not */
    int64_t guarded;   /* until then only calls that need not wait too long are taken on */
};

/* The queues of a function, made at first use. */
struct func *func_of(const struct api_fn *fn);
struct func *func_first(void);

struct call *call_new(struct func *func, const struct db_call *wanted);

/* Tell the caller and forget the call. */
void call_answer(struct call *call, const struct db_answer *answer);
void call_refuse(struct call *call, const char *code);

/* Wait for the next batch. */
void call_queue(struct call *call);

/* The function of this kind with the oldest call that may leave now, NULL when none may.  One batch of a write function is
 * away at a time: what arrives meanwhile leaves together. */
struct func *func_next(bool write);

/* The most calls of a batch. */
int func_most(const struct func *func);

/* May one more wait?  A burst may.  But where calls have waited for longer than wait_ms for half a second, and until five
 * seconds after the last refusal, only what two batches have room for or what need not wait so long. */
bool func_has_room(struct func *func);

/* A batch was away for so many milliseconds while up to `side` others were. */
void func_note(struct func *func, int count, int64_t ms, int side);

/* What leaves next of a function: a batch to be repeated, else up to max waiting calls.  NULL when all had expired. */
struct batch *batch_take(struct func *func, int max);

/* Refuse the calls of a batch whose deadline has passed, even while it is away: their outcome is then unknown. */
void batch_expire(struct batch *batch);

/* Close the gaps of calls answered early; NULL, and the batch is gone, when nobody waits any more. */
struct batch *batch_compact(struct batch *batch);

/* Give the calls of a batch back, to be sent again as they are, or in two halves. */
void batch_again(struct batch *batch);
void batch_halve(struct batch *batch);

/* After a lost connection: calls that may be repeated are kept for the next one, the others are told. */
void batch_lost(struct batch *batch);

/* Answer every call still in it with a code and forget the batch. */
void batch_refuse(struct batch *batch, const char *code);
void batch_free(struct batch *batch);

/* The sorted union of the tickets locked by a batch; *locks is malloced, NULL when there are none. */
size_t batch_locks(const struct batch *batch, int64_t **locks);

/* Refuse what is past its deadline, and with fresh what was never sent. */
void calls_expire(bool write, bool fresh);

/* Calls not answered yet. */
int calls_count(void);

/* Refuse everything and forget all functions. */
void calls_close(void);

#endif
