#ifndef LOG_H
#define LOG_H

#include <stdbool.h>

/* One event, one line on stderr: ts=… level=warn ev=db_lost lane=2 err="server closed".  The format is a list of key=%…
 * pairs; a %s is escaped, cut at 400 bytes, and quoted where the format has no quotes and the text needs them, so that no value can make
 * a second line or another key.  Conversions: s .*s d i u x c with l, ll, z, and f. */

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* who is a key=value pair put into every line (proc=worker2); not copied. */
void log_open(enum log_level level, const char *who);

bool log_level_named(const char *name, enum log_level *level) __attribute__((warn_unused_result));

void log_error(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_info(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_debug(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
