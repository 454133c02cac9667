#ifndef SIM_H
#define SIM_H

#include "moment.h"

#include <libpq-fe.h>

/* The clock of a database that is marked as a simulation. */

bool sim_is_on(PGconn *db);
moment sim_now(PGconn *db);

/* Set the clock. */
void sim_move(PGconn *db, moment to);

/* Make the partitions around this time: one month before, four after. */
void sim_make_months(PGconn *db, moment at);

#endif
