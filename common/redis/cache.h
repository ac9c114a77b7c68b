#pragma once

/* A cache that may vanish: Redis with a time limit, a breaker and single flight.
 *
 * One cache per thread (it owns a connection); single flight and the breaker are shared by all
 * caches of the process through `struct cache_shared`.  Every failure is a miss; nothing here
 * ever fails a call.  Keys are "v1:<service>:<tenant>:<what>"; a tenant is required ("-" for
 * shared facts).  A value lives `ttl_ms` give or take a tenth.
 */

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/status.h"

struct cache;
struct cache_shared;

struct cache_config {
    const char *host;
    int port;
    const char *password; /* NULL or "": none */
    const char *service;
    const struct clock *clock;
    uint32_t command_ms;       /* limit of one command; 50 */
    uint32_t breaker_failures; /* 5 */
    uint32_t breaker_open_ms;  /* 2000 */
};

must_use struct status cache_shared_create(const struct cache_config *config,
                                           struct arena *arena, struct cache_shared **ret);
void cache_shared_destroy(struct cache_shared **shared);
must_use struct status cache_create(struct cache_shared *shared, struct arena *arena,
                                    struct cache **ret);
void cache_destroy(struct cache **cache);

/* A hit gives the value; otherwise one of all callers of the key in the process runs `load` and
 * the others wait for it (to the deadline), then get its value.  `load` failing fails this call
 * and makes the next waiter load.  The value lives in `arena`. */
must_use struct status cache_get(struct cache *cache, const char *tenant_id, const char *what,
                                 uint32_t ttl_ms, struct mono deadline, struct arena *arena,
                                 struct status (*load)(void *context, struct arena *arena,
                                                       const void **ret, size_t *ret_size),
                                 void *context, const void **ret, size_t *ret_size);
void cache_forget(struct cache *cache, const char *tenant_id, const char *what);

/* A token bucket in Redis with a tighter local one while Redis is away.  `key` as for
 * cache_get. ret_retry_ms is set when it refuses. */
bool limiter_take(struct cache *cache, const char *tenant_id, const char *what, uint32_t rate,
                  uint32_t per_ms, uint32_t burst, uint32_t *ret_retry_ms);
bool cache_breaker_open(const struct cache_shared *shared);
