#pragma once

/* Server-sent events: one suspended connection per client, all fed from the ring.
 *
 * A client's place is a position, so it may leave one gateway and go on at another.  A place
 * older than the ring is caught up by pages of the log, one at a time.  Loop thread.
 */

#include "services/gateway/exchange.h"

struct streams;

#define STREAM_HEARTBEAT_MS 15000

must_use struct status streams_create(struct gateway *gateway, struct arena *arena,
                                      struct streams **ret);
/* Every client must have gone: the daemon is stopped. */
void streams_destroy(struct streams **streams);

/* The ring has moved: wakes those for whom there is something.  `from` is the position before.
 */
void streams_wake(struct streams *streams, uint64_t from);

/* Each second: heartbeats, and credentials looked at again. */
void streams_tick(struct streams *streams);

/* Tells every client when to come back and ends its stream. */
void streams_drain(struct streams *streams);

size_t streams_count(const struct streams *streams);
