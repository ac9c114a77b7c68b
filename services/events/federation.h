#pragma once

/* Another deployment's log followed into this one: a thread per peer.
 *
 * It works only while this instance leads the log.  It goes on after the position that the
 * table keeps, checks every event, has the event's tenant admitted, and hands the events to the
 * sequencer, which moves the position in the transaction that adds them: however often it is
 * cut off, killed or handed over, each event of the peer enters once, in the peer's order.
 * What is refused is counted and passed over.
 */

#include "common/wire/follow.h"
#include "services/events/federation_peer.h"
#include "services/events/sequencer.h"

struct federation;

/* What is pointed at must outlive the thread. */
struct federation_config {
    void *zmq_context;
    struct resolver *resolver;
    const struct clock *clock;
    bool curve;
    const struct key_pair *own;
    const struct pg_config *pg;
    struct sequencer *sequencer;
    const char *own_source; /* root of our own sources */
    const struct federation_peer *peer;
    uint32_t events_per_second; /* from the peer, on average; at least 1 */
    /* Makes a tenant known to registry; see federation_admit_tenant.  On the thread. */
    struct status (*admit)(void *context, const char *tenant_id, const char *deployment,
                           struct arena *arena);
    void *context;
};

/* Starts the thread. */
must_use struct status federation_create(const struct federation_config *config,
                                         struct arena *arena, struct federation **ret);
/* Ends it; what is under way is finished or taken back. */
void federation_destroy(struct federation **federation);
