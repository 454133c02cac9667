/* The header that shows a solution: any text is read or refused, and what was read has the form of one. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "arena.h"
#include "challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good)
        abort();
}

static void read_header(struct arena *arena, const char *header)
{
    struct solution solution;

    if (!challenge_read(arena, header, &solution))
        return;
    must(strlen(solution.challenge) == 64 && strlen(solution.signature) == 64);
    must(solution.salt[strlen(solution.salt) - 1] == '&' && solution.number >= 0 && solution.expires >= 0);
}

/* As it is, and as the JSON behind base64. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t room = sodium_base64_ENCODED_LEN(size, sodium_base64_VARIANT_ORIGINAL);
    struct arena *arena = arena_new();
    char *header = arena_strndup(arena, (const char *)data, size), *encoded = arena_alloc(arena, room);

    read_header(arena, header);
    sodium_bin2base64(encoded, room, data, size, sodium_base64_VARIANT_ORIGINAL);
    read_header(arena, encoded);
    arena_free(arena);
    return 0;
}
