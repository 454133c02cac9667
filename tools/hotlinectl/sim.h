#ifndef SIM_H
#define SIM_H

#include "moment.h"

#include <libpq-fe.h>

/* The clock of a database that is marked as a simulation. */

bool sim_is_on(PGconn *db);
moment sim_now(PGconn *db);

/* Set the clock, which only goes forward once there are tickets; makes the months it reaches. */
void sim_move(PGconn *db, moment to);

#endif
