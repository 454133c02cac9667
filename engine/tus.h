#ifndef TUS_H
#define TUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The headers of tus 1.0 and of parts of a file, read without believing them. */

enum { TUS_DIGEST_MAX = 32 };

struct tus_checksum {
    const char *algorithm; /* "sha1" or "sha256" */
    unsigned char digest[TUS_DIGEST_MAX];
    size_t len;
};

enum tus_checksum_result { TUS_CHECKSUM_GOOD, TUS_CHECKSUM_UNKNOWN, TUS_CHECKSUM_BAD };

/* A number of bytes: digits alone, at most 2^53 - 1; -1: it is none.  text may be NULL. */
int64_t tus_number(const char *text);

/* Upload-Metadata: keys, each with a value in base64 or none.  text may be NULL. */
bool tus_metadata_valid(const char *text);

/* Upload-Checksum: an algorithm and its digest in base64. */
enum tus_checksum_result tus_checksum(const char *text, struct tus_checksum *out);

enum range_result { RANGE_ALL, RANGE_PART, RANGE_BAD };

/* Range of a file of size bytes: one range, else all is sent.  RANGE_PART: bytes *from to *to, both inside.  text may be NULL. */
enum range_result range_read(const char *text, int64_t size, int64_t *from, int64_t *to);

#endif
