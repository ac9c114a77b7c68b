#pragma once

/* One effect per key: the key's row is the first statement of a write's transaction, the packed
 * answer its last.  Each service has the table `idempotency` in its schema (key = tenant,
 * principal, method, key); rows live 48 hours.
 *
 * A repeat while the first attempt runs waits on the row, at most to the deadline, then
 * ABORTED.
 */

#include "common/pg/pg_tx.h"

struct idempotency {
    const char *principal; /* "person:<id>" */
    const char *method;
    const char *key;
    const void *request; /* packed, for the fingerprint */
    size_t request_size;
};

/* The statements are the service's own: sql/idempotency_claim.sql, idempotency_store.sql,
 * idempotency_expire.sql in common/pg/sql are instantiated per schema by search_path. */
extern const struct pg_statement *const idempotency_statements[];

/* ret_known: the key has a stored answer, copied into ret_answer; do nothing more and end the
 * transaction.  KEY_REUSED: the key came with another request before. */
must_use struct status idempotency_claim(struct pg_tx *tx, const struct idempotency *key,
                                         bool *ret_known, const uint8_t **ret_answer,
                                         size_t *ret_size);
must_use struct status idempotency_store(struct pg_tx *tx, const struct idempotency *key,
                                         const void *answer, size_t size);
/* Deletes rows older than 48 hours, at most 10,000 at a time. */
must_use struct status idempotency_expire(struct pg_tx *tx, uint64_t *ret_deleted);
