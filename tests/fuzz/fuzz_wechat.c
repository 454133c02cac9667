/* Any bytes as a message of the WeChat platform and as its ciphertext; and any text comes back through the envelope and the XML. */

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "json.h"
#include "wechat/envelope.h"
#include "wechat/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const unsigned char salt[16] = "0123456789abcdef";

static void check_message(struct arena *arena, const char *text, size_t size)
{
    struct wechat_message *message = wechat_read(arena, (struct bytes){ text, size }), *again;
    struct bytes out;

    if (!message)
        return;
    assert(message->n <= MESSAGE_MEMBERS_MOST && message->id && strlen(message->id) < 256);
    for (size_t i = 0; i < message->n; i++)
        assert(utf8_valid((struct bytes){ message->members[i].value, strlen(message->members[i].value) }));
    out = wechat_answer(arena, message, message->n ? message->members[0].value : "", 1);
    again = wechat_read(arena, out);
    assert(again && !strcmp(again->to, message->from) && !strcmp(again->from, message->to));
}

static void check_envelope(struct arena *arena, const char *text, size_t size)
{
    struct account account = { .appid = "wxb11529c136998cb6", .token = "pamtest" };
    struct bytes out;
    char *sealed;

    if (!envelope_key(&account, "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"))
        abort();
    (void)!envelope_open(arena, &account, text, &out);
    sealed = envelope_seal(arena, &account, salt, (struct bytes){ text, size });
    assert(envelope_open(arena, &account, sealed, &out) == ENVELOPE_GOOD);
    assert(out.len == size && !memcmp(out.data, text, size));
    if (size) { /* what an attacker changes */
        sealed[(unsigned char)text[0] % strlen(sealed)] ^= 1;
        (void)!envelope_open(arena, &account, sealed, &out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    char *copy = malloc(size + 1); /* of its own, so that a byte too far is seen */

    memcpy(copy, data, size);
    copy[size] = '\0';
    check_message(arena, copy, size);
    check_envelope(arena, copy, size);
    free(copy);
    arena_free(arena);
    return 0;
}
