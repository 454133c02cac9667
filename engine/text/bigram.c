#include "bigram.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

enum { SLOTS = 4 * TEXT_GRAMS_MAX };

/* Characters that separate words; sorted.  All others, known or not, belong to one. */
static const struct {
    uint32_t first, last;
} separators[] = {
    { 0x0000, 0x002f }, { 0x003a, 0x0040 },   { 0x005b, 0x0060 },   { 0x007b, 0x00a9 },   { 0x00ab, 0x00b4 },
    { 0x00b6, 0x00b9 }, { 0x00bb, 0x00bf },   { 0x00d7, 0x00d7 },   { 0x00f7, 0x00f7 },   { 0x2000, 0x206f },
    { 0x20a0, 0x20ff }, { 0x2190, 0x245f },   { 0x2500, 0x2bff },   { 0x2e00, 0x2e7f },   { 0x3000, 0x3004 },
    { 0x3008, 0x3020 }, { 0x302a, 0x3030 },   { 0x3036, 0x3037 },   { 0x303d, 0x303f },   { 0x30fb, 0x30fb },
    { 0xfe10, 0xfe6f }, { 0xff00, 0xff0f },   { 0xff1a, 0xff20 },   { 0xff3b, 0xff40 },   { 0xff5b, 0xff65 },
    { 0xffe0, 0xffff }, { 0x1f000, 0x1f0ff }, { 0x1f1e6, 0x1f1ff }, { 0x1f300, 0x1fbef }, { 0xe0000, 0x10ffff },
};

static bool is_separator(uint32_t cp)
{
    size_t low = 0, high = sizeof separators / sizeof separators[0];

    if (cp >= 0x3400 && cp <= 0x9fff)
        return false;
    while (low < high) {
        size_t mid = (low + high) / 2;

        if (cp > separators[mid].last)
            low = mid + 1;
        else
            high = mid;
    }
    return low < sizeof separators / sizeof separators[0] && cp >= separators[low].first;
}

/* FNV-1a over three bytes of each, folded to 31 bits. */
static int32_t gram(uint32_t left, uint32_t right)
{
    uint32_t hash = 2166136261U;

    for (int shift = 0; shift < 24; shift += 8)
        hash = (hash ^ (left >> shift & 0xff)) * 16777619U;
    for (int shift = 0; shift < 24; shift += 8)
        hash = (hash ^ (right >> shift & 0xff)) * 16777619U;
    hash = (hash >> 31 ^ hash) & 0x7fffffffU;
    return hash ? (int32_t)hash : 1;
}

/* True if the gram was not there yet. */
static bool add(int32_t *slots, int32_t value)
{
    size_t i = ((uint32_t)value * 2654435761U >> 8) % SLOTS;

    for (; slots[i]; i = (i + 1) % SLOTS)
        if (slots[i] == value)
            return false;
    slots[i] = value;
    return true;
}

static int by_value(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

size_t text_bigrams(const char *norm, size_t len, int32_t *out, size_t cap)
{
    int32_t slots[SLOTS];
    uint32_t last = 0, cp; /* 0: nothing to pair with */
    size_t count = 0;

    if (cap > TEXT_GRAMS_MAX)
        cap = TEXT_GRAMS_MAX;
    memset(slots, 0, sizeof slots);
    for (size_t i = 0, n; i < len && count < cap; i += n ? n : 1) {
        n = utf8_next(norm + i, len - i, &cp);
        if (n == 0 || is_separator(cp)) {
            last = 0;
            continue;
        }
        if (last) {
            int32_t value = gram(last, cp);

            if (add(slots, value))
                out[count++] = value;
        }
        last = cp;
    }
    if (count)
        qsort(out, count, sizeof *out, by_value);
    return count;
}

double text_similarity(const int32_t *a, size_t na, const int32_t *b, size_t nb)
{
    size_t i = 0, j = 0, common = 0;

    while (i < na && j < nb) {
        if (a[i] == b[j])
            common++, i++, j++;
        else if (a[i] < b[j])
            i++;
        else
            j++;
    }
    return na || nb ? (double)common / (double)(na + nb - common) : 0.0;
}
