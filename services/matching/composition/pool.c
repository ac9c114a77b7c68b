#include "services/matching/composition/pool.h"

#include <string.h>

static struct status
check_row(struct arena *arena, const struct pool_row *row, size_t at)
{
    if (row->need > POOL_NEED_MAX)
        return FAIL_FIELD(arena, arena_printf(arena, "rows[%zu].need", at), "at most %d",
                          POOL_NEED_MAX);
    if (row->limit > POOL_NEED_MAX && row->limit != POOL_NO_LIMIT)
        return FAIL_FIELD(arena, arena_printf(arena, "rows[%zu].limit", at), "at most %d",
                          POOL_NEED_MAX);
    if (row->forfeit > POOL_COST_MAX || (row->forfeit && row->need != 1))
        return FAIL_FIELD(arena, arena_printf(arena, "rows[%zu].forfeit", at),
                          "must be at most %u, of a row that needs one", POOL_COST_MAX);
    return OK;
}

static struct status
check_candidate(struct arena *arena, const struct pool *pool, size_t at)
{
    const struct pool_candidate *candidate = &pool->candidates[at];

    if (!candidate->cost || candidate->cost > POOL_COST_MAX)
        return FAIL_FIELD(arena, arena_printf(arena, "candidates[%zu].cost", at),
                          "must be 1 to %u", POOL_COST_MAX);
    if (candidate->class > POOL_CLASSES_MAX)
        return FAIL_FIELD(arena, arena_printf(arena, "candidates[%zu].class", at), "at most %d",
                          POOL_CLASSES_MAX);
    if (candidate->rows >> pool->row_count)
        return FAIL_FIELD(arena, arena_printf(arena, "candidates[%zu].rows", at),
                          "names a row that is not there");
    return OK;
}

struct status
pool_check(struct arena *arena, const struct pool *pool)
{
    if (pool->row_count > POOL_ROWS_MAX)
        return FAIL_FIELD(arena, "rows", "at most %d", POOL_ROWS_MAX);
    if (pool->count > POOL_CANDIDATES_MAX)
        return FAIL_FIELD(arena, "candidates", "at most %d", POOL_CANDIDATES_MAX);
    if (pool->distinct_need > POOL_NEED_MAX)
        return FAIL_FIELD(arena, "distinct_need", "at most %d", POOL_NEED_MAX);
    if (pool->class_bonus > POOL_COST_MAX)
        return FAIL_FIELD(arena, "class_bonus", "at most %u", POOL_COST_MAX);
    for (size_t i = 0; i < pool->row_count; i++)
        TRY(check_row(arena, &pool->rows[i], i));
    for (size_t i = 0; i < pool->count; i++)
        TRY(check_candidate(arena, pool, i));
    return OK;
}

/* As `pool_holds`, of the set without the member at `skip`. */
static bool
holds_without(const struct pool *pool, const struct pool_set *set, size_t skip,
              int64_t *ret_cost)
{
    unsigned found[POOL_ROWS_MAX] = {0};
    bool seen[POOL_CLASSES_MAX + 1] = {false};
    unsigned classes = 0;
    int64_t cost = 0;

    for (size_t i = 0; i < set->count; i++) {
        const struct pool_candidate *member = &pool->candidates[set->members[i]];

        if (i == skip)
            continue;
        for (size_t k = 0; member->group && k < i; k++)
            if (k != skip && pool->candidates[set->members[k]].group == member->group)
                return false;
        cost += member->cost;
        for (uint64_t rest = member->rows; rest; rest &= rest - 1)
            found[__builtin_ctzll(rest)]++;
        classes += member->class && !seen[member->class];
        seen[member->class] = true;
    }
    for (size_t r = 0; r < pool->row_count; r++) {
        const struct pool_row *row = &pool->rows[r];

        if ((row->limit != POOL_NO_LIMIT && found[r] > row->limit) ||
            (found[r] < row->need && !row->forfeit))
            return false;
        cost += found[r] < row->need ? row->forfeit : 0;
    }
    *ret_cost = cost - (int64_t)classes * pool->class_bonus;
    return classes >= pool->distinct_need;
}

bool
pool_holds(const struct pool *pool, const struct pool_set *set, int64_t *ret_cost)
{
    return holds_without(pool, set, SIZE_MAX, ret_cost);
}

bool
pool_wastes(const struct pool *pool, const struct pool_set *set)
{
    int64_t cost;

    for (size_t skip = 0; skip < set->count; skip++)
        if (holds_without(pool, set, skip, &cost) && cost <= set->cost)
            return true;
    return false;
}
