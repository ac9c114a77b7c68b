#pragma once

/* A small world for tests: a trilingual vocabulary of three areas, profiles by hand or by seed,
 * and the index over them. */

#include "common/base/test.h"
#include "services/matching/index.h"
#include "services/matching/search.h"

#define WORLD_TENANTS 4
#define WORLD_CONCEPTS 15

/* The concepts of the world's vocabulary. */
enum world_concept {
    AREA_DATA,
    MACHINE_LEARNING,
    COMPUTER_VISION,
    STATISTICS,
    AREA_ENERGY,
    ENERGY_EFFICIENCY,
    HEAT_PUMPS,
    SOLAR_POWER,
    AREA_PRODUCTION,
    PRODUCTION_PLANNING,
    WELDING,
    QUALITY_CONTROL,
    DEEP_LEARNING, /* beneath machine learning */
    MACHINE_VISION_SYSTEMS,
    BIOECONOMY, /* stands alone */
};

struct world {
    struct arena arena;
    struct words *words;
    struct index *index;
    struct snapshot *snapshot;
    struct score_rules rules;
    struct score_context context; /* 2026-11-22 */
    uint64_t seed;
};

void world_init(struct world *world);
void world_fini(struct world *world);

/* "0193a000-0000-7000-8000-0000cc000000" and the like: stable ids by number. */
const char *world_id(struct world *world, unsigned space, unsigned number);
const char *world_tenant(struct world *world, unsigned number);
const char *world_concept(struct world *world, enum world_concept concept);

/* A public profile of tenant 0 without anything else, number `number` of its kind. */
struct profile_row world_row(struct world *world, enum kind kind, unsigned number);
void world_wants(struct world *world, struct profile_row *row, enum world_concept concept,
                 int64_t weight);
/* What its person would like to work with. */
void world_wishes(struct world *world, struct profile_row *row, enum world_concept concept,
                  int64_t weight);
/* A row made of everything by chance; half of the persons have wishes. */
struct profile_row world_random_row(struct world *world, enum kind kind, unsigned number);
uint32_t world_random(struct world *world, uint32_t below);

/* Takes rows in (or, with row NULL, out) and makes a new snapshot. */
void world_put(struct world *world, const struct profile_row *rows, size_t count);
void world_remove(struct world *world, enum kind kind, unsigned number);
/* Puts everything in order: no tail, nobody dead. */
void world_settle(struct world *world);
const struct profile *world_find(struct world *world, enum kind kind, unsigned number);

/* A search for everything that tenant 0 may see. */
struct search world_search(struct world *world, const struct profile *subject);

/* The same by looking at every profile: what search_run is compared with. */
struct hits world_brute_force(struct world *world, const struct search *search);
