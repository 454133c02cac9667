#ifndef PRIVATE_H
#define PRIVATE_H

#include <cjson/cJSON.h>

struct arena;

/* The texts of a complaint, NULL after them: what is masked where its secrecy hides the citizen. */
extern const char *const private_texts[];

/* Add "private" to a call: what the scan of engine/text/privacy.h finds in the texts among fields, as
 * {field: {"kinds": ["mobile", …], "masked": "…"}} of those in which it finds something.  {} tells the database that they were
 * read.  only: the names to read, NULL after them; NULL: all but contact data, which is sealed.  name: the citizen's, if it is
 * known, else NULL. */
void private_read(struct arena *arena, cJSON *call, const cJSON *fields, const char *const only[], const char *name);

#endif
