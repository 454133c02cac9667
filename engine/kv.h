#ifndef KV_H
#define KV_H

#include "req.h"

/* Small values that a channel shares between its workers, in the shared Redis: what can be lost, for a limited time. */

enum kv_outcome {
    KV_AWAY, /* nobody knows */
    KV_NONE, /* there is none */
    KV_FOUND,
    KV_SET,
    KV_CHANGED /* by somebody else since it was read: nothing was set */
};

struct kv {
    enum kv_outcome outcome;
    const char *text; /* in the request's arena; "" when there is none */

    struct req *r;
};

/* Read a value; the next step finds it in *kv, which lives in the request's arena. */
enum next kv_read(struct req *r, struct kv *kv, const char *key);

/* Set it for so many seconds if it is still kv->text; the next step finds in *kv what became of it. */
enum next kv_swap(struct req *r, struct kv *kv, const char *key, const char *text, int seconds);

#endif
