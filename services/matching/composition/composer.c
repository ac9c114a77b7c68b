#include "services/matching/composition/composer.h"

#include <stdlib.h>
#include <string.h>

#include "services/matching/composition/plan.h"
#include "services/matching/composition/simplex.h"
#include "services/matching/composition/trim.h"

/* The first search is for a good set: the items of least reduced cost, and some of each class.
 */
#define PROMISING 250u
#define PROMISING_OF_CLASS 3u
#define PROMISING_WIDTH 300u

static const size_t widths[] = {300, 3000, 30000, 300000};

struct ranked {
    int64_t value;
    uint32_t item, place;
};

struct compose {
    const struct composer_ask *ask;
    struct arena memory;      /* for the whole run */
    struct relax_items all;   /* those that dominance left */
    struct relax_items items; /* those that can be in a set below the target */
    struct relax_items some;  /* the promising ones */
    struct ranked *ranked;
    struct relax relax;
    struct composer_answer answer;
};

/* At most this many members has a set that wastes none. */
static size_t
size_max(const struct pool *pool)
{
    size_t sum = pool->distinct_need;
    uint32_t least = POOL_COST_MAX;

    for (size_t r = 0; r < pool->row_count; r++)
        sum += pool->rows[r].need;
    for (size_t i = 0; i < pool->count; i++)
        least = pool->candidates[i].cost < least ? pool->candidates[i].cost : least;
    return sum > POOL_SET_MAX || pool->class_bonus >= least ? POOL_SET_MAX : sum;
}

static bool
late(const struct composer_ask *ask)
{
    return mono_left_ms(ask->deadline, clock_mono(ask->clock)) == 0;
}

static bool
worn_out(const struct compose *compose)
{
    return late(compose->ask) ||
           (compose->ask->work_max && compose->answer.work >= compose->ask->work_max);
}

/* When nothing need be added, that is a set as well. */
static void
try_nothing(struct compose *compose)
{
    struct pool_set nothing = {0};

    if (pool_holds(compose->ask->pool, &nothing, &nothing.cost))
        shelf_put(&compose->answer.shelf, &nothing);
}

/* One search among `items`; *ret_whole: it left nothing aside. */
static struct status
search(struct compose *compose, const struct relax_items *items, size_t width, bool *ret_whole)
{
    const struct composer_ask *ask = compose->ask;
    struct labels_answer found;
    struct labels_ask labels = {.pool = ask->pool,
                                .items = items,
                                .relax = &compose->relax,
                                .width = width,
                                .work_max = UINT64_MAX,
                                .clock = ask->clock,
                                .deadline = ask->deadline};
    scoped(arena_fini) struct arena memory = {0};

    if (ask->work_max)
        labels.work_max = ask->work_max - compose->answer.work;
    arena_init(&memory, ask->memory_bytes - compose->memory.used_bytes);
    TRY(labels_search(&labels, &memory, &compose->answer.shelf, &found));
    compose->answer.work += found.work;
    *ret_whole = found.lost >= RELAX_INFINITE;
    return OK;
}

static void
fix(struct compose *compose)
{
    relax_fix(compose->ask->pool, &compose->relax, shelf_target(&compose->answer.shelf),
              &compose->items);
    compose->answer.core = (uint32_t)compose->items.count;
}

static int
compare_value(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;

    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return (a->item > b->item) - (a->item < b->item);
}

static int
compare_place(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;

    return (a->place > b->place) - (a->place < b->place);
}

/* The promising items, in the order they had. */
static void
pick_promising(struct compose *compose)
{
    const struct pool *pool = compose->ask->pool;
    struct ranked *ranked = compose->ranked;
    unsigned of_class[POOL_CLASSES_MAX + 1] = {0};
    size_t kept = 0;

    for (uint32_t i = 0; i < compose->all.count; i++) {
        const uint32_t item = compose->all.items[i];
        ranked[i] = (struct ranked){relax_reduced(pool, &compose->relax, item), item, i};
    }
    qsort(ranked, compose->all.count, sizeof *ranked, compare_value);
    for (size_t i = 0; i < compose->all.count; i++)
        if (i < PROMISING ||
            of_class[pool->candidates[ranked[i].item].class]++ < PROMISING_OF_CLASS)
            ranked[kept++] = ranked[i];
    qsort(ranked, kept, sizeof *ranked, compare_place);
    for (size_t i = 0; i < kept; i++)
        compose->some.items[i] = ranked[i].item;
    compose->some.count = kept;
}

