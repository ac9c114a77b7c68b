/* Whether work may come: Postgres answers with the schema that is needed, the service's own
 * hook has no objection, and no drain is under way.
 *
 * Postgres counts as there while a look or a committed transaction succeeded within
 * PG_FRESH_MS: a look may wait behind requests, and a stopped server must show within five
 * seconds. */

#include "common/service/frame.h"

#include "common/service/service_sql.h"

#define PG_FRESH_MS 4000

static bool
pg_fresh(const struct frame *frame)
{
    const struct mono seen = {atomic_load(&frame->readiness.pg_ok_ns)};
    const struct mono now = clock_mono(frame->open.clock);

    return seen.ns && mono_left_ms(mono_add_ms(seen, PG_FRESH_MS), now) > 0;
}

size_t
readiness_reasons(const struct frame *frame, const char *into[FRAME_REASONS_MAX])
{
    const struct service *service = frame->service;
    const char *own = service->not_ready ? service->not_ready(frame->open.state) : NULL;
    const char *pg = atomic_load(&frame->readiness.pg_reason);
    size_t count = 0;

    if (!atomic_load(&frame->readiness.started))
        into[count++] = "starting";
    if (atomic_load(&frame->readiness.draining))
        into[count++] = "draining";
    if ((service->uses & USES_POSTGRES) && (pg || !pg_fresh(frame)))
        into[count++] = pg ? pg : "Postgres does not answer";
    if (own && *own)
        into[count++] = own;
    return count;
}

void
readiness_pg_ok(struct frame *frame)
{
    atomic_store(&frame->readiness.pg_ok_ns, clock_mono(frame->open.clock).ns);
}

static struct status
schema_version(struct call *call, int64_t *ret)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(call_begin(call, NULL, true, &tx));
    TRY(pg_query(&tx, &SQL_SCHEMA_VERSION, PG_NONE, &rows));
    return pg_one_row(&rows, call->arena, PG_OUT(pg_to_i64(ret)));
}

/* The timer hands over the frame as the state: see timers.c. */
struct status
readiness_look(struct call *call)
{
    struct frame *frame = call->state;
    int64_t version = 0;
    const struct status status = schema_version(call, &version);
    const char *reason = NULL;

    if (status.code == CODE_INTERNAL)
        reason = "the schema is not as needed: are the migrations applied?";
    else if (failed(status))
        reason = "Postgres cannot be reached";
    else if (version < (int64_t)frame->service->schema_version)
        reason = "the schema is older than needed: apply the migrations";
    if (!failed(status)) {
        atomic_store(&frame->readiness.schema_version, (uint32_t)version);
        readiness_pg_ok(frame);
    }
    atomic_store(&frame->readiness.pg_reason, reason);
    return status;
}
