#ifndef WECHAT_TALK_H
#define WECHAT_TALK_H

#include "channel.h"
#include "message.h"

/* The conversation with a citizen: what was said so far is kept in the shared Redis, as ciphertext, for half an hour. */

struct talk {
    const struct wechat_message *message;
    const char *key, *who; /* of the citizen in Redis; the keyed hash of the openid */
    struct kv kv;
    cJSON *state;
    const char *said; /* the answer; NULL: none is due */
    bool done;        /* something was stored that the citizen has to hear of, whatever becomes of the conversation */
    bool filing;
    int tries;
};

/* The next steps of a request whose message was read: the conversation, and then the step that tells what was said. */
enum next talk_begin(struct req *r, const struct wechat_message *message, step_fn *then);

/* Instead of a refusal by the engine on the way: the sentence for the citizen. */
void talk_refused(struct req *r, const char *code, const struct why *why);

#endif
