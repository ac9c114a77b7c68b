#include "common/service/listener_event.h"

#include <poll.h>
#include <string.h>

#include "common/base/metric.h"
#include "common/base/uuid.h"
#include "common/service/dispatch.h"
#include "common/service/service_sql.h"

#define EVENT_LIMIT_MS 10000 /* for one try */
#define TRIES_MAX 5
#define PATIENCE_MS 60000
#define PATIENCE_SLOW_MS                                                                       \
    600000 /* a handler that is too slow may only be waiting for somebody */
#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS 5000

static struct metric events_heard =
    METRIC("listener_events_total", METRIC_COUNTER, "tries to take in an event, by outcome",
           "type", "code");
static struct metric events_parked = METRIC("listener_parked_total", METRIC_COUNTER,
                                            "events given up after their tries", "type", NULL);

/* One event on its way. */
struct hearing {
    struct listener *listener;
    const Io__Cloudevents__V1__CloudEvent *event;
    uint64_t position;
    unsigned method;
    const char *tenant_id; /* "" without */
    const char *attribute_correlation;
};

bool
listener_pause(struct listener *listener, int ms)
{
    struct pollfd stop = {.fd = listener->stop_fd, .events = POLLIN};

    (void)poll(&stop, 1, ms);
    return atomic_load(&listener->stopping);
}

static struct status
read_position(struct listener *listener, struct call *call, uint64_t *ret)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(call_begin(call, NULL, false, &tx));
    TRY(pg_execute(&tx, &SQL_LISTENER_BEGIN, PG_IN(pg_text(listener->name)), NULL));
    TRY(pg_query(&tx, &SQL_LISTENER_POSITION, PG_IN(pg_text(listener->name)), &rows));
    TRY(pg_one_row(&rows, call->arena, PG_OUT(pg_to_u64(ret))));
    pg_rows_clear(&rows);
    return call_commit(call);
}

/* After a lost race: what the table holds now.  ABORTED: it went back, by somebody's hand. */
static struct status
look_again(struct listener *listener)
{
    const uint64_t before = listener->stored;
    uint64_t now_at;

    TRY(listener_read_position(listener, &now_at));
    if (now_at < before)
        return FAIL(&listener->worker->job, ABORTED, "the stored position went back");
    return OK;
}

struct status
listener_read_position(struct listener *listener, uint64_t *ret)
{
    uint64_t position = 0;
    struct call call;

    worker_own_call(listener->worker, EVENT_LIMIT_MS, &call);
    TRY(read_position(listener, &call, &position));
    listener->stored = position;
    listener->stored_at = clock_mono(call.clock);
    *ret = position;
    return OK;
}

static struct status
move(struct listener *listener, struct pg_tx *tx, uint64_t to, bool *ret_won)
{
    uint64_t touched = 0;

    TRY(pg_execute(
        tx, &SQL_LISTENER_MOVE,
        PG_IN(pg_text(listener->name), pg_i64((int64_t)listener->stored), pg_i64((int64_t)to)),
        &touched));
    *ret_won = touched == 1;
    return OK;
}

static void
moved(struct listener *listener, uint64_t to)
{
    listener->stored = to;
    listener->stored_at = clock_mono(listener->frame->open.clock);
}

struct status
listener_move(struct listener *listener, uint64_t through)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    bool won = false;
    struct call call;

    worker_own_call(listener->worker, EVENT_LIMIT_MS, &call);
    TRY(call_begin(&call, NULL, false, &tx));
    TRY(move(listener, &tx, through, &won));
    if (!won) {
        pg_tx_end(&tx);
        return look_again(listener);
    }
    TRY(call_commit(&call));
    moved(listener, through);
    return OK;
}

static void
prepare(const struct hearing *hearing, struct call *ret)
{
    worker_own_call(hearing->listener->worker, EVENT_LIMIT_MS, ret);
    ret->event = hearing->event;
    ret->position = hearing->position;
    ret->tenant_id = hearing->tenant_id;
    ret->request_id = hearing->attribute_correlation;
    ret->traceparent = event_attribute(hearing->event, "traceparent");
}

/* Decodes and calls the handler; within the transaction that moves the position when stored. */
static struct status
hear(const struct hearing *hearing, struct call *call)
{
    const ProtobufCService *inbox = hearing->listener->inbox->service;
    ProtobufCMessage *data;

    TRY(event_data(hearing->event, inbox->descriptor->methods[hearing->method].input,
                   call->arena, &data));
    return dispatch_invoke(inbox, hearing->method, data, call);
}

static struct status
attempt(const struct hearing *hearing, bool *ret_won)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct listener *listener = hearing->listener;
    bool won = true;
    struct call call;

    prepare(hearing, &call);
    if (listener->inbox->stored) {
        TRY(call_begin(&call, *hearing->tenant_id ? hearing->tenant_id : NULL, false, &tx));
        TRY(move(listener, &tx, hearing->position, &won));
    }
    if (won)
        TRY(hear(hearing, &call));
    if (won && listener->inbox->stored) {
        TRY(call_commit(&call));
        moved(listener, hearing->position);
    }
    *ret_won = won;
    return OK;
}

