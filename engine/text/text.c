#include "text.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"

struct keyword {
    char *word; /* normalised */
    uint32_t item, chars;
    uint32_t seen; /* the last analysis that met it */
};

struct item {
    int32_t id;
    uint32_t seen;
    struct text_item found; /* of the analysis that is going on */
};

struct text_service {
    struct place_index *places;
    struct match *match; /* payload: keyword */
    struct keyword *keywords;
    struct item *items; /* sorted by id */
    uint32_t *met;      /* items met by the analysis that is going on */
    size_t keyword_count, item_count, met_count, skipped;
    uint32_t turn; /* counts analyses; seen == turn means met in this one */
};

static void *make(size_t count, size_t size)
{
    void *block = calloc(count ? count : 1, size);

    if (!block)
        abort();
    return block;
}

static int by_id(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

static void list_items(struct text_service *service, const struct keyword_row *rows, size_t count)
{
    size_t kept = 0;

    service->items = make(count, sizeof *service->items);
    service->met = make(count, sizeof *service->met);
    for (size_t i = 0; i < count; i++)
        service->items[i].id = rows[i].item;
    if (count)
        qsort(service->items, count, sizeof *service->items, by_id);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || service->items[i].id != service->items[kept - 1].id)
            service->items[kept++] = service->items[i];
    service->item_count = kept;
}

static uint32_t item_of(const struct text_service *service, int32_t id)
{
    struct item key = { .id = id };
    const struct item *item = bsearch(&key, service->items, service->item_count, sizeof key, by_id);

    return (uint32_t)(item - service->items);
}

/* One word given twice for one item counts once. */
static int by_item_and_word(const void *a, const void *b)
{
    const struct keyword *x = a, *y = b;

    if (x->item != y->item)
        return x->item < y->item ? -1 : 1;
    return strcmp(x->word, y->word);
}

static void list_keywords(struct text_service *service, const struct keyword_row *rows, size_t count)
{
    struct keyword *list = service->keywords = make(count, sizeof *list);
    char word[TEXT_KEYWORD_BYTES * 4];
    size_t made = 0, kept = 0;

    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(rows[i].word), width = 0;

        if (text_valid_utf8(rows[i].word, len))
            width = text_normalise(rows[i].word, len, word, sizeof word);
        if (width == 0 || width > TEXT_KEYWORD_BYTES) {
            service->skipped++;
            continue;
        }
        list[made].word = memcpy(make(width + 1, 1), word, width + 1);
        list[made].chars = (uint32_t)utf8_chars(word, width);
        list[made++].item = item_of(service, rows[i].item);
    }
    if (made)
        qsort(list, made, sizeof *list, by_item_and_word);
    for (size_t i = 0; i < made; i++)
        if (i && by_item_and_word(&list[i], &list[kept - 1]) == 0)
            free(list[i].word);
        else
            list[kept++] = list[i];
    service->keyword_count = kept;
}

static void build_match(struct text_service *service)
{
    struct match_pattern *patterns = make(service->keyword_count, sizeof *patterns);

    for (size_t i = 0; i < service->keyword_count; i++)
        patterns[i] = (struct match_pattern){ service->keywords[i].word, (int32_t)i };
    service->match = match_new(patterns, service->keyword_count);
    service->skipped += match_skipped(service->match);
    free(patterns);
}

struct text_service *text_service_new(const struct place_row *places, size_t place_count,
                                      const struct keyword_row *keywords, size_t keyword_count)
{
    struct text_service *service = make(1, sizeof *service);

    service->places = place_index_new(places, place_count);
    list_items(service, keywords, keyword_count);
    list_keywords(service, keywords, keyword_count);
    build_match(service);
    return service;
}

void text_service_free(struct text_service *service)
{
    if (!service)
        return;
    for (size_t i = 0; i < service->keyword_count; i++)
        free(service->keywords[i].word);
    place_index_free(service->places);
    match_free(service->match);
    free(service->keywords);
    free(service->items);
    free(service->met);
    free(service);
}

size_t text_service_skipped(const struct text_service *service)
{
    return service->skipped;
}

/* Bytes of the first chars characters. */
static size_t head(const char *text, size_t chars, bool *more)
{
    size_t at = 0, n;
    uint32_t cp;

    for (; chars && text[at]; chars--, at += n) {
        n = utf8_next(text + at, strnlen(text + at, 4), &cp);
        n = n ? n : 1;
    }
    *more = *more || text[at];
    return at;
}

static void write_norm(const char *title, const char *content, struct text_result *out)
{
    size_t title_bytes = head(title, TEXT_TITLE_CHARS, &out->truncated);
    size_t content_bytes = head(content, TEXT_CONTENT_CHARS, &out->truncated);

    out->title_len = text_normalise(title, title_bytes, out->norm, title_bytes + 1);
    out->norm[out->title_len] = '\n';
    out->norm_len = out->title_len + 1;
    out->norm_len += text_normalise(content, content_bytes, out->norm + out->norm_len, content_bytes + 1);
}

static bool count_keyword(const struct match_hit *hit, void *arg)
{
    struct text_service *service = arg;
    struct keyword *keyword = &service->keywords[hit->payload];
    struct item *item = &service->items[keyword->item];

    if (keyword->seen == service->turn)
        return true;
    keyword->seen = service->turn;
    if (item->seen != service->turn) {
        item->seen = service->turn;
        item->found = (struct text_item){ .item = item->id };
        service->met[service->met_count++] = keyword->item;
    }
    item->found.count++;
    item->found.chars += keyword->chars;
    if (item->found.word_count < TEXT_ITEM_WORDS)
        item->found.words[item->found.word_count++] = keyword->word;
    return true;
}

static bool is_better(const struct text_item *a, const struct text_item *b)
{
    if (a->count != b->count)
        return a->count > b->count;
    if (a->chars != b->chars)
        return a->chars > b->chars;
    return a->item < b->item;
}

/* Keeps the best TEXT_ITEMS in order. */
static void insert_item(struct text_result *out, const struct text_item *item)
{
    size_t at = out->item_count;

    if (at == TEXT_ITEMS && !is_better(item, &out->items[--at]))
        return;
    for (; at && is_better(item, &out->items[at - 1]); at--)
        out->items[at] = out->items[at - 1];
    out->items[at] = *item;
    if (out->item_count < TEXT_ITEMS)
        out->item_count++;
}

static void find_keywords(struct text_service *service, struct text_result *out)
{
    service->met_count = 0;
    if (++service->turn == 0) {
        /* Four thousand million analyses later old marks would look new. */
        for (size_t i = 0; i < service->keyword_count; i++)
            service->keywords[i].seen = 0;
        for (size_t i = 0; i < service->item_count; i++)
            service->items[i].seen = 0;
        service->turn = 1;
    }
    (void)match_scan(service->match, out->norm, out->norm_len, count_keyword, service);
    out->item_count = 0;
    for (size_t i = 0; i < service->met_count; i++)
        insert_item(out, &service->items[service->met[i]].found);
}

void text_analyse(struct text_service *service, const char *title, const char *content, const char *near,
                  struct text_result *out)
{
    out->truncated = false;
    write_norm(title ? title : "", content ? content : "", out);
    out->gram_count = text_bigrams(out->norm, out->norm_len, out->grams, TEXT_GRAMS);
    place_find(service->places, out->norm, out->norm_len, out->title_len, near, &out->place);
    find_keywords(service, out);
}
