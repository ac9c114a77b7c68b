#pragma once

/* The documents of a version that a query gives enough points, by nobody's order.
 *
 * The points of a document are the sum of the terms of lane 0 that it has, of the best of the
 * other lanes, of its region and of its grade.  Sums stop at SCAN_POINTS_MAX; what is exact
 * below it is an upper bound at it.
 *
 * Any thread, each with a scratch of its own.
 */

#include "services/matching/engine/kernel.h"
#include "services/matching/engine/version.h"

#define SCAN_POINTS_MAX UINT16_MAX
#define SCAN_TERMS_MAX 3200u
#define SCAN_REQUIRED_MAX 16u
#define SCAN_ANY_MAX 8u
#define SCAN_CLOSED UINT16_MAX /* points of a region that is not wanted */

struct scan_term {
    uint32_t term;
    uint16_t points;
    uint8_t lane; /* below KERNEL_LANES */
};

struct scan_query {
    const struct scan_term *terms; /* by lane; each term once in a lane */
    size_t term_count;             /* at most SCAN_TERMS_MAX */
    const uint32_t *required;      /* terms that all must be there */
    size_t required_count;         /* at most SCAN_REQUIRED_MAX */
    const uint64_t *any_of;        /* of each, one class must be the document's */
    size_t any_count;              /* at most SCAN_ANY_MAX */
    const uint16_t *region_points; /* SCAN_CLOSED: not wanted, as are those beyond the count */
    size_t region_count;
    uint16_t grade_points[DOCUMENT_GRADES];
    uint16_t latest_from, earliest_until; /* filters by day */
    uint16_t least_terms;        /* whoever has fewer points by terms alone is left out */
    const struct kernel *kernel; /* NULL: the best one */
};

struct scan_hit {
    struct place place;
    uint16_t points;
    uint16_t terms; /* of them, those of terms but for the lane that is added */
};

/* Takes what is found.  Documents of fewer points than `least` are not shown; equal ones are.
 */
struct scan_sink {
    void (*keep)(struct scan_sink *sink, const struct scan_hit *hit); /* may raise `least` */
    void *context;
    uint32_t wanted; /* documents: a guess for the order of the work */
    uint16_t least;
    bool full; /* `least` is that of the last one wanted */
};

struct scan_counts {
    uint64_t blocks_kept, blocks_seen, postings;
};

struct scan_scratch;

must_use struct status scan_scratch_create(struct scan_scratch **ret);
void scan_scratch_destroy(struct scan_scratch **scratch);
const struct scan_counts *
scan_counts(const struct scan_scratch *scratch); /* since its making */

/* INVALID_ARGUMENT: a limit is passed. */
must_use struct status scan_run(const struct version *version, const struct scan_query *query,
                                struct scan_scratch *scratch, struct scan_sink *sink);

/* The points of a single document, by its terms; false: a filter or a required term refuses
 * it. */
bool scan_points(const struct scan_query *query, const struct document *document,
                 uint16_t *ret);
