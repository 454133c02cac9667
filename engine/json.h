#ifndef JSON_H
#define JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "base.h"

/* Incoming JSON is read by a table of fields into a checked copy that dies with its arena.  Time and memory are bounded
 * by the length of the text. */

struct arena;

enum { JSON_DEPTH_MAX = 8, JSON_VALUES_MAX = 20000, JSON_FAULTS_MAX = 32 };

enum json_kind {
    JSON_TEXT,   /* text of people: tabs and line ends allowed, other control characters not */
    JSON_WORD,   /* one line; with .in one of these words */
    JSON_PHONE,  /* digits, blanks, + - ( ) and their full-width forms; whether it is a number is phone.h's to say */
    JSON_ID,     /* a positive 63-bit number as a decimal string */
    JSON_TIME,   /* RFC 3339 with offset */
    JSON_DATE,   /* YYYY-MM-DD */
    JSON_INT,    /* .least to .most when given */
    JSON_NUMBER, /* likewise */
    JSON_BOOL,
    JSON_LIST,   /* .min to .max elements, each as .of says (JSON_TEXT without it) */
    JSON_OBJECT, /* its members as .fields say, any without */
};

struct field {
    const char *name;
    enum json_kind kind;
    bool must;       /* null counts as absent */
    size_t min, max; /* characters of a text, elements of a list; max 0: a bound of the kind (255; 10,000 for text) */
    double least, most;         /* of a number; both 0: any */
    const char *const *in;      /* the words allowed, NULL at the end */
    const struct field *of;     /* one element of a list; its name is not used */
    const struct field *fields; /* members of an object */
    size_t nfields;
};

/* One field at fault. */
struct fault {
    const char *name; /* path of the field: title, attachments[2], place.lng */
    const char *code; /* unknown_field, wrong_type, missing, too_short, too_long, bad_word, … */
    const char *zh, *en;
};

/* Why a request was refused.  code is stable; the sentences are for people. */
struct why {
    const char *code;
    const char *zh, *en;
    struct fault *faults;
    size_t nfaults;
};

/* NULL: *why says all that is wrong.  A field given as null is left out of the copy. */
cJSON *json_read(struct arena *arena, struct bytes text, const struct field *fields, size_t nfields,
                 const struct why **why) __attribute__((warn_unused_result));

/* A body whose fields somebody else checks: an object (or a list, for json_any) of well-formed UTF-8 within the bounds of
 * depth and number of values, no name given twice, no NUL. */
cJSON *json_object_only(struct arena *arena, struct bytes text, const struct why **why)
    __attribute__((warn_unused_result));
cJSON *json_any(struct arena *arena, struct bytes text, const struct why **why) __attribute__((warn_unused_result));

/* A new object or list that dies with the arena. */
cJSON *json_object(struct arena *arena);
cJSON *json_list(struct arena *arena);

/* Compact text of a value, in the arena. */
char *json_print(struct arena *arena, const cJSON *value);

/* The text of a member, NULL when it is absent or no text. */
const char *json_text(const cJSON *object, const char *name);

/* Is this UTF-8 without NUL, surrogates, overlong forms? */
bool utf8_valid(struct bytes text);

/* Characters in valid UTF-8. */
size_t utf8_length(const char *text);

/* Is this RFC 3339 with an offset, a real moment? */
bool time_valid(const char *text);

/* Is this a decimal string of a positive 63-bit number? */
bool id_valid(const char *text);

#endif
