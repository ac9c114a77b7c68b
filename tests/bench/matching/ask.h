#pragma once

/* The population as the engine sees it. */

#include "services/matching/engine/engine.h"
#include "services/matching/engine/top.h"
#include "tests/bench/matching/population.h"

#define ASK_BEST 50u

struct ask {
    struct scan_term terms[QUERY_TERMS];
    uint32_t required[QUERY_REQUIRED];
    uint64_t languages;
    uint16_t regions[REGIONS];
    struct scan_query query;
};

/* A query of the population; `strict`: all that is required must be covered. */
void ask_make(const struct sought *sought, bool strict, struct ask *ret);

/* A person as a document with this id; its terms go into `terms`. */
void ask_person(const struct population *population, uint64_t number, uint64_t id,
                uint32_t *terms, struct document *ret);

/* All of them, as base_build reads them; the population is the context. */
struct base_source ask_source(struct population *population);
