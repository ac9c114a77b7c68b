#include "services/matching/composition/composer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glpk.h>

#include "services/matching/composition/test_pool.h"

#define SMALL_MAX 12
#define SMALL_SETS (1u << SMALL_MAX)
#define SEEDS 400
#define WANTED 4
#define HOSTILE_OVERRUN_MS 4000 /* a checked build is ten times slower */

static struct composer_answer
compose(const struct pool *pool, size_t wanted, uint64_t work_max, int64_t limit_ms)
{
    const struct clock *clock = clock_system();
    const struct composer_ask ask = {.pool = pool,
                                     .sets_wanted = wanted,
                                     .work_max = work_max,
                                     .memory_bytes = COMPOSER_MEMORY_BYTES,
                                     .clock = clock,
                                     .deadline = mono_add_ms(clock_mono(clock), limit_ms)};
    struct composer_answer answer;
    struct arena arena;

    arena_init(&arena, 1 << 20);
    assert_int_equal(composer_run(&arena, &ask, &answer).code, CODE_OK);
    arena_fini(&arena);
    return answer;
}

/* Every set of a small pool that holds, cheapest first. */
struct all_sets {
    struct pool_set *sets;
    size_t count;
};

static int
compare_sets(const void *left, const void *right)
{
    const struct pool_set *a = left, *b = right;

    return (a->cost > b->cost) - (a->cost < b->cost);
}

static struct all_sets
brute_force(const struct pool *pool)
{
    struct all_sets all = {calloc(SMALL_SETS, sizeof *all.sets), 0};

    assert_non_null(all.sets);
    for (uint32_t bits = 0; bits < 1u << pool->count; bits++) {
        struct pool_set *set = &all.sets[all.count];

        *set = (struct pool_set){0};
        for (uint32_t i = 0; i < pool->count; i++)
            if (bits >> i & 1)
                set->members[set->count++] = i;
        all.count += pool_holds(pool, set, &set->cost);
    }
    qsort(all.sets, all.count, sizeof *all.sets, compare_sets);
    return all;
}

static bool
has_set(const struct shelf *shelf, const struct pool_set *set)
{
    for (size_t i = 0; i < shelf->count; i++)
        if (shelf->sets[i].count == set->count &&
            !memcmp(shelf->sets[i].members, set->members, set->count * sizeof(uint32_t)))
            return true;
    return false;
}

static void
small_pools_are_solved_as_by_brute_force(void **state)
{
    struct pool_candidate candidates[SMALL_MAX];
    size_t with_answer = 0, without = 0;
    struct pool pool;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct composer_answer answer;
        struct all_sets all;
        int64_t cost;

        test_pool_mixed(&pool, candidates, 6 + seed % 7, seed);
        all = brute_force(&pool);
        answer = compose(&pool, WANTED, 0, 60000);
        assert_int_equal(answer.end, COMPOSER_PROVEN);
        assert_true(answer.ranking_proven);
        assert_int_equal(answer.shelf.count > 0, all.count > 0);
        with_answer += all.count > 0;
        without += all.count == 0;
        for (size_t i = 0; i < answer.shelf.count; i++) {
            assert_true(pool_holds(&pool, &answer.shelf.sets[i], &cost));
            assert_int_equal(cost, answer.shelf.sets[i].cost);
            assert_false(pool_wastes(&pool, &answer.shelf.sets[i]));
        }
        if (all.count) {
            assert_int_equal(answer.shelf.sets[0].cost, all.sets[0].cost);
            assert_int_equal(answer.bound, all.sets[0].cost);
        }
        /* Of the best sets, all that waste nothing are told. */
        for (size_t i = 0; i < all.count && i < WANTED; i++)
            if (all.count <= WANTED || all.sets[i].cost < all.sets[WANTED - 1].cost)
                assert_true(pool_wastes(&pool, &all.sets[i]) ||
                            has_set(&answer.shelf, &all.sets[i]));
        free(all.sets);
    }
    assert_true(with_answer > SEEDS / 4);
    assert_true(without > SEEDS / 40);
}

/* The same as a mixed integer program, given to GLPK. */
static void
add_entry(glp_prob *program, int column, const int *rows, int count)
{
    double ones[64];

    for (int i = 1; i <= count; i++)
        ones[i] = 1;
    glp_set_mat_col(program, column, count, rows, ones);
}

