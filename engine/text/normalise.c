#include "normalise.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "hant.h"
#include "utf8.h"

enum how {
    SHIFT,  /* first becomes to, the others follow in step */
    PAIR,   /* capital and small letter take turns, the capital first */
    ONE,    /* all become to */
    LETTER, /* alphabets of 26 one after the other become a to z */
    DIGIT,  /* rows of ten digits become 0 to 9 */
    NUMBER, /* first is the number to, the others count on; written in digits */
    MARKER, /* a number with its own bracket or full stop: digits and a space */
    WORD,   /* becomes the text */
    DROP,
};

struct rule {
    uint32_t first, last;
    enum how how;
    uint32_t to;
    const char *text;
};

/* Sorted, not overlapping; what no row names stays as it is.  Nothing a row makes is named by another row, and nothing it
 * makes has more bytes than what it was made from.  Han characters have no rows: hant.h simplifies them. */
static const struct rule rules[] = {
    { 0x0000, 0x0008, DROP, 0, NULL },
    { 0x0009, 0x000d, ONE, ' ', NULL },
    { 0x000e, 0x001f, DROP, 0, NULL },
    { 'A', 'Z', SHIFT, 'a', NULL },
    { 0x007f, 0x0084, DROP, 0, NULL },
    { 0x0085, 0x0085, ONE, ' ', NULL },
    { 0x0086, 0x009f, DROP, 0, NULL },
    { 0x00a0, 0x00a0, ONE, ' ', NULL },
    { 0x00ad, 0x00ad, DROP, 0, NULL },
    { 0x00b2, 0x00b3, SHIFT, '2', NULL },
    { 0x00b9, 0x00b9, ONE, '1', NULL },
    { 0x00c0, 0x00d6, SHIFT, 0x00e0, NULL },
    { 0x00d8, 0x00de, SHIFT, 0x00f8, NULL },
    { 0x0100, 0x012f, PAIR, 0x0100, NULL },
    { 0x0130, 0x0130, ONE, 'i', NULL },
    { 0x0132, 0x0137, PAIR, 0x0132, NULL },
    { 0x0139, 0x0148, PAIR, 0x0139, NULL },
    { 0x014a, 0x0177, PAIR, 0x014a, NULL },
    { 0x0178, 0x0178, ONE, 0x00ff, NULL },
    { 0x0179, 0x017e, PAIR, 0x0179, NULL },
    { 0x01cd, 0x01dc, PAIR, 0x01cd, NULL }, /* pinyin vowels with a caron */
    { 0x034f, 0x034f, DROP, 0, NULL },
    { 0x0391, 0x03a1, SHIFT, 0x03b1, NULL },
    { 0x03a3, 0x03ab, SHIFT, 0x03c3, NULL },
    { 0x0400, 0x040f, SHIFT, 0x0450, NULL },
    { 0x0410, 0x042f, SHIFT, 0x0430, NULL },
    { 0x061c, 0x061c, DROP, 0, NULL },
    { 0x0660, 0x0669, DIGIT, '0', NULL },
    { 0x06f0, 0x06f9, DIGIT, '0', NULL },
    { 0x115f, 0x1160, DROP, 0, NULL },
    { 0x1680, 0x1680, ONE, ' ', NULL },
    { 0x17b4, 0x17b5, DROP, 0, NULL },
    { 0x180b, 0x180f, DROP, 0, NULL },
    { 0x1e00, 0x1e95, PAIR, 0x1e00, NULL },
    { 0x1ea0, 0x1eff, PAIR, 0x1ea0, NULL },
    { 0x2000, 0x200a, ONE, ' ', NULL },
    { 0x200b, 0x200f, DROP, 0, NULL }, /* zero width and direction marks */
    { 0x2010, 0x2015, ONE, '-', NULL },
    { 0x2018, 0x201b, ONE, '\'', NULL },
    { 0x201c, 0x201f, ONE, '"', NULL },
    { 0x2028, 0x2029, ONE, ' ', NULL },
    { 0x202a, 0x202e, DROP, 0, NULL },
    { 0x202f, 0x202f, ONE, ' ', NULL },
    { 0x205f, 0x205f, ONE, ' ', NULL },
    { 0x2060, 0x206f, DROP, 0, NULL },
    { 0x2070, 0x2070, ONE, '0', NULL },
    { 0x2074, 0x2079, SHIFT, '4', NULL },
    { 0x2080, 0x2089, DIGIT, '0', NULL },
    { 0x20dd, 0x20e0, DROP, 0, NULL }, /* rings and keycaps around the character before */
    { 0x20e2, 0x20e4, DROP, 0, NULL },
    { 0x2116, 0x2116, WORD, 0, "no" },
    { 0x212a, 0x212a, ONE, 'k', NULL },
    { 0x212b, 0x212b, ONE, 0x00e5, NULL },
    { 0x2160, 0x216f, SHIFT, 0x2170, NULL },
    { 0x2212, 0x2212, ONE, '-', NULL },
    { 0x2460, 0x2473, NUMBER, 1, NULL }, /* circled 1 to 20 */
    { 0x2474, 0x2487, MARKER, 1, NULL },
    { 0x2488, 0x249b, MARKER, 1, NULL },
    { 0x249c, 0x24b5, LETTER, 'a', NULL },
    { 0x24b6, 0x24e9, LETTER, 'a', NULL },
    { 0x24ea, 0x24ea, ONE, '0', NULL },
    { 0x24eb, 0x24f4, NUMBER, 11, NULL },
    { 0x24f5, 0x24fe, NUMBER, 1, NULL },
    { 0x24ff, 0x24ff, ONE, '0', NULL },
    { 0x2776, 0x277f, NUMBER, 1, NULL },
    { 0x2780, 0x2789, NUMBER, 1, NULL },
    { 0x278a, 0x2793, NUMBER, 1, NULL },
    { 0x2800, 0x2800, ONE, ' ', NULL },
    { 0x3000, 0x3000, ONE, ' ', NULL },
    { 0x3001, 0x3001, ONE, ',', NULL },
    { 0x3002, 0x3002, ONE, '.', NULL },
    { 0x3008, 0x3008, ONE, '<', NULL },
    { 0x3009, 0x3009, ONE, '>', NULL },
    { 0x300a, 0x300a, ONE, '<', NULL },
    { 0x300b, 0x300b, ONE, '>', NULL },
    { 0x300c, 0x300f, ONE, '"', NULL },
    { 0x3010, 0x3010, ONE, '[', NULL },
    { 0x3011, 0x3011, ONE, ']', NULL },
    { 0x3014, 0x3014, ONE, '[', NULL },
    { 0x3015, 0x3015, ONE, ']', NULL },
    { 0x3016, 0x3016, ONE, '[', NULL },
    { 0x3017, 0x3017, ONE, ']', NULL },
    { 0x301c, 0x301c, ONE, '~', NULL },
    { 0x301d, 0x301f, ONE, '"', NULL },
    { 0x3164, 0x3164, DROP, 0, NULL },
    { 0x3251, 0x325f, NUMBER, 21, NULL },
    { 0x32b1, 0x32bf, NUMBER, 36, NULL },
    { 0x338e, 0x338e, WORD, 0, "mg" },
    { 0x338f, 0x338f, WORD, 0, "kg" },
    { 0x339c, 0x339c, WORD, 0, "mm" },
    { 0x339d, 0x339d, WORD, 0, "cm" },
    { 0x339e, 0x339e, WORD, 0, "km" },
    { 0x33a1, 0x33a1, WORD, 0, "m2" },
    { 0x33a5, 0x33a5, WORD, 0, "m3" },
    { 0x33c4, 0x33c4, WORD, 0, "cc" },
    { 0xfe00, 0xfe0f, DROP, 0, NULL }, /* variation selectors */
    { 0xfe50, 0xfe51, ONE, ',', NULL },
    { 0xfe52, 0xfe52, ONE, '.', NULL },
    { 0xfe54, 0xfe54, ONE, ';', NULL },
    { 0xfe55, 0xfe55, ONE, ':', NULL },
    { 0xfe56, 0xfe56, ONE, '?', NULL },
    { 0xfe57, 0xfe57, ONE, '!', NULL },
    { 0xfe58, 0xfe58, ONE, '-', NULL },
    { 0xfe59, 0xfe5a, SHIFT, '(', NULL },
    { 0xfe63, 0xfe63, ONE, '-', NULL },
    { 0xfeff, 0xfeff, DROP, 0, NULL },
    { 0xff01, 0xff20, SHIFT, '!', NULL },
    { 0xff21, 0xff3a, SHIFT, 'a', NULL },
    { 0xff3b, 0xff5e, SHIFT, '[', NULL },
    { 0xff61, 0xff61, ONE, '.', NULL },
    { 0xff64, 0xff64, ONE, ',', NULL },
    { 0xffa0, 0xffa0, DROP, 0, NULL },
    { 0xffe0, 0xffe1, SHIFT, 0x00a2, NULL },
    { 0xffe5, 0xffe5, ONE, 0x00a5, NULL },
    { 0xfff0, 0xfffc, DROP, 0, NULL },
    { 0xfffe, 0xffff, DROP, 0, NULL },
    { 0x1d173, 0x1d17a, DROP, 0, NULL },
    { 0x1d400, 0x1d6a3, LETTER, 'a', NULL }, /* the mathematical alphabets people dress up text with */
    { 0x1d7ce, 0x1d7ff, DIGIT, '0', NULL },
    { 0x1f100, 0x1f100, MARKER, 0, NULL },
    { 0x1f101, 0x1f10a, MARKER, 0, NULL },
    { 0x1f110, 0x1f129, LETTER, 'a', NULL },
    { 0x1f130, 0x1f149, LETTER, 'a', NULL },
    { 0x1f150, 0x1f169, LETTER, 'a', NULL },
    { 0x1f170, 0x1f189, LETTER, 'a', NULL },
    { 0x1fbf0, 0x1fbf9, DIGIT, '0', NULL },
    { 0xe0000, 0xe0fff, DROP, 0, NULL },
};

