#pragma once

/* Rows that are being read; for this folder only.  They belong to the transaction: whoever
 * forgets pg_rows_clear leaks nothing beyond pg_tx_end. */

#include "common/pg/pg_link.h"
#include "common/pg/pg_tx.h"

struct pg_result {
    PGresult *raw; /* NULL: cleared */
    bool binary;
    const char *statement;
    struct status status;
    struct pg_result *next, **link;
};

/* Takes over `raw`. */
must_use struct status pg_result_keep(struct pg_tx *tx, const struct pg_prepared *prepared,
                                      PGresult *raw, struct pg_rows *ret);
void pg_results_clear(struct pg *pg);
