#include "common/pg/pg_tx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/pg/pg_link.h"
#include "common/pg/pg_result.h"
#include "common/pg/pg_sql.h"

#define ROLLBACK_MS 500
/* How much sooner than the caller's deadline the server gives up: a tenth, within these bounds,
 * but never more than a quarter of what is left. */
#define MARGIN_LEAST_MS 25
#define MARGIN_MOST_MS 50

/* Statement timeout for a statement that starts now: a little before the deadline, so that its
 * answer still comes in time and the connection lives on.  The lock timeout is shorter still,
 * because of two equal ones the statement's wins, and a lock has its own code. */
static int
statement_timeout_ms(int left_ms)
{
    int margin = left_ms / 10;

    if (margin < MARGIN_LEAST_MS)
        margin = left_ms / 4 < MARGIN_LEAST_MS ? left_ms / 4 : MARGIN_LEAST_MS;
    if (margin > MARGIN_MOST_MS)
        margin = MARGIN_MOST_MS;
    return left_ms - margin > 1 ? left_ms - margin : 1;
}

static int
lock_timeout_ms(int statement_ms)
{
    const int shorter = statement_timeout_ms(statement_ms) - 1;

    return shorter > 1 ? shorter : 1;
}

static bool
queue_text(struct pg *pg, const char *sql)
{
    return PQsendQueryParams(pg->conn, sql, 0, NULL, NULL, NULL, NULL, 0);
}

static bool
queue_statement(struct pg *pg, const struct pg_prepared *prepared,
                const struct pg_encoded *encoded, size_t count)
{
    const int binary = prepared->binary;

    if (pg->pooled)
        return PQsendQueryParams(pg->conn, prepared->statement->text, (int)count, NULL,
                                 encoded->values, encoded->sizes, encoded->formats, binary);
    return PQsendQueryPrepared(pg->conn, prepared->statement->name, (int)count, encoded->values,
                               encoded->sizes, encoded->formats, binary);
}

/* Tenant and timeouts, local to the transaction. */
static bool
queue_scope(struct pg *pg, const struct pg_scope *scope, int left_ms)
{
    const int statement_ms = statement_timeout_ms(left_ms);
    char statement[16];
    char lock[16];
    const char *const values[] = {scope->tenant_id ? scope->tenant_id : "", statement, lock};

    (void)snprintf(statement, sizeof statement, "%d", statement_ms);
    (void)snprintf(lock, sizeof lock, "%d", lock_timeout_ms(statement_ms));
    pg->timeout_ms = statement_ms;
    if (pg->pooled)
        return PQsendQueryParams(pg->conn, SQL_SCOPE.text, 3, NULL, values, NULL, NULL, 0);
    return PQsendQueryPrepared(pg->conn, SQL_SCOPE.name, 3, values, NULL, NULL, 0);
}

/* A round trip for all that was deferred and `count` steps more. */
static struct status
round_trip(struct pg *pg, struct mono deadline, struct arena *arena, struct pg_step *steps,
           size_t count)
{
    struct pg_step all[PG_DEFERRED_MAX + 2] = {{0}};
    const size_t before = pg->deferred_count;

    for (size_t i = 0; i < before; i++)
        all[i].name = pg->deferred[i];
    for (size_t i = 0; i < count; i++)
        all[before + i].name = steps[i].name;
    pg->deferred_count = 0;
    TRY(pg_round_trip(pg, deadline, arena, all, before + count));
    for (size_t i = 0; i < before; i++)
        PQclear(all[i].result);
    for (size_t i = 0; i < count; i++)
        steps[i].result = all[before + i].result;
    return OK;
}

static struct status
begin_once(struct pg *pg, const struct pg_scope *scope, struct arena *arena)
{
    struct pg_step steps[2] = {{.name = "begin"}, {.name = SQL_SCOPE.name}};
    int left_ms;

    TRY(pg_connect(pg, scope->deadline, arena));
    left_ms = mono_left_ms(scope->deadline, clock_mono(pg->clock));
    if (!left_ms)
        return FAIL(arena, DEADLINE_EXCEEDED, "no time was left for the database");
    if (!queue_text(pg, scope->read_only ? "BEGIN READ ONLY" : "BEGIN READ WRITE") ||
        !queue_scope(pg, scope, left_ms))
        return pg_lost(pg, arena);
    pg->deferred_count = 0;
    if (scope->together) {
        pg->deferred[pg->deferred_count++] = steps[0].name;
        pg->deferred[pg->deferred_count++] = steps[1].name;
        return OK;
    }
    TRY(pg_round_trip(pg, scope->deadline, arena, steps, COUNT_OF(steps)));
    PQclear(steps[0].result);
    PQclear(steps[1].result);
    return OK;
}

