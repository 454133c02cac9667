#ifndef NUMBER_H
#define NUMBER_H

#include <cjson/cJSON.h>
#include <stdbool.h>

/* Ticket sequence numbers, taken from the database in blocks so that no counter row is contended. */

bool number_open(void) __attribute__((warn_unused_result));
void number_close(void);

/* Put the next number into the call as "seq".  False: the block ran out faster than it was refilled. */
bool number_take(cJSON *call) __attribute__((warn_unused_result));

#endif
