/* The text base on arbitrary bytes: no crash, and what the headers promise. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static const struct place_row places[] = {
    { "4405", NULL, PLACE_CITY, "汕头市" },
    { "440507", "4405", PLACE_DISTRICT, "龙湖区" },
    { "440507001", "440507", PLACE_TOWN, "金霞街道" },
    { "440507001005", "440507001", PLACE_VILLAGE, "丹霞居委会" },
    { "440513", "4405", PLACE_DISTRICT, "潮阳区" },
    { "440513106", "440513", PLACE_TOWN, "谷饶镇" },
    { "440513106221", "440513106", PLACE_VILLAGE, "新厝村委会" },
    { "440513107", "440513", PLACE_TOWN, "贵屿镇" },
    { "440513107216", "440513107", PLACE_VILLAGE, "新厝村委会" },
};

static const struct keyword_row keywords[] = {
    { "路灯", 1 }, { "路灯不亮", 1 }, { "停水", 2 }, { "a", 3 }, { "aa", 3 }, { "aaa", 3 }, { "12", 4 },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void check_normal(const char *text, size_t len)
{
    char *once = malloc(len + 1), *twice, *half = malloc(len / 2 + 1);
    size_t n = text_normalise(text, len, once, len + 1), h;

    assert(n <= len && text_valid_utf8(once, n));
    twice = malloc(n + 1);
    assert(text_normalise(once, n, twice, n + 1) == n && memcmp(once, twice, n) == 0);
    h = text_normalise(text, len, half, len / 2 + 1);
    assert(h <= len / 2 && text_valid_utf8(half, h) && memcmp(half, once, h) == 0);
    free(once);
    free(twice);
    free(half);
}

static void check_result(const struct text_result *r)
{
    assert(r->norm_len < sizeof r->norm && strlen(r->norm) == r->norm_len && r->norm[r->title_len] == '\n');
    for (size_t i = 1; i < r->gram_count; i++)
        assert(r->grams[i - 1] > 0 && r->grams[i - 1] < r->grams[i]);
    assert(r->gram_count <= TEXT_GRAMS && r->item_count <= COUNT(keywords));
    assert(text_similarity(r->grams, r->gram_count, r->grams, r->gram_count) <= 1.0);
    for (size_t i = 0; i < r->place.count; i++) {
        const struct place_hit *hit = &r->place.candidates[i];

        assert(hit->confidence > 0 && hit->confidence <= 1 && hit->start + hit->length <= r->norm_len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct text_service *service;
    static struct text_result result;
    char *text = malloc(size + 1);
    size_t cut = size ? data[0] % size : 0;

    if (!service)
        service = text_service_new(places, COUNT(places), keywords, COUNT(keywords));
    memcpy(text, data, size);
    text[size] = '\0';
    check_normal(text, size);
    text_analyse(service, text, text + cut, NULL, &result);
    check_result(&result);

    /* The bytes themselves as words and as the name of a place. */
    struct place_row row = { "1", NULL, PLACE_TOWN, text };
    struct keyword_row word = { text, 1 };
    struct text_service *other = text_service_new(&row, 1, &word, 1);

    text_analyse(other, text, text + cut, NULL, &result);
    check_result(&result);
    text_service_free(other);
    free(text);
    return 0;
}
