#pragma once

/* Transactions, statements and rows.
 *
 * A transaction's first statement sets the tenant (app.tenant) for row-level security, and the
 * statement and lock timeouts from the deadline, in one round trip; there is no other way to
 * open one.  It rolls back unless committed:  scoped(pg_tx_end) struct pg_tx tx = {0};
 */

#include "common/pg/pg.h"

struct pg_result;

struct pg_scope {
    const char *tenant_id; /* UUID, or NULL: no tenant; then tables of tenants cannot be read */
    struct mono deadline;
    bool read_only;
    /* Begins in the round trip of the first statement.  That a connection has died meanwhile is
     * then that statement's failure, while otherwise it is made anew. */
    bool together;
};

struct pg_tx {
    struct pg *pg;
    struct arena *arena; /* details of failures */
    struct pg_scope scope;
    bool open;
    bool no_tenant;    /* opened without one */
    bool wrote_outbox; /* the doorbell must ring after commit */
};

struct pg_rows {
    struct pg_result *result;
    size_t count;
    size_t next;
};

must_use struct status pg_tx_begin(struct pg *pg, const struct pg_scope *scope,
                                   struct arena *arena, struct pg_tx *ret);
/* Goes on in a tenant, in a transaction that was opened without one; NULL: without one again.
 * So an operator's change of shared facts is announced in the name of a tenant.  INTERNAL: the
 * transaction was opened in a tenant, and there it stays. */
must_use struct status pg_tx_enter(struct pg_tx *tx, const char *tenant_id);
/* DEADLINE_EXCEEDED: the outcome is unknown; repeat with the idempotency key. */
must_use struct status pg_tx_commit(struct pg_tx *tx);
void pg_tx_end(struct pg_tx *tx);

/* Runs a prepared statement.  `ret` may be NULL when no rows are wanted. */
must_use struct status pg_query(struct pg_tx *tx, const struct pg_statement *statement,
                                struct pg_args in, struct pg_rows *ret);
/* As pg_query; gives the number of rows touched. */
must_use struct status pg_execute(struct pg_tx *tx, const struct pg_statement *statement,
                                  struct pg_args in, uint64_t *ret_touched);

/* Queues a statement for the round trip of the next one, or of the commit; there its failure is
 * told, and nothing behind it happens.  For statements whose answer nobody needs: one that must
 * touch a row has to fail where it does not.  Parameters are copied; of very many, some go in a
 * round trip of their own. */
must_use struct status pg_defer(struct pg_tx *tx, const struct pg_statement *statement,
                                struct pg_args in);

/* The next row into `out`; false after the last.  A value that does not fit its slot is
 * INTERNAL and ends the rows: check pg_rows_status after the loop. */
bool pg_next_row(struct pg_rows *rows, struct arena *arena, struct pg_slots out);
struct status pg_rows_status(const struct pg_rows *rows);
/* Exactly one row.  NOT_FOUND: there is none. */
must_use struct status pg_one_row(struct pg_rows *rows, struct arena *arena,
                                  struct pg_slots out);
void pg_rows_clear(struct pg_rows *rows);
