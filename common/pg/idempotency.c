#include "common/pg/idempotency.h"

#include <sodium.h>
#include <string.h>

#include "common/pg/pg_sql.h"

#define HASH_BYTES crypto_generichash_BYTES
/* A call without a tenant keeps its keys under the nil UUID, as the policy of the table does.
 */
#define NO_TENANT "00000000-0000-0000-0000-000000000000"

const struct pg_statement *const idempotency_statements[] = {
    &SQL_IDEMPOTENCY_CLAIM, &SQL_IDEMPOTENCY_FIND, &SQL_IDEMPOTENCY_STORE,
    &SQL_IDEMPOTENCY_EXPIRE, NULL};

static const char *
tenant_of(const struct pg_tx *tx)
{
    return tx->scope.tenant_id && *tx->scope.tenant_id ? tx->scope.tenant_id : NO_TENANT;
}

static struct status
hash_request(struct arena *arena, const struct idempotency *key, unsigned char *ret)
{
    if (crypto_generichash(ret, HASH_BYTES, key->request, key->request_size, NULL, 0) != 0)
        return FAIL(arena, INTERNAL, "the request cannot be hashed");
    return OK;
}

/* What an earlier, committed attempt left. */
static struct status
find(struct pg_tx *tx, const struct idempotency *key, const unsigned char *hash,
     const uint8_t **ret_answer, size_t *ret_size)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const uint8_t *stored = NULL;
    const uint8_t *answer = NULL;
    size_t stored_size = 0;
    size_t answer_size = 0;
    bool answered = false;

    TRY(pg_query(tx, &SQL_IDEMPOTENCY_FIND,
                 PG_IN(pg_text(tenant_of(tx)), pg_text(key->principal), pg_text(key->method),
                       pg_text(key->key)),
                 &rows));
    if (!rows.count) /* it was 48 hours old and has just been removed */
        return FAIL(tx->arena, ABORTED, "the key has just expired");
    TRY(pg_one_row(&rows, tx->arena,
                   PG_OUT(pg_to_bytes(&stored, &stored_size), pg_to_bool(&answered),
                          pg_to_bytes(&answer, &answer_size))));
    if (stored_size != HASH_BYTES || sodium_memcmp(stored, hash, HASH_BYTES) != 0)
        return FAIL(tx->arena, KEY_REUSED,
                    "the idempotency key came with another request before");
    if (!answered)
        return FAIL(tx->arena, INTERNAL, "an effect was committed without its answer");
    *ret_answer = answer;
    *ret_size = answer_size;
    return OK;
}

struct status
idempotency_claim(struct pg_tx *tx, const struct idempotency *key, bool *ret_known,
                  const uint8_t **ret_answer, size_t *ret_size)
{
    unsigned char hash[HASH_BYTES];
    uint64_t inserted = 0;

    TRY(hash_request(tx->arena, key, hash));
    /* Waits here while another attempt with the key runs, at most for the lock timeout. */
    TRY(pg_execute(tx, &SQL_IDEMPOTENCY_CLAIM,
                   PG_IN(pg_text(tenant_of(tx)), pg_text(key->principal), pg_text(key->method),
                         pg_text(key->key), pg_bytes(hash, sizeof hash)),
                   &inserted));
    if (inserted) {
        *ret_known = false;
        return OK;
    }
    TRY(find(tx, key, hash, ret_answer, ret_size));
    *ret_known = true;
    return OK;
}

struct status
idempotency_store(struct pg_tx *tx, const struct idempotency *key, const void *answer,
                  size_t size)
{
    uint64_t stored = 0;

    TRY(pg_execute(tx, &SQL_IDEMPOTENCY_STORE,
                   PG_IN(pg_text(tenant_of(tx)), pg_text(key->principal), pg_text(key->method),
                         pg_text(key->key), pg_bytes(answer, size)),
                   &stored));
    if (stored != 1)
        return FAIL(tx->arena, INTERNAL, "an answer without a claimed key");
    return OK;
}

struct status
idempotency_expire(struct pg_tx *tx, uint64_t *ret_deleted)
{
    return pg_execute(tx, &SQL_IDEMPOTENCY_EXPIRE, PG_NONE, ret_deleted);
}
