#include "services/matching/composition/relax.h"

#include <stdlib.h>

#define MULTIPLIER_MAX 1e12

int64_t
relax_reduced(const struct pool *pool, const struct relax *relax, uint32_t item)
{
    const struct pool_candidate *candidate = &pool->candidates[item];
    int64_t value = (int64_t)candidate->cost * RELAX_SCALE;

    for (uint64_t rest = candidate->rows; rest; rest &= rest - 1)
        value -= relax->multipliers[__builtin_ctzll(rest)];
    return value;
}

/* One class of the exact evaluation with integers. */
struct account {
    int64_t negative, least;
    int64_t open, extra; /* best value; what opening it costs beyond that */
    bool any;
};

struct accounts {
    struct account of[POOL_CLASSES_MAX + 1];
    int64_t sum; /* multipliers on needs, and every class at its best */
};

static int
compare_cost(const void *left, const void *right)
{
    const int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

static void
settle(const struct pool *pool, const struct relax *relax, const struct relax_items *items,
       struct accounts *ret)
{
    *ret = (struct accounts){0};
    for (size_t r = 0; r < pool->row_count; r++)
        ret->sum += relax->multipliers[r] * pool->rows[r].need;
    for (size_t i = 0; i < items->count; i++) {
        const int64_t value = relax_reduced(pool, relax, items->items[i]);
        struct account *account = &ret->of[pool->candidates[items->items[i]].class];

        if (!account->any || value < account->least)
            account->least = value;
        account->any = true;
        account->negative += value < 0 ? value : 0;
    }
    ret->sum += ret->of[0].negative;
    for (size_t c = 1; c <= POOL_CLASSES_MAX; c++) {
        struct account *account = &ret->of[c];
        const int64_t value = (account->negative < 0 ? account->negative : account->least) -
                              (int64_t)pool->class_bonus * RELAX_SCALE;

        account->open = value < 0 && account->any ? value : 0;
        account->extra = value - account->open;
        ret->sum += account->open;
    }
}

/* What it costs to show `need` classes, the one at `forced` (0: none) being shown already. */
static int64_t
shortfall(const struct accounts *accounts, unsigned need, size_t forced)
{
    int64_t extras[POOL_CLASSES_MAX], sum = 0;
    size_t count = 0;

    need -= forced && need ? 1 : 0;
    for (size_t c = 1; c <= POOL_CLASSES_MAX; c++)
        if (accounts->of[c].any && c != forced)
            extras[count++] = accounts->of[c].extra;
    if (count < need)
        return RELAX_INFINITE;
    qsort(extras, count, sizeof extras[0], compare_cost);
    for (size_t i = 0; i < need; i++)
        sum += extras[i];
    return sum;
}

static int64_t
exact_bound(const struct pool *pool, const struct relax *relax, const struct relax_items *items)
{
    struct accounts accounts;
    int64_t missing;

    settle(pool, relax, items, &accounts);
    missing = shortfall(&accounts, pool->distinct_need, 0);
    return missing >= RELAX_INFINITE ? RELAX_INFINITE : accounts.sum + missing;
}

void
relax_take(const struct pool *pool, const struct relax_items *items,
           const double multipliers[POOL_ROWS_MAX], struct relax *relax)
{
    struct relax better = {0};

    for (size_t r = 0; r < pool->row_count; r++) {
        const struct pool_row *row = &pool->rows[r];
        const double most = row->forfeit ? row->forfeit : MULTIPLIER_MAX;
        const double l = multipliers[r] > most ? most : multipliers[r];

        if (row->need && l > 0)
            better.multipliers[r] = (int64_t)(l * RELAX_SCALE);
    }
    better.bound = exact_bound(pool, &better, items);
    relax->bound = exact_bound(pool, relax, items);
    if (better.bound > relax->bound)
        *relax = better;
}

void
relax_fix(const struct pool *pool, const struct relax *relax, int64_t target,
          struct relax_items *items)
{
    struct accounts accounts;
    int64_t forced[POOL_CLASSES_MAX + 1];
    size_t kept = 0;

    settle(pool, relax, items, &accounts);
    for (size_t c = 0; c <= POOL_CLASSES_MAX; c++)
        forced[c] = shortfall(&accounts, pool->distinct_need, c);
    for (size_t i = 0; i < items->count; i++) {
        const uint32_t item = items->items[i];
        const size_t class = pool->candidates[item].class;
        const int64_t value = relax_reduced(pool, relax, item);
        const struct account *account = &accounts.of[class];
        int64_t bound = accounts.sum + forced[class];

        bound += value > 0 ? value : 0;
        if (class)
            bound +=
                account->negative - account->open - (int64_t)pool->class_bonus * RELAX_SCALE;
        if (bound <= (target - 1) * RELAX_SCALE)
            items->items[kept++] = item;
    }
    items->count = kept;
}
