/* The privacy scan on arbitrary bytes: no crash, spans in order and within the text, a mask no longer than promised. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "normalise.h"
#include "privacy.h"

struct seen {
    size_t end, len, tags;
    unsigned kinds;
};

static void look(const struct privacy_span *span, void *arg)
{
    struct seen *seen = arg;

    assert(span->length > 0 && span->start >= seen->end && span->start + span->length <= seen->len);
    assert(span->kind < PRIVACY_KINDS);
    seen->end = span->start + span->length;
    seen->kinds |= 1U << span->kind;
    seen->tags++;
}

static void check(const char *text, size_t len, const char *name)
{
    struct seen seen = { .len = len };
    char *masked = malloc(PRIVACY_MASK_BYTES(len));
    unsigned kinds;
    size_t made = privacy_mask(text, len, name, masked, &kinds);

    privacy_scan(text, len, name, look, &seen);
    assert(made < PRIVACY_MASK_BYTES(len) && masked[made] == '\0');
    assert(kinds == seen.kinds && kinds == privacy_kinds(text, len, name));
    assert(seen.tags > 0 || (made == len && memcmp(text, masked, len) == 0));
    assert(!text_valid_utf8(text, len) || text_valid_utf8(masked, made));
    free(masked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    size_t cut = size ? data[0] % size : 0;

    memcpy(text, data, size);
    text[size] = '\0';
    check(text, size, NULL);
    check(text, size, text + cut);
    free(text);
    return 0;
}
