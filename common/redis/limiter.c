#include <stdlib.h>
#include <string.h>

#include "common/base/metric.h"
#include "common/redis/redis.h"

/* The bucket as one number (GCRA): the time at which it would be full again.  A token moves
 * that time on by one interval; when it lies more than burst - 1 intervals ahead, there is no
 * token. */

/* While Redis is away each process keeps its own buckets, for a share of the rate, because
 * there are several processes. */
#define LOCAL_SHARE 4
#define LOCAL_WAYS 8

/* Redis's own clock, so that all instances agree.  -1: taken; else the wait in microseconds. */
#define SCRIPT                                                                                 \
    "local t = redis.call('TIME') "                                                            \
    "local now = t[1] * 1000000 + t[2] "                                                       \
    "local at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) "                   \
    "local wait = at - now - tonumber(ARGV[2]) "                                               \
    "if wait > 0 then return wait end "                                                        \
    "at = at + tonumber(ARGV[1]) "                                                             \
    "redis.call('SET', KEYS[1], string.format('%.0f', at), "                                   \
    "'PX', math.ceil((at - now) / 1000) + 1) "                                                 \
    "return -1"

static struct metric decisions =
    METRIC("limiter_decisions_total", METRIC_COUNTER, "tokens asked for", "source", "result");

static int64_t
ask_redis(struct cache *cache, const char *key, int64_t interval_us, int64_t ahead_us,
          bool *ret_answered)
{
    struct redis_args args = {0};
    char interval[24];
    char ahead[24];
    redisReply *reply;
    int64_t wait_us = 0;

    (void)snprintf(interval, sizeof interval, "%lld", (long long)interval_us);
    (void)snprintf(ahead, sizeof ahead, "%lld", (long long)ahead_us);
    redis_add_text(&args, "EVAL");
    redis_add_text(&args, SCRIPT);
    redis_add_text(&args, "1");
    redis_add_text(&args, key);
    redis_add_text(&args, interval);
    redis_add_text(&args, ahead);
    reply = redis_run(cache, &args);
    if (reply && reply->type == REDIS_REPLY_INTEGER) {
        wait_us = reply->integer;
        *ret_answered = true;
    }
    freeReplyObject(reply);
    return wait_us;
}

/* The key's bucket, or the one of its set that has been full for longest. */
static struct bucket *
find_bucket(struct cache_shared *shared, uint64_t hash)
{
    struct bucket *set =
        &shared->buckets[hash % (REDIS_LOCAL_BUCKETS / LOCAL_WAYS) * LOCAL_WAYS];
    struct bucket *oldest = set;

    for (size_t i = 0; i < LOCAL_WAYS; i++) {
        if (set[i].key == hash)
            return &set[i];
        if (set[i].arrival_us < oldest->arrival_us)
            oldest = &set[i];
    }
    *oldest = (struct bucket){.key = hash};
    return oldest;
}

static int64_t
ask_locally(struct cache_shared *shared, const char *key, int64_t interval_us, int64_t ahead_us)
{
    const int64_t now_us = clock_mono(shared->clock).ns / 1000;
    const uint64_t hash = cache_hash(shared, key) | 1; /* 0 is a free bucket */
    struct bucket *bucket;
    int64_t at;
    int64_t wait_us;

    pthread_mutex_lock(&shared->mutex);
    bucket = find_bucket(shared, hash);
    at = bucket->arrival_us > now_us ? bucket->arrival_us : now_us;
    wait_us = at - now_us - ahead_us;
    if (wait_us <= 0)
        bucket->arrival_us = at + interval_us;
    pthread_mutex_unlock(&shared->mutex);
    return wait_us <= 0 ? -1 : wait_us;
}

bool
limiter_take(struct cache *cache, const char *tenant_id, const char *what, uint32_t rate,
             uint32_t per_ms, uint32_t burst, uint32_t *ret_retry_ms)
{
    const int64_t interval_us = rate ? (int64_t)per_ms * 1000 / rate : (int64_t)per_ms * 1000;
    const int64_t ahead_us = interval_us * (burst ? burst - 1 : 0);
    const int64_t local_burst = burst > LOCAL_SHARE ? burst / LOCAL_SHARE : 1;
    bool answered = false;
    int64_t wait_us = 0;
    char key[CACHE_KEY_SIZE];

    /* A key that is too long is cut: it shares a local bucket, which errs on the strict side.
     */
    if (cache_key(cache->shared, tenant_id, what, key))
        wait_us = ask_redis(cache, key, interval_us, ahead_us, &answered);
    if (!answered)
        wait_us = ask_locally(cache->shared, key, interval_us * LOCAL_SHARE,
                              interval_us * LOCAL_SHARE * (local_burst - 1));
    metric_add(&decisions, answered ? "redis" : "local", wait_us > 0 ? "refused" : "taken", 1);
    if (wait_us <= 0)
        return true;
    *ret_retry_ms =
        wait_us / 1000 + 1 > UINT32_MAX ? UINT32_MAX : (uint32_t)(wait_us / 1000 + 1);
    return false;
}