/* Finds the best `wanted` sets: searches wider and wider until one leaves nothing aside. */
static struct status
find(struct compose *compose, size_t wanted, bool *ret_proven)
{
    bool whole = false;

    compose->answer.shelf.wanted = wanted;
    try_nothing(compose);
    compose->items.count = compose->all.count;
    memcpy(compose->items.items, compose->all.items,
           compose->all.count * sizeof *compose->all.items);
    if (!worn_out(compose))
        TRY(search(compose, &compose->some, PROMISING_WIDTH, &whole));
    fix(compose);
    whole = false;
    for (size_t w = 0; w < COUNT_OF(widths) && !whole && !worn_out(compose); w++) {
        const struct status status = search(compose, &compose->items, widths[w], &whole);

        if (status.code == CODE_RESOURCE_EXHAUSTED && w)
            break; /* the narrower search has answered */
        TRY(status);
        fix(compose);
    }
    *ret_proven = whole;
    return OK;
}

static struct status
prepare(struct compose *compose)
{
    const struct composer_ask *ask = compose->ask;
    struct arena *memory = &compose->memory;
    const size_t spare = ask->sets_wanted - 1;

    TRY(trim_dominated(ask->pool, memory, size_max(ask->pool) + spare, ask->sets_wanted,
                       &compose->all));
    compose->answer.trimmed = (uint32_t)compose->all.count;
    TRY(need(compose->items.items = ARENA_ARRAY(memory, uint32_t, compose->all.count)));
    TRY(need(compose->some.items = ARENA_ARRAY(memory, uint32_t, compose->all.count)));
    TRY(need(compose->ranked = ARENA_ARRAY(memory, struct ranked, compose->all.count)));
    if (!late(ask))
        TRY(simplex_multipliers(ask->pool, &compose->all, memory, ask->clock, ask->deadline,
                                &compose->relax));
    pick_promising(compose);
    return OK;
}

static int64_t
ceil_units(int64_t scaled)
{
    return scaled / RELAX_SCALE + (scaled % RELAX_SCALE > 0);
}

/* No set costs less than this. */
static int64_t
bound_of(const struct compose *compose, bool proven)
{
    const int64_t target = shelf_target(&compose->answer.shelf);
    const int64_t bound = ceil_units(compose->relax.bound);

    return proven || bound > target ? target : bound;
}

static struct status
solve(struct compose *compose)
{
    struct composer_answer *answer = &compose->answer;
    bool proven;

    TRY(prepare(compose));
    TRY(find(compose, 1, &proven));
    answer->bound = bound_of(compose, proven);
    answer->ranking_proven = proven;
    answer->end = proven ? COMPOSER_PROVEN : late(compose->ask) ? COMPOSER_LATE : COMPOSER_WORK;
    if (compose->ask->sets_wanted > 1 && proven && answer->shelf.count)
        TRY(find(compose, compose->ask->sets_wanted, &answer->ranking_proven));
    return OK;
}

static void
drop_wasteful(const struct pool *pool, struct shelf *shelf)
{
    size_t kept = 0;

    for (size_t i = 0; i < shelf->count; i++)
        if (!pool_wastes(pool, &shelf->sets[i]))
            shelf->sets[kept++] = shelf->sets[i];
    shelf->count = kept;
}

struct status
composer_run(struct arena *arena, const struct composer_ask *ask, struct composer_answer *ret)
{
    struct compose *compose = ARENA_NEW(arena, struct compose);
    struct status status;

    TRY(need(compose));
    TRY(pool_check(arena, ask->pool));
    if (!ask->sets_wanted || ask->sets_wanted > SHELF_SETS_MAX)
        return FAIL_FIELD(arena, "sets_wanted", "must be 1 to %d", SHELF_SETS_MAX);
    compose->ask = ask;
    arena_init(&compose->memory, ask->memory_bytes);
    status = solve(compose);
    arena_fini(&compose->memory);
    if (status.code == CODE_RESOURCE_EXHAUSTED)
        return FAIL(arena, RESOURCE_EXHAUSTED, "the search does not fit into its memory");
    if (failed(status)) /* its texts went with the memory */
        return FAIL_FIELD(arena, "rows", "need more than %d bits", PLAN_BITS);
    drop_wasteful(ask->pool, &compose->answer.shelf);
    *ret = compose->answer;
    return OK;
}
