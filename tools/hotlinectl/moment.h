#ifndef MOMENT_H
#define MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/* Seconds since 1970 and the city's clock, which has been eight hours ahead of UTC all year round since 1992. */

typedef int64_t moment;

enum { MOMENT_SIZE = 32, MINUTE = 60, HOUR = 3600, DAY = 86400 };

/* 2018-01-02T08:00:00+08:00 */
const char *moment_text(moment at, char out[MOMENT_SIZE]);

/* Reads RFC 3339 with Z or an offset, or a date or a date and time of the city.  False: it is none. */
bool moment_read(const char *text, moment *at);

/* The start of the city's day. */
moment moment_day(moment at);

/* So many minutes of office hours later (Monday to Friday, 08:30–12:00 and 14:30–17:30); 0: the next moment in them. */
moment moment_office(moment at, int minutes);

#endif
