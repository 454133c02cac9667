#ifndef FEED_H
#define FEED_H

#include <stdbool.h>

/* Server-sent events of what happens to tickets: GET /v1/events.  The truth is the table event, read forward every second and
 * at once when somebody pokes; what a worker has read it sends to those of its streams that may see it. */

bool feed_open(void) __attribute__((warn_unused_result));

/* End all streams. */
void feed_close(void);

/* Something was committed: all workers read on now.  Cheap, called after every write that succeeded. */
void feed_poke(void);

#endif
