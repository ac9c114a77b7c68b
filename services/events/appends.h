#pragma once

/* Batches that peers of the stream append, and the outcomes on their way back.  The stream's
 * thread, except that the sequencer's puts outcomes into the line. */

#include <zmq.h>

#include "events/v1/stream.pb-c.h"
#include "services/events/append.h"
#include "services/events/quotas.h"
#include "services/events/reader.h"

#define APPENDS_OF_A_KEY 256 /* batches under way */
#define APPENDS_KEY_BYTES ((size_t)16 << 20)
#define APPENDS_BYTES ((size_t)64 << 20) /* of all keys together */

struct appends_config {
    void *socket; /* the ROUTER */
    const struct clock *clock;
    uint32_t appends_per_second; /* of a system without a limit of its own */
    /* Hands a job to the sequencer; see sequencer_post. */
    struct status (*post)(void *context, struct append_job *job, struct arena *arena);
    void *context;
};

struct appends {
    struct appends_config config;
    struct line outcomes;
    struct line_item *late; /* jobs whose outcome's peer has no room, oldest first */
    struct line_item **late_end;
    size_t under_way; /* jobs that are not answered to their peer */
    size_t bytes;     /* of their batches */
};

must_use struct status appends_init(struct appends *appends,
                                    const struct appends_config *config, struct arena *arena);
/* After the sequencer has ended: nothing comes any more. */
void appends_fini(struct appends *appends);

/* A batch of a peer that may see and say `rights`; NULL: nothing.  Takes what the message
 * holds.  Every answer goes to the peer. */
void appends_take(struct appends *appends, const struct routing *routing, struct quota *quota,
                  const struct rights *rights, const Events__V1__Append *append,
                  zmq_msg_t *batch, struct arena *arena);

/* Sends outcomes that have come, and late ones again. */
void appends_send(struct appends *appends);
/* Whether some wait for room. */
bool appends_are_late(const struct appends *appends);
