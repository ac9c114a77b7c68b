#pragma once

/* Where row-level security leaves one blind: which tenants have something of a kind.  It holds
 * ids of tenants and nothing else.
 *
 * A tenant is put there in the transaction that adds a thing, before the thing; the row stays
 * locked to the end of the transaction.  Whoever takes a tenant away holds the row first and
 * then looks whether things are left, so none is overlooked.  Codes as in store.h.
 */

#include "common/pg/pg_tx.h"

#define ROLL_PAGE 1000 /* tenants in one list */

enum roll_kind {                        /* as in the table: never renumbered */
                 ROLL_ROUNDS = 1,       /* to be solved */
                 ROLL_COMPOSITIONS = 2, /* to be solved */
                 ROLL_SEARCHES = 3      /* saved, now or before */
};

/* Of the transaction's tenant. */
must_use struct status roll_put(struct pg_tx *tx, enum roll_kind kind);
must_use struct status roll_hold(struct pg_tx *tx, enum roll_kind kind);

/* By id behind `after` ("": from the first), at most ROLL_PAGE.  Needs no tenant. */
must_use struct status roll_list(struct pg_tx *tx, enum roll_kind kind, const char *after,
                                 struct arena *arena, const char ***ret, size_t *ret_count);
