#ifndef TEXT_MATCH_H
#define TEXT_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Finds all occurrences of many words in one pass (Aho-Corasick over code points). */

enum {
    MATCH_PATTERNS_MAX = 1 << 16,
    MATCH_CHARS_MAX = 64,     /* of one pattern */
    MATCH_NODES_MAX = 1 << 18 /* characters of all patterns together: about 10 MB */
};

struct match_pattern {
    const char *text; /* normalised UTF-8 */
    int32_t payload;  /* the caller's */
};

struct match_hit {
    uint32_t pattern; /* index in the array given to match_new */
    int32_t payload;
    uint32_t offset, length; /* bytes of the text scanned */
};

/* Called for each hit, in order of its end, longer ones first; false stops the scan. */
typedef bool match_fn(const struct match_hit *hit, void *arg);

struct match;

/* Builds the automaton and keeps nothing of the caller's.  Patterns that are empty, not UTF-8 or beyond the limits above are
 * left out and counted.  Free it with match_free. */
struct match *match_new(const struct match_pattern *patterns, size_t count) __attribute__((warn_unused_result));
void match_free(struct match *m);
size_t match_skipped(const struct match *m);
size_t match_bytes(const struct match *m);

/* One call per hit; time grows with the text plus the hits.  False if fn stopped it.  Patterns with the same text all hit. */
bool match_scan(const struct match *m, const char *text, size_t len, match_fn *fn, void *arg);

/* The first cap hits; returns how many. */
size_t match_hits(const struct match *m, const char *text, size_t len, struct match_hit *out, size_t cap);

#endif
