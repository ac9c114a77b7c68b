#include "services/events/federations.h"

#include "common/service/common_settings.h"

static struct status
start(struct service_frame *frame, struct sequencer *sequencer, struct arena *arena,
      struct federations *federations, size_t i)
{
    TRY(federation_admit_create(frame, arena, &federations->admits[i]));
    return federation_create(
        &(struct federation_config){.zmq_context = frame->zmq_context,
                                    .resolver = frame->resolver,
                                    .clock = frame->clock,
                                    .curve = frame->settings->curve,
                                    .own = frame->own_key,
                                    .pg = &federations->pg,
                                    .sequencer = sequencer,
                                    .own_source = frame->settings->event_source,
                                    .peer = &federations->peers[i],
                                    .events_per_second = federations->events_per_second,
                                    .admit = federation_admit_tenant,
                                    .context = federations->admits[i]},
        arena, &federations->threads[i]);
}

struct status
federations_start(struct service_frame *frame, const char *peers, uint32_t events_per_second,
                  const struct pg_config *pg, struct sequencer *sequencer, struct arena *arena,
                  struct federations *ret)
{
    *ret = (struct federations){.pg = *pg, .events_per_second = events_per_second};
    ret->pg.application_name = "events/federation";
    TRY(federation_peers_parse(peers, frame->settings->event_source, arena, ret->peers,
                               &ret->count));
    for (size_t i = 0; i < ret->count; i++)
        TRY(start(frame, sequencer, arena, ret, i));
    return OK;
}

void
federations_stop(struct federations *federations)
{
    for (size_t i = 0; i < federations->count; i++) {
        federation_destroy(&federations->threads[i]);
        federation_admit_destroy(&federations->admits[i]);
    }
}
