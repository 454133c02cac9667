#ifndef FEED_H
#define FEED_H

#include <stdbool.h>

/* Server-sent events of what happens to tickets: GET /v1/events.  The truth is the table event, read forward every second and
 * at once when somebody pokes, while anybody watches; what a worker has read it sends to those of its streams that may see it. */

bool feed_open(void) __attribute__((warn_unused_result));

/* End all streams. */
void feed_close(void);

/* Something was committed: all workers read on now.  Cheap, called after every write that succeeded. */
void feed_poke(void);

/* Something was committed under ids of long ago, where nobody reads: within seconds the pages of all workers are told to read
 * their lists again. */
void feed_reload(void);

#endif
