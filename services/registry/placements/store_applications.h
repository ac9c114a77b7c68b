#pragma once

/* Where applications are kept.  Conventions as in store.h. */

#include "common/pg/pg_tx.h"
#include "registry/v1/placements.pb-c.h"

/* ALREADY_EXISTS: the person has applied already. */
must_use struct status store_application_insert(struct pg_tx *tx, struct arena *arena,
                                                const Registry__V1__Application *application);
/* NOT_FOUND. */
must_use struct status store_application_get(struct pg_tx *tx, struct arena *arena,
                                             const char *id, Registry__V1__Application **ret);
/* Stores state and reason.  VERSION_MISMATCH. */
must_use struct status store_application_decide(struct pg_tx *tx, struct arena *arena,
                                                Registry__V1__Application *application,
                                                uint64_t expected_version);
/* Rejects all others that are not decided yet; at most `most` ids are given back. */
must_use struct status
store_application_reject_others(struct pg_tx *tx, struct arena *arena, const char *placement_id,
                                const char *but_id, Registry__V1__ApplicationReason reason,
                                const char ***ret_ids, size_t *ret_count);
/* Oldest first, after `after_id`; `person_id` "" gives everybody's. */
must_use struct status store_application_list(struct pg_tx *tx, struct arena *arena,
                                              const char *placement_id, const char *after_id,
                                              const char *person_id, uint32_t limit,
                                              Registry__V1__Application ***ret,
                                              size_t *ret_count);
