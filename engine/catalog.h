#ifndef CATALOG_H
#define CATALOG_H

#include <cjson/cJSON.h>
#include <stdbool.h>

/* What a worker keeps of the database's reference data: places and directory words, built into the text service.  Asked for
 * again when its version changes. */

struct arena;

bool catalog_open(void) __attribute__((warn_unused_result));
void catalog_close(void);

/* NULL when loaded and the database is fit to serve, else what is wrong. */
const char *catalog_problem(void);

/* Loaded; before that nothing can be taken in. */
bool catalog_ready(void);

/* Add to a call what the text service finds in a complaint: "grams", "hits" and "found".  Either text may be NULL. */
void catalog_read_text(struct arena *arena, cJSON *call, const char *title, const char *content);

/* The grams a search asks for, NULL when the words are too short to search for. */
cJSON *catalog_read_query(struct arena *arena, const char *words);

#endif
