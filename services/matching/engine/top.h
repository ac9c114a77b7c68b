#pragma once

/* The best documents of a query: most points first, then the smaller id.  Exactly those that a
 * look at every document finds, as long as nobody has SCAN_POINTS_MAX. */

#include "services/matching/engine/scan.h"

#define TOP_MAX 1024u

struct top_hit {
    uint64_t id;
    struct place place;
    uint16_t points;
};

struct top {
    struct top_hit *items; /* the caller's room for `limit` */
    uint32_t count, limit; /* 1..TOP_MAX */
};

/* Fills `top`, best first. */
must_use struct status top_run(const struct version *version, const struct scan_query *query,
                               struct scan_scratch *scratch, struct top *top);
