/* What citizens and the database hand to secret.c and phone.c: tokens, codes, numbers, names. */

#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "phone.h"
#include "secret.h"
#include "settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_key(char *path, const char *line)
{
    int fd = mkstemp(path);

    if (fd < 0 || write(fd, line, strlen(line)) < 0)
        abort();
    close(fd);
}

static void load_keys(void)
{
    char contact[] = "/tmp/fuzz-contact-XXXXXX", hash[] = "/tmp/fuzz-hash-XXXXXX", one[64], two[64];
    char *argv[] = { "fuzz_secret", one, two };

    write_key(contact, "k1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n");
    write_key(hash, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f\n");
    snprintf(one, sizeof one, "--contact-key-file=%s", contact);
    snprintf(two, sizeof two, "--hash-key-file=%s", hash);
    if (settings_load(3, argv) != SETTINGS_RUN || !secret_load())
        abort();
    unlink(contact);
    unlink(hash);
}

/* A normalised number is its own normal form, and no digit but the shown ones is in its mask. */
static void try_phone(const char *text)
{
    char once[PHONE_SIZE], twice[PHONE_SIZE], mask[PHONE_MASK_SIZE];
    enum phone_kind kind = phone_normalise(text, once);

    assert((kind == PHONE_BAD) == (*once == '\0'));
    assert(phone_normalise(once, twice) == kind);
    assert(strcmp(once, twice) == 0);
    phone_mask(text, mask);
    phone_mask(once, mask);
}

static void try_codes(const char *text)
{
    char code[QUERY_CODE_SIZE], hash[SECRET_HEX_SIZE];

    (void)query_code_hash(text, hash);
    ticket_no_valid(text);
    session_hash(text, hash);
    query_code(text, text, text, text, code);
    assert(query_code_hash(code, hash));
}

static void try_seal(struct arena *arena, const char *text)
{
    char *token = secret_seal(arena, text, "f"), *opened = secret_open(arena, token, "f");

    assert(opened != NULL && strcmp(opened, text) == 0);
    assert(secret_open(arena, text, "f") == NULL); /* forging one is not to be expected */
    secret_is_stale(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool loaded;
    struct arena *arena = arena_new();
    char *text = arena_strndup(arena, (const char *)data, size), name[8];

    if (!loaded)
        load_keys();
    loaded = true;
    try_phone(text);
    name_mask(text, name, sizeof name);
    try_codes(text);
    try_seal(arena, text);
    arena_free(arena);
    return 0;
}
