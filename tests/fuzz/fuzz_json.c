/* Any bytes: what json_any lets through must be JSON that prints and reads again the same. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "json.h"
#include "problem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct field element = { .kind = JSON_ID };
static const struct field place[] = { { "x", JSON_NUMBER, .must = true } };
static const struct field fields[] = {
    { "a", JSON_TEXT, .must = true },
    { "b", JSON_PHONE },
    { "c", JSON_INT, .most = 10 },
    { "d", JSON_TIME },
    { "e", JSON_LIST, .of = &element },
    { "f", JSON_OBJECT, .fields = place, .nfields = 1 },
    { "g", JSON_OBJECT },
    { "h", JSON_DATE },
};

static void reads_again(struct arena *arena, cJSON *value)
{
    const char *text = json_print(arena, value), *again;
    const struct why *why;
    cJSON *second = json_any(arena, (struct bytes){ text, strlen(text) }, &why);

    if (!second)
        abort();
    again = json_print(arena, second);
    if (strcmp(text, again) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct bytes text = { (const char *)data, size };
    const struct why *why = NULL;
    cJSON *value = json_any(arena, text, &why);

    if (value)
        reads_again(arena, value);
    else if (!why->code || !why->zh)
        abort();
    if (!json_read(arena, text, fields, COUNT(fields), &why))
        problem_make(arena, 422, "bad_ticket", why, LANGUAGE_EN);
    arena_free(arena);
    return 0;
}