static int64_t
glpk_optimum(const struct pool *pool)
{
    const int rows = (int)pool->row_count, classes = 30, first_class = rows + 2;
    glp_prob *program = glp_create_prob();
    const double shown[] = {0, 1, -1};
    int64_t optimum;
    glp_iocp how;

    glp_term_out(GLP_OFF);
    glp_add_rows(program, rows + 1 + classes);
    glp_add_cols(program, (int)pool->count + classes);
    for (int r = 0; r < rows; r++)
        glp_set_row_bnds(program, r + 1, GLP_LO, pool->rows[r].need, 0);
    glp_set_row_bnds(program, rows + 1, GLP_LO, pool->distinct_need, 0);
    for (int c = 0; c < classes; c++)
        glp_set_row_bnds(program, first_class + c, GLP_LO, 0, 0);
    for (int j = 1; j <= (int)pool->count; j++) {
        const struct pool_candidate *candidate = &pool->candidates[j - 1];
        int entries[64], count = 0;

        glp_set_col_kind(program, j, GLP_BV);
        glp_set_obj_coef(program, j, candidate->cost);
        for (int r = 0; r < rows; r++)
            if (candidate->rows >> r & 1)
                entries[++count] = r + 1;
        entries[++count] = first_class + candidate->class - 1;
        add_entry(program, j, entries, count);
    }
    for (int c = 0; c < classes; c++) {
        const int entries[] = {0, rows + 1, first_class + c};
        glp_set_col_bnds(program, (int)pool->count + 1 + c, GLP_DB, 0, 1);
        glp_set_mat_col(program, (int)pool->count + 1 + c, 2, entries, shown);
    }
    glp_init_iocp(&how);
    how.presolve = GLP_ON;
    how.msg_lev = GLP_MSG_OFF;
    assert_int_equal(glp_intopt(program, &how), 0);
    assert_int_equal(glp_mip_status(program), GLP_OPT);
    optimum = (int64_t)(glp_mip_obj_val(program) + 0.5);
    glp_delete_prob(program);
    return optimum;
}

static void
larger_pools_are_solved_as_by_glpk(void **state)
{
    static const size_t counts[] = {60, 200, 500, 1500};
    static struct pool_candidate candidates[1500];
    struct pool pool;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        for (uint64_t seed = 1; seed <= 3; seed++)
            for (int hard = 0; hard < 2; hard++) {
                struct composer_answer answer;

                test_pool_fill(&pool, candidates, counts[i], hard, seed);
                answer = compose(&pool, 1, 0, 60000);
                assert_int_equal(answer.end, COMPOSER_PROVEN);
                assert_int_equal(answer.shelf.sets[0].cost, glpk_optimum(&pool));
            }
}

static void
equal_questions_have_equal_answers(void **state)
{
    static struct pool_candidate candidates[2000];
    struct composer_answer first, second;
    struct pool pool;

    (void)state;
    test_pool_fill(&pool, candidates, COUNT_OF(candidates), true, 11);
    first = compose(&pool, 5, 0, 60000);
    second = compose(&pool, 5, 0, 60000);
    assert_int_equal(first.shelf.count, second.shelf.count);
    assert_int_equal(first.work, second.work);
    for (size_t i = 0; i < first.shelf.count; i++)
        assert_true(has_set(&second.shelf, &first.shelf.sets[i]));
}

static void
a_search_that_is_cut_off_tells_the_gap(void **state)
{
    static struct pool_candidate candidates[2000];
    struct composer_answer whole, cut;
    struct pool pool;

    (void)state;
    test_pool_fill(&pool, candidates, COUNT_OF(candidates), true, 7);
    whole = compose(&pool, 1, 0, 60000);
    cut = compose(&pool, 1, 20000, 60000);
    assert_int_equal(cut.end, COMPOSER_WORK);
    assert_false(cut.ranking_proven);
    assert_true(cut.bound <= whole.shelf.sets[0].cost);
    assert_true(cut.bound > whole.shelf.sets[0].cost * 9 / 10);
    if (cut.shelf.count)
        assert_true(cut.shelf.sets[0].cost >= whole.shelf.sets[0].cost);
}

/* How long after its deadline a pool was given up. */
static int64_t
overrun_ms(const struct pool *pool, int64_t limit_ms)
{
    const struct mono began = clock_mono(clock_system());

    (void)compose(pool, 20, 0, limit_ms);
    return mono_micros_between(began, clock_mono(clock_system())) / 1000 - limit_ms;
}

