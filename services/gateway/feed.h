#pragma once

/* Follows the whole log on a thread of its own and hands ready-made events to the loop.
 *
 * The two meet in one bounded queue with one writer and one reader: when it is full the thread
 * waits, and so, by credit, does the log.
 */

#include "common/event/event_json.h"
#include "services/gateway/gateway.h"
#include "services/gateway/ring.h"

struct feed;

/* A batch or heartbeat as the loop gets it. */
struct feed_item {
    bool restart; /* begins anew at `after` */
    uint64_t after, through, head;
    size_t count;
    struct ring_event *events[];
};

must_use struct status feed_create(struct gateway *gateway, const struct event_json *events,
                                   struct arena *arena, struct feed **ret);
/* Ends the thread; frees what was not taken. */
void feed_destroy(struct feed **feed);

/* Readable when feed_take has something. */
int feed_fd(const struct feed *feed);
void feed_clear(struct feed *feed);
/* The next item, to be freed by the caller (not its events, which go to the ring); NULL: none.
 */
struct feed_item *feed_take(struct feed *feed);

/* An event as it goes out, or NULL when it cannot be written (it is then left out and logged).
 * Any thread. */
struct ring_event *feed_make_event(const struct event_json *events,
                                   const Io__Cloudevents__V1__CloudEvent *event,
                                   struct arena *arena);
