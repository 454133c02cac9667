#ifndef STATIC_H
#define STATIC_H

#include <stdbool.h>

/* The pages: files of web_root held in memory and served as they are. */

/* Read them; an empty web_root serves none. */
bool static_load(void) __attribute__((warn_unused_result));

/* Add their routes. */
bool static_open(void) __attribute__((warn_unused_result));

#endif
