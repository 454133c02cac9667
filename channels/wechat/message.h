#ifndef WECHAT_MESSAGE_H
#define WECHAT_MESSAGE_H

#include <stdbool.h>

#include "json.h"

struct arena;

/* What the platform posts: XML of flat members, some with members of their own, which read as "SendLocationInfo.Label". */

enum { MESSAGE_MEMBERS_MOST = 64, MESSAGE_DEPTH_MOST = 8, MESSAGE_TEXT_MOST = 65536, MESSAGE_ID_SIZE = 65 };

enum wechat_kind {
    WECHAT_TEXT,
    WECHAT_IMAGE,
    WECHAT_VOICE,
    WECHAT_VIDEO,
    WECHAT_LOCATION,
    WECHAT_LINK,
    WECHAT_SUBSCRIBE,
    WECHAT_UNSUBSCRIBE,
    WECHAT_CLICK, /* on our menu */
    WECHAT_NOTED, /* known, and nothing a citizen waits for an answer to */
    WECHAT_UNKNOWN,
};

struct member {
    const char *name, *value;
};

struct wechat_message {
    enum wechat_kind kind;
    struct member members[MESSAGE_MEMBERS_MOST];
    size_t n;
    const char *to, *from; /* never NULL in what wechat_read gives */
    const char *encrypted; /* the envelope alone */
    const char *id;        /* the same when the platform sends it again */
};

/* NULL: no XML, or with a DTD, too deep, too long, too many members, in no UTF-8. */
struct wechat_message *wechat_read(struct arena *arena, struct bytes text) __attribute__((warn_unused_result));

/* The first member of this name, NULL when there is none. */
const char *wechat_member(const struct wechat_message *message, const char *name);

/* A text as the answer to a message, cut where the platform would refuse it. */
struct bytes wechat_answer(struct arena *arena, const struct wechat_message *message, const char *text, long long now);

/* What goes around a ciphertext. */
struct bytes wechat_envelope(struct arena *arena, const char *encrypted, const char *signature, const char *timestamp,
                             const char *nonce);

#endif
