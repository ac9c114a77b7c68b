#pragma once

/* The connection underneath pg.h and pg_tx.h; for this folder only.
 *
 * It is non-blocking and always in libpq's pipeline mode: statements are queued, one sync ends
 * the batch, and the batch is one round trip.  A statement never waits longer than the server's
 * statement_timeout, which pg_tx keeps a little below the deadline; when even so the deadline
 * and 50 ms more pass, the server is frozen or cut off and the connection is closed.  (PQcancel
 * is not used: it blocks without a limit.)
 */

#include <libpq-fe.h>

#include "common/pg/pg.h"

#define PG_VALUES_MAX 64       /* parameters of one statement */
#define PG_STATEMENTS_MAX 1024 /* of one process */
#define PG_DEFERRED_MAX 64     /* statements that wait for a round trip; then they get one */

struct pg_result;

struct pg_prepared {
    const struct pg_statement *statement;
    bool
        binary; /* its rows come in binary: they hold bytea, and nothing that is hard to read */
};

struct pg {
    PGconn *conn; /* NULL: not connected */
    const struct clock *clock;
    struct arena memory; /* the settings and the table below */
    const char *dsn, *password, *application_name;
    struct pg_prepared *prepared; /* sorted by name */
    size_t prepared_count;
    bool pooled;
    struct mono retry_at; /* no new connection before this */
    uint32_t retry_ms;    /* the last wait; 0: the last connection was good */
    bool in_transaction;
    int timeout_ms; /* the server's statement_timeout in the open transaction */
    const char *deferred[PG_DEFERRED_MAX]; /* names of what is queued and not yet sent */
    size_t deferred_count;
    struct pg_result *results; /* not yet cleared */
};

/* One statement of a batch and what came of it. */
struct pg_step {
    const char *name; /* for the log */
    PGresult *result; /* the caller clears it */
};

/* Parameters as libpq wants them.  Large: on the stack of one function at a time. */
struct pg_encoded {
    const char *values[PG_VALUES_MAX];
    int sizes[PG_VALUES_MAX];
    int formats[PG_VALUES_MAX];
    char numbers[PG_VALUES_MAX][32];
};

/* pg_values.c */
must_use struct status pg_encode(struct arena *arena, struct pg_args in,
                                 struct pg_encoded *ret);
/* A text[] or bigint[] as Postgres writes it. */
must_use struct status pg_array_write(struct arena *arena, const struct pg_value *value,
                                      const char **ret, size_t *ret_size);
must_use struct status pg_array_read(struct arena *arena, const char *text, const char ***ret,
                                     size_t *ret_count);

/* pg_rows.c */
#define PG_OID_BYTEA 17
bool pg_reads_binary(Oid type);

/* pg.c */
void pg_close(struct pg *pg);
/* NULL: not in the rooms of pg_config. */
const struct pg_prepared *pg_find_prepared(const struct pg *pg, const char *name);

/* pg_link.c: every failure of the connection itself closes it. */
must_use struct status pg_lost(struct pg *pg, struct arena *arena);
/* Sends the queued statements and takes `count` results; UNAVAILABLE or DEADLINE_EXCEEDED with
 * the connection closed, or what the first failing statement says, with it open.  On failure
 * there are no results. */
must_use struct status pg_round_trip(struct pg *pg, struct mono deadline, struct arena *arena,
                                     struct pg_step *steps, size_t count);
/* Waits until the socket is ready for `events` (POLLIN, POLLOUT); false at the deadline. */
bool pg_wait(struct pg *pg, short events, struct mono deadline);

/* sqlstate.c: what a failed result means.  INTERNAL is logged here, because only here its text
 * is known. */
must_use struct status pg_result_status(const PGresult *result, const char *statement,
                                        struct arena *arena);
enum code pg_sqlstate_code(const char *state, const char **ret_detail);
