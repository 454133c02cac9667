#ifndef CHALLENGE_H
#define CHALLENGE_H

#include <stdbool.h>
#include <stdint.h>

#include "req.h"

/* A proof of work for whoever files from outside without a key, asked for only under attack: when more of them than challenge_rate a
 * minute come to this host, or when an operator says so (hotlinectl door challenge on).
 *
 * The form is ALTCHA's, version 1 (altcha.org): which number, written behind the salt, has this SHA-256?  Nothing is kept of a challenge that was
 * given: its signature binds it to the client's network, its salt says until when it is good.  One that was used is remembered in
 * Redis for as long, or by this process when Redis is away, and stands for one Idempotency-Key: a repeat of the same request may show it again. */

bool challenge_open(void) __attribute__((warn_unused_result));
void challenge_close(void);

/* Step: counts the request, and under attack refuses it with 403 challenge_needed and a challenge, unless X-Challenge solves one. */
enum next challenge_ask(struct req *r);

/* That it is asked for; NULL: it is not. */
const char *challenge_note(void);

/* What a client says it has solved, as it was read. */
struct solution {
    const char *challenge, *salt, *signature;
    int number;
    int64_t expires; /* seconds since 1970, as the salt says */
};

/* Read a header: base64 of a JSON object, as altcha-lib writes it.  False: it is none.  Whether it is right is another question. */
bool challenge_read(struct arena *arena, const char *header, struct solution *solution)
    __attribute__((warn_unused_result));

#endif
