#ifndef BASE_H
#define BASE_H

#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Bytes owned by somebody else; data is followed by a NUL wherever the engine makes one. */
struct bytes {
    const char *data;
    size_t len;
};

#endif
