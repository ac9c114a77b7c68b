#pragma once

/* What one transaction of the leader adds to the log. */

#include "services/events/intake.h"
#include "services/events/streams.h"

#define ROUND_ROWS 1000 /* of the outbox, at most */

/* What a leader remembers from round to round.  After a round that failed it must be cleared,
 * because it may know what was never stored. */
struct round_memory {
    struct intake_memory intake;
    struct streams *streams;
};

must_use struct status round_memory_init(struct round_memory *memory);
void round_memory_fini(struct round_memory *memory);
void round_memory_clear(struct round_memory *memory);

struct round {
    uint64_t head;         /* after the round */
    struct block **blocks; /* in the transaction's arena; the blocks are the round's */
    size_t block_count;
};

/* Checks rows (one that is no event is parked), numbers, stores.  Answers itself, and clears
 * from `jobs`, those that are known already or refused; the rest is answered by the caller
 * after the commit. */
must_use struct status round_make(struct round *round, struct round_memory *memory,
                                  struct pg_tx *tx, uint64_t head,
                                  const struct store_taken *taken, struct append_job **jobs,
                                  size_t job_count);
void round_fini(struct round *round);
