#include "services/notifications/webhooks/follow.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/metric.h"
#include "common/service/common_settings.h"
#include "common/wire/keys.h"
#include "services/notifications/webhooks/fan.h"
#include "services/notifications/webhooks/send.h"
#include "services/notifications/webhooks/webhooks.h"

#define WAIT_MS 200
#define TX_MS 10000
#define PAUSE_FIRST_MS 50
#define PAUSE_MAX_MS 2000
#define BATCH_BYTES ((size_t)64 << 20)

static struct metric position_gauge = METRIC(
    "webhook_position", METRIC_GAUGE, "position up to which deliveries were made", NULL, NULL);

struct follower {
    struct webhooks *webhooks;
    struct service_frame *frame;
    char events_public[KEY_TEXT_SIZE];
    atomic_bool stopping;
    int stop_fd;
    pthread_t thread;
    bool running;
    /* the thread's own */
    struct pg *pg;
    struct follow *follow;
    struct arena batch, part, own;
    uint64_t stored; /* what the table holds, as far as known */
};

static bool
pause_ms(struct follower *follower, int ms)
{
    struct pollfd stop = {.fd = follower->stop_fd, .events = POLLIN};

    (void)poll(&stop, 1, ms);
    return atomic_load(&follower->stopping);
}

static struct status
begin_tx(struct follower *follower, struct pg_tx *tx)
{
    const struct clock *clock = follower->frame->clock;
    const struct pg_scope scope = {.deadline = mono_add_ms(clock_mono(clock), TX_MS)};

    return pg_tx_begin(follower->pg, &scope, &follower->batch, tx);
}

static struct status
read_position(struct follower *follower, uint64_t *ret)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    TRY(begin_tx(follower, &tx));
    TRY(store_follower_begin(&tx, &follower->batch, ret));
    return pg_tx_commit(&tx);
}

static struct status
begin(struct follower *follower)
{
    const struct common_settings *settings = follower->frame->settings;

    follow_destroy(&follower->follow);
    arena_reset(&follower->batch);
    TRY(read_position(follower, &follower->stored));
    log_info("webhooks follow the log", KV("after", follower->stored));
    return follow_create(&(struct follow_config){.zmq_context = follower->frame->zmq_context,
                                                 .resolver = follower->frame->resolver,
                                                 .clock = follower->frame->clock,
                                                 .endpoint_list = settings->stream_endpoints,
                                                 .curve = settings->curve,
                                                 .own = follower->frame->own_key,
                                                 .server_public = settings->curve
                                                                      ? follower->events_public
                                                                      : NULL,
                                                 .after = follower->stored},
                         &follower->batch, &follower->follow);
}

/* The events behind what is stored: another instance may have taken the first ones. */
static struct fan_events
rest_of(const struct follower *follower, const struct follow_batch *batch)
{
    struct fan_events events = {0};

    if (batch->events)
        events = (struct fan_events){batch->events->events, batch->events->n_events};
    while (events.count && event_position(events.events[0]) <= follower->stored) {
        events.events++;
        events.count--;
    }
    return events;
}

static struct status
serve_tenant(struct follower *follower, struct pg_tx *tx, const char *tenant_id,
             struct fan_events events, bool *ret_wrote)
{
    const struct fan fan = {
        .json = follower->webhooks->events, .arena = &follower->part, .live = true};
    struct webhook_sieve *sieves;
    bool wrote = false;
    size_t count;

    TRY(pg_tx_enter(tx, tenant_id));
    TRY(store_sieves(tx, &follower->batch, true, &sieves, &count));
    TRY(fan_out(&fan, tx, sieves, count, events, &wrote));
    if (wrote)
        TRY(store_tie_roll(tx, 0));
    *ret_wrote = *ret_wrote || wrote;
    return OK;
}

/* Position and deliveries in one transaction.  *ret_won is false when somebody else has moved
 * the position: then the table is to be read again. */
static struct status
take_in(struct follower *follower, const struct follow_batch *batch, bool *ret_won,
        bool *ret_wrote)
{
    const struct fan_events events = rest_of(follower, batch);
    scoped(pg_tx_end) struct pg_tx tx = {0};
    const char **tenants;
    size_t count = 0;

    TRY(begin_tx(follower, &tx));
    TRY(store_follower_move(&tx, follower->stored, batch->through, ret_won));
    if (!*ret_won)
        return OK;
    if (events.count)
        TRY(store_roll_live(&tx, &follower->batch, &tenants, &count));
    for (size_t i = 0; i < count; i++)
        TRY(serve_tenant(follower, &tx, tenants[i], events, ret_wrote));
    return pg_tx_commit(&tx);
}

