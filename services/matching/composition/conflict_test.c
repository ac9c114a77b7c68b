#include "services/matching/composition/conflict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { MEMBERS, COMPANIES, HOSTS, INDEPENDENCE, COUNTRIES, RULES };

static const struct conflict_rule rules[RULES] = {
    [MEMBERS] = {.rows = 1},           [COMPANIES] = {.rows = 2},       [HOSTS] = {.rows = 4},
    [INDEPENDENCE] = {.groups = true}, [COUNTRIES] = {.classes = true},
};

static struct conflict
conflict_of(const struct pool *pool)
{
    const struct clock *clock = clock_system();
    const struct composer_ask ask = {.pool = pool,
                                     .sets_wanted = 1,
                                     .memory_bytes = COMPOSER_MEMORY_BYTES,
                                     .clock = clock,
                                     .deadline = mono_add_ms(clock_mono(clock), 60000)};
    struct composer_answer answer;
    struct conflict conflict;
    struct arena arena;

    arena_init(&arena, 1 << 20);
    assert_int_equal(composer_run(&arena, &ask, &answer).code, CODE_OK);
    assert_int_equal(answer.end, COMPOSER_PROVEN);
    assert_int_equal(answer.shelf.count, 0);
    assert_int_equal(conflict_find(&arena, &ask, rules, RULES, &conflict).code, CODE_OK);
    assert_true(conflict.minimal);
    arena_fini(&arena);
    return conflict;
}

static void
expect(const struct conflict *conflict, unsigned bits)
{
    for (size_t i = 0; i < RULES; i++)
        assert_int_equal(conflict->in[i], bits >> i & 1);
}

static void
one_rule_that_nothing_meets_is_the_whole_conflict(void **state)
{
    const struct pool_candidate candidates[] = {{.rows = 1, .cost = 9, .class = 1},
                                                {.rows = 1, .cost = 3, .class = 2}};
    const struct pool pool = {
        .candidates = candidates,
        .count = 2,
        .row_count = 3,
        .distinct_need = 2,
        .rows = {{1, POOL_NO_LIMIT, 0}, {1, POOL_NO_LIMIT, 0}, {0, 1, 0}}};
    struct conflict conflict;

    (void)state;
    conflict = conflict_of(&pool);
    expect(&conflict, 1u << COMPANIES);
}

static void
rules_that_exclude_each_other_are_all_named_and_no_other(void **state)
{
    /* Two companies are there, but both would be the one host allowed. */
    const struct pool_candidate candidates[] = {{.rows = 7, .cost = 1, .class = 1},
                                                {.rows = 7, .cost = 1, .class = 2},
                                                {.rows = 1, .cost = 1, .class = 2}};
    const struct pool pool = {
        .candidates = candidates,
        .count = 3,
        .row_count = 3,
        .distinct_need = 2,
        .rows = {{2, POOL_NO_LIMIT, 0}, {2, POOL_NO_LIMIT, 0}, {0, 1, 0}}};
    struct conflict conflict;

    (void)state;
    conflict = conflict_of(&pool);
    expect(&conflict, 1u << COMPANIES | 1u << HOSTS);
}

static void
owners_in_common_can_be_the_reason(void **state)
{
    const struct pool_candidate candidates[] = {{.rows = 3, .cost = 1, .class = 1, .group = 4},
                                                {.rows = 3, .cost = 1, .class = 2, .group = 4}};
    const struct pool pool = {
        .candidates = candidates,
        .count = 2,
        .row_count = 3,
        .rows = {{0, POOL_NO_LIMIT, 0}, {2, POOL_NO_LIMIT, 0}, {0, POOL_NO_LIMIT, 0}}};
    struct conflict conflict;

    (void)state;
    conflict = conflict_of(&pool);
    expect(&conflict, 1u << COMPANIES | 1u << INDEPENDENCE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_rule_that_nothing_meets_is_the_whole_conflict),
        cmocka_unit_test(rules_that_exclude_each_other_are_all_named_and_no_other),
        cmocka_unit_test(owners_in_common_can_be_the_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
