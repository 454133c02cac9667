#ifndef ADMIN_H
#define ADMIN_H

#include <stdbool.h>

/* Reference data, read and changed while everything runs: units, accounts, roles, the directory and what else the database calls a
 * kind.  What may be changed, and by whom, is the database's to say. */

bool admin_open(void) __attribute__((warn_unused_result));

#endif
