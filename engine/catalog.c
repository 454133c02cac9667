#include "catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "db.h"
#include "json.h"
#include "log.h"
#include "loop.h"
#include "req.h"
#include "spool.h"
#include "text/text.h"

enum { CHECK_MS = 15000, AGAIN_MS = 500, PATIENCE_MS = 500, PROBLEM_SIZE = 128, TIME_SIZE = 40 };

static const struct api_fn api_boot = { .name = "boot" };
static const struct api_fn api_ready = { .name = "ready" };

/* Codes that a complaint may name, sorted. */
struct codes {
    char **code;
    size_t n;
};

struct channel_code {
    char *name;
    int code;
};

static struct {
    struct text_service *service;
    char *version;
    bool kept; /* not from the database but from what was kept of it */
    struct codes divisions, categories;
    cJSON *services;
    struct channel_code *channels;
    size_t nchannels;
    enum catalog_challenge challenge;
    bool phone_code;
    char time[TIME_SIZE];       /* where the clock of a simulation stands; empty: it runs */
    char problem[PROBLEM_SIZE]; /* what the database says against itself; empty: nothing */
    struct timer *timer;        /* NULL once closed, when late answers still come */
} catalog;

/* Loading */

static size_t read_places(const cJSON *list, struct place_row *rows)
{
    const cJSON *row;
    size_t n = 0;

    cJSON_ArrayForEach(row, list)
    {
        const cJSON *level = cJSON_GetArrayItem(row, 2);

        rows[n++] = (struct place_row){
            .code = cJSON_GetStringValue(cJSON_GetArrayItem(row, 0)),
            .parent = cJSON_GetStringValue(cJSON_GetArrayItem(row, 1)),
            .level = level ? level->valueint : 0,
            .name = cJSON_GetStringValue(cJSON_GetArrayItem(row, 3)),
        };
    }
    return n;
}

static size_t read_keywords(const cJSON *list, struct keyword_row *rows)
{
    const cJSON *row;
    size_t n = 0;

    cJSON_ArrayForEach(row, list)
    {
        rows[n].item = cJSON_GetArrayItem(row, 0)->valueint;
        rows[n++].word = cJSON_GetStringValue(cJSON_GetArrayItem(row, 1));
    }
    return n;
}

static struct text_service *build(const cJSON *data)
{
    const cJSON *places = cJSON_GetObjectItem(data, "places"), *keywords = cJSON_GetObjectItem(data, "keywords");
    struct place_row *place_rows = calloc((size_t)cJSON_GetArraySize(places) + 1, sizeof *place_rows);
    struct keyword_row *keyword_rows = calloc((size_t)cJSON_GetArraySize(keywords) + 1, sizeof *keyword_rows);
    size_t nplaces = read_places(places, place_rows), nkeywords = read_keywords(keywords, keyword_rows);
    struct text_service *service = text_service_new(place_rows, nplaces, keyword_rows, nkeywords);

    log_info("catalog_loaded", "places=%zu keywords=%zu skipped=%zu", nplaces, nkeywords,
             text_service_skipped(service));
    free(place_rows);
    free(keyword_rows);
    return service;
}

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static int by_code(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct codes read_codes(const cJSON *list)
{
    struct codes codes = { .code = must(calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(char *))) };
    const cJSON *code;

    cJSON_ArrayForEach(code, list) codes.code[codes.n++] = must(strdup(code->valuestring));
    qsort(codes.code, codes.n, sizeof *codes.code, by_code);
    return codes;
}

static void free_codes(struct codes *codes)
{
    for (size_t i = 0; i < codes->n; i++)
        free(codes->code[i]);
    free(codes->code);
    *codes = (struct codes){ 0 };
}

static void read_channels(const cJSON *object)
{
    const cJSON *channel;

    catalog.channels = must(calloc((size_t)cJSON_GetArraySize(object) + 1, sizeof *catalog.channels));
    cJSON_ArrayForEach(channel, object)
    {
        catalog.channels[catalog.nchannels++] =
            (struct channel_code){ .name = must(strdup(channel->string)), .code = channel->valueint };
    }
}

static void forget(void)
{
    text_service_free(catalog.service);
    catalog.service = NULL;
    free(catalog.version);
    catalog.version = NULL;
    free_codes(&catalog.divisions);
    cJSON_Delete(catalog.services);
    catalog.services = NULL;
    free_codes(&catalog.categories);
    for (size_t i = 0; i < catalog.nchannels; i++)
        free(catalog.channels[i].name);
    free(catalog.channels);
    catalog.channels = NULL;
    catalog.nchannels = 0;
}

