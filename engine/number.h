#ifndef NUMBER_H
#define NUMBER_H

#include <stdbool.h>

#include "req.h"

/* Ticket sequence numbers, taken from the database in blocks so that no counter row is contended. */

bool number_open(void) __attribute__((warn_unused_result));
void number_close(void);

/* Put the next number into the call as "seq", or refuse: 503 busy when the block ran out faster than it was refilled. */
enum next number_take(struct req *r);

#endif
