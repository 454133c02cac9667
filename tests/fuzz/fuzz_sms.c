/* A file of SMS gateways, and a text with names to fill in: any bytes are read or refused, and what is filled in stands where its name
 * stood. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "notice/notice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* With values that are their own names in braces nothing changes. */
static void fills_again(struct arena *arena, const char *text)
{
    const struct word same[] = { { "to", "{to}" }, { "text", "{text}" }, { "", "{}" } };

    if (strcmp(notice_fill(arena, text, same, COUNT(same)), text) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    char *text = arena_strndup(arena, (const char *)data, size);
    const char *why = NULL;
    size_t n;

    if (!sms_read(arena, (struct bytes){ text, strlen(text) }, &n, &why) && !why)
        abort();
    if (strlen(text) < 2000)
        fills_again(arena, text);
    arena_free(arena);
    return 0;
}
