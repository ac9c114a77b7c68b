#pragma once

/* Lower bounds for a pool by Lagrangian relaxation.
 *
 * The rows are relaxed with multipliers; the count of classes is not: given the multipliers,
 * the cheapest choice that shows enough classes is found exactly, class by class.  The bound at
 * the best multipliers equals that of the linear relaxation (Geoffrion 1974, "Lagrangean
 * relaxation for integer programming"), whose duals they are (see simplex.h).
 *
 * Multipliers are handed out as integers, so that every bound made with them is exact whatever
 * the search did.  Limits and groups are left out: that only lowers the bound.
 */

#include "services/matching/composition/pool.h"

#define RELAX_SCALE 256                /* of multipliers and bounds: units per unit of cost */
#define RELAX_INFINITE (INT64_MAX / 4) /* there is no such set */
#define RELAX_NO_TARGET (RELAX_INFINITE / RELAX_SCALE) /* in units of cost */

struct relax {
    int64_t multipliers[POOL_ROWS_MAX];
    int64_t bound; /* of the pool's items that it was made for; scaled */
};

/* Candidates under consideration, in the order of their classes. */
struct relax_items {
    uint32_t *items; /* positions in the pool */
    size_t count;
};

/* The cost of an item less what its rows are worth; scaled. */
int64_t relax_reduced(const struct pool *pool, const struct relax *relax, uint32_t item);

/* Takes multipliers over when their bound is better. */
void relax_take(const struct pool *pool, const struct relax_items *items,
                const double multipliers[POOL_ROWS_MAX], struct relax *relax);

/* Leaves out the items with which no set costs less than `target` (not scaled). */
void relax_fix(const struct pool *pool, const struct relax *relax, int64_t target,
               struct relax_items *items);
