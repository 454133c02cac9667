/* What the public doors read: a header that shows a solution, a code as people type it, a proof of one.  Any text is read or refused, and
 * what was read has its form. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "arena.h"
#include "challenge.h"
#include "web/code.h"

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

static void read_code(const char *typed)
{
    char code[PHONE_CODE_SIZE];

    if (code_read(typed, code))
        must(strlen(code) == 6 && strspn(code, "0123456789") == 6);
    if (code_proof_until(typed))
        must(strlen(strchr(typed, '.')) == 65);
}

/* As it is, and as the JSON behind base64. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t room = sodium_base64_ENCODED_LEN(size, sodium_base64_VARIANT_ORIGINAL);
    struct arena *arena = arena_new();
    char *header = arena_strndup(arena, (const char *)data, size), *encoded = arena_alloc(arena, room);

    read_header(arena, header);
    read_code(header);
    sodium_bin2base64(encoded, room, data, size, sodium_base64_VARIANT_ORIGINAL);
    read_header(arena, encoded);
    arena_free(arena);
    return 0;
}
