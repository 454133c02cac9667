#ifndef CHANNEL_H
#define CHANNEL_H

/* What the engine offers to a way in.  A channel turns its protocol's bytes into a complaint or a call and an answer into its
 * protocol's bytes; it touches neither PostgreSQL nor Redis nor the loop. */

#include "catalog.h"
#include "challenge.h"
#include "feed.h"
#include "fetch.h"
#include "follow.h"
#include "intake.h"
#include "kv.h"
#include "limit.h"
#include "log.h"
#include "outbox.h"
#include "phone.h"
#include "private.h"
#include "req.h"
#include "secret.h"
#include "settings.h"
#include "upload.h"

/* A channel is a module: its routes, and the ways by which it sends notices, are added as it opens. */
struct channel {
    const char *name;
    bool (*prepare)(void); /* once, before the privileges go: for files with secrets; may be NULL */
    bool (*open)(void);
    void (*close)(void); /* may be NULL */
};

/* The list of channels lives in the engine (channels.c). */
extern const struct channel channel_web, channel_app, channel_notice, channel_unit, channel_exchange, channel_wechat;

/* Ask an api function; the answer wakes the next step. */
static inline enum next channel_call(struct req *r, const struct api_fn *fn, cJSON *json)
{
    return ask(r, fn, json);
}

#endif
