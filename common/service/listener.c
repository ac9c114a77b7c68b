#include "common/service/listener.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/metric.h"
#include "common/service/listener_event.h"

#define WAIT_MS 200          /* for a batch; how late an end may be noticed */
#define START_LIMIT_MS 60000 /* for an inbox that loads what it needs first */
#define PAUSE_MAX_MS 2000    /* between tries to begin */
#define BATCH_BYTES ((size_t)64 << 20)
#define SKIPPED_MAX 1000 /* positions nobody hears, before the table is told */
#define SKIPPED_MS 1000
#define LISTENER_INDEX 1000 /* the worker's number in names */

static struct metric gaps = METRIC("listener_gaps_total", METRIC_COUNTER,
                                   "times events were gone before they were heard", NULL, NULL);

/* The event types heard, one for each method of the inbox. */
static struct status
gather_types(struct listener *listener, struct arena *arena)
{
    const ProtobufCServiceDescriptor *inbox = listener->inbox->service->descriptor;

    TRY(need(listener->types = ARENA_ARRAY(arena, const char *, inbox->n_methods + 1)));
    for (unsigned i = 0; i < inbox->n_methods; i++) {
        const struct contract_event *event = contract_find_event(inbox->methods[i].input);

        if (!event)
            return FAIL(arena, INTERNAL, "%s/%s hears what is no event", inbox->name,
                        inbox->methods[i].name);
        listener->types[i] = event->type;
    }
    return OK;
}

static struct status
start_following(struct listener *listener)
{
    const struct frame *frame = listener->frame;

    follow_destroy(&listener->follow);
    arena_reset(&listener->batch);
    return follow_create(
        &(struct follow_config){
            .zmq_context = frame->open.zmq_context,
            .resolver = frame->open.resolver,
            .clock = frame->open.clock,
            .endpoint_list = frame->settings.stream_endpoints,
            .curve = frame->settings.curve,
            .own = frame->open.own_key,
            .server_public = frame->settings.curve ? listener->events_public : NULL,
            .types = listener->types,
            .after = atomic_load(&listener->position),
        },
        &listener->batch, &listener->follow);
}

/* Finds out where to go on, and follows from there. */
static struct status
begin(struct listener *listener)
{
    uint64_t after = 0;
    struct call call;

    TRY(listener->worker->start);
    if (listener->inbox->stored) {
        TRY(listener_read_position(listener, &after));
    } else if (listener->inbox->start) {
        worker_own_call(listener->worker, START_LIMIT_MS, &call);
        TRY(listener->inbox->start(&call, &after));
    }
    atomic_store(&listener->position, after);
    log_info("listening", KV("inbox", listener->name), KV("after", after));
    return start_following(listener);
}

/* What is gone cannot be heard any more: an index in memory is loaded afresh, a stored listener
 * goes on with what is left, loudly. */
static struct status
jump(struct listener *listener, uint64_t first_kept)
{
    metric_add(&gaps, NULL, NULL, 1);
    log_error("events are gone before they were heard", KV("inbox", listener->name),
              KV("position", atomic_load(&listener->position)), KV("first_kept", first_kept));
    if (!listener->inbox->stored)
        return begin(listener);
    TRY(listener_move(listener, first_kept));
    atomic_store(&listener->position, first_kept);
    return start_following(listener);
}

/* After a batch: the range it covers is taken in, also where nobody here hears its events. */
static struct status
settle(struct listener *listener, const struct follow_batch *batch)
{
    const struct mono now = clock_mono(listener->frame->open.clock);
    uint64_t position = atomic_load(&listener->position);

    if (batch->through > position)
        position = batch->through;
    if (listener->inbox->stored && position > listener->stored &&
        (position - listener->stored >= SKIPPED_MAX ||
         mono_micros_between(listener->stored_at, now) >= SKIPPED_MS * 1000))
        TRY(listener_move(listener, position));
    atomic_store(&listener->position, position);
    atomic_store(&listener->head, batch->head);
    if (listener->inbox->reached)
        listener->inbox->reached(listener->frame->open.state, position, batch->head);
    return OK;
}

static void
say_away(struct listener *listener, bool away)
{
    if (away && !listener->away)
        log_warn("events cannot be reached", KV("inbox", listener->name));
    else if (!away && listener->away)
        log_info("events are reached again", KV("inbox", listener->name));
    listener->away = away;
}

