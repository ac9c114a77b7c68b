#pragma once

/* Where partnerships are kept.
 *
 * Every function takes part in the caller's transaction and returns what pg_tx.h lists, besides
 * the codes named with it.  On failure nothing is written to the outputs.  Results live in
 * `arena`.
 */

#include "common/pg/pg_tx.h"
#include "registry/v1/partnerships.pb-c.h"
#include "services/registry/programmes/case.h"

/* It has passed rules_partnership and carries its id.  Its members are put by themselves. */
must_use struct status store_partnership_insert(struct pg_tx *tx,
                                                const Registry__V1__Partnership *partnership);

/* All but the members.  VERSION_MISMATCH. */
must_use struct status store_partnership_update(struct pg_tx *tx, struct arena *arena,
                                                Registry__V1__Partnership *partnership,
                                                uint64_t expected_version);

must_use struct status store_member_put(struct pg_tx *tx, const char *partnership_id,
                                        const Registry__V1__PartnershipMember *member);

struct partnership_filter {
    const char *before_id; /* "" from the newest */
    const char *id;        /* "": any */
    const char *member_id; /* organisation that was asked to join; "": any */
    uint32_t limit;
};
must_use struct status store_partnership_list(struct pg_tx *tx, struct arena *arena,
                                              const struct partnership_filter *filter,
                                              Registry__V1__Partnership ***ret,
                                              size_t *ret_count);

/* A verdict without words. */
must_use struct status store_partnership_verdict(struct pg_tx *tx, struct arena *arena,
                                                 const char *id, const char *partnership_id,
                                                 const Registry__V1__Verdict *verdict);

/* The graph around these organisations; at most RULE_CASE_ITEMS edges. */
must_use struct status store_partnership_relations(struct pg_tx *tx, struct arena *arena,
                                                   const char *const *ids, size_t count,
                                                   struct rule_relation **ret,
                                                   size_t *ret_count);
