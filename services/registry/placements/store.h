#pragma once

/* Where placements are kept.
 *
 * Every function takes part in the caller's transaction and returns what pg_tx.h lists, besides
 * the codes named with it.  On failure nothing is written to the outputs.  Results live in
 * `arena`.
 */

#include "common/pg/pg_tx.h"
#include "registry/v1/placements.pb-c.h"

struct placement_row {
    Registry__V1__Placement *placement;
    const char *tenant_id;
    Registry__V1__Visibility visibility;
    const char **shared_with;
    size_t shared_with_count;
    const char *ended_reason; /* of a termination; "" otherwise */
};

/* The placement has passed rules_placement and carries its id.
 * FAILED_PRECONDITION: something it refers to does not exist in the tenant. */
must_use struct status store_placement_insert(struct pg_tx *tx, struct arena *arena,
                                              const Registry__V1__Placement *placement);

/* Stores what a person may change, its state and eligibility.  VERSION_MISMATCH. */
must_use struct status store_placement_update(struct pg_tx *tx, struct arena *arena,
                                              Registry__V1__Placement *placement,
                                              uint64_t expected_version);

/* Stores what a step changes.  VERSION_MISMATCH. */
must_use struct status store_placement_step(struct pg_tx *tx, struct arena *arena,
                                            struct placement_row *row,
                                            uint64_t expected_version);

/* NOT_FOUND: it does not exist, or is not the tenant's to see. */
must_use struct status store_placement_get(struct pg_tx *tx, struct arena *arena,
                                           const char *id, struct placement_row *ret);

struct placement_filter {
    const char *before_id;            /* "" from the newest */
    int state;                        /* 0: any */
    const char *host_organisation_id; /* "": any */
    const char *graduate_id;          /* "": all; else advertised ones and this person's */
    uint32_t limit;
};
must_use struct status store_placement_list(struct pg_tx *tx, struct arena *arena,
                                            const struct placement_filter *filter,
                                            Registry__V1__Placement ***ret, size_t *ret_count);

/* Fills what the request left open from its need.  NOT_FOUND: the tenant has no such need. */
must_use struct status store_placement_from_need(struct pg_tx *tx, struct arena *arena,
                                                 Registry__V1__Placement *placement);

/* The tenant's own organisation; "" when none is set. */
must_use struct status store_placement_home(struct pg_tx *tx, struct arena *arena,
                                            const char **ret);

must_use struct status store_review_insert(struct pg_tx *tx, const char *id,
                                           const Registry__V1__RecordReviewRequest *request,
                                           const char *held_on);

/* A verdict without words. */
must_use struct status store_verdict_insert(struct pg_tx *tx, struct arena *arena,
                                            const char *id, const char *placement_id,
                                            const Registry__V1__Verdict *verdict);
struct verdict_row {
    const char *id;
    Registry__V1__Verdict *verdict;
};
must_use struct status store_verdict_list(struct pg_tx *tx, struct arena *arena,
                                          const char *placement_id, const char *before_id,
                                          uint32_t limit, struct verdict_row **ret,
                                          size_t *ret_count);
/* UNSPECIFIED: there is none. */
must_use struct status store_verdict_last(struct pg_tx *tx, struct arena *arena,
                                          const char *placement_id,
                                          Registry__V1__Verdict__Overall *ret);
