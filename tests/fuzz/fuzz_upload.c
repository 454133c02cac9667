/* What strangers send with files: the headers of tus and of ranges, and the files themselves, whose copies must be clean. */

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "media.h"
#include "tus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct copy {
    char *data;
    size_t len, room;
};

static void keep(void *arg, const char *data, size_t len)
{
    struct copy *copy = arg;

    assert(len <= copy->room - copy->len);
    if (len)
        memcpy(copy->data + copy->len, data, len);
    copy->len += len;
}

/* A copy is at most an end mark, a head or an orientation longer, and its own copy is the same. */
static void try_media(const char *type, struct bytes file)
{
    enum { MORE = 64 };
    const struct media *media = media_sniffed(type);
    struct copy one = { malloc(file.len + MORE), 0, file.len + MORE }, two;

    assert(media && one.data);
    if (media_clean(media, file, keep, &one)) {
        two = (struct copy){ malloc(one.len + MORE), 0, one.len + MORE };
        assert(two.data);
        assert(media_clean(media, (struct bytes){ one.data, one.len }, keep, &two));
        assert(one.len == two.len && !memcmp(one.data, two.data, one.len));
        free(two.data);
    }
    free(one.data);
}

static void try_headers(const char *text)
{
    struct tus_checksum sum;
    int64_t number = tus_number(text), from = -1, to = -1;

    assert(number >= -1 && number < (int64_t)1 << 53);
    (void)tus_metadata_valid(text);
    if (tus_checksum(text, &sum) == TUS_CHECKSUM_GOOD)
        assert(sum.len == (strcmp(sum.algorithm, "sha1") ? 32 : 20));
    for (int64_t size = 1; size <= 20 << 20; size *= 1000)
        if (range_read(text, size, &from, &to) == RANGE_PART)
            assert(from >= 0 && from <= to && to < size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = { "image/jpeg", "image/png", "image/webp", "video/mp4" };
    char *text = malloc(size + 1);

    assert(text);
    memcpy(text, data, size);
    text[size] = '\0';
    if (size > 0 && data[0] < 'A' && data[0] >= '0' + 4)
        try_headers(text + 1);
    else if (size > 0)
        try_media(types[data[0] % 4], (struct bytes){ text + 1, size - 1 });
    free(text);
    return 0;
}
