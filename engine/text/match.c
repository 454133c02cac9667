#include "match.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"

/* Nodes stand in breadth-first order: the children of one are neighbours, sorted by character; node 0 is the root. */
struct node {
    uint32_t cp;
    uint32_t child, children; /* first of them, how many */
    uint32_t fail;            /* longest proper suffix that is a node */
    uint32_t shorter;         /* nearest suffix that ends a pattern, 0 if none */
    uint32_t word, words;     /* patterns that end here, in m->words */
};

struct word {
    uint32_t pattern, length;
    int32_t payload;
};

struct match {
    struct node *nodes;
    struct word *words;
    uint32_t *roots; /* hash of the root's children, 0 = empty */
    size_t node_count, word_count, root_slots, skipped;
};

struct entry {
    const char *text;
    size_t length;
    uint32_t pattern;
    int32_t payload;
};

struct span {
    uint32_t low, high, depth; /* sorted entries that share their first depth bytes */
};

static void *make(size_t count, size_t size)
{
    void *block = calloc(count ? count : 1, size);

    if (!block)
        abort();
    return block;
}

/* Bytewise order of UTF-8 is the order of its code points. */
static int by_text(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = strcmp(x->text, y->text);

    return order ? order : (x->pattern > y->pattern) - (x->pattern < y->pattern);
}

/* Characters of a pattern that can be taken, else 0. */
static size_t usable(const char *text)
{
    size_t len = text ? strnlen(text, MATCH_CHARS_MAX * 4 + 1) : 0, chars = 0;
    uint32_t cp;

    for (size_t i = 0, n; i < len; i += n, chars++) {
        n = utf8_next(text + i, len - i, &cp);
        if (n == 0)
            return 0;
    }
    return chars <= MATCH_CHARS_MAX ? chars : 0;
}

static size_t collect(struct match *m, const struct match_pattern *patterns, size_t count, struct entry *entries,
                      size_t *chars)
{
    size_t kept = 0;

    *chars = 0;
    for (size_t i = 0; i < count; i++) {
        size_t width = usable(patterns[i].text);

        if (width == 0 || kept == MATCH_PATTERNS_MAX || *chars + width >= MATCH_NODES_MAX) {
            m->skipped++;
            continue;
        }
        *chars += width;
        entries[kept++] =
            (struct entry){ patterns[i].text, strlen(patterns[i].text), (uint32_t)i, patterns[i].payload };
    }
    return kept;
}

/* Turns the entries of one node into its words and children; entries that end here come first in their span. */
static void unfold(struct match *m, const struct entry *entries, struct span *spans, uint32_t at)
{
    struct node *node = &m->nodes[at];
    struct span span = spans[at];
    uint32_t i = span.low, cp = 0;

    node->word = (uint32_t)m->word_count;
    for (; i < span.high && entries[i].length == span.depth; i++)
        m->words[m->word_count++] =
            (struct word){ entries[i].pattern, (uint32_t)entries[i].length, entries[i].payload };
    node->words = (uint32_t)m->word_count - node->word;
    node->child = (uint32_t)m->node_count;
    while (i < span.high) {
        size_t width = utf8_next(entries[i].text + span.depth, entries[i].length - span.depth, &cp);
        uint32_t low = i;

        while (i < span.high && memcmp(entries[i].text + span.depth, entries[low].text + span.depth, width) == 0)
            i++;
        m->nodes[m->node_count].cp = cp;
        spans[m->node_count++] = (struct span){ low, i, span.depth + (uint32_t)width };
    }
    node->children = (uint32_t)m->node_count - node->child;
}

static void hash_roots(struct match *m)
{
    const struct node *root = &m->nodes[0];

    for (m->root_slots = 16; m->root_slots < 3 * (size_t)root->children; m->root_slots *= 2)
        ;
    m->roots = make(m->root_slots, sizeof *m->roots);
    for (uint32_t i = root->child; i < root->child + root->children; i++) {
        size_t slot = m->nodes[i].cp & (m->root_slots - 1);

        while (m->roots[slot])
            slot = (slot + 1) & (m->root_slots - 1);
        m->roots[slot] = i;
    }
}

