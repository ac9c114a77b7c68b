#include "common/base/log.h"
#include "common/base/metric.h"
#include "common/redis/redis.h"

static struct metric openings = METRIC("redis_breaker_opened_total", METRIC_COUNTER,
                                       "times Redis was given up on", NULL, NULL);

bool
breaker_admits(struct cache_shared *shared)
{
    bool admits = true;

    pthread_mutex_lock(&shared->mutex);
    if (shared->failures >= shared->breaker_failures) {
        admits = !shared->probing && clock_mono(shared->clock).ns >= shared->open_until.ns;
        shared->probing = shared->probing || admits;
    }
    pthread_mutex_unlock(&shared->mutex);
    return admits;
}

void
breaker_tell(struct cache_shared *shared, enum breaker_outcome outcome)
{
    bool opened = false;

    pthread_mutex_lock(&shared->mutex);
    shared->probing = false;
    if (outcome == BREAKER_OK) {
        shared->failures = 0;
    } else {
        const bool was_closed = shared->failures < shared->breaker_failures;

        shared->failures++;
        if (outcome == BREAKER_TIMED_OUT || shared->failures > shared->breaker_failures)
            shared->failures = shared->breaker_failures;
        if (shared->failures >= shared->breaker_failures) {
            shared->open_until =
                mono_add_ms(clock_mono(shared->clock), shared->breaker_open_ms);
            opened = was_closed;
        }
    }
    pthread_mutex_unlock(&shared->mutex);
    if (!opened)
        return;
    metric_add(&openings, NULL, NULL, 1);
    log_warn("redis is away", KV("timed_out", (bool)(outcome == BREAKER_TIMED_OUT)));
}

bool
cache_breaker_open(const struct cache_shared *shared)
{
    /* The mutex is the one part of a shared cache that a reader changes. */
    struct cache_shared *locked = (struct cache_shared *)(uintptr_t)shared;
    bool open;

    pthread_mutex_lock(&locked->mutex);
    open = shared->failures >= shared->breaker_failures &&
           clock_mono(shared->clock).ns < shared->open_until.ns;
    pthread_mutex_unlock(&locked->mutex);
    return open;
}
