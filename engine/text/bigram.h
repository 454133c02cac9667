#ifndef TEXT_BIGRAM_H
#define TEXT_BIGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
    TEXT_GRAMS = 300,      /* what a ticket keeps */
    TEXT_GRAMS_MAX = 1024, /* the largest cap text_bigrams honours */
};

/* The distinct pairs of neighbouring characters of a normalised text as positive hashes, sorted.  Pairs do not reach across
 * a space or punctuation, so a query of several words asks for each of them; letters and digits pair like all characters.
 * Takes the text in order and stops at cap: what comes later cannot be searched for.  A query made by this function is
 * contained in every text that holds its words before the cap.  A character that stands alone has no pair: a query of one
 * character gives 0, and the caller must look in another way, since an empty array is contained in every row.
 * The hash is stored in databases: it never changes. */
size_t text_bigrams(const char *norm, size_t len, int32_t *out, size_t cap);

/* Jaccard: common over all, of two sorted arrays of distinct grams; 0 when both are empty. */
double text_similarity(const int32_t *a, size_t na, const int32_t *b, size_t nb);

#endif
