#pragma once

/* The best people for a query by a look at every one of them, from the definition alone: what
 * all that is measured must find. */

#include "tests/bench/matching/population.h"

struct oracle_hit {
    uint64_t id;
    uint32_t points;
};

/* Best first, of equals the smaller id; how many. */
size_t oracle_best(const struct population *population, const struct sought *sought,
                   bool strict, struct oracle_hit *into, size_t room);