static struct status
step(struct listener *listener)
{
    struct follow_batch batch = {0};
    struct status status;

    arena_reset(&listener->batch);
    status = follow_next(listener->follow, WAIT_MS, &listener->batch, &batch);
    if (status.code == CODE_DEADLINE_EXCEEDED)
        return OK;
    say_away(listener, status.code == CODE_UNAVAILABLE);
    if (status.code == CODE_UNAVAILABLE) {
        (void)listener_pause(listener, PAUSE_MAX_MS / 20);
        return OK; /* the follower keeps trying */
    }
    if (status.code == CODE_POSITION_GONE)
        return jump(listener, batch.through);
    TRY(status);
    for (size_t i = 0; batch.events && i < batch.events->n_events; i++) {
        TRY(listener_take(listener, batch.events->events[i]));
        if (atomic_load(&listener->stopping))
            return OK; /* the rest of the batch is heard by whoever is next */
    }
    return settle(listener, &batch);
}

/* A failure of a step is a reason to begin again from what is stored. */
static void
run(struct listener *listener)
{
    int pause_ms = 0;

    while (!listener_pause(listener, pause_ms)) {
        struct status status = begin(listener);

        if (!failed(status))
            pause_ms = 0;
        while (!failed(status) && !atomic_load(&listener->stopping))
            status = step(listener);
        if (!failed(status) || atomic_load(&listener->stopping))
            continue;
        /* Losing a race to another instance is no failure. */
        LOG_AT(status.code == CODE_ABORTED ? LOG_DEBUG_LEVEL : LOG_WARN_LEVEL,
               "listener begins again", KV("inbox", listener->name),
               KV("code", code_name(status.code)),
               KV("detail", status.detail ? status.detail : ""));
        pause_ms = pause_ms ? pause_ms * 2 : 50;
        if (pause_ms > PAUSE_MAX_MS)
            pause_ms = PAUSE_MAX_MS;
    }
}

static void *
thread_main(void *context)
{
    struct listener *listener = context;

    listener->worker = worker_start(listener->frame, LISTENER_INDEX);
    arena_init(&listener->batch, BATCH_BYTES);
    run(listener);
    follow_destroy(&listener->follow);
    arena_fini(&listener->batch);
    worker_stop(listener->worker);
    atomic_store(&listener->ended, true);
    return NULL;
}

struct status
listener_start(struct frame *frame, struct arena *arena, struct listener **ret)
{
    scoped(listener_stop) struct listener *listener = calloc(1, sizeof *listener);

    TRY(need(listener));
    listener->frame = frame;
    listener->inbox = frame->service->inbox;
    listener->name = listener->inbox->service->descriptor->name;
    listener->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (listener->stop_fd < 0)
        return FAIL(arena, INTERNAL, "eventfd failed");
    if (frame->settings.curve)
        TRY(key_public_load(frame->settings.key_folder, "events", arena,
                            listener->events_public));
    TRY(gather_types(listener, arena));
    if (pthread_create(&listener->thread, NULL, thread_main, listener) != 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "no thread for the listener");
    listener->running = true;
    *ret = take(&listener);
    return OK;
}

void
listener_end(struct listener *listener)
{
    const uint64_t one = 1;

    atomic_store(&listener->stopping, true);
    /* Only a full counter refuses, and then it is readable already. */
    if (write(listener->stop_fd, &one, sizeof one) != sizeof one)
        return;
}

bool
listener_ended(const struct listener *listener)
{
    return atomic_load(&listener->ended);
}

void
listener_stop(struct listener **listener)
{
    if (!*listener)
        return;
    if ((*listener)->running) {
        listener_end(*listener);
        (void)pthread_join((*listener)->thread, NULL);
    }
    if ((*listener)->stop_fd >= 0)
        (void)close((*listener)->stop_fd);
    free(*listener);
    *listener = NULL;
}

uint64_t
listener_position(const struct listener *listener)
{
    return atomic_load(&listener->position);
}

uint64_t
listener_lag(const struct listener *listener)
{
    const uint64_t position = atomic_load(&listener->position);
    const uint64_t head = atomic_load(&listener->head);

    return head > position ? head - position : 0;
}
