/* Timers are jobs on the workers: the loop only counts the time and puts them in the line. */

#include "common/service/frame.h"

#include <czmq.h>

#include "common/base/metric.h"
#include "common/pg/idempotency.h"
#include "common/service/worker.h"

#define TIMER_LIMIT_MS 30000
#define LOOK_EVERY_MS 1000
#define LOOK_LIMIT_MS 1000
#define EXPIRE_EVERY_MS 600000

static struct metric runs =
    METRIC("timer_runs_total", METRIC_COUNTER, "runs of timers by outcome", "timer", "code");

/* Keys live 48 hours; a full batch means that there are more. */
static struct status
expire_keys(struct call *call)
{
    uint64_t deleted = 0;

    do {
        scoped(pg_tx_end) struct pg_tx tx = {0};

        TRY(call_begin(call, NULL, false, &tx));
        TRY(idempotency_expire(&tx, &deleted));
        TRY(call_commit(call));
    } while (deleted >= 10000);
    return OK;
}

/* A failure is told when it begins and when it is over, not at every run between. */
static void
tell(struct timer_slot *slot, struct status status)
{
    metric_add(&runs, slot->name, code_name(status.code), 1);
    if (failed(status) && !slot->failing)
        log_warn("timer fails", KV("timer", slot->name), KV("code", code_name(status.code)),
                 KV("detail", status.detail ? status.detail : ""));
    else if (!failed(status) && slot->failing)
        log_info("timer works again", KV("timer", slot->name));
    slot->failing = failed(status);
}

static void
run(void *context, void *argument)
{
    struct worker *worker = context;
    struct timer_slot *slot = argument;
    struct status status = worker->start;
    struct call call;

    log_context(NULL, NULL, slot->name);
    worker_own_call(worker, slot->limit_ms, &call);
    if (slot->run == readiness_look)
        call.state = slot->frame;
    if (!failed(status))
        status = slot->run(&call);
    tell(slot, status);
    log_context(NULL, NULL, NULL);
    atomic_store(&slot->busy, false);
}

static int
fire(zloop_t *loop, int timer, void *argument)
{
    struct timer_slot *slot = argument;
    struct status status;

    (void)loop;
    (void)timer;
    if (atomic_load(&slot->frame->readiness.draining) || atomic_exchange(&slot->busy, true))
        return 0;
    status = rpc_server_post(slot->frame->open.rpc, run, slot);
    if (failed(status)) { /* the line is full: the next turn will do */
        metric_add(&runs, slot->name, code_name(status.code), 1);
        atomic_store(&slot->busy, false);
    }
    return 0;
}

static struct status
add(struct frame *frame, const struct service_timer *timer, uint32_t limit_ms,
    struct arena *arena)
{
    struct timer_slot *slot = &frame->timers[frame->timer_count];

    if (frame->timer_count == FRAME_TIMERS_MAX)
        return FAIL(arena, INTERNAL, "more than %d timers", FRAME_TIMERS_MAX);
    frame->timer_count++;
    slot->frame = frame;
    slot->name = timer->name;
    slot->every_ms = timer->every_ms;
    slot->limit_ms = limit_ms;
    slot->run = timer->run;
    if (zloop_timer(frame->open.loop, slot->every_ms, 0, fire, slot) < 0)
        return need(NULL);
    (void)fire(frame->open.loop, 0, slot); /* the first run is at once */
    return OK;
}

struct status
timers_start(struct frame *frame, struct arena *arena)
{
    const struct service *service = frame->service;

    if (service->uses & USES_POSTGRES) {
        TRY(add(frame, &(struct service_timer){"readiness_look", LOOK_EVERY_MS, readiness_look},
                LOOK_LIMIT_MS, arena));
        TRY(add(frame,
                &(struct service_timer){"idempotency_expire", EXPIRE_EVERY_MS, expire_keys},
                TIMER_LIMIT_MS, arena));
    }
    for (const struct service_timer *timer = service->timers; timer && timer->name; timer++)
        TRY(add(frame, timer, TIMER_LIMIT_MS, arena));
    return OK;
}
