#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ONE_BLOCK_EACH 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ONE_BLOCK_EACH 1
#endif
#endif
#ifndef ONE_BLOCK_EACH
#define ONE_BLOCK_EACH 0
#endif

/* Most requests need several thousand bytes; those that stay, as streams do, a few hundred. */
enum { FIRST_SIZE = 1024, BLOCK_SIZE = 4096 };

struct block {
    struct block *next;
    alignas(max_align_t) char data[];
};

struct deferred {
    struct deferred *next;
    void (*drop)(void *thing);
    void *thing;
};

struct arena {
    struct block *blocks;
    struct deferred *deferred;
    char *free, *end; /* what is left of the newest shared block */
    size_t size;
};

static void *must(void *memory)
{
    if (!memory) {
        static const char out[] = "level=error ev=out_of_memory\n";

        fwrite(out, 1, sizeof out - 1, stderr);
        abort();
    }
    return memory;
}

static struct block *add_block(struct arena *arena, size_t size)
{
    struct block *block;

    if (size > SIZE_MAX / 2)
        must(NULL);
    block = must(malloc(sizeof *block + size));
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

struct arena *arena_new(void)
{
    return must(calloc(1, sizeof(struct arena)));
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t rounded = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    char *data;

    arena->size += size;
    if (ONE_BLOCK_EACH || rounded > FIRST_SIZE / 2 || rounded < size) {
        data = add_block(arena, size)->data;
    } else {
        if ((size_t)(arena->end - arena->free) < rounded) {
            size_t room = arena->end ? BLOCK_SIZE : FIRST_SIZE;

            arena->free = add_block(arena, room)->data;
            arena->end = arena->free + room;
        }
        data = arena->free;
        arena->free += rounded;
    }
    return memset(data, 0, size);
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
    char *copy = arena_alloc(arena, len + 1);

    memcpy(copy, text, len);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
    va_list again;
    int len;
    char *text;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0)
        must(NULL);
    text = arena_alloc(arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, args);
    return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

void arena_defer(struct arena *arena, void (*drop)(void *thing), void *thing)
{
    struct deferred *deferred = arena_alloc(arena, sizeof *deferred);

    deferred->next = arena->deferred;
    deferred->drop = drop;
    deferred->thing = thing;
    arena->deferred = deferred;
}

size_t arena_size(const struct arena *arena)
{
    return arena->size;
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    for (struct deferred *d = arena->deferred; d; d = d->next)
        d->drop(d->thing);
    for (struct block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}
