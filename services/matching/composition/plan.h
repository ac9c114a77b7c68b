#pragma once

/* What the search knows beforehand: how a label counts, what each item adds to it, and what
 * the items that are still to come can give at best. */

#include "services/matching/composition/relax.h"

/* A label's key: one bit for each row that needs one, a small number for each other row, at
 * the top the classes shown (up to the need) and whether the class at hand is one of them. */
#define PLAN_OPEN (UINT64_C(1) << 63)
#define PLAN_CLASSES_SHIFT 59
#define PLAN_CLASSES_MASK UINT64_C(15)
#define PLAN_BITS 59

struct plan_field {
    uint64_t mask;
    unsigned shift, need, cap;
    bool limited; /* counting beyond `cap` is forbidden */
    size_t row;
    int64_t multiplier;
};

struct plan_item {
    uint64_t bits;        /* rows of one bit */
    uint64_t fields;      /* which of the plan's fields it counts towards */
    uint64_t group;       /* bit of its group among those with several items; 0: none */
    uint64_t groups_live; /* groups that still have items behind this one */
    int64_t cost;         /* scaled */
    uint32_t item;
    bool counts, last_of_class;
};

/* The least that the items behind can add, by classes still needed; scaled. */
struct plan_rest {
    int64_t open[POOL_NEED_MAX + 1]; /* when the class at hand is shown already */
    int64_t shut[POOL_NEED_MAX + 1];
};

struct plan {
    const struct pool *pool;
    struct plan_field fields[POOL_ROWS_MAX];
    size_t field_count;
    int64_t bit_multipliers[64];
    size_t bit_rows[64];
    uint64_t hard_bits; /* that a set must have */
    size_t bit_count;
    int64_t needs_value; /* multipliers on all needs: where a label starts */
    struct plan_item *items;
    struct plan_rest *rests; /* [i]: behind item i - 1 */
    size_t count;
    bool groups_lost; /* more groups than bits: the search forbids too much */
};

must_use struct status plan_make(const struct pool *pool, const struct relax_items *items,
                                 const struct relax *relax, struct arena *arena,
                                 struct plan *ret);

static inline unsigned
plan_classes_needed(const struct plan *plan, uint64_t key)
{
    return plan->pool->distinct_need -
           (unsigned)(key >> PLAN_CLASSES_SHIFT & PLAN_CLASSES_MASK);
}

static inline int64_t
plan_rest(const struct plan *plan, size_t next, uint64_t key)
{
    const struct plan_rest *rest = &plan->rests[next];
    const unsigned need = plan_classes_needed(plan, key);

    return key & PLAN_OPEN ? rest->open[need] : rest->shut[need];
}

/* Whether a set with this key meets every hard row; the forfeits of the others and the value of
 * their multipliers (both scaled). */
bool plan_complete(const struct plan *plan, uint64_t key, int64_t *ret_forfeits,
                   int64_t *ret_value);
