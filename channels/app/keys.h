#ifndef APP_KEYS_H
#define APP_KEYS_H

#include <stdbool.h>

/* The applications that may file: names and the hashes of their keys, from the file that app_key_file names.  The keys themselves are
 * nowhere.  The file is read again when it has changed; one with a fault leaves the keys as they were, and is logged. */

bool keys_open(void) __attribute__((warn_unused_result));
void keys_close(void);

/* The name of the application whose key this is, NULL: nobody's.  Lives until the loop turns. */
const char *keys_find(const char *key);

#endif
