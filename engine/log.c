#include "log.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2000, VALUE_MAX = 400 };

static struct {
    enum log_level level;
    const char *who;
} config = { LOG_LEVEL_INFO, NULL };

static const char *const level_names[] = { "error", "warn", "info", "debug" };

/* A line under way; what does not fit is dropped, the line end always fits. */
struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
};

static void put(struct line *line, char c)
{
    if (line->len < sizeof line->text - 1)
        line->text[line->len++] = c;
}

static void put_text(struct line *line, const char *text)
{
    while (*text)
        put(line, *text++);
}

static bool is_plain(const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)value[i] <= ' ' || strchr("\"=\\\x7f", value[i]))
            return false;
    return len > 0;
}

/* quoted: the format has written the opening quote and will write the closing one. */
static void put_value(struct line *line, const char *value, size_t len, bool quoted)
{
    bool quote = !quoted && !is_plain(value, len < VALUE_MAX ? len : VALUE_MAX);

    if (quote)
        put(line, '"');
    for (size_t i = 0; i < len && i < VALUE_MAX; i++) {
        if (value[i] == '"' || value[i] == '\\')
            put(line, '\\');
        put(line, (unsigned char)value[i] < ' ' || value[i] == 0x7f ? ' ' : value[i]);
    }
    if (quote)
        put(line, '"');
}

static void put_number(struct line *line, long long value)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%lld", value);
    put_text(line, digits);
}

static void put_unsigned(struct line *line, unsigned long long value, bool hex)
{
    char digits[24];

    snprintf(digits, sizeof digits, hex ? "%llx" : "%llu", value);
    put_text(line, digits);
}

static long long signed_arg(va_list *args, int longs)
{
    return longs == 0 ? va_arg(*args, int) : longs == 1 ? va_arg(*args, long) : va_arg(*args, long long);
}

static unsigned long long unsigned_arg(va_list *args, int longs)
{
    return longs == 0   ? va_arg(*args, unsigned)
           : longs == 1 ? va_arg(*args, unsigned long)
                        : va_arg(*args, unsigned long long);
}

static void put_string(struct line *line, va_list *args, int precision, bool quoted)
{
    const char *value = va_arg(*args, const char *);

    if (!value)
        value = "-";
    put_value(line, value, precision < 0 ? strlen(value) : strnlen(value, (size_t)precision), quoted);
}

static void put_float(struct line *line, double value)
{
    char digits[64];

    snprintf(digits, sizeof digits, "%.3f", value);
    put_text(line, digits);
}

/* One conversion; at points behind its %.  Returns what follows it. */
static const char *convert(struct line *line, const char *at, bool quoted, va_list *args)
{
    int precision = -1, longs = 0;

    if (at[0] == '.' && at[1] == '*') {
        precision = va_arg(*args, int);
        at += 2;
    } else if (at[0] == '.') {
        at += 1 + strspn(at + 1, "0123456789");
    }
    for (; *at == 'l' || *at == 'z'; at++)
        longs++;
    switch (*at) {
    case 's':
        put_string(line, args, precision, quoted);
        break;
    case 'd':
    case 'i':
        put_number(line, signed_arg(args, longs));
        break;
    case 'u':
    case 'x':
        put_unsigned(line, unsigned_arg(args, longs), *at == 'x');
        break;
    case 'c':
        put(line, (char)va_arg(*args, int));
        break;
    case 'f':
        put_float(line, va_arg(*args, double));
        break;
    case '%':
        put(line, '%');
        break;
    default:
        assert(!"conversion the log does not know");
    }
    return at + 1;
}

static void put_format(struct line *line, const char *format, va_list *args)
{
    char before = ' ';

    while (*format) {
        if (*format == '%') {
            format = convert(line, format + 1, before == '"', args);
            before = ' ';
        } else {
            before = *format++;
            put(line, before);
        }
    }
}

static void put_head(struct line *line, enum log_level level, const char *event)
{
    struct timespec now;
    struct tm utc;
    char stamp[40];
    size_t len;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    len = strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(stamp + len, sizeof stamp - len, ".%03dZ", (int)(now.tv_nsec / 1000000));
    put_text(line, "ts=");
    put_text(line, stamp);
    put_text(line, " level=");
    put_text(line, level_names[level]);
    if (config.who) {
        put(line, ' ');
        put_text(line, config.who);
    }
    put_text(line, " ev=");
    put_text(line, event);
}

/* One write, so that lines of several processes do not mix. */
static void say(enum log_level level, const char *event, const char *format, va_list *args)
{
    struct line line;

    if (level > config.level)
        return;
    line.len = 0;
    put_head(&line, level, event);
    if (*format)
        put(&line, ' ');
    put_format(&line, format, args);
    line.text[line.len++] = '\n';
    if (write(STDERR_FILENO, line.text, line.len) < 0)
        return;
}

void log_open(enum log_level level, const char *who)
{
    config.level = level;
    config.who = who;
}

bool log_level_named(const char *name, enum log_level *level)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (!strcmp(name, level_names[i])) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_error(const char *event, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(LOG_LEVEL_ERROR, event, format, &args);
    va_end(args);
}

void log_warn(const char *event, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(LOG_LEVEL_WARN, event, format, &args);
    va_end(args);
}

void log_info(const char *event, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(LOG_LEVEL_INFO, event, format, &args);
    va_end(args);
}

void log_debug(const char *event, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(LOG_LEVEL_DEBUG, event, format, &args);
    va_end(args);
}
