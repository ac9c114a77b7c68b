#pragma once

/* What one transaction of the leader adds to the log. */

#include "services/events/append.h"

#define ROUND_ROWS 1000 /* of the outbox, at most */
#define ROUND_JOB_BYTES ((size_t)16 << 20)

struct round {
    uint64_t head;         /* after the round */
    struct block **blocks; /* in the transaction's arena; the blocks are the round's */
    size_t block_count;
};

/* Checks rows (one that is no event is parked), numbers, stores.  Answers itself, and clears
 * from `jobs`, those that are known already, refused, or too many for a round; the rest is
 * answered by the caller after the commit. */
must_use struct status round_make(struct round *round, struct pg_tx *tx, uint64_t head,
                                  const struct store_taken *taken, struct append_job **jobs,
                                  size_t job_count);
void round_fini(struct round *round);
