#include "services/events/federation.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/metric.h"
#include "common/base/uuid.h"
#include "services/events/federation_event.h"
#include "services/events/federation_tenants.h"

#define WAIT_MS 200 /* for a batch; how late an end or a lost lead may be noticed */
#define READ_MS 3000
#define APPEND_MS 5000
#define CONNECT_MS 2000 /* before a peer that does not answer is said to be away */
#define CREDIT_MAX 4096u
#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS 2000
#define BATCH_BYTES ((size_t)64 << 20) /* a batch of at most a frame, checked and copied */
#define SKIPPED_MAX 1000               /* positions without an event for us, before the */
#define SKIPPED_MS 1000                /* table is told */
#define TELL_REFUSED_MS 1000           /* between two log lines about what is refused */

static struct metric lag_gauge =
    METRIC("federation_lag_events", METRIC_GAUGE,
           "positions of the peer's log not looked at yet", "peer", NULL);
static struct metric connected_gauge =
    METRIC("federation_connected", METRIC_GAUGE, "1 while the peer's log is followed from here",
           "peer", NULL);
static struct metric taken_total =
    METRIC("federation_events_total", METRIC_COUNTER, "events taken in", "peer", NULL);
static struct metric refused_total =
    METRIC("federation_refused_total", METRIC_COUNTER, "events passed over", "peer", "reason");
static struct metric gaps_total =
    METRIC("federation_gaps_total", METRIC_COUNTER,
           "times the peer no longer kept what was wanted next", "peer", NULL);

struct federation {
    struct federation_config config;
    const char *name;
    struct federation_roots roots;
    atomic_bool stop;
    int stop_fd;
    pthread_t thread;
    bool started;
    /* the thread's own */
    struct pg *pg;
    struct arena arena;    /* of one batch */
    struct follow *follow; /* NULL: not following */
    uint64_t through;      /* looked at up to here */
    uint64_t stored;       /* as the table has it */
    struct mono stored_at;
    struct federation_tenants tenants;
    struct mono begun_at;
    struct mono rest_until; /* the peer has had its share until then */
    bool connected;
    bool away; /* told once that the peer cannot be reached */
    struct mono tell_refused_at;
};

static void
pause_ms(const struct federation *federation, int ms)
{
    struct pollfd stop = {.fd = federation->stop_fd, .events = POLLIN};

    (void)poll(&stop, 1, ms); /* interrupted: the caller looks again */
}

static void
note_connected(struct federation *federation, bool connected)
{
    if (connected && !federation->connected)
        log_info(federation->away ? "peer reached again" : "peer reached",
                 KV("peer", federation->name), KV("position", federation->through));
    federation->connected = connected;
    if (connected)
        federation->away = false;
    metric_set(&connected_gauge, federation->name, NULL, connected);
}

static void
note_away(struct federation *federation)
{
    if (!federation->connected &&
        mono_micros_between(federation->begun_at, clock_mono(federation->config.clock)) <
            CONNECT_MS * 1000)
        return; /* has only just begun */
    if (!federation->away)
        log_warn("peer cannot be reached", KV("peer", federation->name),
                 KV("position", federation->through));
    federation->away = true;
    note_connected(federation, false);
}

static void
leave(struct federation *federation)
{
    follow_destroy(&federation->follow);
    note_connected(federation, false);
}

static struct status
read_position(struct federation *federation, uint64_t *ret)
{
    const struct pg_scope scope = {
        .deadline = mono_add_ms(clock_mono(federation->config.clock), READ_MS)};
    scoped(pg_tx_end) struct pg_tx tx = {0};

    TRY(pg_tx_begin(federation->pg, &scope, &federation->arena, &tx));
    TRY(store_peer_begin(&tx, federation->name, federation->roots.peer, ret));
    return pg_tx_commit(&tx);
}

/* So much that the peer never waits for us longer than the time its events take. */
static uint32_t
credit(const struct federation_config *config)
{
    return config->events_per_second < CREDIT_MAX ? config->events_per_second : CREDIT_MAX;
}

/* From what the table says: another instance may have gone on. */
static struct status
begin(struct federation *federation)
{
    const struct federation_config *config = &federation->config;
    uint64_t position;

    TRY(read_position(federation, &position));
    federation->through = federation->stored = position;
    federation->stored_at = federation->begun_at = clock_mono(config->clock);
    federation_tenants_clear(&federation->tenants);
    return follow_create(&(struct follow_config){.zmq_context = config->zmq_context,
                                                 .resolver = config->resolver,
                                                 .clock = config->clock,
                                                 .endpoint_list = config->peer->endpoints,
                                                 .curve = config->curve,
                                                 .own = config->own,
                                                 .server_public = config->peer->key,
                                                 .after = position,
                                                 .credit = credit(config),
                                                 .raw = true},
                         &federation->arena, &federation->follow);
}

