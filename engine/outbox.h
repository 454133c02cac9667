#ifndef OUTBOX_H
#define OUTBOX_H

#include <cjson/cJSON.h>
#include <stdbool.h>

/* Delivery of notices.  One worker of each engine takes messages from the database for a while (a lease), hands each to the way it
 * goes by, and tells the database what became of it; a worker that dies in between leaves the message to the next, under the same id. */

struct arena;

enum message_end {
    MESSAGE_SENT,
    MESSAGE_REFUSED, /* nobody will ever take it as it is: a dead letter */
    MESSAGE_LATER,   /* nobody took it: again after a while */
    MESSAGE_UNKNOWN, /* somebody may have it: again under the same id, to the same provider */
    MESSAGE_DROPPED  /* it can reach nobody, and that is all right */
};

struct message {
    struct arena *arena;
    const cJSON *json; /* as api.notice_claim gives it */
    void *state;       /* the way's, in the arena */
};

/* send must call message_end once, now or later. */
struct way {
    const char *name;
    void (*send)(struct message *m);
};

struct outcome {
    enum message_end end;
    const char *provider, *reference, *why; /* may be NULL; never contact data or text */
    int status, retry_after;
};

/* A channel offers a way as it opens; the table must live on. */
void outbox_way(const struct way *way);

/* Tell what became of it; m is gone then. */
void message_end(struct message *m, const struct outcome *outcome);

/* Could a message go this way now?  No: it is not switched on, or the database is away. */
bool outbox_can_send(const char *way);

bool outbox_open(void) __attribute__((warn_unused_result));
void outbox_drain(void);
void outbox_close(void);

/* How many messages wait for a person; NULL: none. */
const char *outbox_note(void);

#endif