/* Candidates of which none dominates another, too many for the tableau; and few that can be put
 * together in so many ways that the widest search is never through. */
static void
a_hostile_pool_is_given_up_soon_after_its_deadline(void **state)
{
    struct pool_candidate *candidates = calloc(POOL_CANDIDATES_MAX, sizeof *candidates);
    struct pool pool = {
        .candidates = candidates, .count = POOL_CANDIDATES_MAX, .row_count = POOL_ROWS_MAX};
    uint64_t seed = 7;

    (void)state;
    assert_non_null(candidates);
    for (size_t r = 0; r < POOL_ROWS_MAX; r++)
        pool.rows[r] = (struct pool_row){.need = 1, .limit = POOL_NO_LIMIT};
    for (size_t i = 0; i < POOL_CANDIDATES_MAX; i++) {
        candidates[i].cost = 200000 + (uint32_t)i % 5000;
        while (__builtin_popcountll(candidates[i].rows) < 6) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            candidates[i].rows |= UINT64_C(1) << (seed >> 33) % POOL_ROWS_MAX;
        }
    }
    assert_true(overrun_ms(&pool, 100) < HOSTILE_OVERRUN_MS);
    pool.count = 60;
    pool.row_count = 14;
    for (size_t r = 0; r < pool.row_count; r++)
        pool.rows[r].need = 3 + (uint8_t)(r % 12);
    for (size_t i = 0; i < pool.count; i++)
        candidates[i].rows &= (1u << 14) - 1;
    assert_true(overrun_ms(&pool, 2000) < HOSTILE_OVERRUN_MS);
    free(candidates);
}

static void
a_deadline_that_has_passed_ends_it(void **state)
{
    static struct pool_candidate candidates[2000];
    struct composer_answer answer;
    struct pool pool;

    (void)state;
    test_pool_fill(&pool, candidates, COUNT_OF(candidates), true, 7);
    answer = compose(&pool, 1, 0, 0);
    assert_int_equal(answer.end, COMPOSER_LATE);
    assert_int_equal(answer.shelf.count, 0);
}

static void
nothing_can_be_too_little_memory(void **state)
{
    static struct pool_candidate candidates[200];
    const struct clock *clock = clock_system();
    struct composer_ask ask = {.sets_wanted = 1,
                               .memory_bytes = 4096,
                               .clock = clock,
                               .deadline = mono_add_ms(clock_mono(clock), 60000)};
    struct composer_answer answer;
    struct arena arena;
    struct pool pool;

    (void)state;
    arena_init(&arena, 1 << 20);
    test_pool_fill(&pool, candidates, COUNT_OF(candidates), true, 7);
    ask.pool = &pool;
    assert_int_equal(composer_run(&arena, &ask, &answer).code, CODE_RESOURCE_EXHAUSTED);
    arena_fini(&arena);
}

static void
what_a_pool_may_not_be_is_named(void **state)
{
    struct pool_candidate candidates[2] = {{.cost = 1}, {.cost = 0}};
    struct pool pool = {.candidates = candidates, .count = 2};
    struct arena arena;
    struct status status;

    (void)state;
    arena_init(&arena, 1 << 16);
    status = pool_check(&arena, &pool);
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, "candidates[1].cost");
    candidates[1] = (struct pool_candidate){.cost = 1, .rows = 2};
    pool.row_count = 1;
    status = pool_check(&arena, &pool);
    assert_string_equal(status.field, "candidates[1].rows");
    candidates[1].rows = 1;
    pool.rows[0] = (struct pool_row){.need = 2, .limit = POOL_NO_LIMIT, .forfeit = 9};
    status = pool_check(&arena, &pool);
    assert_string_equal(status.field, "rows[0].forfeit");
    arena_fini(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_pools_are_solved_as_by_brute_force),
        cmocka_unit_test(larger_pools_are_solved_as_by_glpk),
        cmocka_unit_test(equal_questions_have_equal_answers),
        cmocka_unit_test(a_search_that_is_cut_off_tells_the_gap),
        cmocka_unit_test(a_hostile_pool_is_given_up_soon_after_its_deadline),
        cmocka_unit_test(a_deadline_that_has_passed_ends_it),
        cmocka_unit_test(nothing_can_be_too_little_memory),
        cmocka_unit_test(what_a_pool_may_not_be_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
