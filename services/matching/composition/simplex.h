#pragma once

/* The best multipliers of a pool: the duals of its linear relaxation, by the revised simplex
 * method with bounded variables and a dense inverse (Dantzig 1955; rows are few, candidates
 * many).
 *
 * The answer need not be optimal to be used: a bound is made from whatever multipliers come
 * out, with integers (see relax.h). */

#include "common/base/clock.h"
#include "services/matching/composition/relax.h"

/* Raises `relax` when it finds better multipliers.  The same input gives the same result,
 * unless the deadline ends it. RESOURCE_EXHAUSTED. */
must_use struct status simplex_multipliers(const struct pool *pool,
                                           const struct relax_items *items, struct arena *arena,
                                           const struct clock *clock, struct mono deadline,
                                           struct relax *relax);
