#include "services/matching/composition/trim.h"

#include <stdlib.h>

/* A tenth of a second; a count, so that equal pools are trimmed alike. */
#define TRIM_WORK_MAX ((size_t)64 << 20)

/* Those kept of one class that count towards exactly the same rows and are in no group. */
struct kind {
    uint64_t rows;
    uint32_t kept;
};

struct sorted {
    uint32_t cost, item;
    uint16_t class;
};

static int
compare(const void *left, const void *right)
{
    const struct sorted *a = left, *b = right;

    if (a->class != b->class)
        return a->class < b->class ? -1 : 1;
    if (a->cost != b->cost)
        return a->cost < b->cost ? -1 : 1;
    return (a->item > b->item) - (a->item < b->item);
}

/* Rows with a limit must be the same: to count towards one more could be one too many. */
static uint64_t
limited_rows(const struct pool *pool)
{
    uint64_t rows = 0;

    for (size_t r = 0; r < pool->row_count; r++)
        if (pool->rows[r].limit != POOL_NO_LIMIT)
            rows |= UINT64_C(1) << r;
    return rows;
}

struct trim {
    struct kind *kinds; /* of the class at hand; `room` places by hash, the used ones listed */
    uint32_t *used;
    size_t used_count, room;
    uint64_t limited;
    uint32_t enough;
    size_t work; /* kinds compared */
};

static struct kind *
kind_of(struct trim *trim, uint64_t rows)
{
    size_t at = (size_t)(rows * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (trim->room - 1);

    while (trim->kinds[at].kept && trim->kinds[at].rows != rows)
        at = (at + 1) & (trim->room - 1);
    trim->kinds[at].rows = rows;
    return &trim->kinds[at];
}

static bool
dominated(struct trim *trim, uint64_t rows)
{
    uint32_t found = kind_of(trim, rows)->kept;

    if (trim->work > TRIM_WORK_MAX)
        return found >= trim->enough; /* others may stay: no answer changes by it */
    trim->work += trim->used_count;
    for (size_t i = 0; i < trim->used_count && found < trim->enough; i++) {
        const struct kind *kind = &trim->kinds[trim->used[i]];

        if (kind->rows != rows && (kind->rows & rows) == rows &&
            (kind->rows & trim->limited) == (rows & trim->limited))
            found += kind->kept;
    }
    return found >= trim->enough;
}

static void
keep(struct trim *trim, const struct pool_candidate *candidate)
{
    struct kind *kind = kind_of(trim, candidate->rows);

    if (candidate->group)
        return;
    if (!kind->kept)
        trim->used[trim->used_count++] = (uint32_t)(kind - trim->kinds);
    kind->kept++;
}

static void
clear(struct trim *trim)
{
    for (size_t i = 0; i < trim->used_count; i++)
        trim->kinds[trim->used[i]].kept = 0;
    trim->used_count = 0;
}

struct status
trim_dominated(const struct pool *pool, struct arena *arena, size_t size_max,
               size_t sets_wanted, struct relax_items *ret)
{
    struct trim trim = {.room = 64,
                        .limited = limited_rows(pool),
                        .enough = (uint32_t)(size_max + sets_wanted - 1)};
    struct sorted *order = ARENA_ARRAY(arena, struct sorted, pool->count);
    struct relax_items kept = {ARENA_ARRAY(arena, uint32_t, pool->count), 0};

    while (trim.room < pool->count * 2)
        trim.room *= 2;
    TRY(need(order));
    TRY(need(kept.items));
    TRY(need(trim.kinds = ARENA_ARRAY(arena, struct kind, trim.room)));
    TRY(need(trim.used = ARENA_ARRAY(arena, uint32_t, pool->count)));
    for (uint32_t i = 0; i < pool->count; i++)
        order[i] = (struct sorted){pool->candidates[i].cost, i, pool->candidates[i].class};
    qsort(order, pool->count, sizeof *order, compare);
    for (size_t i = 0; i < pool->count; i++) {
        const struct pool_candidate *candidate = &pool->candidates[order[i].item];

        if (i && order[i].class != order[i - 1].class)
            clear(&trim);
        if (dominated(&trim, candidate->rows))
            continue;
        keep(&trim, candidate);
        kept.items[kept.count++] = order[i].item;
    }
    *ret = kept;
    return OK;
}
