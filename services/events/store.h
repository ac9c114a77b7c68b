#pragma once

/* Typed functions over the tables of the log; the only file that knows them.
 *
 * Failures are those of pg.h.  What is returned lives in the transaction's arena.
 */

#include "common/pg/pg_tx.h"
#include "services/events/block.h"
#include "services/events/rules.h"

extern const struct pg_statement *const *const store_statements[]; /* NULL at the end */

#define STORE_SEQUENCER_LOCK 0x73657175656e6365 /* "sequence": any number nobody else uses */

/* A row on its way from the outbox to the log. */
struct store_outbox_row {
    int64_t id;
    const char *tenant_id;
    bool internal;
    struct bytes event;
    int64_t created_unix_ms;
};

struct store_taken {
    bool leader;     /* this session holds the sequencer's lock; without it nothing is taken */
    int64_t session; /* the server process; another number is another session */
    size_t count;
    struct store_outbox_row *rows; /* by id */
};

/* Takes the lock if it is free, and then removes the oldest rows of the outbox, at most
 * `limit`. */
must_use struct status store_take(struct pg_tx *tx, size_t limit, struct store_taken *ret);

/* A session that does nothing for 3 s, because its process is stopped, must lose the lock. */
must_use struct status store_settle(struct pg_tx *tx);

/* Ends the session of a leader that has not read an answer for 3 s.  Postgres waits for such a
 * reader without limit and calls it active, so the timeouts of idle sessions do not end it. */
must_use struct status store_unseat(struct pg_tx *tx, uint64_t *ret_ended);

must_use struct status store_head(struct pg_tx *tx, uint64_t *ret_position,
                                  uint64_t *ret_first_kept);
/* Deferred; fails with FAILED_PRECONDITION where the head is not at `from`, because another
 * sequencer has numbered. */
must_use struct status store_move_head(struct pg_tx *tx, uint64_t from, uint64_t to);

struct store_block {
    uint64_t position;
    uint32_t count;
    struct texts tenant_ids, types;
    bool shared;
    struct bytes data;
};

/* Deferred; fails with ALREADY_EXISTS where the position is taken. */
must_use struct status store_add_block(struct pg_tx *tx, const struct store_block *block);

struct store_stream {
    const char *tenant_id;
    uint64_t last; /* 0: the tenant has no event yet */
    uint8_t chain[PACKED_HASH_BYTES];
};

/* The streams of the tenants that have one. */
must_use struct status store_streams(struct pg_tx *tx, struct texts tenant_ids,
                                     struct store_stream **ret, size_t *ret_count);
/* Deferred. */
must_use struct status store_move_streams(struct pg_tx *tx, const struct store_stream *streams,
                                          size_t count);

struct store_append {
    const char *tenant_id, *source;
    uint64_t batch_number;
    uint8_t digest[PACKED_HASH_BYTES];
    /* The answer: positions of what was added, 0 when nothing was. */
    uint64_t first, last;
    uint32_t duplicates; /* events left out, because they are known */
};

/* NOT_FOUND: the batch is new; then `ret_highest` is the greatest number that is known of its
 * source.  KEY_REUSED: its number came with other bytes.  Fills the answer. */
must_use struct status store_find_append(struct pg_tx *tx, struct store_append *append,
                                         uint64_t *ret_highest);

/* Batches that are stored together. */
struct store_claims {
    const char **tenant_ids, **sources;
    int64_t *batch_numbers, *first, *last, *duplicates;
    uint8_t *digests;
    size_t count;
};
must_use struct status store_claims_begin(struct store_claims *claims, struct arena *arena,
                                          size_t room);
void store_claims_add(struct store_claims *claims, const struct store_append *append);
/* Deferred; fails with ALREADY_EXISTS where one came at the same time by another way. */
must_use struct status store_claims_put(struct pg_tx *tx, const struct store_claims *claims);

must_use struct status store_park(struct pg_tx *tx, const struct store_outbox_row *row,
                                  const char *reason);

/* At most `limit` blocks from the one that holds position after + 1; blocks in which the sieve
 * can pass nothing come without data.  NULL sieve: all data.  The list is the caller's. */
must_use struct status store_page(struct pg_tx *tx, uint64_t after, size_t limit,
                                  const struct sieve *sieve, struct block **ret);
/* Releases a list. */
void store_page_release(struct block **page);

struct store_system {
    const char *system_id;
    struct rights rights;
};

/* Keys that may follow, by system_id; none before registry publishes them. */
must_use struct status store_systems(struct pg_tx *tx, struct store_system **ret,
                                     size_t *ret_count);
must_use struct status store_find_system(struct pg_tx *tx, const char *system_id,
                                         struct store_system *ret);
must_use struct status store_systems_published(struct pg_tx *tx, bool *ret);

/* Age of the oldest row in the outbox; 0 when it is empty. */
must_use struct status store_outbox_age(struct pg_tx *tx, double *ret_seconds);
