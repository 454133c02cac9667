#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arena.h"

static void memory_is_zeroed_and_aligned(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    for (size_t size = 1; size < 20000; size = size * 3 / 2 + 1) {
        unsigned char *data = arena_alloc(arena, size);

        assert_int_equal((uintptr_t)data % sizeof(long double), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(data[i], 0);
        memset(data, 0xff, size);
    }
    arena_free(arena);
}

static void blocks_do_not_overlap(void **state)
{
    struct arena *arena = arena_new();
    char *texts[500];

    (void)state;
    for (int i = 0; i < 500; i++)
        texts[i] = arena_printf(arena, "text %d", i);
    for (int i = 0; i < 500; i++)
        assert_string_equal(texts[i], arena_printf(arena, "text %d", i));
    arena_free(arena);
}

static void texts_are_copied(void **state)
{
    struct arena *arena = arena_new();
    char text[] = "abcdef", *whole = arena_strdup(arena, text), *part = arena_strndup(arena, text, 3);

    (void)state;
    memset(text, 'x', sizeof text - 1);
    assert_string_equal(whole, "abcdef");
    assert_string_equal(part, "abc");
    assert_true(arena_size(arena) >= 11);
    arena_free(arena);
}

static char order[8], *last = order;

static void note(void *thing)
{
    *last++ = *(char *)thing;
}

static void what_is_deferred_last_is_dropped_first(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    arena_defer(arena, note, "a");
    arena_defer(arena, note, "b");
    arena_defer(arena, note, "c");
    assert_string_equal(order, "");
    arena_free(arena);
    assert_string_equal(order, "cba");
    arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(blocks_do_not_overlap),
        cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(what_is_deferred_last_is_dropped_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
