#include "common/pg/pg.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/base/log.h"
#include "common/base/metric.h"
#include "common/pg/pg_link.h"
#include "common/pg/pg_sql.h"

#define CONNECT_MS 5000
#define RETRY_FIRST_MS 50
#define RETRY_MOST_MS 1000
#define MEMORY_BYTES ((size_t)1 << 20)

static struct metric connects =
    METRIC("pg_connects_total", METRIC_COUNTER, "tries to connect", "result", NULL);

/* What this layer sends itself. */
static const struct pg_statement *const own_statements[] = {&SQL_SESSION, &SQL_SCOPE, NULL};

static int
by_name(const void *a, const void *b)
{
    const struct pg_prepared *left = a;
    const struct pg_prepared *right = b;

    return strcmp(left->statement->name, right->statement->name);
}

/* All rooms' statements in one sorted table. */
static struct status
collect_statements(struct pg *pg, const struct pg_statement *const *const *rooms,
                   struct arena *arena)
{
    size_t count = 0;

    pg->prepared = ARENA_ARRAY(&pg->memory, struct pg_prepared, PG_STATEMENTS_MAX);
    TRY(need(pg->prepared));
    for (size_t i = 0; own_statements[i]; i++)
        pg->prepared[count++].statement = own_statements[i];
    for (size_t room = 0; rooms && rooms[room]; room++)
        for (size_t i = 0; rooms[room][i]; i++) {
            if (count == PG_STATEMENTS_MAX)
                return FAIL(arena, INTERNAL, "more than %d statements", PG_STATEMENTS_MAX);
            pg->prepared[count++].statement = rooms[room][i];
        }
    qsort(pg->prepared, count, sizeof *pg->prepared, by_name);
    for (size_t i = 1; i < count; i++)
        if (by_name(&pg->prepared[i - 1], &pg->prepared[i]) == 0)
            return FAIL(arena, INTERNAL, "two statements are named %s",
                        pg->prepared[i].statement->name);
    pg->prepared_count = count;
    return OK;
}

const struct pg_prepared *
pg_find_prepared(const struct pg *pg, const char *name)
{
    const struct pg_statement wanted = {.name = name};
    const struct pg_prepared key = {.statement = &wanted};

    return bsearch(&key, pg->prepared, pg->prepared_count, sizeof key, by_name);
}

struct status
pg_create(const struct pg_config *config, struct arena *arena, struct pg **ret)
{
    scoped(pg_destroy) struct pg *pg = calloc(1, sizeof *pg);

    TRY(need(pg));
    arena_init(&pg->memory, MEMORY_BYTES);
    pg->clock = config->clock;
    pg->pooled = config->pooled;
    TRY(need(pg->dsn = arena_copy(&pg->memory, config->dsn)));
    TRY(need(pg->application_name =
                 arena_copy(&pg->memory,
                            config->application_name ? config->application_name : "samverka")));
    if (config->password && *config->password)
        TRY(need(pg->password = arena_copy(&pg->memory, config->password)));
    TRY(collect_statements(pg, config->rooms, arena));
    *ret = take(&pg);
    return OK;
}

void
pg_close(struct pg *pg)
{
    PQfinish(pg->conn);
    pg->conn = NULL;
}

void
pg_destroy(struct pg **pg)
{
    if (!*pg)
        return;
    pg_close(*pg);
    arena_fini(&(*pg)->memory);
    free(*pg);
    *pg = NULL;
}

static void
on_notice(void *context, const PGresult *result)
{
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    (void)context;
    log_info("database notice", KV("text", text ? text : ""));
}

/* Opens the socket and logs in. */
static struct status
dial(struct pg *pg, struct mono deadline, struct arena *arena)
{
    const char *const names[] = {"tcp_user_timeout", "keepalives_idle", "keepalives_interval",
                                 "keepalives_count", "dbname",          "password",
                                 "application_name", "client_encoding", NULL};
    const char *const values[] = {
        "5000", "5", "2", "3", pg->dsn, pg->password, pg->application_name, "UTF8", NULL};
    PostgresPollingStatusType step = PGRES_POLLING_WRITING;

    pg->conn = PQconnectStartParams(names, values, 1);
    TRY(need(pg->conn));
    PQsetNoticeReceiver(pg->conn, on_notice, NULL);
    if (PQstatus(pg->conn) == CONNECTION_BAD)
        step = PGRES_POLLING_FAILED;
    while (step != PGRES_POLLING_OK) {
        if (step == PGRES_POLLING_FAILED)
            return FAIL(arena, UNAVAILABLE, "the database cannot be reached");
        if (!pg_wait(pg, step == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline))
            return FAIL(arena, UNAVAILABLE, "the database did not take the connection in time");
        step = PQconnectPoll(pg->conn);
    }
    if (PQsetnonblocking(pg->conn, 1) != 0 || !PQenterPipelineMode(pg->conn))
        return FAIL(arena, UNAVAILABLE, "the connection to the database failed");
    return OK;
}

