/* The file of partners: any bytes are read or refused, and what is read is in bounds. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "exchange/exchange.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct partner partners[PARTNERS_MAX];
    size_t n;

    if (exchange_read(arena_strndup(arena, (const char *)data, size), partners, &n))
        for (size_t i = 0; i < n; i++)
            if (!*partners[i].system || !*partners[i].key || strlen(partners[i].secret) < SECRET_MIN)
                abort();
    if (n > PARTNERS_MAX)
        abort();
    arena_free(arena);
    return 0;
}