static const struct rule *rule_for(uint32_t cp)
{
    size_t low = 0, high = sizeof rules / sizeof rules[0];

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (cp > rules[mid].last)
            low = mid + 1;
        else
            high = mid;
    }
    return low < sizeof rules / sizeof rules[0] && cp >= rules[low].first ? &rules[low] : NULL;
}

/* What a character becomes, in at most 7 bytes; returns how many. */
static size_t apply(const struct rule *rule, uint32_t cp, char out[8])
{
    uint32_t step = rule ? cp - rule->first : 0;

    if (!rule)
        return utf8_put(out, hant_simplify(cp));
    switch (rule->how) {
    case SHIFT:
        return utf8_put(out, rule->to + step);
    case PAIR:
        return utf8_put(out, rule->to + (step | 1));
    case ONE:
        return utf8_put(out, rule->to);
    case LETTER:
        return utf8_put(out, rule->to + step % 26);
    case DIGIT:
        return utf8_put(out, rule->to + step % 10);
    case NUMBER:
        return (size_t)snprintf(out, 8, "%u", (rule->to + step) % 1000);
    case MARKER:
        return (size_t)snprintf(out, 8, "%u ", (rule->to + step) % 1000);
    case WORD:
        return (size_t)snprintf(out, 8, "%s", rule->text);
    case DROP:
        break;
    }
    return 0;
}

