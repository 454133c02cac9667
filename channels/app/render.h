#ifndef APP_RENDER_H
#define APP_RENDER_H
#include "channel.h"

struct arena;

/* Open311's XML of the value that JSON would say: an element of this name.  The elements of a list are called as the standard calls
 * them, null is an empty element, and a character that XML cannot carry becomes U+FFFD. */
struct bytes render_xml(struct arena *arena, const char *name, const cJSON *value);

#endif
