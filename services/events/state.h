#pragma once

/* What the handlers and the frame share: the service's threads. */

#include <stdatomic.h>

#include "common/service/service.h"
#include "services/events/federations.h"
#include "services/events/sequencer.h"
#include "services/events/stream.h"

struct events_settings {
#include "common/base/setting_members.h"
#include "services/events/settings.def"
#include "common/base/setting_end.h"
};

struct events_state {
    _Atomic(struct sequencer *) sequencer;
    struct stream *stream;
    struct federations federations;
    struct pg_config sequencer_pg, reader_pg;
    struct zap_peer own[RIGHTS_OWN_MAX];
    size_t own_count;
    /* fellow instances; the sequencer's thread */
    struct resolver *resolver;
    struct doorbell *doorbell;
    int bells;
    uint32_t keep_days;
};

extern const ProtobufCService *const log_service;
extern const struct service_timer log_timers[];

/* Starts the threads.  `settings` must outlive them. */
must_use struct status state_create(struct service_frame *frame,
                                    const struct events_settings *settings, struct arena *arena,
                                    struct events_state *ret);
void state_destroy(struct events_state *state);

/* NULL: ready. */
const char *state_not_ready(const struct events_state *state);
