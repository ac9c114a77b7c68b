#include "common/pg/pg_link.h"

#include <errno.h>
#include <poll.h>

#include "common/base/log.h"
#include "common/base/metric.h"

/* How long past the deadline the server's own cancelling is waited for: on a busy machine it
 * comes late, and to close the connection then would make the machine busier still. */
#define GRACE_MS 50

static struct metric round_trips = METRIC("pg_round_trip_seconds", METRIC_HISTOGRAM,
                                          "time of one batch of statements", NULL, NULL);
static struct metric lost = METRIC("pg_connections_lost_total", METRIC_COUNTER,
                                   "connections that broke", "reason", NULL);

bool
pg_wait(struct pg *pg, short events, struct mono deadline)
{
    struct pollfd fd = {.fd = PQsocket(pg->conn), .events = events};

    for (;;) {
        const int left_ms = mono_left_ms(deadline, clock_mono(pg->clock));
        const int ready = poll(&fd, 1, left_ms);

        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return true; /* libpq will meet the same error and tell it */
        if (ready == 0 && left_ms == 0)
            return false;
    }
}

struct status
pg_lost(struct pg *pg, struct arena *arena)
{
    metric_add(&lost, "broken", NULL, 1);
    log_warn("database connection lost", KV("text", pg->conn ? PQerrorMessage(pg->conn) : ""));
    pg_close(pg);
    return FAIL(arena, UNAVAILABLE, "the connection to the database was lost");
}

static struct status
too_late(struct pg *pg, struct arena *arena)
{
    metric_add(&lost, "deadline", NULL, 1);
    log_warn("database did not answer in time, connection closed", KV("pooled", pg->pooled));
    pg_close(pg);
    return FAIL(arena, DEADLINE_EXCEEDED, "the database did not answer in time");
}

/* The next result, or NULL at the end of a statement's results. */
static struct status
next_result(struct pg *pg, struct mono deadline, struct arena *arena, PGresult **ret)
{
    for (;;) {
        const int unsent = PQflush(pg->conn);

        if (unsent < 0)
            return pg_lost(pg, arena);
        if (!PQisBusy(pg->conn))
            break;
        if (!pg_wait(pg, (short)(POLLIN | (unsent ? POLLOUT : 0)), deadline))
            return too_late(pg, arena);
        if (!PQconsumeInput(pg->conn))
            return pg_lost(pg, arena);
    }
    *ret = PQgetResult(pg->conn);
    return OK;
}

/* Takes one result into its step; tells the first failure. */
static struct status
take_result(struct pg_step *step, PGresult *result, struct arena *arena)
{
    struct status status = OK;

    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
        PQclear(step->result);
        step->result = result;
        return OK;
    case PGRES_PIPELINE_ABORTED: /* an earlier one of the batch has said why */
        break;
    default:
        status = pg_result_status(result, step->name, arena);
    }
    PQclear(result);
    return status;
}

static struct status
take_all(struct pg *pg, struct mono deadline, struct arena *arena, struct pg_step *steps,
         size_t count)
{
    struct status first = OK;
    struct status status;
    size_t at = 0;

    for (;;) {
        PGresult *result = NULL;

        TRY(next_result(pg, deadline, arena, &result));
        if (!result && PQstatus(pg->conn) == CONNECTION_BAD) {
            status = pg_lost(pg, arena);
            return failed(first) ? first : status;
        }
        if (!result && at < count) {
            at++;
            continue;
        }
        if (!result)
            return pg_lost(pg, arena);
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            return first;
        }
        if (at >= count) {
            PQclear(result);
            return pg_lost(pg, arena); /* not the answers to our questions */
        }
        if (PQstatus(pg->conn) == CONNECTION_BAD &&
            !PQresultErrorField(result, PG_DIAG_SQLSTATE)) {
            PQclear(result); /* libpq's own words for a broken connection */
            status = pg_lost(pg, arena);
            return failed(first) ? first : status;
        }
        status = take_result(&steps[at], result, arena);
        if (!failed(first))
            first = status;
    }
}

struct status
pg_round_trip(struct pg *pg, struct mono deadline, struct arena *arena, struct pg_step *steps,
              size_t count)
{
    const struct mono start = clock_mono(pg->clock);
    struct status status;

    if (!PQpipelineSync(pg->conn))
        status = pg_lost(pg, arena);
    else
        status = take_all(pg, mono_add_ms(deadline, GRACE_MS), arena, steps, count);
    metric_observe_seconds(&round_trips, NULL, NULL,
                           (double)mono_micros_between(start, clock_mono(pg->clock)) / 1e6);
    if (failed(status))
        for (size_t i = 0; i < count; i++)
            PQclear(take(&steps[i].result));
    return status;
}
