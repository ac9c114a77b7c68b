#pragma once

/* What is kept of the log: partitions, marks of the hash chains, blocks as they are stored.
 *
 * As store.h: functions over tables, in the caller's transaction.
 */

#include "services/events/store.h"

/* When the open partition ends. */
struct store_roll_limits {
    int64_t days;
    int64_t events;
    int64_t row_bytes; /* of its rows without their data, which ending it looks at once */
};

/* Whether the open partition has reached a limit; one without a block never has. */
must_use struct status store_roll_due(struct pg_tx *tx, const struct store_roll_limits *limits,
                                      uint64_t *ret_head, bool *ret_due);

/* Ends the open partition behind `head`, opens the next, and marks where each tenant's chain
 * stands.  ret_start: of the new one; 0: nothing to end.
 * ABORTED: the head is elsewhere, or the log is read for too long: nothing has happened. */
must_use struct status store_roll(struct pg_tx *tx, uint64_t head, uint64_t *ret_start);

/* Drops the oldest partitions that lie wholly at or before `through`, at most 64, with the
 * marks before them.  ret_first_kept: as it is now. FAILED_PRECONDITION: one of them was ended
 * less than keep_days ago; none is dropped. ABORTED: the log is read for too long. */
must_use struct status store_trim(struct pg_tx *tx, uint64_t through, uint32_t keep_days,
                                  uint64_t *ret_first_kept);

must_use struct status store_kept(struct pg_tx *tx, uint64_t *ret_partitions,
                                  uint64_t *ret_first_kept);

struct store_link {
    uint64_t number;
    uint8_t link[PACKED_HASH_BYTES];
};

struct store_chain {
    const char *tenant_id;
    struct store_link first, last;
};

struct store_chains {
    uint64_t head, first_kept; /* of the moment when the chains were read */
    struct store_chain *items; /* by tenant id */
    size_t count;
};

/* At most `limit` chains behind `after` ("": the first); tenant_ids NULL: of all tenants. */
must_use struct status store_chains(struct pg_tx *tx, const struct texts *tenant_ids,
                                    const char *after, size_t limit, struct store_chains *ret);

/* A row of the log, unchecked. */
struct store_raw {
    uint64_t position, last;
    uint32_t count;
    struct texts tenant_ids, types;
    struct bytes data, checksum;
};

/* At most `limit` rows from the one that holds position after + 1.
 * INTERNAL: one of them cannot be read. */
must_use struct status store_raw_page(struct pg_tx *tx, uint64_t after, size_t limit,
                                      struct store_raw **ret, size_t *ret_count);

/* Where the next row behind `position` begins; 0: there is none. */
must_use struct status store_raw_next(struct pg_tx *tx, uint64_t position, uint64_t *ret);

/* Why a page does not begin behind `after`, asked in the transaction that has read it: after
 * that nothing can be trimmed until it ends.  Never OK.
 * POSITION_GONE: it was trimmed since the head was read.  INTERNAL: the log has a gap. */
must_use struct status store_missing(struct pg_tx *tx, uint64_t after,
                                     uint64_t *ret_first_kept);

/* Forgets batches of Append that came more than 48 hours ago, at most `limit`. */
must_use struct status store_expire_appends(struct pg_tx *tx, size_t limit,
                                            uint64_t *ret_expired);
