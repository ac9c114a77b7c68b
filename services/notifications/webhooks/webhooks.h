#pragma once

/* The door of webhooks for main.c: rpcs, timers, and two threads of their own.
 *
 * The follower hears the log and writes a delivery for each webhook that wants an event, in the
 * transaction that moves its position.  The sender sends what is due.  Both may run in any
 * number of instances. */

#include "common/service/service.h"

extern const ProtobufCService *const webhooks_service;
extern const struct pg_statement *const *const webhooks_statements;

struct seal_ring;
struct event_json;
struct follower;
struct sender;

struct webhooks_config {
    const char *keys, *ca_file, *source;
    const char *resolve; /* tests of the sender alone; NULL */
    uint32_t timeout_ms, in_flight, in_flight_all, log_days;
    uint32_t retry_thousandths;
    bool loopback;
};

/* What rpcs, timers and threads share; constant after start but for the threads. */
struct webhooks {
    struct webhooks_config config;
    struct seal_ring *ring;
    struct event_json *events;
    struct follower *follower; /* NULL: not started */
    struct sender *sender;
};

/* INVALID_ARGUMENT: a setting is not usable. */
must_use struct status webhooks_create(const struct webhooks_config *config,
                                       struct arena *arena, struct webhooks *ret);
void webhooks_destroy(struct webhooks *webhooks);

/* A connection of a thread's own, with the statements of webhooks. */
must_use struct status webhooks_pg(const struct service_frame *frame, const char *name,
                                   struct arena *arena, struct pg **ret);

/* The threads.  Stopping waits for the request under way, for a second at most. */
must_use struct status webhooks_start(struct webhooks *webhooks, struct service_frame *frame,
                                      struct arena *arena);
void webhooks_stop(struct webhooks *webhooks);

/* Timers: feed from the log who lags; tell officers of what was disabled; throw old deliveries
 * away and measure. */
must_use struct status webhooks_feed(struct call *call);
must_use struct status webhooks_tell(struct call *call);
must_use struct status webhooks_tidy(struct call *call);