/* What comes back to us by way of the peer is no news: it is counted alone. */
static void
note_refused(struct federation *federation, struct status status)
{
    const struct clock *clock = federation->config.clock;

    metric_add(&refused_total, federation->name, status.field, 1);
    if (strcmp(status.field, "forwarded") == 0 ||
        mono_left_ms(federation->tell_refused_at, clock_mono(clock)) > 0)
        return;
    log_warn("a peer's event was refused", KV("peer", federation->name),
             KV("reason", status.field), KV("detail", status.detail),
             KV("after", federation->through));
    federation->tell_refused_at = mono_add_ms(clock_mono(clock), TELL_REFUSED_MS);
}

/* INVALID_ARGUMENT, field "tenant": it is not admitted. */
static struct status
admit(struct federation *federation, const char *tenant_id)
{
    const struct federation_config *config = &federation->config;
    bool admitted;
    struct status status;

    if (!federation_tenants_find(&federation->tenants, tenant_id, &admitted)) {
        status =
            config->admit(config->context, tenant_id, federation->name, &federation->arena);
        admitted = !failed(status);
        if (!admitted && status.code != CODE_ALREADY_EXISTS &&
            status.code != CODE_FAILED_PRECONDITION && status.code != CODE_INVALID_ARGUMENT)
            return FAIL(&federation->arena, UNAVAILABLE, "registry admits no tenant now: %s",
                        status.detail ? status.detail : code_name(status.code));
        if (!federation_tenants_add(&federation->tenants, tenant_id, admitted))
            return FAIL_FIELD(&federation->arena, "tenant", "more than %d tenants",
                              FEDERATION_TENANTS_MAX);
    }
    if (!admitted)
        return FAIL_FIELD(&federation->arena, "tenant", "%s is not admitted", tenant_id);
    return OK;
}

static struct status
add_event(struct append_job *job, const struct federation_event *event, struct arena *arena)
{
    struct build_event *into = &job->events[job->event_count];
    char *copy, *tenant_id;

    TRY(need(copy = arena_copy_n(&job->arena, event->packed.data, event->packed.size)));
    TRY(need(tenant_id = arena_copy(&job->arena, event->tenant_id)));
    *into = (struct build_event){.packed = {(const uint8_t *)copy, event->packed.size},
                                 .tenant_id = tenant_id};
    TRY(packed_scan(into->packed, arena, &into->parts));
    job->event_count++;
    job->bytes += event->packed.size;
    return OK;
}

/* So many events take their time, whatever the peer sends. */
static void
note_share(struct federation *federation, size_t events)
{
    const struct mono now = clock_mono(federation->config.clock);

    if (federation->rest_until.ns < now.ns)
        federation->rest_until = now;
    federation->rest_until = mono_add_ms(
        federation->rest_until, (int)(events * 1000 / federation->config.events_per_second));
}

static bool
rests(const struct federation *federation)
{
    const int left_ms =
        mono_left_ms(federation->rest_until, clock_mono(federation->config.clock));

    if (left_ms > 0)
        pause_ms(federation, left_ms < WAIT_MS ? left_ms : WAIT_MS);
    return left_ms > 0;
}

/* Events, if any, and the position behind them, in one transaction of the sequencer. */
static struct status
commit(struct federation *federation, struct append_job *job, uint64_t to)
{
    const struct federation_config *config = &federation->config;

    job->peer.from = federation->stored;
    job->peer.to = to;
    TRY(need(job->peer.source = arena_copy(&job->arena, federation->roots.peer)));
    TRY(sequencer_post(config->sequencer, job, &federation->arena));
    TRY(append_job_await(job, config->clock, mono_add_ms(clock_mono(config->clock), APPEND_MS),
                         &federation->arena));
    if (job->event_count)
        metric_add(&taken_total, federation->name, NULL, job->event_count);
    note_share(federation, job->event_count);
    federation->through = federation->stored = to;
    federation->stored_at = clock_mono(config->clock);
    return OK;
}

/* Refused events are passed over; any failure is a reason to begin again. */
static struct status
take_event(struct federation *federation, struct append_job *job, struct bytes foreign,
           struct federation_range *range)
{
    struct federation_event event;
    struct status status =
        federation_event_take(&federation->roots, *range, foreign, &federation->arena, &event);

    if (!failed(status)) {
        range->after = event.position;
        status = admit(federation, event.tenant_id);
    }
    if (status.code == CODE_INVALID_ARGUMENT) {
        note_refused(federation, status);
        return OK;
    }
    TRY(status);
    return add_event(job, &event, &federation->arena);
}

/* The next events of the batch, as many as an append may have.  ret_more: the batch has more
 * of them behind range->after. */
static struct status
take_part(struct federation *federation, struct bytes *rest, struct federation_range *range,
          bool *ret_more)
{
    scoped(append_job_release) struct append_job *job = NULL;
    struct bytes event;
    bool broken = false, more = false;

    TRY(append_job_begin(PACKED_BATCH_EVENTS, &federation->arena, &job));
    while (!more && packed_next(rest, &event, &broken)) {
        TRY(take_event(federation, job, event, range));
        more = job->event_count == PACKED_BATCH_EVENTS;
    }
    if (broken)
        return FAIL(&federation->arena, UNAVAILABLE, "a batch is not what it should be");
    if (job->event_count)
        TRY(commit(federation, job, more ? range->after : range->through));
    *ret_more = more;
    return OK;
}

