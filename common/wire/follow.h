#pragma once

/* Following the event log (proto/events/v1/stream.proto) from C.
 *
 * A follower belongs to one thread, usually one of its own.  It reconnects by itself to any
 * instance of `events` and goes on after the last position it returned; it checks that batches
 * join without a gap (Batch.after must be the last through) and asks again where they do not.
 */

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/wire/message.h"
#include "common/wire/resolver.h"
#include "common/wire/socket.h"
#include "io/cloudevents/v1/cloudevents.pb-c.h"

struct follow;

/* What is pointed at must outlive the follower, except the texts. */
struct follow_config {
    void *zmq_context;
    struct resolver *resolver;
    const struct clock *clock;
    const char *endpoint_list;
    bool curve;
    const struct key_pair *own;
    const char *server_public;
    const char *const *types; /* prefixes; NULL at the end; NULL: all */
    uint64_t after;
    uint32_t credit; /* events under way at most; 0 means 4096 */
    bool raw;        /* batches come as bytes and are not looked into */
};

struct follow_batch {
    uint64_t after, through, head;
    const Io__Cloudevents__V1__CloudEventBatch *events; /* may hold none; lives in the arena */
    struct bytes packed; /* raw: the batch as it came, in the arena, and `events` NULL */
};

must_use struct status follow_create(const struct follow_config *config, struct arena *arena,
                                     struct follow **ret);
void follow_destroy(struct follow **follow);

/* How often batches did not join and were asked for again. */
uint64_t follow_gaps(const struct follow *follow);

/* Waits for the next batch or heartbeat, at most wait_ms.  Calling again gives credit for the
 * events of the last batch: whoever is slow to ask is sent no more than the credit.
 * DEADLINE_EXCEEDED: nothing came.  POSITION_GONE: `ret->through` is the first position kept.
 * PERMISSION_DENIED: the key has no rights.  UNAVAILABLE: no instance can be reached now. */
must_use struct status follow_next(struct follow *follow, int wait_ms, struct arena *arena,
                                   struct follow_batch *ret);

/* Unpacks a CloudEventBatch event by event: the guard's limits hold for each of them and not
 * for the batch.  INVALID_ARGUMENT: it is none.  RESOURCE_EXHAUSTED: more than `limit` events,
 * or the arena is full. */
must_use struct status event_batch_unpack(struct bytes packed, uint32_t limit,
                                          struct arena *arena,
                                          const Io__Cloudevents__V1__CloudEventBatch **ret);

/* The position of an event: its `sequence` attribute; 0 when it has none. */
uint64_t event_position(const Io__Cloudevents__V1__CloudEvent *event);
/* A string attribute, or NULL. */
const char *event_attribute(const Io__Cloudevents__V1__CloudEvent *event, const char *name);
/* Checks and unpacks the event's data.  INVALID_ARGUMENT: another type or bad bytes. */
must_use struct status event_data(const Io__Cloudevents__V1__CloudEvent *event,
                                  const ProtobufCMessageDescriptor *descriptor,
                                  struct arena *arena, ProtobufCMessage **ret);
