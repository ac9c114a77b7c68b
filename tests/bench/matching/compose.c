/* Measures the composer on pools of the two kinds that test_pool.h describes.
 *
 * One line for each size and kind: NAME<TAB>VALUE, VALUE being the share of pools for which the
 * best set was proven within a second; then the median and the longest time in milliseconds.
 * A set that does not hold ends the program.
 *
 * usage: matching_compose [POOLS]     pools of each kind, 7 when nothing is said */

#include "services/matching/composition/composer.h"
#include "services/matching/composition/test_pool.h"
#include "tests/bench/bench.h"

#define POOLS_MAX 100
#define LIMIT_MS 1000

static int
compare(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

/* The milliseconds one pool takes; counts the proven. */
static double
measure(struct pool_candidate *candidates, size_t count, bool hard, uint64_t seed,
        unsigned *proven)
{
    const struct clock *clock = clock_system();
    struct composer_ask ask = {
        .sets_wanted = 1, .memory_bytes = COMPOSER_MEMORY_BYTES, .clock = clock};
    struct composer_answer answer;
    struct arena arena;
    struct mono began;
    struct pool pool;
    double ms;
    int64_t cost;

    test_pool_fill(&pool, candidates, count, hard, seed);
    arena_init(&arena, (size_t)1 << 20);
    began = clock_mono(clock);
    ask.pool = &pool;
    ask.deadline = mono_add_ms(began, LIMIT_MS);
    if (failed(composer_run(&arena, &ask, &answer)))
        bench_die("compose", "failed");
    ms = (double)mono_micros_between(began, clock_mono(clock)) / 1000;
    if (answer.shelf.count &&
        (!pool_holds(&pool, &answer.shelf.sets[0], &cost) || cost != answer.shelf.sets[0].cost))
        bench_die("compose", "a set does not hold");
    *proven += answer.end == COMPOSER_PROVEN && ms <= LIMIT_MS;
    arena_fini(&arena);
    return ms;
}

static void
report(struct pool_candidate *candidates, size_t count, bool hard, unsigned pools)
{
    const char *kind = hard ? "hard" : "typical";
    double times[POOLS_MAX];
    unsigned proven = 0;

    for (unsigned i = 0; i < pools; i++)
        times[i] = measure(candidates, count, hard, i + 1, &proven);
    qsort(times, pools, sizeof times[0], compare);
    (void)printf("matching.compose.proven_%zu.%s\t%.3f\n", count, kind, (double)proven / pools);
    (void)printf("matching.compose.median_ms_%zu.%s\t%.1f\n", count, kind, times[pools / 2]);
    (void)printf("matching.compose.longest_ms_%zu.%s\t%.1f\n", count, kind, times[pools - 1]);
    (void)fflush(stdout);
}

int
main(int argc, char **argv)
{
    static const size_t counts[] = {500, 5000, 50000};
    static struct pool_candidate candidates[50000];
    const long pools = argc > 1 ? strtol(argv[1], NULL, 10) : 7;

    if (pools < 1 || pools > POOLS_MAX)
        bench_die("compose", "1 to 100 pools");
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        for (int hard = 0; hard < 2; hard++)
            report(candidates, counts[i], hard, (unsigned)pools);
    return 0;
}
