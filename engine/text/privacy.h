#ifndef TEXT_PRIVACY_H
#define TEXT_PRIVACY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Finds what tells who somebody is or how to reach them, however it is written: full width, circled, Chinese numerals
 * (一三八…, 幺), letters for digits (l38OO…), with separators or invisible characters in between, in traditional forms.
 * It rather takes a little too much than too little: what it covers can be asked for, what it lets out cannot be called back.
 * A name is found by a cue beside it (举报人张三, 我叫…, 联系人：…, …先生) or because it is the one given as known; a name that
 * stands alone is not. */

enum privacy_kind {
    PRIVACY_MOBILE,
    PRIVACY_PHONE,    /* landlines with their area code or after a cue, 400 and 800 numbers */
    PRIVACY_IDENTITY, /* GB 11643 with 18 digits and their check digit, or 15; after a cue the check digit may be wrong */
    PRIVACY_CARD,     /* 16 to 19 digits with their check digit (Luhn) */
    PRIVACY_PLATE,    /* civil ones, new energy included */
    PRIVACY_EMAIL,
    PRIVACY_ACCOUNT, /* WeChat and QQ by their cue */
    PRIVACY_NAME,
    PRIVACY_HOUSE, /* a dwelling (12号3栋402房), not a street number alone, which says where the matter is */
    PRIVACY_KINDS
};

struct privacy_span {
    enum privacy_kind kind;
    uint32_t start, length; /* bytes of the text, whole characters */
};

typedef void privacy_fn(const struct privacy_span *span, void *arg);

/* Calls fn for each span, in order; they do not overlap.  name: somebody known to be meant by the text, to be found wherever it
 * stands, or NULL.  Bytes that are not UTF-8 are nobody's data.  Time and memory grow with the text alone. */
void privacy_scan(const char *text, size_t len, const char *name, privacy_fn *fn, void *arg);

/* The kinds found, as bits 1 << kind. */
unsigned privacy_kinds(const char *text, size_t len, const char *name);

/* Room for any masked text of so many bytes. */
#define PRIVACY_MASK_BYTES(len) (4 * (len) + 1)

/* The text with a tag such as 【电话】 in the place of each span; returns its bytes without the NUL.  out has
 * PRIVACY_MASK_BYTES(len) bytes and may not overlap the text.  found, if not NULL, gets the kinds, as bits. */
size_t privacy_mask(const char *text, size_t len, const char *name, char *out, unsigned *found);

/* A word for programs: mobile, phone, identity, card, plate, email, account, name, house. */
const char *privacy_word(enum privacy_kind kind);

#endif
