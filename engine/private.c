#include "private.h"

#include <string.h>

#include "arena.h"
#include "privacy.h"

enum { TEXT_BYTES = 1 << 16 }; /* what is longer than any input may be is refused, and not worth reading */

const char *const private_texts[] = { "title", "content", "address", NULL };

static bool is_meant(const char *field, const char *const only[])
{
    if (!only)
        return strcmp(field, "phone") != 0 && strcmp(field, "name") != 0;
    while (*only && strcmp(field, *only) != 0)
        only++;
    return *only;
}

static void add_finding(cJSON *found, const char *field, const char *masked, unsigned kinds)
{
    cJSON *one = cJSON_AddObjectToObject(found, field), *list = cJSON_AddArrayToObject(one, "kinds");

    for (int kind = 0; kind < PRIVACY_KINDS; kind++)
        if (kinds & 1U << kind)
            cJSON_AddItemToArray(list, cJSON_CreateString(privacy_word((enum privacy_kind)kind)));
    cJSON_AddStringToObject(one, "masked", masked);
}

void private_read(struct arena *arena, cJSON *call, const cJSON *fields, const char *const only[], const char *name)
{
    cJSON *found = cJSON_AddObjectToObject(call, "private");
    const cJSON *member;

    cJSON_ArrayForEach(member, fields)
    {
        size_t len = cJSON_IsString(member) ? strlen(member->valuestring) : 0;
        unsigned kinds;
        char *masked;

        if (len < 2 || len > TEXT_BYTES || !is_meant(member->string, only))
            continue;
        masked = arena_alloc(arena, PRIVACY_MASK_BYTES(len));
        (void)privacy_mask(member->valuestring, len, name, masked, &kinds);
        if (kinds)
            add_finding(found, member->string, masked, kinds);
    }
}
