#include "tus.h"

#include <sodium.h>
#include <string.h>

#include "base.h"

enum { DIGITS_MAX = 16, METADATA_KEYS_MAX = 32 };

static int64_t read_number(const char *text, size_t len)
{
    int64_t number = 0;

    if (!len || len > DIGITS_MAX)
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        number = number * 10 + (text[i] - '0');
    }
    return number < (int64_t)1 << 53 ? number : -1;
}

int64_t tus_number(const char *text)
{
    return text ? read_number(text, strlen(text)) : -1;
}

static bool is_base64(const char *text, size_t len)
{
    size_t padding = 0;

    while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
        padding++;
    if (len % 4)
        return false;
    for (size_t i = 0; i + padding < len; i++) {
        char c = text[i], lower = (char)(c | 0x20);

        if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') && c != '+' && c != '/')
            return false;
    }
    return true;
}

/* One pair, key and value with one blank between. */
static bool is_pair(const char *pair, size_t len)
{
    const char *blank = memchr(pair, ' ', len);
    size_t key = blank ? (size_t)(blank - pair) : len;

    if (!key)
        return false;
    for (size_t i = 0; i < key; i++)
        if (pair[i] <= ' ' || pair[i] > '~')
            return false;
    return !blank || is_base64(blank + 1, len - key - 1);
}

bool tus_metadata_valid(const char *text)
{
    int n = 0;

    if (!text || !*text)
        return true;
    for (;;) {
        size_t len = strcspn(text, ",");

        while (len && *text == ' ') {
            text++;
            len--;
        }
        if (++n > METADATA_KEYS_MAX || !is_pair(text, len))
            return false;
        text += len;
        if (!*text)
            return true;
        text++;
    }
}

enum tus_checksum_result tus_checksum(const char *text, struct tus_checksum *out)
{
    static const struct {
        const char *name;
        size_t len;
    } known[] = { { "sha1", 20 }, { "sha256", 32 } };
    size_t name = strcspn(text, " ");

    for (size_t i = 0; i < COUNT(known); i++) {
        const char *digest = text + name + 1;

        if (strlen(known[i].name) != name || memcmp(known[i].name, text, name) != 0)
            continue;
        if (!text[name] || sodium_base642bin(out->digest, sizeof out->digest, digest, strlen(digest), NULL, &out->len,
                                             NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
            return TUS_CHECKSUM_BAD;
        out->algorithm = known[i].name;
        return out->len == known[i].len ? TUS_CHECKSUM_GOOD : TUS_CHECKSUM_BAD;
    }
    return TUS_CHECKSUM_UNKNOWN;
}

enum range_result range_read(const char *text, int64_t size, int64_t *from, int64_t *to)
{
    size_t first, last;

    if (!text || strncmp(text, "bytes=", 6) != 0)
        return RANGE_ALL;
    text += 6;
    first = strspn(text, "0123456789");
    if (text[first] != '-')
        return RANGE_ALL;
    last = strspn(text + first + 1, "0123456789");
    if (text[first + 1 + last] || (!first && !last))
        return RANGE_ALL; /* several, or nonsense: allowed to be ignored */
    *from = first ? read_number(text, first) : -1;
    *to = last ? read_number(text + first + 1, last) : -1;
    if ((first && *from < 0) || (last && *to < 0))
        return RANGE_BAD;
    if (!first) { /* the last so many */
        *from = *to < size ? size - *to : 0;
        *to = size - 1;
    } else if (!last || *to >= size) {
        *to = size - 1;
    }
    return *from <= *to && *from < size ? RANGE_PART : RANGE_BAD;
}
