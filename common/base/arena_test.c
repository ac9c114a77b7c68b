#include "common/base/arena.h"

#include <stdint.h>
#include <string.h>

#include "common/base/test.h"

static void
memory_is_aligned_and_zeroed_also_after_a_reset(void **state)
{
    static const char zeroes[333];
    struct arena arena;

    (void)state;
    arena_init(&arena, 1 << 20);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++) {
            char *memory = arena_alloc(&arena, sizeof zeroes);

            assert_non_null(memory);
            assert_int_equal((uintptr_t)memory % 16, 0);
            assert_memory_equal(memory, zeroes, sizeof zeroes);
            memset(memory, 0xAB, sizeof zeroes);
        }
        arena_reset(&arena);
        assert_int_equal(arena.used_bytes, 0);
    }
    arena_fini(&arena);
}

static void
pieces_do_not_overlap(void **state)
{
    struct arena arena;
    unsigned char *pieces[200];

    (void)state;
    arena_init(&arena, 4 << 20);
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        pieces[i] = arena_alloc(&arena, i * 37 + 1);
        assert_non_null(pieces[i]);
        memset(pieces[i], (int)i, i * 37 + 1);
    }
    for (size_t i = 0; i < COUNT_OF(pieces); i++)
        for (size_t j = 0; j < i * 37 + 1; j++)
            assert_int_equal(pieces[i][j], i & 0xFF);
    arena_fini(&arena);
}

static void
the_limit_is_exact_and_holds_until_the_reset(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 64);
    assert_non_null(arena_alloc(&arena, 48));
    assert_null(arena_alloc(&arena, 17));
    assert_non_null(arena_alloc(&arena, 16));
    assert_int_equal(arena.used_bytes, 64);
    assert_null(arena_alloc(&arena, 0));
    arena_reset(&arena);
    assert_non_null(arena_alloc(&arena, 64));
    assert_null(arena_alloc(&arena, 1));
    arena_fini(&arena);
}

static void
sizes_that_overflow_are_refused(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, SIZE_MAX);
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 8));
    assert_null(arena_calloc(&arena, SIZE_MAX / 2, 3));
    assert_null(arena_calloc(&arena, (size_t)1 << 33, (size_t)1 << 33));
    assert_null(arena_copy_n(&arena, "", SIZE_MAX));
    assert_non_null(arena_calloc(&arena, 3, 5));
    assert_non_null(arena_calloc(&arena, 0, SIZE_MAX));
    arena_fini(&arena);
}

static void
large_pieces_are_not_kept_after_a_reset(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 8 << 20);
    assert_non_null(arena_alloc(&arena, 5 << 20));
    arena_reset(&arena);
    assert_null(arena.chunks);
    assert_non_null(arena_alloc(&arena, 10));
    assert_non_null(arena_alloc(&arena, 5 << 20));
    arena_reset(&arena);
    assert_non_null(arena.chunks);
    arena_fini(&arena);
    assert_null(arena.chunks);
    arena_fini(&arena);
}

static void
texts_are_copied_and_formatted(void **state)
{
    struct arena arena;
    char long_text[1000];
    const char *text;

    (void)state;
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    arena_init(&arena, 1 << 20);
    assert_string_equal(arena_copy(&arena, "räksmörgås"), "räksmörgås");
    assert_string_equal(arena_copy(&arena, ""), "");
    text = arena_copy_n(&arena, "ab\0cd", 5);
    assert_memory_equal(text, "ab\0cd", 6);
    assert_string_equal(arena_printf(&arena, "%d/%s", 7, "x"), "7/x");
    text = arena_printf(&arena, "<%s>", long_text);
    assert_int_equal(strlen(text), 1001);
    assert_int_equal(text[1000], '>');
    arena_fini(&arena);
    arena_init(&arena, 512);
    assert_null(arena_printf(&arena, "%s", long_text));
    arena_fini(&arena);
}

static void
new_and_array_have_the_size_of_their_type(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 1 << 10);
    assert_non_null(ARENA_NEW(&arena, uint64_t));
    assert_int_equal(arena.used_bytes, 16);
    assert_non_null(ARENA_ARRAY(&arena, uint64_t, 4));
    assert_int_equal(arena.used_bytes, 48);
    arena_fini(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_aligned_and_zeroed_also_after_a_reset),
        cmocka_unit_test(pieces_do_not_overlap),
        cmocka_unit_test(the_limit_is_exact_and_holds_until_the_reset),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(large_pieces_are_not_kept_after_a_reset),
        cmocka_unit_test(texts_are_copied_and_formatted),
        cmocka_unit_test(new_and_array_have_the_size_of_their_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
