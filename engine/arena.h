#ifndef ARENA_H
#define ARENA_H

#include <stdarg.h>
#include <stddef.h>

/* Memory that goes all at once.  Nothing here returns NULL: without memory the process aborts. */

struct arena;

struct arena *arena_new(void);

/* Zeroed and aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size);

char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* Call drop(thing) when the arena goes; the last one deferred is dropped first. */
void arena_defer(struct arena *arena, void (*drop)(void *thing), void *thing);

/* How much was handed out so far. */
size_t arena_size(const struct arena *arena);

/* NULL is allowed. */
void arena_free(struct arena *arena);

#endif
