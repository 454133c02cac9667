#ifndef CITY_H
#define CITY_H

#include "chance.h"
#include "client.h"

/* What the replay knows of the city: what any member of staff gets from GET /v1/desk/reference. */

void city_read(struct client *client, const char *token);
void city_free(void);

/* A place of the third level, a category of the third level. */
const char *city_division(struct chance *chance);
const char *city_category(struct chance *chance);

/* A city department by its id. */
const char *city_department(struct chance *chance);

/* The login prefix of the unit that acts for this one: itself when it has accounts, else its nearest parent with some; "" for
 * the centre, which gives tickets to others. */
const char *city_staff(const char *unit_id);

#endif
