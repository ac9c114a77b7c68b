#pragma once

/* The stream endpoint: a ROUTER on a thread of its own, which never waits for anything but
 * work. */

#include "common/wire/socket.h"
#include "services/events/delivery.h"

struct stream;

struct stream_config {
    void *zmq_context;
    const char *bind;
    struct wire_curve curve;
    struct zap *zap; /* NULL without CURVE */
    const struct zap_peer *own;
    size_t own_count;
    const struct pg_config *pg; /* for pages and rights */
    const struct clock *clock;
    size_t tail_bytes, replay_bytes;
    size_t followers_limit;
    uint32_t slow_ms;
    struct limits limits; /* of a system without limits of its own */
    /* Hands a batch to the sequencer; see sequencer_post.  On the stream's thread. */
    struct status (*post)(void *context, struct append_job *job, struct arena *arena);
    void *context;
};

/* Binds, and starts this thread and the reader's. */
must_use struct status stream_create(const struct stream_config *config, struct arena *arena,
                                     struct stream **ret);
/* Tells all followers to go elsewhere and ends the stream's thread: nothing is posted any more,
 * while outcomes and blocks may still come.  NULL is allowed. */
void stream_stop(struct stream *stream);
/* Stops it if need be, and ends the reader's thread. */
void stream_destroy(struct stream **stream);
const char *stream_endpoint(const struct stream *stream); /* with the real port */

/* The newest block; takes it.  When too many wait it is dropped: followers then read it as a
 * page of the log.  Any one thread. */
void stream_offer(struct stream *stream, struct block *block);
/* The log ends at `head`; the next block follows it.  The same thread as stream_offer. */
void stream_reach(struct stream *stream, uint64_t head);
