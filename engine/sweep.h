#ifndef SWEEP_H
#define SWEEP_H

#include <stdbool.h>

/* What falls due by the clock: one worker of each engine asks for it, and every timer goes its own way through a write lane.
 * Two engines sweeping at once do no harm: the second finds the timer gone. */
bool sweep_open(void) __attribute__((warn_unused_result));
void sweep_close(void);

#endif
