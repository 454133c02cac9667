/* Steps of a ticket to the own systems of its units.  The database gives one step of a ticket after the other. */

#include <string.h>
#include <time.h>

#include "notice.h"

enum { GONE = 410 };

static void answered(const struct fetch_reply *reply, void *arg)
{
    struct message *m = arg;
    struct outcome outcome = { .provider = "webhook",
                               .status = reply->status,
                               .why = arena_strdup(m->arena, reply->why),
                               .retry_after = reply->retry_after };

    if (reply->end != FETCH_ANSWERED)
        outcome.end = reply->end == FETCH_UNREACHED ? MESSAGE_LATER : MESSAGE_UNKNOWN;
    else if (reply->status / 100 == 2)
        outcome.end = MESSAGE_SENT;
    else
        outcome.end = reply->status == GONE ? MESSAGE_REFUSED : MESSAGE_LATER;
    message_end(m, &outcome);
}

/* Signed is "timestamp.message.body", so that none of them can be changed or used again for another. */
static void send_webhook(struct message *m)
{
    const char *key = json_text(m->json, "key"), *id = json_text(m->json, "id");
    const char *body = json_print(m->arena, cJSON_GetObjectItem(m->json, "body"));
    const char *stamp = arena_printf(m->arena, "%lld", (long long)time(NULL));
    char secret[SECRET_HEX_SIZE], mac[SECRET_HEX_SIZE];
    const char *headers[6];

    webhook_secret(key, secret);
    secret_sign(secret, arena_printf(m->arena, "%s.%s.%s", stamp, id, body), mac);
    explicit_bzero(secret, sizeof secret);
    headers[0] = "Content-Type: application/json";
    headers[1] = arena_printf(m->arena, "X-Hotline-Key: %s", key);
    headers[2] = arena_printf(m->arena, "X-Hotline-Timestamp: %s", stamp);
    headers[3] = arena_printf(m->arena, "X-Hotline-Message: %s", id);
    headers[4] = arena_printf(m->arena, "X-Hotline-Signature: v1=%s", mac);
    headers[5] = NULL;
    fetch_start(&(struct fetch){ .url = json_text(m->json, "to"),
                                 .headers = headers,
                                 .body = body,
                                 .len = strlen(body),
                                 .done = answered,
                                 .arg = m });
}

const struct way way_webhook = { .name = "webhook", .send = send_webhook };
