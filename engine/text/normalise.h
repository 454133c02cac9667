#ifndef TEXT_NORMALISE_H
#define TEXT_NORMALISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True if the text is UTF-8 as RFC 3629 has it (no overlong forms, no surrogates).  The engine asks at its door. */
bool text_valid_utf8(const char *utf8, size_t len);

/* What one character becomes in that form: at most 7 bytes in out, returns how many; 0 for an invisible one. */
size_t text_fold(uint32_t cp, char out[8]);

/* Brings a text to the one form in which texts are compared and searched: half width, lower case, ASCII digits,
 * simplified characters, single spaces, none at the ends, no control or invisible characters.  Chinese numerals stay as they are.  Doing it twice changes
 * nothing.  Writes at most cap - 1 bytes and a NUL (cap >= 1), cut between characters; returns the bytes without the NUL.
 * The result is never longer than the text, so cap = len + 1 always holds it; out may not overlap the text.  Bytes that are
 * not UTF-8 are dropped. */
size_t text_normalise(const char *utf8, size_t len, char *out, size_t cap);

#endif
