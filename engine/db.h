#ifndef DB_H
#define DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* PostgreSQL, reached only through api functions: jsonb in, (status, body) out.  Write calls travel in batches, one commit
 * each; reads alone, on connections of their own. */

struct api_fn {
    const char *name; /* without the schema; a constant of the program */
    bool write;       /* write lane; a function without it may not write */
    bool sorted;      /* the calls of a batch run in order of their keys instead of arrival */
    bool whole;       /* api.NAME_all takes a batch as one array and gives (place, status, body) */
    int most;         /* calls in one commit; 0: as many as is set for all */
};

/* What came back.  body is JSON text that lives as long as the callback runs.  A call that got no answer has a status of
 * our own and no body: 503 busy or database_away or too_slow, 500 internal. */
struct db_answer {
    int status;
    const char *body; /* NULL: code says why */
    size_t len;
    const char *code; /* NULL: body is the function's answer */
};

typedef void db_fn(const struct db_answer *answer, void *arg);

struct db_call {
    const struct api_fn *fn;
    const char *json; /* copied */
    size_t len;
    const int64_t *locks; /* tickets locked before the batch runs; copied */
    size_t nlocks;
    const char *key; /* idempotency key: the call may be sent again when its outcome is unknown.  NULL: it may not */
    int64_t
        deadline; /* in loop_now() milliseconds; 0: the request time-out from now.  A call under way is given up then */
    db_fn *done;  /* called exactly once, never before db_call returned */
    void *arg;
};

/* Start connecting all lanes of this worker; they keep at it until db_close, which answers what still waits. */
bool db_open(void) __attribute__((warn_unused_result));
void db_close(void);

void db_call(const struct db_call *wanted);

/* Would a call of this function be answered busy now?  For a handler to ask before it does its own work. */
bool db_is_busy(const struct api_fn *fn);

/* Is a lane for writes connected? */
bool db_takes_writes(void);

/* NULL: lanes of both kinds are connected; else what is wrong. */
const char *db_state(void);

#endif
