#pragma once

/* All peers of the deployment: from the setting to their threads. */

#include "services/events/federation.h"
#include "services/events/federation_admit.h"

struct federations {
    size_t count;
    uint32_t events_per_second; /* from one peer */
    struct federation_peer peers[FEDERATION_PEERS_MAX];
    struct federation_admit *admits[FEDERATION_PEERS_MAX];
    struct federation *threads[FEDERATION_PEERS_MAX];
    struct pg_config pg;
};

/* INVALID_ARGUMENT: the setting is wrong; names the peer and its part.  `ret` stays where it is
 * until the end; after a failure it is to be stopped too. */
must_use struct status federations_start(struct service_frame *frame, const char *peers,
                                         uint32_t events_per_second, const struct pg_config *pg,
                                         struct sequencer *sequencer, struct arena *arena,
                                         struct federations *ret);
/* Before the sequencer ends. */
void federations_stop(struct federations *federations);
