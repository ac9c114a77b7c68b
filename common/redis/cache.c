#include "common/redis/cache.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/metric.h"
#include "common/redis/flight.h"
#include "common/redis/redis.h"

#define VALUE_MAX_BYTES ((size_t)1 << 20) /* larger ones are not kept */
#define TEXTS_BYTES ((size_t)16 << 10)

static struct metric requests =
    METRIC("cache_requests_total", METRIC_COUNTER, "values asked for", "result", NULL);

struct status
cache_shared_create(const struct cache_config *config, struct arena *arena,
                    struct cache_shared **ret)
{
    scoped(cache_shared_destroy) struct cache_shared *shared = calloc(1, sizeof *shared);

    (void)arena;
    TRY(need(shared));
    pthread_mutex_init(&shared->mutex, NULL);
    arena_init(&shared->memory, TEXTS_BYTES);
    TRY(need(shared->host = arena_copy(&shared->memory, config->host)));
    TRY(need(shared->service = arena_copy(&shared->memory, config->service)));
    TRY(need(shared->password =
                 arena_copy(&shared->memory, config->password ? config->password : "")));
    shared->port = config->port;
    shared->clock = config->clock;
    shared->command_ms = config->command_ms;
    shared->breaker_failures = config->breaker_failures ? config->breaker_failures : 1;
    shared->breaker_open_ms = config->breaker_open_ms;
    arc4random_buf(&shared->hash_seed, sizeof shared->hash_seed);
    (void)signal(SIGPIPE, SIG_IGN); /* hiredis writes without MSG_NOSIGNAL */
    *ret = take(&shared);
    return OK;
}

void
cache_shared_destroy(struct cache_shared **shared)
{
    if (!*shared)
        return;
    address_end(*shared);
    pthread_mutex_destroy(&(*shared)->mutex);
    arena_fini(&(*shared)->memory);
    free(*shared);
    *shared = NULL;
}

struct status
cache_create(struct cache_shared *shared, struct arena *arena, struct cache **ret)
{
    struct cache *cache = calloc(1, sizeof *cache);

    (void)arena;
    TRY(need(cache));
    cache->shared = shared;
    *ret = cache;
    return OK;
}

void
cache_destroy(struct cache **cache)
{
    if (!*cache)
        return;
    redis_close(*cache);
    free(*cache);
    *cache = NULL;
}

bool
cache_key(const struct cache_shared *shared, const char *tenant_id, const char *what,
          char ret[CACHE_KEY_SIZE])
{
    const int size =
        snprintf(ret, CACHE_KEY_SIZE, "v1:%s:%s:%s", shared->service, tenant_id, what);

    return size > 0 && size < CACHE_KEY_SIZE;
}

/* FNV-1a from a start nobody outside knows. */
uint64_t
cache_hash(const struct cache_shared *shared, const char *text)
{
    uint64_t hash = shared->hash_seed;

    for (const char *at = text; *at; at++)
        hash = (hash ^ (uint8_t)*at) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 29;
}

/* True: found. */
static bool
fetch(struct cache *cache, const char *key, struct arena *arena, const void **ret,
      size_t *ret_size)
{
    struct redis_args args = {0};
    redisReply *reply;
    bool found = false;

    redis_add_text(&args, "GET");
    redis_add_text(&args, key);
    reply = redis_run(cache, &args);
    if (reply && reply->type == REDIS_REPLY_STRING) {
        const void *copy = arena_copy_n(arena, reply->str, (size_t)reply->len);

        if (copy) {
            *ret = copy;
            *ret_size = (size_t)reply->len;
            found = true;
        }
    }
    metric_add(&requests, found ? "hit" : reply ? "miss" : "away", NULL, 1);
    freeReplyObject(reply);
    return found;
}

static void
drop(struct cache *cache, const char *key)
{
    struct redis_args args = {0};

    redis_add_text(&args, "DEL");
    redis_add_text(&args, key);
    freeReplyObject(redis_run(cache, &args));
}

/* Give or take a tenth, so that what was stored together does not end together. */
static uint32_t
with_jitter(uint32_t ttl_ms)
{
    const uint32_t tenth = ttl_ms / 10;

    return ttl_ms - tenth + arc4random_uniform(2 * tenth + 1);
}

static void
store(struct cache *cache, const char *key, uint32_t ttl_ms, const void *value, size_t size)
{
    struct redis_args args = {0};
    char ttl[16];

    if (size > VALUE_MAX_BYTES || !ttl_ms)
        return;
    (void)snprintf(ttl, sizeof ttl, "%u", with_jitter(ttl_ms));
    redis_add_text(&args, "SET");
    redis_add_text(&args, key);
    redis_add(&args, value, size);
    redis_add_text(&args, "PX");
    redis_add_text(&args, ttl);
    freeReplyObject(redis_run(cache, &args));
}

struct loader {
    struct status (*load)(void *context, struct arena *arena, const void **ret,
                          size_t *ret_size);
    void *context;
};

static struct status
load(const struct loader *loader, struct arena *arena, const void **ret, size_t *ret_size)
{
    const void *value = NULL;
    size_t size = 0;

    TRY(loader->load(loader->context, arena, &value, &size));
    *ret = value ? value : "";
    *ret_size = value ? size : 0;
    return OK;
}

/* The leader's part: from Redis, else by loading. */
static struct status
lead(struct cache *cache, struct flight *flight, const char *key, uint32_t ttl_ms,
     const struct loader *loader, struct arena *arena, const void **ret, size_t *ret_size)
{
    struct cache_shared *shared = cache->shared;

    if (fetch(cache, key, arena, ret, ret_size))
        return OK;
    TRY(load(loader, arena, ret, ret_size));
    if (flight_forgotten(shared, flight))
        return OK;
    store(cache, key, ttl_ms, *ret, *ret_size);
    if (flight_forgotten(shared, flight)) /* while it was on its way */
        drop(cache, key);
    return OK;
}

struct status
cache_get(struct cache *cache, const char *tenant_id, const char *what, uint32_t ttl_ms,
          struct mono deadline, struct arena *arena,
          struct status (*load_value)(void *context, struct arena *arena, const void **ret,
                                      size_t *ret_size),
          void *context, const void **ret, size_t *ret_size)
{
    const struct loader loader = {load_value, context};
    enum flight_role role = FLIGHT_LEADER;
    struct flight *flight = NULL;
    const void *value = NULL;
    size_t size = 0;
    struct status status;
    char key[CACHE_KEY_SIZE];

    if (!cache_key(cache->shared, tenant_id, what, key))
        return load(&loader, arena, ret, ret_size);
    TRY(flight_join(cache->shared, key, deadline, arena, &role, &flight, &value, &size));
    if (role == FLIGHT_LEADER) {
        status = lead(cache, flight, key, ttl_ms, &loader, arena, &value, &size);
        flight_land(cache->shared, flight, failed(status) ? NULL : value, size);
        if (failed(status))
            return status;
    } else {
        metric_add(&requests, "shared", NULL, 1);
    }
    *ret = value;
    *ret_size = size;
    return OK;
}

void
cache_forget(struct cache *cache, const char *tenant_id, const char *what)
{
    char key[CACHE_KEY_SIZE];

    if (!cache_key(cache->shared, tenant_id, what, key))
        return;
    flight_forget(cache->shared, key);
    drop(cache, key);
}
