#pragma once

/* Single flight: of all callers of a key in the process one fetches, the others wait for it. */

#include "common/redis/redis.h"

struct flight;

enum flight_role {
    FLIGHT_LEADER,   /* fetch, then flight_land */
    FLIGHT_FOLLOWER, /* the value has been copied into the arena */
};

/* A caller whose leader fails leads the next flight.
 * DEADLINE_EXCEEDED: the leader was not done by then. */
must_use struct status flight_join(struct cache_shared *shared, const char *key,
                                   struct mono deadline, struct arena *arena,
                                   enum flight_role *ret_role, struct flight **ret,
                                   const void **ret_value, size_t *ret_size);
/* Ends the flight; `value` is copied for the followers, NULL tells them that it failed. */
void flight_land(struct cache_shared *shared, struct flight *flight, const void *value,
                 size_t size);

/* The key has changed: nobody joins its flight any more. */
void flight_forget(struct cache_shared *shared, const char *key);
/* Whether that happened while the leader was fetching. */
bool flight_forgotten(struct cache_shared *shared, const struct flight *flight);
