#ifndef HISTORY_H
#define HISTORY_H

#include <cjson/cJSON.h>
#include <stddef.h>

struct arena;

/* One line of another system's history: a JSON object, checked and brought to what api.import takes. */

enum { HISTORY_LINE_MAX = 128 << 10 };

/* map: {"unit": {"their word": "ours" or null}, …}, NULL: none; a word that is not in it is ours already.  The row, or NULL and
 * *why.  Contact data is sealed: the keys must be loaded (history_wants_keys tells). */
char *history_row(struct arena *arena, const char *line, size_t len, const cJSON *map, const char **why)
    __attribute__((warn_unused_result));

/* Does this line bring contact data? */
int history_wants_keys(struct arena *arena, const char *line, size_t len);

/* Call each with the text of every time at which something happened. */
void history_times(struct arena *arena, const char *line, size_t len, void (*each)(const char *time, void *arg),
                   void *arg);

#endif
