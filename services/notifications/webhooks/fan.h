#pragma once

/* From events to deliveries: what the follower and the feeding timer have in common. */

#include "services/notifications/webhooks/store_log.h"

#define FAN_EVENTS 100 /* taken at a time */
#define FAN_BYTES ((size_t)128 << 20)

struct event_json;

struct fan {
    const struct event_json *json;
    struct arena *arena; /* of one part; reset here, limit FAN_BYTES */
    bool live;           /* for the webhooks that take events as they come */
};

/* Events in the order of the log. */
struct fan_events {
    Io__Cloudevents__V1__CloudEvent *const *events;
    size_t count;
};

/* Writes a delivery of each event to each of the webhooks of the transaction's tenant that
 * wants it; holds the tenant's roll if there is any.  One with WEBHOOK_BACKLOG deliveries that
 * wait is marked full, and is to be fed from there.  *ret_wrote: the roll has to be tied. */
must_use struct status fan_out(const struct fan *fan, struct pg_tx *tx,
                               struct webhook_sieve *sieves, size_t sieve_count,
                               struct fan_events events, bool *ret_wrote);
