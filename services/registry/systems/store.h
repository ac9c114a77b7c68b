#pragma once

/* Where systems are kept.  Conventions as in organisations/store.h. */

#include "common/pg/pg_tx.h"
#include "registry/v1/systems.pb-c.h"

/* `system` has passed the rules, so its limits are there.
 * ALREADY_EXISTS: the name or the key is another system's of the tenant. */
must_use struct status store_system_insert(struct pg_tx *tx, const Registry__V1__System *system,
                                           const uint8_t *token_hash, size_t hash_size);
/* NOT_FOUND. */
must_use struct status store_system_get(struct pg_tx *tx, struct arena *arena, const char *id,
                                        Registry__V1__System **ret);
/* Keeps all but the key and the token; moves system->version on.  VERSION_MISMATCH. */
must_use struct status store_system_update(struct pg_tx *tx, struct arena *arena,
                                           Registry__V1__System *system,
                                           uint64_t expected_version);
/* VERSION_MISMATCH. */
must_use struct status store_system_revoke(struct pg_tx *tx, struct arena *arena,
                                           const char *id, uint64_t expected_version);
/* Newest first, after `before_id` ("": from the newest). */
must_use struct status store_system_list(struct pg_tx *tx, struct arena *arena,
                                         const char *before_id, uint32_t limit,
                                         Registry__V1__System ***ret, size_t *ret_count);
