#include "history.h"

#include <string.h>

#include "arena.h"
#include "bigram.h"
#include "json.h"
#include "normalise.h"
#include "phone.h"
#include "private.h"
#include "secret.h"

static const struct field fields[] = {
    { "id", JSON_WORD, .must = true, .max = 100 },
    { "title", JSON_TEXT, .must = true, .max = 200 },
    { "content", JSON_TEXT, .max = 10000 },
    { "state", JSON_WORD, .must = true },
    { "channel", JSON_WORD, .must = true },
    { "type", JSON_WORD },
    { "urgency", JSON_WORD },
    { "category", JSON_WORD },
    { "division", JSON_WORD },
    { "unit", JSON_WORD },
    { "address", JSON_TEXT, .max = 200 },
    { "lng", JSON_NUMBER, .least = -180, .most = 180 },
    { "lat", JSON_NUMBER, .least = -90, .most = 90 },
    { "secrecy", JSON_INT, .least = 0, .most = 3 },
    { "anonymous", JSON_BOOL },
    { "publish", JSON_WORD },
    { "reply_wanted", JSON_BOOL },
    { "submitted_at", JSON_TIME },
    { "accepted_at", JSON_TIME },
    { "dispatched_at", JSON_TIME },
    { "signed_at", JSON_TIME },
    { "replied_at", JSON_TIME },
    { "audited_at", JSON_TIME },
    { "ended_at", JSON_TIME },
    { "archived_at", JSON_TIME },
    { "sign_due_at", JSON_TIME },
    { "due_at", JSON_TIME },
    { "promise_due_at", JSON_TIME },
    { "reply", JSON_TEXT, .max = 10000 },
    { "satisfaction", JSON_WORD },
    { "resolved", JSON_WORD },
    { "phone", JSON_PHONE },
    { "name", JSON_WORD, .max = 50 },
};

/* Their words become ours; null: the word is left out. */
static void translate(cJSON *row, const cJSON *map)
{
    const cJSON *words;

    cJSON_ArrayForEach(words, map)
    {
        const char *theirs = json_text(row, words->string);
        const cJSON *ours = theirs ? cJSON_GetObjectItemCaseSensitive(words, theirs) : NULL;

        if (!ours)
            continue;
        if (cJSON_IsString(ours))
            cJSON_ReplaceItemInObjectCaseSensitive(row, words->string, cJSON_CreateString(ours->valuestring));
        else if (cJSON_IsNull(ours))
            cJSON_DeleteItemFromObjectCaseSensitive(row, words->string);
    }
}

static const char *seal_phone(struct arena *arena, cJSON *contact, const char *raw)
{
    char phone[PHONE_SIZE], hash[SECRET_HEX_SIZE], mask[PHONE_MASK_SIZE];

    if (phone_normalise(raw, phone) == PHONE_BAD)
        return "phone: this is no phone number";
    phone_hash(phone, hash);
    phone_mask(phone, mask);
    cJSON_AddStringToObject(contact, "phone_enc", secret_seal(arena, phone, "phone"));
    cJSON_AddStringToObject(contact, "phone_hmac", hash);
    cJSON_AddStringToObject(contact, "phone_mask", mask);
    return NULL;
}

static const char *seal_contact(struct arena *arena, cJSON *row)
{
    const char *phone = json_text(row, "phone"), *name = json_text(row, "name"), *why = NULL;
    cJSON *contact;
    char mask[64];

    if (!phone && !name)
        return NULL;
    contact = cJSON_AddObjectToObject(row, "contact");
    if (name && *name) {
        name_mask(name, mask, sizeof mask);
        cJSON_AddStringToObject(contact, "name_enc", secret_seal(arena, name, "name"));
        cJSON_AddStringToObject(contact, "name_mask", mask);
    }
    if (phone && *phone)
        why = seal_phone(arena, contact, phone);
    cJSON_DeleteItemFromObject(row, "phone");
    cJSON_DeleteItemFromObject(row, "name");
    return why;
}

/* What a search finds the ticket by: the same pairs of characters that the engine stores. */
static void add_grams(struct arena *arena, cJSON *row)
{
    const char *title = json_text(row, "title"), *content = json_text(row, "content");
    const char *both = arena_printf(arena, "%s\n%s", title, content ? content : "");
    size_t len = strlen(both), n = strlen(title);
    char *norm = arena_alloc(arena, len + 3);
    int32_t grams[TEXT_GRAMS];
    size_t at = text_normalise(both, n, norm, n + 1);

    norm[at++] = '\n';
    at += text_normalise(both + n + 1, len - n - 1, norm + at, len - n);
    cJSON_AddItemToObject(row, "grams", cJSON_CreateIntArray(grams, (int)text_bigrams(norm, at, grams, TEXT_GRAMS)));
}

static const char *explain(struct arena *arena, const struct why *why)
{
    const char *text = why->nfaults ? "" : why->en;

    for (size_t i = 0; i < why->nfaults; i++)
        text = arena_printf(arena, "%s%s%s: %s", text, i ? "; " : "", why->faults[i].name, why->faults[i].en);
    return text;
}

char *history_row(struct arena *arena, const char *line, size_t len, const cJSON *map, const char **why)
{
    const struct why *fault;
    cJSON *row = json_read(arena, (struct bytes){ line, len }, fields, COUNT(fields), &fault);

    if (!row) {
        *why = explain(arena, fault);
        return NULL;
    }
    translate(row, map);
    add_grams(arena, row);
    private_read(arena, row, row, private_texts, json_text(row, "name"));
    *why = seal_contact(arena, row);
    return *why ? NULL : json_print(arena, row);
}

static cJSON *raw_object(struct arena *arena, const char *line, size_t len)
{
    const struct why *why;

    return json_object_only(arena, (struct bytes){ line, len }, &why);
}

int history_wants_keys(struct arena *arena, const char *line, size_t len)
{
    cJSON *row = raw_object(arena, line, len);

    return row && (json_text(row, "phone") || json_text(row, "name"));
}

void history_times(struct arena *arena, const char *line, size_t len, void (*each)(const char *time, void *arg),
                   void *arg)
{
    cJSON *row = raw_object(arena, line, len);

    for (size_t i = 0; row && i < COUNT(fields); i++) {
        const char *text =
            fields[i].kind == JSON_TIME && !strstr(fields[i].name, "due") ? json_text(row, fields[i].name) : NULL;

        if (text && time_valid(text))
            each(text, arg);
    }
}