/* A simulation files a year in an hour: that is no attack. */
static void take_doors(const cJSON *doors, bool simulation)
{
    const char *challenge = json_text(doors, "challenge"), *code = json_text(doors, "phone_code");

    catalog.phone_code = code && !strcmp(code, "on");
    catalog.challenge = simulation ? CHALLENGE_OFF : CHALLENGE_AUTO;
    if (challenge && !strcmp(challenge, "on"))
        catalog.challenge = CHALLENGE_ON;
    if (challenge && !strcmp(challenge, "off"))
        catalog.challenge = CHALLENGE_OFF;
}

/* What may change at any time, and is asked for with every look. */
static void take_state(const cJSON *data)
{
    bool simulation = cJSON_IsTrue(cJSON_GetObjectItem(data, "simulation"));
    const char *time = json_text(data, "at");

    snprintf(catalog.time, sizeof catalog.time, "%s", time ? time : "");
    req_allow_time(simulation);
    take_doors(cJSON_GetObjectItem(data, "doors"), simulation);
}

static void take_data(cJSON *data, bool kept)
{
    const char *version = json_text(data, "version");

    forget();
    catalog.service = build(data);
    catalog.version = must(strdup(version ? version : ""));
    catalog.divisions = read_codes(cJSON_GetObjectItem(data, "divisions"));
    catalog.categories = read_codes(cJSON_GetObjectItem(data, "categories"));
    catalog.services = cJSON_DetachItemFromObject(data, "services");
    read_channels(cJSON_GetObjectItem(data, "channels"));
    catalog.kept = kept;
    take_state(data);
}

/* Without the database a worker starts with what the last one knew. */
static void take_kept(const char *text, size_t len, void *arg)
{
    cJSON *data = text ? cJSON_ParseWithLength(text, len) : NULL;

    (void)arg;
    if (data && catalog.timer && !catalog.service) {
        take_data(data, true);
        log_warn("catalog_kept", "version=%s", catalog.version);
    }
    cJSON_Delete(data);
}

static void take_boot(const struct db_answer *answer, void *arg)
{
    cJSON *data = answer->status == 200 ? cJSON_ParseWithLength(answer->body, answer->len) : NULL;

    (void)arg;
    if (catalog.timer)
        timer_set(catalog.timer, data ? CHECK_MS : AGAIN_MS);
    if (data && catalog.timer) {
        take_data(data, false);
        spool_keep_catalog(answer->body);
    } else if (catalog.timer && !catalog.service) {
        spool_recall_catalog(take_kept, NULL);
    }
    cJSON_Delete(data);
}

static void load(void)
{
    int64_t deadline = catalog.service ? 0 : loop_now() + PATIENCE_MS;

    db_call(&(struct db_call){ .fn = &api_boot, .json = "{}", .len = 2, .deadline = deadline, .done = take_boot });
}

/* Is what we have still what the database has? */
static void take_ready(const struct db_answer *answer, void *arg)
{
    cJSON *data = answer->status == 200 ? cJSON_ParseWithLength(answer->body, answer->len) : NULL;
    const char *version = json_text(data, "version");
    const char *problem = cJSON_GetStringValue(cJSON_GetArrayItem(cJSON_GetObjectItem(data, "problems"), 0));

    (void)arg;
    if (!catalog.timer) {
        cJSON_Delete(data);
        return;
    }
    if (data) {
        strncpy(catalog.problem, problem ? problem : "", sizeof catalog.problem - 1);
        take_state(data);
    }
    if (version && strcmp(version, catalog.version) != 0)
        load();
    else
        timer_set(catalog.timer, CHECK_MS);
    cJSON_Delete(data);
}

static void look(void *arg)
{
    (void)arg;
    if (catalog.service && !catalog.kept)
        db_call(&(struct db_call){ .fn = &api_ready, .json = "{}", .len = 2, .done = take_ready });
    else
        load();
}

bool catalog_open(void)
{
    catalog.timer = timer_new(look, NULL);
    timer_set(catalog.timer, 0);
    return true;
}

void catalog_close(void)
{
    timer_free(catalog.timer);
    catalog.timer = NULL;
    forget();
}

bool catalog_ready(void)
{
    return catalog.service != NULL;
}

const cJSON *catalog_services(void)
{
    return catalog.services;
}

const cJSON *catalog_service(const char *code)
{
    const cJSON *service;

    cJSON_ArrayForEach(service, cJSON_GetObjectItem(catalog.services, "list"))
    {
        if (!strcmp(json_text(service, "code"), code))
            return service;
    }
    return NULL;
}