static struct status
store_parked(const struct hearing *hearing, struct status why, uint32_t tries, bool *ret_won)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct listener *listener = hearing->listener;
    struct bytes packed;
    struct call call;

    prepare(hearing, &call);
    TRY(wire_pack(&hearing->event->base, call.arena, &packed));
    TRY(call_begin(&call, NULL, false, &tx));
    TRY(move(listener, &tx, hearing->position, ret_won));
    if (!*ret_won)
        return OK;
    TRY(pg_execute(&tx, &SQL_PARK_EVENT,
                   PG_IN(pg_text(listener->name), pg_i64((int64_t)hearing->position),
                         pg_text(hearing->event->type), pg_bytes(packed.data, packed.size),
                         pg_text(code_name(why.code)), pg_text(why.detail ? why.detail : ""),
                         pg_i64(tries)),
                   NULL));
    TRY(call_commit(&call));
    moved(listener, hearing->position);
    return OK;
}

static struct status
park(const struct hearing *hearing, struct status why, uint32_t tries, bool *ret_won)
{
    char detail[256]; /* the arena it lives in is about to be used again */

    (void)snprintf(detail, sizeof detail, "%s", why.detail ? why.detail : "");
    why.detail = detail;
    *ret_won = true;
    if (hearing->listener->inbox->stored)
        TRY(store_parked(hearing, why, tries, ret_won));
    if (!*ret_won)
        return OK;
    metric_add(&events_parked, hearing->event->type, NULL, 1);
    log_error("event parked", KV("event_id", hearing->event->id),
              KV("type", hearing->event->type), KV("position", hearing->position),
              KV("tenant_id", hearing->tenant_id), KV("code", code_name(why.code)),
              KV("detail", detail), KV("tries", tries));
    return OK;
}

/* Whether another try is worth it: what is away comes back, what is wrong stays wrong. */
static bool
worth_a_try(enum code code, uint32_t tries, int64_t waited_ms)
{
    switch (code) {
    case CODE_UNAVAILABLE:
    case CODE_ABORTED:
    case CODE_RESOURCE_EXHAUSTED:
    case CODE_STORAGE_FULL:
        return true;
    case CODE_DEADLINE_EXCEEDED:
        return waited_ms < PATIENCE_SLOW_MS;
    default:
        return tries < TRIES_MAX && waited_ms < PATIENCE_MS;
    }
}

static void
tell(const struct hearing *hearing, struct status status, uint32_t tries)
{
    metric_add(&events_heard, hearing->event->type, code_name(status.code), 1);
    if (failed(status))
        log_warn("event not taken in", KV("type", hearing->event->type),
                 KV("position", hearing->position), KV("code", code_name(status.code)),
                 KV("detail", status.detail ? status.detail : ""), KV("tries", tries));
    else
        log_debug("event taken in", KV("type", hearing->event->type),
                  KV("position", hearing->position));
}

/* Tries until it is in, parked, or taken by another instance. */
static struct status
persist(const struct hearing *hearing)
{
    struct listener *listener = hearing->listener;
    const struct clock *clock = listener->frame->open.clock;
    const struct mono start = clock_mono(clock);
    int pause_ms = PAUSE_FIRST_MS;

    for (uint32_t tries = 1;; tries++) {
        bool won = true;
        struct status status = attempt(hearing, &won);

        if (won)
            tell(hearing, status, tries);
        if (!failed(status) && won)
            return OK;
        if (!failed(status)) {
            /* Another instance moved the position: past this event, or up to somewhere before.
             */
            status = look_again(listener);
            if (failed(status) || listener->stored >= hearing->position)
                return status;
            continue;
        }
        if (!worth_a_try(status.code, tries,
                         mono_micros_between(start, clock_mono(clock)) / 1000)) {
            status = park(hearing, status, tries, &won);
            if (!failed(status) && won)
                return OK;
        }
        if (listener_pause(listener, pause_ms))
            return status;
        pause_ms = pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
    }
}

static bool
find_method(const struct listener *listener, const char *type, unsigned *ret)
{
    for (unsigned i = 0; listener->types[i]; i++) {
        if (strcmp(listener->types[i], type) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

/* What happened in another deployment is news for followers; a service acts on what happened
 * here, because the rows that the event is about are not here. */
static bool
is_remote(const Io__Cloudevents__V1__CloudEvent *event)
{
    return event_attribute(event, "originsequence") != NULL;
}

struct status
listener_take(struct listener *listener, const Io__Cloudevents__V1__CloudEvent *event)
{
    const char *tenant_id = event_attribute(event, "tenantid");
    const char *correlation = event_attribute(event, "correlationid");
    struct hearing hearing = {
        .listener = listener,
        .event = event,
        .position = event_position(event),
        .tenant_id = tenant_id && uuid_valid(tenant_id) ? tenant_id : "",
        .attribute_correlation = correlation ? correlation : event->id,
    };
    const ProtobufCService *inbox = listener->inbox->service;
    struct status status;

    if (hearing.position <= atomic_load(&listener->position))
        return OK;
    /* Another instance may be ahead: what the table holds is taken in. */
    if (!(listener->inbox->stored && hearing.position <= listener->stored) &&
        !is_remote(event) && find_method(listener, event->type, &hearing.method)) {
        log_context(hearing.attribute_correlation, NULL,
                    inbox->descriptor->methods[hearing.method].name);
        status = persist(&hearing);
        log_context(NULL, NULL, NULL);
        TRY(status);
    }
    atomic_store(&listener->position, hearing.position);
    return OK;
}
