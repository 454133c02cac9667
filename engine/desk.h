#ifndef DESK_H
#define DESK_H

#include <stdbool.h>

/* What staff do over HTTP: lists, tickets, actions, figures.  All rules are the database's; here bytes become calls. */
bool desk_open(void) __attribute__((warn_unused_result));

#endif
