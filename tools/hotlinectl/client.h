#ifndef CLIENT_H
#define CLIENT_H

#include <cjson/cJSON.h>

/* One connection to the engine, for one thread.  A call that gets no answer, 429, 502, 503 or 504 is made again with the same
 * key, so a repeat after an unknown outcome is safe. */

struct client;

struct call {
    const char *method, *path;
    const char *token;   /* of a session, NULL for citizens */
    const char *address; /* the caller's, as a trusted proxy tells it; NULL: none */
    const char *key;     /* Idempotency-Key, NULL: none */
    const char *at;      /* X-Hotline-Time, NULL: none */
    const cJSON *body;   /* NULL: none */
};

struct answer {
    long status;     /* 0: no answer at all */
    cJSON *json;     /* NULL when the body is none */
    char error[256]; /* why there is no answer */
};

/* url: scheme, host and port.  Ends the program when there is no memory. */
struct client *client_new(const char *url);
void client_free(struct client *client);

/* Calls made so far and repeats among them. */
long client_calls(const struct client *client);
long client_repeats(const struct client *client);

/* The caller frees the answer. */
struct answer client_call(struct client *client, const struct call *call);
void answer_free(struct answer *answer);

/* The text of a member or "" */
const char *member(const cJSON *object, const char *name);

#endif
