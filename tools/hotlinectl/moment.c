#include "moment.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ZONE = 8 * HOUR };

const char *moment_text(moment at, char out[MOMENT_SIZE])
{
    time_t local = (time_t)(at + ZONE);
    struct tm tm;

    gmtime_r(&local, &tm);
    strftime(out, MOMENT_SIZE, "%Y-%m-%dT%H:%M:%S+08:00", &tm);
    return out;
}

/* Seconds east of UTC at the end of an RFC 3339 time; none: the city's. */
static bool read_offset(const char *text, int *seconds)
{
    int hours, minutes;
    char sign;

    *seconds = ZONE;
    if (!*text)
        return true;
    if (!strcmp(text, "Z")) {
        *seconds = 0;
        return true;
    }
    if (sscanf(text, "%c%2d:%2d", &sign, &hours, &minutes) != 3 || (sign != '+' && sign != '-'))
        return false;
    *seconds = (sign == '-' ? -1 : 1) * (hours * HOUR + minutes * MINUTE);
    return true;
}

bool moment_read(const char *text, moment *at)
{
    struct tm tm = { 0 };
    const char *rest = strptime(text, "%Y-%m-%d", &tm), *clock;
    int offset;

    if (!rest)
        return false;
    if (*rest == 'T' || *rest == ' ') {
        clock = strptime(rest + 1, "%H:%M:%S", &tm);
        if (!clock)
            clock = strptime(rest + 1, "%H:%M", &tm);
        if (!clock)
            return false;
        rest = clock;
        if (*rest == '.')
            rest += 1 + strspn(rest + 1, "0123456789");
    }
    if (!read_offset(rest, &offset))
        return false;
    *at = (moment)timegm(&tm) - offset;
    return true;
}

moment moment_day(moment at)
{
    return (at + ZONE) / DAY * DAY - ZONE;
}

moment moment_office(moment at, int minutes)
{
    static const int open[] = { 8 * HOUR + 1800, 14 * HOUR + 1800 }, close[] = { 12 * HOUR, 17 * HOUR + 1800 };
    int64_t left = (int64_t)minutes * MINUTE;

    for (moment day = moment_day(at);; day += DAY) {
        /* 1 January 1970 was a Thursday. */
        if (((day + ZONE) / DAY + 3) % 7 >= 5)
            continue;
        for (int half = 0; half < 2; half++) {
            moment from = at > day + open[half] ? at : day + open[half], to = day + close[half];

            if (from >= to)
                continue;
            if (from + left < to)
                return from + left;
            left -= to - from;
        }
    }
}
