#ifndef APP_FORM_H
#define APP_FORM_H

#include "channel.h"

/* A form as clients post it: application/x-www-form-urlencoded or multipart/form-data.  Names may repeat. */

enum { FORM_MOST = 256 };

struct form {
    struct param params[FORM_MOST];
    size_t n;
};

/* NULL: *why says what is wrong: another content type, broken framing, bytes that are no UTF-8, a file.  All of it lives in the arena. */
struct form *form_read(struct arena *arena, const char *content_type, struct bytes body, const struct why **why)
    __attribute__((warn_unused_result));

/* The first value of this name that is not blank; NULL: a blank parameter equals an absent one. */
const char *form_value(const struct form *form, const char *name);

/* The form in one way of writing, whatever the client's was: a repeat has the same bytes, with another boundary too. */
struct bytes form_canonical(struct arena *arena, const struct form *form);

/* Is there anything but blanks? */
bool is_blank(const char *text);

#endif