static uint32_t from_root(const struct match *m, uint32_t cp)
{
    size_t slot = cp & (m->root_slots - 1);

    while (m->roots[slot] && m->nodes[m->roots[slot]].cp != cp)
        slot = (slot + 1) & (m->root_slots - 1);
    return m->roots[slot];
}

/* The child of a node by this character, 0 if it has none. */
static uint32_t step(const struct match *m, uint32_t at, uint32_t cp)
{
    if (at == 0)
        return from_root(m, cp);
    uint32_t low = m->nodes[at].child, high = low + m->nodes[at].children, end = high;

    while (low < high) {
        uint32_t mid = (low + high) / 2;

        if (m->nodes[mid].cp < cp)
            low = mid + 1;
        else
            high = mid;
    }
    return low < end && m->nodes[low].cp == cp ? low : 0;
}

/* The longest suffix of what has been read, with this character, that is a node. */
static uint32_t follow(const struct match *m, uint32_t at, uint32_t cp)
{
    uint32_t next;

    while (!(next = step(m, at, cp)) && at)
        at = m->nodes[at].fail;
    return next;
}

static void link_nodes(struct match *m)
{
    for (uint32_t at = 0; at < m->node_count; at++) {
        const struct node *node = &m->nodes[at];

        for (uint32_t i = node->child; i < node->child + node->children; i++) {
            struct node *child = &m->nodes[i];

            child->fail = at ? follow(m, node->fail, child->cp) : 0;
            child->shorter = m->nodes[child->fail].words ? child->fail : m->nodes[child->fail].shorter;
        }
    }
}

struct match *match_new(const struct match_pattern *patterns, size_t count)
{
    struct match *m = make(1, sizeof *m);
    struct entry *entries = make(count, sizeof *entries);
    size_t chars, kept = collect(m, patterns, count, entries, &chars);
    struct span *spans = make(chars + 1, sizeof *spans);

    if (kept)
        qsort(entries, kept, sizeof *entries, by_text);
    m->nodes = make(chars + 1, sizeof *m->nodes);
    m->words = make(kept, sizeof *m->words);
    m->node_count = 1;
    spans[0] = (struct span){ 0, (uint32_t)kept, 0 };
    for (uint32_t at = 0; at < m->node_count; at++)
        unfold(m, entries, spans, at);
    hash_roots(m);
    link_nodes(m);
    free(spans);
    free(entries);
    return m;
}

void match_free(struct match *m)
{
    if (!m)
        return;
    free(m->roots);
    free(m->words);
    free(m->nodes);
    free(m);
}

size_t match_skipped(const struct match *m)
{
    return m->skipped;
}

size_t match_bytes(const struct match *m)
{
    return sizeof *m + m->node_count * sizeof *m->nodes + m->word_count * sizeof *m->words +
           m->root_slots * sizeof *m->roots;
}

/* Reports what ends at byte end in node at, then its suffixes. */
static bool report(const struct match *m, uint32_t at, size_t end, match_fn *fn, void *arg)
{
    for (; at; at = m->nodes[at].shorter) {
        const struct node *node = &m->nodes[at];

        for (uint32_t i = node->word; i < node->word + node->words; i++) {
            const struct word *word = &m->words[i];
            struct match_hit hit = { word->pattern, word->payload, (uint32_t)(end - word->length), word->length };

            if (!fn(&hit, arg))
                return false;
        }
    }
    return true;
}

bool match_scan(const struct match *m, const char *text, size_t len, match_fn *fn, void *arg)
{
    uint32_t at = 0, cp;

    for (size_t i = 0, n; i < len; i += n ? n : 1) {
        n = utf8_next(text + i, len - i, &cp);
        at = n ? follow(m, at, cp) : 0;
        if (at && !report(m, at, i + n, fn, arg))
            return false;
    }
    return true;
}

struct list {
    struct match_hit *out;
    size_t count, cap;
};

static bool keep(const struct match_hit *hit, void *arg)
{
    struct list *list = arg;

    list->out[list->count++] = *hit;
    return list->count < list->cap;
}

size_t match_hits(const struct match *m, const char *text, size_t len, struct match_hit *out, size_t cap)
{
    struct list list = { out, 0, cap };

    if (cap)
        (void)match_scan(m, text, len, keep, &list);
    return list.count;
}