struct status
pg_tx_begin(struct pg *pg, const struct pg_scope *scope, struct arena *arena, struct pg_tx *ret)
{
    const bool reused = pg->conn != NULL;
    struct status status;

    if (pg->in_transaction)
        return FAIL(arena, INTERNAL, "a transaction is open on this connection already");
    status = begin_once(pg, scope, arena);
    /* The connection may have died while nobody looked, and nothing has been done yet. */
    if (reused && !pg->conn && status.code == CODE_UNAVAILABLE)
        status = begin_once(pg, scope, arena);
    if (failed(status)) {
        if (pg->conn && PQtransactionStatus(pg->conn) != PQTRANS_IDLE)
            pg_close(pg); /* a half-opened transaction must not be used */
        return status;
    }
    pg->in_transaction = true;
    *ret = (struct pg_tx){.pg = pg,
                          .arena = arena,
                          .scope = *scope,
                          .open = true,
                          .no_tenant = scope->tenant_id == NULL};
    return OK;
}

struct status
pg_tx_enter(struct pg_tx *tx, const char *tenant_id)
{
    struct pg_step step = {.name = SQL_SCOPE.name};
    struct pg_scope scope = tx->scope;
    int left_ms;

    if (!tx->open || !tx->no_tenant)
        return FAIL(tx->arena, INTERNAL, "the transaction stays in its tenant");
    if (!tx->pg->conn)
        return FAIL(tx->arena, UNAVAILABLE, "the connection to the database was lost");
    left_ms = mono_left_ms(scope.deadline, clock_mono(tx->pg->clock));
    if (!left_ms)
        return FAIL(tx->arena, DEADLINE_EXCEEDED, "no time was left for the database");
    scope.tenant_id = tenant_id;
    if (!queue_scope(tx->pg, &scope, left_ms))
        return pg_lost(tx->pg, tx->arena);
    TRY(round_trip(tx->pg, scope.deadline, tx->arena, &step, 1));
    PQclear(step.result);
    tx->scope = scope;
    return OK;
}

static void
close_tx(struct pg_tx *tx)
{
    pg_results_clear(tx->pg);
    tx->pg->in_transaction = false;
    tx->open = false;
}

/* A commit whose answer is lost may have happened. */
static struct status
commit_failed(const struct pg_tx *tx, struct status status)
{
    if (!tx->pg->conn && !tx->scope.read_only)
        return FAIL(tx->arena, DEADLINE_EXCEEDED,
                    "the database's answer to the commit was lost; it may have happened");
    return status;
}

static void
roll_back(struct pg *pg)
{
    const struct mono deadline = mono_add_ms(clock_mono(pg->clock), ROLLBACK_MS);
    struct pg_step step = {.name = "rollback"};

    if (!pg->conn)
        return;
    if (!queue_text(pg, "ROLLBACK")) {
        pg_close(pg);
        return;
    }
    if (failed(round_trip(pg, deadline, NULL, &step, 1)))
        pg_close(pg); /* the server rolls back when it notices */
    PQclear(step.result);
}

struct status
pg_tx_commit(struct pg_tx *tx)
{
    struct pg_step step = {.name = "commit"};
    struct status status;
    bool done;

    if (!tx->open)
        return FAIL(tx->arena, INTERNAL, "no transaction is open");
    if (!tx->pg->conn) {
        close_tx(tx); /* lost before the commit was sent: nothing has happened */
        return FAIL(tx->arena, UNAVAILABLE, "the connection to the database was lost");
    }
    if (!queue_text(tx->pg, "COMMIT"))
        status = pg_lost(tx->pg, tx->arena);
    else
        status = round_trip(tx->pg, tx->scope.deadline, tx->arena, &step, 1);
    close_tx(tx);
    if (failed(status)) {
        if (tx->pg->conn && PQtransactionStatus(tx->pg->conn) != PQTRANS_IDLE)
            roll_back(tx->pg); /* what was deferred has failed */
        return commit_failed(tx, status);
    }
    done = strcmp(PQcmdStatus(step.result), "COMMIT") == 0;
    PQclear(step.result);
    if (!done)
        return FAIL(tx->arena, INTERNAL, "a statement had failed, so nothing was committed");
    return OK;
}