const char *catalog_problem(void)
{
    if (!catalog.service)
        return "reference data not loaded";
    return *catalog.problem ? catalog.problem : NULL;
}

enum catalog_challenge catalog_challenge(void)
{
    return catalog.challenge;
}

bool catalog_phone_code(void)
{
    return catalog.phone_code;
}

const char *catalog_time(void)
{
    return *catalog.time ? catalog.time : NULL;
}

/* Checking references */

static bool is_code(const struct codes *codes, const char *code)
{
    return bsearch(&code, codes->code, codes->n, sizeof *codes->code, by_code) != NULL;
}

int catalog_channel(const char *name)
{
    for (size_t i = 0; i < catalog.nchannels; i++)
        if (!strcmp(catalog.channels[i].name, name))
            return catalog.channels[i].code;
    return -1;
}

const struct why *catalog_check(struct arena *arena, const cJSON *call)
{
    const char *division = json_text(call, "division"), *category = json_text(call, "category");
    const char *channel = json_text(call, "channel");
    struct fault *faults = arena_alloc(arena, 3 * sizeof *faults);
    struct why *why = arena_alloc(arena, sizeof *why);
    size_t n = 0;

    if (division && !is_code(&catalog.divisions, division))
        faults[n++] = (struct fault){ "division", "unknown_division", "没有这个区域。", "There is no such place." };
    if (category && !is_code(&catalog.categories, category))
        faults[n++] = (struct fault){ "category", "unknown_category", "没有这个类别。", "There is no such category." };
    if (channel && catalog_channel(channel) < 0)
        faults[n++] = (struct fault){ "channel", "unknown_channel", "没有这个渠道。", "There is no such channel." };
    *why = (struct why){ .code = "bad_inputs",
                         .zh = "有的内容填写不对，请按提示修改。",
                         .en = "Some fields need to be corrected.",
                         .faults = faults,
                         .nfaults = n };
    return n > 0 ? why : NULL;
}

/* Reading texts */

static cJSON *add_number(cJSON *object, const char *name, double number)
{
    return cJSON_AddNumberToObject(object, name, number);
}

static void add_grams(cJSON *call, const int32_t *grams, size_t n)
{
    cJSON *list = cJSON_AddArrayToObject(call, "grams");

    for (size_t i = 0; i < n; i++)
        cJSON_AddItemToArray(list, cJSON_CreateNumber(grams[i]));
}

static void add_hits(cJSON *call, const struct text_result *result)
{
    cJSON *list = cJSON_AddArrayToObject(call, "hits");

    for (size_t i = 0; i < result->item_count; i++) {
        const struct text_item *item = &result->items[i];
        cJSON *hit = cJSON_CreateObject(), *words;

        add_number(hit, "item", item->item);
        add_number(hit, "n", item->count);
        add_number(hit, "len", item->chars);
        words = cJSON_AddArrayToObject(hit, "words");
        for (size_t w = 0; w < item->word_count; w++)
            cJSON_AddItemToArray(words, cJSON_CreateString(item->words[w]));
        cJSON_AddItemToArray(list, hit);
    }
}

static void add_place(cJSON *call, const struct place_result *place)
{
    cJSON *found;

    if (*place->best.code == '\0')
        return;
    found = cJSON_AddObjectToObject(call, "found");
    cJSON_AddStringToObject(found, "division", place->best.code);
    add_number(found, "confidence", place->best.confidence);
}

void catalog_read_text(struct arena *arena, cJSON *call, const cJSON *fields)
{
    struct text_result *result;

    if (!catalog.service)
        return;
    result = arena_alloc(arena, sizeof *result);
    text_analyse(catalog.service, json_text(fields, "title"), json_text(fields, "content"),
                 json_text(fields, "division"), result);
    add_grams(call, result->grams, result->gram_count);
    add_hits(call, result);
    add_place(call, &result->place);
}

cJSON *catalog_read_query(struct arena *arena, const char *words)
{
    size_t len = strlen(words), n;
    char *norm = arena_alloc(arena, len + 1);
    int32_t grams[TEXT_GRAMS];
    cJSON *list = json_list(arena);

    n = text_bigrams(norm, text_normalise(words, len, norm, len + 1), grams, COUNT(grams));
    for (size_t i = 0; i < n; i++)
        cJSON_AddItemToArray(list, cJSON_CreateNumber(grams[i]));
    return n > 0 ? list : NULL;
}