size_t text_fold(uint32_t cp, char out[8])
{
    if (cp >= '!' && cp <= '~' && !(cp >= 'A' && cp <= 'Z'))
        return utf8_put(out, cp);
    return apply(rule_for(cp), cp, out);
}

bool text_valid_utf8(const char *utf8, size_t len)
{
    uint32_t cp;

    for (size_t i = 0, n; i < len; i += n) {
        n = utf8_next(utf8 + i, len - i, &cp);
        if (n == 0)
            return false;
    }
    return true;
}

size_t text_normalise(const char *utf8, size_t len, char *out, size_t cap)
{
    size_t used = 0, width;
    bool space = false; /* one is owed as soon as something follows it */
    char made[8];
    uint32_t cp;

    for (size_t i = 0, n; i < len; i += n ? n : 1) {
        n = utf8_next(utf8 + i, len - i, &cp);
        if (n == 0)
            continue;
        width = text_fold(cp, made);
        if (width && made[0] == ' ') {
            space = true;
            continue;
        }
        if (width == 0)
            continue;
        bool after = made[width - 1] == ' '; /* a marker brings its own */
        width -= after;
        if (used + (space && used) + width >= cap)
            break;
        if (space && used)
            out[used++] = ' ';
        memcpy(out + used, made, width);
        used += width;
        space = after;
    }
    out[used] = '\0';
    return used;
}
