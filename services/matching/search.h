#pragma once

/* The best counterparts of a profile in a snapshot, exactly: those that a look at every pair
 * finds, by score and then by id. */

#include "services/matching/snapshot.h"

#define SEARCH_LIMIT_MAX 100

struct kernel;

struct search {
    const struct profile *subject;
    const struct score_context *context;
    const struct uid *viewer; /* only what this tenant may see; NULL: what the seeking side's
                                 tenant may see */
    unsigned kinds;           /* bit n: enum kind n is wanted; 0: all */
    const char *const *person_kinds;
    size_t person_kind_count;    /* 0: all */
    const char *nuts;            /* prefix; "": anywhere */
    size_t limit;                /* 1..SEARCH_LIMIT_MAX */
    uint32_t least_total;        /* scores below are left out */
    const struct kernel *kernel; /* of the engine, for tests; NULL: the best one here */
};

struct hit {
    const struct profile *profile; /* the counterpart; lives as long as the snapshot */
    struct score score;
};

struct hits {
    struct hit *items; /* best first; in the arena */
    size_t count;
};

must_use struct status search_run(const struct snapshot *snapshot, const struct search *search,
                                  struct arena *arena, struct hits *ret);

/* Whether a counterpart passes everything but the score: kinds, sight, region, the pair's
 * filters. */
bool search_admits(const struct search *search, const struct profile *other);

/* The order of hits: better first. */
int hit_compare(const struct hit *a, const struct hit *b);
