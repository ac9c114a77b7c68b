#pragma once

/* Pools for tests and measurements: the same seed gives the same pool. */

#include "services/matching/composition/pool.h"

#define TEST_POOL_COMPETENCES 12

/* Competences, at least six organisations of three countries, two of one kind and two of
 * another. Typical: one to five competences each, countries mixed.  Hard: one or two each,
 * three quarters in one cheap country. `candidates` has room for `count`. */
void test_pool_fill(struct pool *pool, struct pool_candidate *candidates, size_t count,
                    bool hard, uint64_t seed);

/* A small pool with every feature: limits, forfeits, groups, classes and a bonus. */
void test_pool_mixed(struct pool *pool, struct pool_candidate *candidates, size_t count,
                     uint64_t seed);
