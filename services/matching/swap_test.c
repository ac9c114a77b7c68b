#include "services/matching/swap.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define READERS 4
#define VERSIONS 20000

struct version {
    uint64_t first, second; /* equal while it lives */
};

static atomic_size_t destroyed;

static void
destroy_version(void *memory)
{
    struct version *version = memory;

    version->first = 1;
    version->second = 2;
    free(version);
    atomic_fetch_add(&destroyed, 1);
}

static struct version *
make_version(uint64_t number)
{
    struct version *version = malloc(sizeof *version);

    assert_non_null(version);
    *version = (struct version){number, number};
    return version;
}

static void
nothing_is_held_before_the_first_version(void **state)
{
    struct swap swap;
    struct held held;

    (void)state;
    swap_init(&swap, destroy_version);
    held = swap_hold(&swap);
    assert_null(held.version);
    swap_release(&held);
    swap_fini(&swap);
}

static void
an_old_version_lives_until_its_reader_lets_go(void **state)
{
    struct swap swap;
    struct held held;

    (void)state;
    atomic_store(&destroyed, 0);
    swap_init(&swap, destroy_version);
    assert_true(swap_publish(&swap, make_version(1)));
    held = swap_hold(&swap);
    assert_true(swap_publish(&swap, make_version(2)));
    assert_int_equal(atomic_load(&destroyed), 0);
    assert_int_equal(((const struct version *)held.version)->first, 1);
    swap_release(&held);
    swap_collect(&swap);
    assert_int_equal(atomic_load(&destroyed), 1);
    swap_fini(&swap);
    assert_int_equal(atomic_load(&destroyed), 2);
}

static void
a_full_table_of_readers_is_refused_and_recovers(void **state)
{
    struct swap swap;
    struct held held[SWAP_READERS_MAX];
    struct held more;

    (void)state;
    swap_init(&swap, destroy_version);
    assert_true(swap_publish(&swap, make_version(1)));
    for (size_t i = 0; i < SWAP_READERS_MAX; i++) {
        held[i] = swap_hold(&swap);
        assert_non_null(held[i].version);
    }
    more = swap_hold(&swap);
    assert_null(more.version);
    swap_release(&held[7]);
    more = swap_hold(&swap);
    assert_non_null(more.version);
    swap_release(&more);
    for (size_t i = 0; i < SWAP_READERS_MAX; i++)
        swap_release(&held[i]);
    swap_fini(&swap);
}

static void
versions_that_readers_keep_are_limited(void **state)
{
    struct swap swap;
    struct held held[SWAP_READERS_MAX];
    size_t published = 0;

    (void)state;
    swap_init(&swap, destroy_version);
    for (size_t i = 0; i < SWAP_READERS_MAX; i++) {
        assert_true(swap_publish(&swap, make_version(i)));
        held[i] = swap_hold(&swap);
        published++;
    }
    assert_int_equal(swap.retired_count, published - 1);
    for (size_t i = 0; i < SWAP_READERS_MAX; i++)
        swap_release(&held[i]);
    swap_collect(&swap);
    assert_int_equal(swap.retired_count, 0);
    swap_fini(&swap);
}

static void *
read_until_the_last(void *argument)
{
    struct swap *swap = argument;
    uint64_t last = 0;

    while (last < VERSIONS) {
        struct held held = swap_hold(swap);
        const struct version *version = held.version;

        /* A freed or half-written version would differ or go back in time. */
        if (!version || version->first != version->second || version->first < last)
            return (void *)1;
        last = version->first;
        swap_release(&held);
    }
    return NULL;
}

static void
readers_never_see_a_freed_or_older_version(void **state)
{
    struct swap swap;
    pthread_t readers[READERS];

    (void)state;
    swap_init(&swap, destroy_version);
    assert_true(swap_publish(&swap, make_version(0)));
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_until_the_last, &swap), 0);
    for (uint64_t number = 1; number <= VERSIONS; number++)
        assert_true(swap_publish(&swap, make_version(number)));
    for (size_t i = 0; i < READERS; i++) {
        void *failure;

        assert_int_equal(pthread_join(readers[i], &failure), 0);
        assert_null(failure);
    }
    swap_fini(&swap);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_held_before_the_first_version),
        cmocka_unit_test(an_old_version_lives_until_its_reader_lets_go),
        cmocka_unit_test(a_full_table_of_readers_is_refused_and_recovers),
        cmocka_unit_test(versions_that_readers_keep_are_limited),
        cmocka_unit_test(readers_never_see_a_freed_or_older_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
