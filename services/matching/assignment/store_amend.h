#pragma once

/* Amendments, and whom a round concerns; rules as in store.h. */

#include "common/pg/pg_tx.h"
#include "matching/v1/assignment.pb-c.h"
#include "services/matching/assignment/news.h"

/* Accounts of students and supervisors, each once, in their order; `circle` NULL: of all. */
must_use struct status store_audience(struct pg_tx *tx, struct arena *arena,
                                      const char *round_id, const struct news_circle *circle,
                                      const char ***ret, size_t *ret_count);

/* Adds it under the next number, which it gets with its time; the round, which is locked, gets
 * another version.  VERSION_MISMATCH. */
must_use struct status store_amend(struct pg_tx *tx, struct arena *arena,
                                   Matching__V1__Round *round, uint32_t choice,
                                   Matching__V1__Amendment *amendment);
/* In their order, those after number `after`. */
must_use struct status store_amendments(struct pg_tx *tx, struct arena *arena,
                                        const char *round_id, uint32_t after, uint32_t limit,
                                        Matching__V1__Amendment ***ret, size_t *ret_count);
must_use struct status store_amendment_count(struct pg_tx *tx, struct arena *arena,
                                             const char *round_id, uint32_t *ret);
