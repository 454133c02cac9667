#ifndef PHONE_H
#define PHONE_H

#include <stdbool.h>
#include <stddef.h>

enum { PHONE_SIZE = 16, PHONE_MASK_SIZE = 24 };

enum phone_kind { PHONE_BAD, PHONE_MOBILE, PHONE_LANDLINE, PHONE_SERVICE };

/* Bring a number as people write it (blanks, dashes, brackets, full-width digits, +86, no area code) to the one form we
 * store and compare: digits only, a landline with its area code.  PHONE_BAD leaves out empty. */
enum phone_kind phone_normalise(const char *raw, char out[PHONE_SIZE]);

/* What a person may see of a normalised number: 138****8000, 0754-****1234; service numbers are public and shown whole. */
void phone_mask(const char *phone, char out[PHONE_MASK_SIZE]);

/* The family name's first character and two stars, whatever the length.  size: bytes in out, at least 8. */
void name_mask(const char *name, char *out, size_t size);

#endif
