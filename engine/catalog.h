#ifndef CATALOG_H
#define CATALOG_H

#include <cjson/cJSON.h>
#include <stdbool.h>

/* What a worker keeps of the database's reference data: places and directory words, built into the text service, and the codes a
 * complaint may name.  Asked for again when its version changes; kept in the spool's Redis, so that a worker that starts while
 * the database is away can take complaints in. */

struct arena;
struct why;

bool catalog_open(void) __attribute__((warn_unused_result));
void catalog_close(void);

/* NULL when loaded and the database is fit to serve, else what is wrong. */
const char *catalog_problem(void);

/* Loaded; before that nothing can be taken in. */
bool catalog_ready(void);

/* Where a simulation's clock stood when last asked; NULL: time runs. */
const char *catalog_time(void);

/* Whether a proof of work is asked of the public, as an operator set it. */
enum catalog_challenge { CHALLENGE_AUTO, CHALLENGE_ON, CHALLENGE_OFF };
enum catalog_challenge catalog_challenge(void);

/* Whether the city asks the public to show by a short message that a phone is theirs. */
bool catalog_phone_code(void);

/* The code of a channel, -1 when there is none of that name. */
int catalog_channel(const char *name);

/* The services of hotline.services(): {"common", "list"}; NULL before it was loaded.  Lives until the loop turns. */
const cJSON *catalog_services(void);

/* The service of this code, NULL when there is none.  Lives as long. */
const cJSON *catalog_service(const char *code);

/* NULL when every division, category and channel a call names exists; else what the database would refuse it with. */
const struct why *catalog_check(struct arena *arena, const cJSON *call);

/* Add to a call what the text service finds in the title and content among fields, with the division there to tell places of one
 * name apart: "grams", "hits" and "found". */
void catalog_read_text(struct arena *arena, cJSON *call, const cJSON *fields);

/* The grams a search asks for, NULL when the words are too short to search for. */
cJSON *catalog_read_query(struct arena *arena, const char *words);

#endif
