#pragma once

/* One connection to Redis and the breaker before it; for this folder only.
 *
 * A command, with the connection it may need, has one time limit.  A limit that passes opens
 * the breaker at once, because waiting is what must not be repeated; refusals, which are quick,
 * are counted.  While the breaker is open no command is tried; after that one caller tries for
 * all.
 */

#include <hiredis/hiredis.h>
#include <netdb.h>
#include <pthread.h>
#include <time.h>

#include "common/redis/cache.h"

#define REDIS_COMMAND_ARGS_MAX 8
#define REDIS_LOCAL_BUCKETS 4096 /* of the limiter while Redis is away */
#define REDIS_FLIGHT_LISTS 64

struct flight;
struct lookup;

struct bucket {
    uint64_t key;       /* hash; 0: free */
    int64_t arrival_us; /* when the bucket would be full again */
};

/* All caches of the process; everything below `mutex` is under it. */
struct cache_shared {
    struct arena memory; /* the texts */
    const char *host, *password, *service;
    int port;
    const struct clock *clock;
    uint32_t command_ms, breaker_failures, breaker_open_ms;
    uint64_t hash_seed;
    pthread_mutex_t mutex;
    uint32_t failures;
    bool probing;
    struct mono open_until;
    struct flight *flights[REDIS_FLIGHT_LISTS];
    struct bucket buckets[REDIS_LOCAL_BUCKETS];
    /* The host's address, asked for off this thread. */
    struct lookup *lookup; /* NULL: none under way */
    struct mono looked_up_at;
    char address[NI_MAXHOST]; /* "": none yet */
};

struct cache {
    struct cache_shared *shared;
    redisContext *context; /* NULL: not connected */
};

struct redis_args {
    int count;
    const char *texts[REDIS_COMMAND_ARGS_MAX];
    size_t sizes[REDIS_COMMAND_ARGS_MAX];
};

void redis_add(struct redis_args *args, const void *bytes, size_t size);
void redis_add_text(struct redis_args *args, const char *text);

/* NULL when Redis is away, late or says nonsense; else the caller frees the reply, which may be
 * an error of the command itself. */
must_use redisReply *redis_run(struct cache *cache, const struct redis_args *args);
void redis_close(struct cache *cache);
void redis_add_ms(struct timespec *time, int ms);

/* address.c: the host's numeric address into `ret`; false when it is not known by `deadline`.
 */
must_use bool address_find(struct cache_shared *shared, struct mono deadline,
                           char ret[NI_MAXHOST]);
void address_end(struct cache_shared *shared);

/* breaker.c */
must_use bool breaker_admits(struct cache_shared *shared);
enum breaker_outcome { BREAKER_OK, BREAKER_FAILED, BREAKER_TIMED_OUT };
void breaker_tell(struct cache_shared *shared, enum breaker_outcome outcome);

/* "v1:<service>:<tenant>:<what>"; false when it does not fit. */
#define CACHE_KEY_SIZE 512
must_use bool cache_key(const struct cache_shared *shared, const char *tenant_id,
                        const char *what, char ret[CACHE_KEY_SIZE]);
uint64_t cache_hash(const struct cache_shared *shared, const char *text);
