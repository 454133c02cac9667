#ifndef CHANNELS_H
#define CHANNELS_H

#include <stdbool.h>

/* Read what channels need of files, before the privileges go. */
bool channels_prepare(void) __attribute__((warn_unused_result));

/* Open every channel in the list; close them in reverse. */
bool channels_open(void) __attribute__((warn_unused_result));
void channels_close(void);

#endif