static struct status
take_batch(struct follower *follower, const struct follow_batch *batch)
{
    while (batch->through > follower->stored) {
        bool won = false, wrote = false;

        TRY(take_in(follower, batch, &won, &wrote));
        if (won) {
            follower->stored = batch->through;
            metric_set(&position_gauge, NULL, NULL, (double)follower->stored);
            if (wrote)
                sender_wake(follower->webhooks->sender);
            return OK;
        }
        const uint64_t before = follower->stored;

        TRY(read_position(follower, &follower->stored));
        if (follower->stored < before)
            return FAIL(&follower->batch, ABORTED, "the stored position went back");
    }
    return OK;
}

/* What the log no longer has cannot be sent. */
static struct status
jump(struct follower *follower, uint64_t first_kept)
{
    const struct follow_batch gone = {.after = follower->stored, .through = first_kept};

    log_error("events are gone before webhooks could be told", KV("position", follower->stored),
              KV("first_kept", first_kept));
    TRY(take_batch(follower, &gone));
    return begin(follower);
}

static struct status
step(struct follower *follower)
{
    struct follow_batch batch = {0};
    struct status status;

    arena_reset(&follower->batch);
    status = follow_next(follower->follow, WAIT_MS, &follower->batch, &batch);
    if (status.code == CODE_DEADLINE_EXCEEDED)
        return OK;
    if (status.code == CODE_UNAVAILABLE) {
        (void)pause_ms(follower, PAUSE_MAX_MS / 20);
        return OK; /* it keeps trying by itself */
    }
    if (status.code == CODE_POSITION_GONE)
        return jump(follower, batch.through);
    TRY(status);
    return take_batch(follower, &batch);
}

/* A failure of a step is a reason to begin again from what is stored. */
static void
run(struct follower *follower)
{
    int wait_ms = 0;

    while (!pause_ms(follower, wait_ms)) {
        struct status status = begin(follower);

        if (!failed(status))
            wait_ms = 0;
        while (!failed(status) && !atomic_load(&follower->stopping))
            status = step(follower);
        if (!failed(status) || atomic_load(&follower->stopping))
            continue;
        log_warn("webhooks begin again to follow", KV("code", code_name(status.code)),
                 KV("detail", status.detail ? status.detail : ""));
        wait_ms = wait_ms ? wait_ms * 2 : PAUSE_FIRST_MS;
        if (wait_ms > PAUSE_MAX_MS)
            wait_ms = PAUSE_MAX_MS;
    }
}

static void *
thread_main(void *context)
{
    struct follower *follower = context;

    run(follower);
    follow_destroy(&follower->follow);
    return NULL;
}

struct status
follower_start(struct webhooks *webhooks, struct service_frame *frame, struct arena *arena,
               struct follower **ret)
{
    scoped(follower_stop) struct follower *follower = calloc(1, sizeof *follower);

    TRY(need(follower));
    follower->webhooks = webhooks;
    follower->frame = frame;
    arena_init(&follower->batch, BATCH_BYTES);
    arena_init(&follower->part, FAN_BYTES);
    arena_init(&follower->own, BATCH_BYTES);
    follower->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (follower->stop_fd < 0)
        return FAIL(arena, INTERNAL, "eventfd failed");
    if (frame->settings->curve)
        TRY(key_public_load(frame->settings->key_folder, "events", arena,
                            follower->events_public));
    TRY(webhooks_pg(frame, "notifications/webhooks", &follower->own, &follower->pg));
    if (pthread_create(&follower->thread, NULL, thread_main, follower) != 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "no thread to follow the log for webhooks");
    follower->running = true;
    *ret = take(&follower);
    return OK;
}

void
follower_stop(struct follower **follower)
{
    struct follower *gone = take(follower);
    const uint64_t one = 1;

    if (!gone)
        return;
    atomic_store(&gone->stopping, true);
    /* Only a full counter refuses, and then it is readable already. */
    if (gone->running && write(gone->stop_fd, &one, sizeof one) >= 0)
        (void)pthread_join(gone->thread, NULL);
    if (gone->stop_fd >= 0)
        (void)close(gone->stop_fd);
    pg_destroy(&gone->pg);
    arena_fini(&gone->own);
    arena_fini(&gone->part);
    arena_fini(&gone->batch);
    free(gone);
}
