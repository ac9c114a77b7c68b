#pragma once

/* The best sets found so far: a bounded list without doubles, cheapest first. */

#include "services/matching/composition/pool.h"

#define SHELF_SETS_MAX 20

struct shelf {
    struct pool_set sets[SHELF_SETS_MAX];
    size_t count;
    size_t wanted; /* 1..SHELF_SETS_MAX */
};

/* What a set must cost less than to be put here; RELAX_NO_TARGET when all are
 * welcome.*/
int64_t shelf_target(const struct shelf *shelf);

/* Puts a set in its place when it is cheaper than the target and not there yet.  Its members
 * are sorted by the caller. */
void shelf_put(struct shelf *shelf, const struct pool_set *set);
