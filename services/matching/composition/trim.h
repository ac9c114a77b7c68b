#pragma once

/* Leaves out candidates that others replace: of the same class, counting towards the same rows
 * or more, at the same cost or less.  One is left out when so many replace it that some are
 * free whatever else a set holds: `size_max` others and as many sets as are wanted. */

#include "services/matching/composition/relax.h"

/* Fills `ret` with the items kept, by class, cost and position.  RESOURCE_EXHAUSTED. */
must_use struct status trim_dominated(const struct pool *pool, struct arena *arena,
                                      size_t size_max, size_t sets_wanted,
                                      struct relax_items *ret);
