#pragma once

/* A message without content that says "look now".  It may be lost: every listener also polls.
 */

#include "common/base/status.h"
#include "common/wire/resolver.h"
#include "common/wire/socket.h"

struct doorbell;

struct doorbell_config {
    void *zmq_context;
    struct resolver *resolver;
    const char *endpoint_list; /* of every `events` instance's bell */
    bool curve;
    const struct key_pair *own;
    const char *server_public;
};

/* The ringing side: a thread of its own with a PUB connected to every instance.  doorbell_ring
 * takes microseconds and may be called from any thread; rings within a millisecond become one.
 */
must_use struct status doorbell_create(const struct doorbell_config *config,
                                       struct arena *arena, struct doorbell **ret);
void doorbell_ring(struct doorbell *bell);
void doorbell_destroy(struct doorbell **bell);

/* The listening side: a bound SUB socket to poll.  doorbell_clear takes all rings. */
must_use struct status doorbell_bind(void *zmq_context, const char *endpoint,
                                     const struct wire_curve *curve, struct arena *arena,
                                     void **ret_socket);
void doorbell_clear(void *socket);