/* A range without an event for us is remembered now and then. */
static struct status
skip_to(struct federation *federation, uint64_t through)
{
    const struct mono now = clock_mono(federation->config.clock);
    scoped(append_job_release) struct append_job *job = NULL;

    federation->through = through;
    if (through == federation->stored ||
        (through - federation->stored < SKIPPED_MAX &&
         mono_micros_between(federation->stored_at, now) < SKIPPED_MS * 1000))
        return OK;
    TRY(append_job_begin(0, &federation->arena, &job));
    return commit(federation, job, through);
}

static struct status
take_batch(struct federation *federation, const struct follow_batch *batch)
{
    struct federation_range range = {batch->after, batch->through};
    struct bytes rest = batch->packed;
    bool more = true;

    if (batch->through > INT64_MAX)
        return FAIL(&federation->arena, UNAVAILABLE, "a position beyond all bounds");
    note_connected(federation, true);
    while (more)
        TRY(take_part(federation, &rest, &range, &more));
    TRY(skip_to(federation, batch->through));
    metric_set(&lag_gauge, federation->name, NULL,
               batch->head > batch->through ? (double)(batch->head - batch->through) : 0);
    return OK;
}

/* The peer no longer keeps what was wanted next: goes on with what is left, loudly. */
static struct status
jump(struct federation *federation, uint64_t first_kept)
{
    scoped(append_job_release) struct append_job *job = NULL;

    metric_add(&gaps_total, federation->name, NULL, 1);
    log_error("a peer's events are gone before they were taken in",
              KV("peer", federation->name), KV("position", federation->through),
              KV("first_kept", first_kept));
    if (first_kept <= federation->stored || first_kept > INT64_MAX)
        return FAIL(&federation->arena, UNAVAILABLE, "a first position that makes no sense");
    TRY(append_job_begin(0, &federation->arena, &job));
    TRY(commit(federation, job, first_kept));
    leave(federation);
    return OK;
}

static struct status
step(struct federation *federation)
{
    struct follow_batch batch = {0};
    struct status status;

    if (rests(federation))
        return OK;
    if (!federation->follow)
        TRY(begin(federation));
    status = follow_next(federation->follow, WAIT_MS, &federation->arena, &batch);
    switch (status.code) {
    case CODE_OK:
        return take_batch(federation, &batch);
    case CODE_DEADLINE_EXCEEDED:
        return OK;
    case CODE_UNAVAILABLE:
        note_away(federation);
        return OK; /* the follower keeps trying */
    case CODE_POSITION_GONE:
        return jump(federation, batch.through);
    default:
        return status;
    }
}

static void
run_while_leading(struct federation *federation)
{
    int pause = 0;

    while (!atomic_load(&federation->stop) && sequencer_leads(federation->config.sequencer)) {
        const struct status status = step(federation);

        if (failed(status)) {
            log_warn("a peer's log is followed anew", KV("peer", federation->name),
                     KV("code", code_name(status.code)),
                     KV("detail", status.detail ? status.detail : ""));
            leave(federation);
            pause = pause ? pause * 2 : PAUSE_FIRST_MS;
            if (pause > PAUSE_MAX_MS)
                pause = PAUSE_MAX_MS;
            pause_ms(federation, pause);
        } else {
            pause = 0;
        }
        arena_reset(&federation->arena);
    }
    leave(federation);
}

static void *
run(void *argument)
{
    struct federation *federation = argument;

    while (!atomic_load(&federation->stop)) {
        run_while_leading(federation);
        metric_set(&lag_gauge, federation->name, NULL, 0); /* the leader's to say */
        pause_ms(federation, WAIT_MS);
    }
    return NULL;
}

struct status
federation_create(const struct federation_config *config, struct arena *arena,
                  struct federation **ret)
{
    scoped(federation_destroy) struct federation *federation = calloc(1, sizeof *federation);

    TRY(need(federation));
    federation->config = *config;
    federation->name = config->peer->name;
    federation->roots =
        (struct federation_roots){.peer = config->peer->source, .own = config->own_source};
    arena_init(&federation->arena, BATCH_BYTES);
    federation->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (federation->stop_fd < 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "no descriptor is left");
    TRY(pg_create(config->pg, arena, &federation->pg));
    if (pthread_create(&federation->thread, NULL, run, federation) != 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "no thread for a peer");
    federation->started = true;
    *ret = take(&federation);
    return OK;
}

void
federation_destroy(struct federation **federation)
{
    struct federation *gone = take(federation);
    const uint64_t one = 1;

    if (!gone)
        return;
    atomic_store(&gone->stop, true);
    if (gone->started && write(gone->stop_fd, &one, sizeof one) >= 0)
        (void)pthread_join(gone->thread, NULL); /* it was created and is joined once */
    if (gone->stop_fd >= 0)
        (void)close(gone->stop_fd);
    follow_destroy(&gone->follow);
    pg_destroy(&gone->pg);
    arena_fini(&gone->arena);
    free(gone);
}
