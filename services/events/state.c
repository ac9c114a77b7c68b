#include "services/events/state.h"

#include <string.h>

#include "common/service/common_settings.h"

static void
deliver(void *context, struct block *block)
{
    stream_offer(((struct events_state *)context)->stream, block);
}

static void
reached(void *context, uint64_t head, uint64_t first_kept)
{
    (void)first_kept; /* pages of the log say it where it matters */
    stream_reach(((struct events_state *)context)->stream, head);
}

/* Fellow instances hear it and read the block at once; where there are none, nobody need be
 * woken. */
static void
ring(void *context)
{
    const struct events_state *state = context;
    struct resolved fellows;

    resolver_get(state->resolver, state->bells, &fellows);
    if (fellows.count > 1)
        doorbell_ring(state->doorbell);
}

/* On the stream's thread, which starts before the sequencer and ends after it. */
static struct status
post(void *context, struct append_job *job, struct arena *arena)
{
    const struct events_state *state = context;
    struct sequencer *sequencer = atomic_load(&state->sequencer);

    if (!sequencer)
        return FAIL(arena, UNAVAILABLE, "not_leader");
    return sequencer_post(sequencer, job, arena);
}

static bool
leads(void *context)
{
    struct sequencer *sequencer = atomic_load(&((struct events_state *)context)->sequencer);

    return sequencer && sequencer_leads(sequencer);
}

static struct status
start_stream(struct service_frame *frame, const struct events_settings *settings,
             struct arena *arena, struct events_state *state)
{
    const struct wire_curve curve = {
        .on = frame->zap != NULL, .own = frame->own_key, .domain = RIGHTS_DOMAIN};

    if (frame->zap)
        TRY(rights_own_peers(frame->settings->key_folder, arena, state->own,
                             &state->own_count));
    return stream_create(
        &(struct stream_config){.zmq_context = frame->zmq_context,
                                .bind = settings->stream_bind,
                                .curve = curve,
                                .zap = frame->zap,
                                .own = state->own,
                                .own_count = state->own_count,
                                .pg = &state->reader_pg,
                                .instance = frame->instance,
                                .clock = frame->clock,
                                .tail_bytes = (size_t)settings->tail_mib << 20,
                                .replay_bytes = (size_t)settings->replay_mib << 20,
                                .followers_limit = (size_t)settings->followers_limit,
                                .slow_ms = (uint32_t)settings->slow_ms,
                                .limits = {(uint32_t)settings->system_follows,
                                           (uint32_t)settings->system_events_per_second,
                                           (uint32_t)settings->system_appends_per_second},
                                .ack_ms = (uint32_t)settings->ack_ms,
                                .leads = leads,
                                .post = post,
                                .context = state},
        arena, &state->stream);
}

static struct status
start_sequencer(struct service_frame *frame, const struct events_settings *settings,
                struct arena *arena, struct events_state *state)
{
    const struct wire_curve curve = {
        .on = frame->zap != NULL, .own = frame->own_key, .domain = "services"};
    struct sequencer_config config = {.pg = &state->sequencer_pg,
                                      .clock = frame->clock,
                                      .deliver = deliver,
                                      .reached = reached,
                                      .ring = ring,
                                      .roll = {.days = (uint32_t)settings->partition_days,
                                               .events = settings->partition_events},
                                      .context = state};
    struct sequencer *sequencer = NULL;
    struct status status;

    TRY(resolver_watch(frame->resolver, frame->settings->doorbell_endpoints, arena,
                       &state->bells));
    TRY(doorbell_bind(frame->zmq_context, settings->doorbell_bind, &curve, arena,
                      &config.bell));
    status = sequencer_create(&config, arena, &sequencer);
    atomic_store(&state->sequencer, sequencer);
    if (failed(status))
        socket_close(&config.bell);
    return status;
}

struct status
state_create(struct service_frame *frame, const struct events_settings *settings,
             struct arena *arena, struct events_state *ret)
{
    const struct common_settings *common = frame->settings;
    const struct pg_config pg = {.dsn = common->pg_dsn,
                                 .password = common->pg_password,
                                 .application_name = "events/reader",
                                 .rooms = store_statements,
                                 .clock = frame->clock,
                                 .pooled = common->pg_pooled};
    struct status status;

    memset(ret, 0, sizeof *ret);
    ret->resolver = frame->resolver;
    ret->doorbell = frame->doorbell;
    ret->keep_days = (uint32_t)settings->keep_days;
    ret->reader_pg = ret->sequencer_pg = pg;
    ret->sequencer_pg.application_name = "events/sequencer";
    ret->sequencer_pg.pooled = false;
    if (settings->pg_direct_dsn[0])
        ret->sequencer_pg.dsn = settings->pg_direct_dsn;
    status = start_stream(frame, settings, arena, ret);
    if (!failed(status))
        status = start_sequencer(frame, settings, arena, ret);
    if (!failed(status))
        status = federations_start(frame, settings->federation_peers,
                                   (uint32_t)settings->federation_events_per_second, &pg,
                                   ret->sequencer, arena, &ret->federations);
    if (failed(status))
        state_destroy(ret);
    return status;
}

void
state_destroy(struct events_state *state)
{
    struct sequencer *sequencer = atomic_load(&state->sequencer);

    federations_stop(&state->federations);
    /* The stream hands batches to the sequencer, which tells the stream what came of them. */
    stream_stop(state->stream);
    atomic_store(&state->sequencer, NULL);
    sequencer_destroy(&sequencer);
    stream_destroy(&state->stream);
}

const char *
state_not_ready(const struct events_state *state)
{
    return sequencer_in_touch(atomic_load(&state->sequencer)) ? NULL
                                                              : "the log has not been read yet";
}