void
pg_tx_end(struct pg_tx *tx)
{
    if (!tx->open)
        return;
    close_tx(tx);
    roll_back(tx->pg);
}

/* The statement's timeouts, set anew where the last ones would end after the deadline. */
static struct status
queue_in_time(struct pg_tx *tx, const struct pg_prepared *prepared, struct pg_args in,
              bool *ret_renewed)
{
    struct pg *pg = tx->pg;
    struct pg_encoded encoded;
    const struct mono now = clock_mono(pg->clock);
    const int left_ms = mono_left_ms(tx->scope.deadline, now);
    const struct mono cut = mono_add_ms(now, pg->timeout_ms);
    const bool renew = cut.ns >= tx->scope.deadline.ns;

    if (!left_ms)
        return FAIL(tx->arena, DEADLINE_EXCEEDED, "no time was left for the database");
    TRY(pg_encode(tx->arena, in, &encoded));
    if ((renew && !queue_scope(pg, &tx->scope, left_ms)) ||
        !queue_statement(pg, prepared, &encoded, in.count))
        return pg_lost(pg, tx->arena);
    *ret_renewed = renew;
    return OK;
}

/* Sends one statement and waits for its result. */
static struct status
run(struct pg_tx *tx, const struct pg_prepared *prepared, struct pg_args in, PGresult **ret)
{
    struct pg_step steps[2] = {{.name = SQL_SCOPE.name}, {.name = prepared->statement->name}};
    bool renewed;

    TRY(queue_in_time(tx, prepared, in, &renewed));
    TRY(round_trip(tx->pg, tx->scope.deadline, tx->arena, steps + !renewed, renewed ? 2 : 1));
    PQclear(steps[0].result);
    *ret = steps[1].result;
    return OK;
}

static struct status
find_statement(const struct pg_tx *tx, const struct pg_statement *statement,
               const struct pg_prepared **ret)
{
    if (!tx || !tx->open)
        return FAIL(tx ? tx->arena : NULL, INTERNAL, "no transaction is open");
    if (!tx->pg->conn)
        return FAIL(tx->arena, UNAVAILABLE, "the connection to the database was lost");
    *ret = pg_find_prepared(tx->pg, statement->name);
    if (!*ret)
        return FAIL(tx->arena, INTERNAL, "statement %s is in no room of this process",
                    statement->name);
    return OK;
}

static struct status
run_statement(struct pg_tx *tx, const struct pg_statement *statement, struct pg_args in,
              const struct pg_prepared **ret_prepared, PGresult **ret)
{
    const struct pg_prepared *prepared = NULL;

    TRY(find_statement(tx, statement, &prepared));
    TRY(run(tx, prepared, in, ret));
    *ret_prepared = prepared;
    return OK;
}

struct status
pg_defer(struct pg_tx *tx, const struct pg_statement *statement, struct pg_args in)
{
    const struct pg_prepared *prepared = NULL;
    bool renewed;

    TRY(find_statement(tx, statement, &prepared));
    if (tx->pg->deferred_count + 2 > PG_DEFERRED_MAX)
        TRY(round_trip(tx->pg, tx->scope.deadline, tx->arena, NULL, 0));
    TRY(queue_in_time(tx, prepared, in, &renewed));
    if (renewed)
        tx->pg->deferred[tx->pg->deferred_count++] = SQL_SCOPE.name;
    tx->pg->deferred[tx->pg->deferred_count++] = statement->name;
    return OK;
}

struct status
pg_query(struct pg_tx *tx, const struct pg_statement *statement, struct pg_args in,
         struct pg_rows *ret)
{
    const struct pg_prepared *prepared = NULL;
    PGresult *result = NULL;

    TRY(run_statement(tx, statement, in, &prepared, &result));
    if (!ret) {
        PQclear(result);
        return OK;
    }
    return pg_result_keep(tx, prepared, result, ret);
}

struct status
pg_execute(struct pg_tx *tx, const struct pg_statement *statement, struct pg_args in,
           uint64_t *ret_touched)
{
    const struct pg_prepared *prepared = NULL;
    PGresult *result = NULL;

    TRY(run_statement(tx, statement, in, &prepared, &result));
    if (ret_touched)
        *ret_touched = strtoull(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    return OK;
}
