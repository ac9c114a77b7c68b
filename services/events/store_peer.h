#pragma once

/* How far another deployment's log has been taken in.  Conventions as in store.h. */

#include "common/pg/pg_tx.h"

/* A step along a peer's log; both texts outlive it. */
struct store_peer_move {
    const char *source; /* root of the peer's sources, its identity; NULL: no step */
    uint64_t from, to;  /* positions there */
};

/* The position of a peer, which is 0 when it is new.
 * FAILED_PRECONDITION: the name or the root has been known with another root or name. */
must_use struct status store_peer_begin(struct pg_tx *tx, const char *name, const char *source,
                                        uint64_t *ret_position);

/* ABORTED: the position is not `from`, because another has moved it. */
must_use struct status store_peer_move(struct pg_tx *tx, const struct store_peer_move *move);
