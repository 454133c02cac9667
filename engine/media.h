#ifndef MEDIA_H
#define MEDIA_H

#include <stdbool.h>
#include <stddef.h>

#include "base.h"

/* The kinds of files we take, and copies of them without what they tell about the place and the person. */

struct media {
    const char *type;   /* as it is stored and served */
    const char *ending; /* of a file name, with its dot */
    bool shown;         /* by the browser itself; else it is for saving only */
    bool (*clean)(struct bytes file, void (*sink)(void *arg, const char *data, size_t len), void *arg);
};

typedef void media_sink(void *arg, const char *data, size_t len);

/* By the type libmagic gives, NULL: none of ours. */
const struct media *media_sniffed(const char *type);

/* By the type that was stored, NULL when there is none such. */
const struct media *media_stored(const char *type);

/* Give the file to sink, in pieces, without comments, descriptions, positions, previews and whatever follows its end; what remains of Exif is
 * which way is up.  False: it is not built as its kind should be; what was given to sink is then worthless. */
bool media_clean(const struct media *media, struct bytes file, media_sink *sink, void *arg)
    __attribute__((warn_unused_result));

#endif
