#pragma once

/* Durable consumers as they are kept.  Failures are those of pg.h. */

#include "common/pg/pg_tx.h"
#include "services/events/group.h"

#define STORE_CONSUMERS_OF_A_KEY 100

struct store_consumer {
    char user_id[64];
    char name[GROUP_NAME_BYTES + 1];
    uint64_t after; /* where a new one begins */
    int64_t epoch;
    uint64_t acked[GROUP_LANES];
    uint32_t members;
};

/* Makes it or finds it; another opening of it can move nothing from now on.  Fills epoch and
 * positions.  RESOURCE_EXHAUSTED: the key has too many.  INVALID_ARGUMENT: it would begin
 * beyond the head, which `ret_head` gets. */
must_use struct status store_consumer_open(struct pg_tx *tx, struct store_consumer *consumer,
                                           uint64_t *ret_head);
/* NOT_FOUND: it was opened elsewhere meanwhile, or forgotten. */
must_use struct status store_consumer_move(struct pg_tx *tx,
                                           const struct store_consumer *consumer);
/* NOT_FOUND: there is none. */
must_use struct status store_consumer_forget(struct pg_tx *tx, const char *user_id,
                                             const char *name);
