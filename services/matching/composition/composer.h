#pragma once

/* Finds the cheapest sets of a pool, with proof or with the gap that remains.
 *
 * Dominated candidates are left out, multipliers are sought, then searches of growing width
 * alternate with fixing by reduced cost until the search leaves nothing aside.  The answer
 * depends on the pool, `sets_wanted` and `work_max` only, unless the deadline ends it; then it
 * says so. Needs up to `memory_bytes` for itself.
 */

#include "services/matching/composition/labels.h"

#define COMPOSER_MEMORY_BYTES ((size_t)512 << 20)

struct composer_ask {
    const struct pool *pool;
    size_t sets_wanted; /* 1..SHELF_SETS_MAX */
    uint64_t work_max;  /* partial sets looked at; 0: no bound but the deadline */
    size_t memory_bytes;
    const struct clock *clock;
    struct mono deadline;
};

enum composer_end {
    COMPOSER_PROVEN, /* the first set is the best there is, or there is none */
    COMPOSER_WORK,   /* ended by work_max, width or memory: a gap remains */
    COMPOSER_LATE    /* ended by the deadline: a gap remains */
};

struct composer_answer {
    struct shelf shelf;
    enum composer_end end;
    bool ranking_proven; /* the sets are the best `sets_wanted` */
    int64_t bound;       /* no set costs less; meaningless when there is provably none */
    uint64_t work;
    uint32_t trimmed; /* candidates that dominance left */
    uint32_t core;    /* that the last search looked at */
};

/* INVALID_ARGUMENT names the field of the pool; RESOURCE_EXHAUSTED.  Sets that waste a member
 * are not among those told, so fewer than wanted may be. */
must_use struct status composer_run(struct arena *arena, const struct composer_ask *ask,
                                    struct composer_answer *ret);
