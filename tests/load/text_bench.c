/* Microseconds per complaint of the text base, on real texts of other cities:
 *   text_bench SHARED      the shared data folder (admin/ and complaints/ in SHARED/data)
 * Prints one line a step: name, median, 99th percentile and largest of one text, texts a second. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cjson/cJSON.h>

#include "privacy.h"
#include "text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { TEXTS = 16000, PLACES = 1300, KEYWORDS = 1800 };

struct complaint {
    char *title, *content;
};

static struct complaint texts[TEXTS];
static size_t text_count, text_bytes;
static struct place_row places[PLACES];
static size_t place_count;
static struct keyword_row keywords[KEYWORDS];
static struct text_result result;

static double microseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static FILE *open_shared(const char *folder, const char *name)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof path, "%s/data/%s", folder, name);
    file = fopen(path, "r");
    if (!file)
        printf("SKIPPED: cannot open %s\n", path);
    return file;
}

static void read_places(const char *folder, const char *name, int level)
{
    FILE *file = open_shared(folder, name);
    char line[512], code[64], text[128], parent[64];

    if (!file)
        return;
    for (bool head = true; fgets(line, sizeof line, file) && place_count < PLACES; head = false)
        if (!head && sscanf(line, "%63[^,],%127[^,],%63[^,\r\n]", code, text, parent) == 3)
            places[place_count++] = (struct place_row){ strdup(code), strdup(parent), level, strdup(text) };
    fclose(file);
}

static char *member(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(json, name);

    return strdup(cJSON_IsString(item) ? item->valuestring : "");
}

static void read_texts(const char *folder, const char *name)
{
    FILE *file = open_shared(folder, name);
    char *line = NULL;
    size_t size = 0;

    if (!file)
        return;
    while (getline(&line, &size, file) > 0 && text_count < TEXTS) {
        cJSON *json = cJSON_Parse(line);

        if (json) {
            struct complaint *c = &texts[text_count++];

            *c = (struct complaint){ member(json, "title"), member(json, "detail") };
            text_bytes += strlen(c->title) + strlen(c->content);
        }
        cJSON_Delete(json);
    }
    free(line);
    fclose(file);
}

/* Words as the directory has them: two to four characters, taken from the titles. */
static void make_keywords(void)
{
    for (size_t i = 0; i < KEYWORDS; i++) {
        const char *title = texts[i * 7 % text_count].title;
        size_t chars = strlen(title) / 3, width = 2 + i % 3, from = chars > width ? i % (chars - width) : 0;
        char word[16] = "";

        if (chars > width && ((unsigned char)title[from * 3] & 0xc0) != 0x80)
            memcpy(word, title + from * 3, width * 3);
        keywords[i] = (struct keyword_row){ strdup(text_valid_utf8(word, strlen(word)) ? word : ""), (int32_t)(i / 6) };
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

typedef void step_fn(void *service, const struct complaint *c);

static void whole(void *service, const struct complaint *c)
{
    text_analyse(service, c->title, c->content, NULL, &result);
}

static void normal_form(void *service, const struct complaint *c)
{
    (void)service;
    result.norm_len = text_normalise(c->content, strlen(c->content), result.norm, sizeof result.norm);
}

static void grams(void *service, const struct complaint *c)
{
    (void)service;
    result.gram_count = text_bigrams(c->content, strlen(c->content), result.grams, TEXT_GRAMS);
}

static void find_place(void *index, const struct complaint *c)
{
    place_find(index, c->content, strlen(c->content), 0, NULL, &result.place);
}

static void privacy(void *arg, const struct complaint *c)
{
    static char masked[PRIVACY_MASK_BYTES(TEXT_NORM_BYTES)];

    (void)arg;
    if (strlen(c->content) < TEXT_NORM_BYTES)
        (void)privacy_mask(c->content, strlen(c->content), NULL, masked, NULL);
}

static void measure(const char *name, step_fn *step, void *arg)
{
    static double spent[TEXTS];
    double start = microseconds(), total;

    for (size_t i = 0; i < text_count; i++) {
        double begin = microseconds();

        step(arg, &texts[i]);
        spent[i] = microseconds() - begin;
    }
    total = microseconds() - start;
    qsort(spent, text_count, sizeof spent[0], by_value);
    printf("%-12s median %6.1f us  p99 %7.1f us  max %8.1f us  %8.0f texts/s\n", name, spent[text_count / 2],
           spent[text_count * 99 / 100], spent[text_count - 1], (double)text_count / total * 1e6);
}

int main(int argc, char **argv)
{
    static const char *const files[] = { "complaints/teddy2_raw.jsonl", "complaints/teddy2_final_test_unlabelled.jsonl",
                                         "complaints/teddy3_hot_topics.jsonl", "complaints/teddy4_replies.jsonl" };
    const char *folder = argc > 1 ? argv[1] : "../shared";
    struct text_service *service;
    struct place_index *index;
    double start;

    read_places(folder, "admin/shantou_districts.csv", PLACE_DISTRICT);
    read_places(folder, "admin/shantou_towns.csv", PLACE_TOWN);
    read_places(folder, "admin/shantou_villages.csv", PLACE_VILLAGE);
    for (size_t i = 0; i < COUNT(files); i++)
        read_texts(folder, files[i]);
    if (text_count == 0)
        return 0;
    make_keywords();
    start = microseconds();
    service = text_service_new(places, place_count, keywords, KEYWORDS);
    printf("%zu places, %d keywords: built in %.1f ms; %zu texts of %zu bytes on average\n", place_count, KEYWORDS,
           (microseconds() - start) / 1e3, text_count, text_bytes / text_count);
    index = place_index_new(places, place_count);
    measure("normalise", normal_form, NULL);
    measure("bigrams", grams, NULL);
    measure("place", find_place, index);
    measure("all", whole, service);
    measure("privacy", privacy, NULL);
    place_index_free(index);
    text_service_free(service);
    return 0;
}
