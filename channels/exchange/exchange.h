#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "channel.h"

/* Who may exchange tickets with us, by the file's lines "SYSTEM KEY SECRET"; # begins a comment line. */
enum { PARTNERS_MAX = 16, WORD_MAX = 40, SECRET_MIN = 32, SECRET_MAX = 128 };

struct partner {
    char system[WORD_MAX + 1], key[WORD_MAX + 1], secret[SECRET_MAX + 1];
};

/* False: the text is not such a file.  Apart for the fuzzer. */
bool exchange_read(char *text, struct partner partners[PARTNERS_MAX], size_t *n);

#endif
