#pragma once

/* Documents and queries by chance, and the look at every document that finds are compared
 * with.  For tests alone. */

#include "common/base/test.h"
#include "services/matching/engine/engine.h"
#include "services/matching/engine/top.h"

#define TERMS 600u
#define REGIONS 7u
#define CLASSES 6u
#define TAIL 256u
#define LIMIT 40u

struct test_world {
    struct engine *engine;
    struct scan_scratch *scratch;
    uint64_t seed, next_id;
    uint32_t terms[DOCUMENT_TERMS_MAX];
    int items_out; /* not yet given back */
    bool lanes;
};

struct wish {
    struct scan_term terms[10 * KERNEL_LANES];
    uint32_t required[3];
    uint64_t any_of[2];
    uint16_t region_points[REGIONS];
    struct scan_query query;
};

struct test_world *test_world_create(uint64_t seed);
/* Every item must have been given back. */
void test_world_destroy(struct test_world *world);

uint32_t test_chance(struct test_world *world, uint32_t below);
/* Its terms lie in the world until the next one is made. */
struct document test_document(struct test_world *world);
void test_drop(void *item);
void *test_item(struct test_world *world);
void test_insert(struct test_world *world, uint32_t count);
void test_remove_some(struct test_world *world, uint32_t count);
void test_wish(struct test_world *world, struct wish *wish);

/* What all kernels find is what a look at every document finds; how many that are. */
uint32_t test_exact(struct test_world *world, const struct version *version,
                    struct scan_query *query, uint32_t limit);
/* The same for some queries by chance of what is there now. */
uint32_t test_wishes(struct test_world *world, uint32_t count);