/* Whether rows of these columns are better sent in binary: bytea doubles in text, and the other
 * types must be ones that pg_rows reads in binary. */
static bool
wants_binary(const PGresult *description)
{
    bool has_bytes = false;

    for (int i = 0; i < PQnfields(description); i++) {
        const Oid type = PQftype(description, i);

        if (!pg_reads_binary(type))
            return false;
        has_bytes = has_bytes || type == PG_OID_BYTEA;
    }
    return has_bytes;
}

static bool
queue_preparation(struct pg *pg, const struct pg_statement *statement)
{
    const char *name = pg->pooled ? "" : statement->name;

    return PQsendPrepare(pg->conn, name, statement->text, 0, NULL) &&
           PQsendDescribePrepared(pg->conn, name);
}

/* One round trip for all. */
static struct status
prepare(struct pg *pg, struct mono deadline, struct arena *arena)
{
    scoped(arena_fini) struct arena memory = {0};
    const size_t count = pg->prepared_count;
    struct pg_step *steps;

    arena_init(&memory, MEMORY_BYTES);
    TRY(need(steps = ARENA_ARRAY(&memory, struct pg_step, count * 2)));
    for (size_t i = 0; i < count; i++) {
        steps[i * 2].name = steps[i * 2 + 1].name = pg->prepared[i].statement->name;
        if (!queue_preparation(pg, pg->prepared[i].statement))
            return pg_lost(pg, arena);
    }
    TRY(pg_round_trip(pg, deadline, arena, steps, count * 2));
    for (size_t i = 0; i < count; i++) {
        pg->prepared[i].binary = wants_binary(steps[i * 2 + 1].result);
        PQclear(steps[i * 2].result);
        PQclear(steps[i * 2 + 1].result);
    }
    return OK;
}

/* Settings of the session; a pooler's session is not ours to set. */
static struct status
set_session(struct pg *pg, struct mono deadline, struct arena *arena)
{
    struct pg_step step = {.name = SQL_SESSION.name};

    if (pg->pooled)
        return OK;
    if (!PQsendQueryPrepared(pg->conn, SQL_SESSION.name, 0, NULL, NULL, NULL, 0))
        return pg_lost(pg, arena);
    TRY(pg_round_trip(pg, deadline, arena, &step, 1));
    PQclear(step.result);
    return OK;
}

/* The next wait is twice the last, between half of that and all of it, so that the workers of
 * all services do not come back at once. */
static void
back_off(struct pg *pg)
{
    uint32_t random = 0;
    uint32_t wait_ms;

    pg->retry_ms = pg->retry_ms ? pg->retry_ms * 2 : RETRY_FIRST_MS;
    if (pg->retry_ms > RETRY_MOST_MS)
        pg->retry_ms = RETRY_MOST_MS;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
        random = 0; /* no jitter is no harm */
    wait_ms = pg->retry_ms / 2 + random % (pg->retry_ms / 2 + 1);
    pg->retry_at = mono_add_ms(clock_mono(pg->clock), wait_ms);
}

static struct status
open_link(struct pg *pg, struct mono deadline, struct arena *arena)
{
    TRY(dial(pg, deadline, arena));
    TRY(prepare(pg, deadline, arena));
    return set_session(pg, deadline, arena);
}

struct status
pg_connect(struct pg *pg, struct mono deadline, struct arena *arena)
{
    const struct mono now = clock_mono(pg->clock);
    const struct mono most = mono_add_ms(now, CONNECT_MS);
    struct status status;

    if (pg->conn && PQstatus(pg->conn) == CONNECTION_OK)
        return OK;
    if (pg->in_transaction)
        return FAIL(arena, UNAVAILABLE, "the connection to the database was lost");
    pg_close(pg);
    if (pg->retry_ms && now.ns < pg->retry_at.ns)
        return FAIL(arena, UNAVAILABLE, "the database is away");
    status = open_link(pg, deadline.ns < most.ns ? deadline : most, arena);
    metric_add(&connects, failed(status) ? "failed" : "ok", NULL, 1);
    if (!failed(status)) {
        pg->retry_ms = 0;
        return OK;
    }
    /* libpq's words name host and role, never the password. */
    log_warn("database connection failed", KV("code", code_name(status.code)),
             KV("text", pg->conn ? PQerrorMessage(pg->conn) : ""));
    pg_close(pg);
    back_off(pg);
    return status;
}
