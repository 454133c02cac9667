#ifndef TEXT_TEXT_H
#define TEXT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bigram.h"
#include "match.h"
#include "normalise.h"
#include "place.h"

/* All the engine wants to know of a complaint's words, in one call: its normal form, its grams, the place it is about and
 * the keywords of the dispatch directory in it.  Pure computation: no file, no clock, no memory kept. */

enum {
    TEXT_TITLE_CHARS = 200,     /* of a title that are read; the rest is ignored */
    TEXT_CONTENT_CHARS = 10000, /* of a content */
    TEXT_NORM_BYTES = 4 * (TEXT_TITLE_CHARS + TEXT_CONTENT_CHARS) + 2,
    TEXT_ITEMS = 64,     /* directory items reported */
    TEXT_ITEM_WORDS = 4, /* of their keywords that are named */
    TEXT_KEYWORD_BYTES = 64,
};

struct keyword_row {
    const char *word;
    int32_t item; /* directory item the word speaks for */
};

struct text_item {
    int32_t item;
    uint32_t count;                     /* different keywords of the item in the text */
    uint32_t chars;                     /* their characters together: long words say more */
    const char *words[TEXT_ITEM_WORDS]; /* the first of them as the text has them; belong to the service */
    uint32_t word_count;
};

/* About 45 kB: take it from an arena. */
struct text_result {
    char norm[TEXT_NORM_BYTES]; /* title, a line feed, content, a NUL; normalised */
    size_t title_len, norm_len; /* bytes; the content starts at title_len + 1 */
    bool truncated;             /* the text was longer than what is read */
    int32_t grams[TEXT_GRAMS];
    size_t gram_count;
    struct place_result place; /* its spans are bytes of norm */
    struct text_item items[TEXT_ITEMS];
    size_t item_count;
};

struct text_service;

/* Builds the automata from the database's reference data; keeps copies.  Free it with text_service_free; results point into
 * it.  One thread at a time may use a service: it has working memory of its own. */
struct text_service *text_service_new(const struct place_row *places, size_t place_count,
                                      const struct keyword_row *keywords, size_t keyword_count)
    __attribute__((warn_unused_result));
void text_service_free(struct text_service *service);

/* Keywords that could not be used: empty, too long, not UTF-8. */
size_t text_service_skipped(const struct text_service *service);

/* Items come with the most different keywords first, then the longest.  Title and content are valid UTF-8 with a NUL; NULL
 * is an empty one.  near: the code of where the citizen says to be, or NULL. */
void text_analyse(struct text_service *service, const char *title, const char *content, const char *near,
                  struct text_result *out);

#endif
