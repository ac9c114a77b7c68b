#pragma once

/* A real Redis for tests, as scripts/with-servers gives it.  For tests alone. */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "common/base/test.h"
#include "common/redis/redis.h"

#define TENANT_A "0190a000-0000-7000-8000-00000000000a"
#define TENANT_B "0190b000-0000-7000-8000-00000000000b"
#define TEST_MS 10000
#define OPEN_MS 150

static inline struct mono
in_ms(int ms)
{
    return mono_add_ms(clock_mono(clock_system()), ms);
}

static inline int64_t
millis_since(struct mono start)
{
    return mono_micros_between(start, clock_mono(clock_system())) / 1000;
}

static inline int
test_redis_number(const char *name)
{
    const char *text = getenv(name);

    if (!text)
        fail_msg("run this by scripts/with-servers");
    return (int)strtol(text, NULL, 10);
}

static inline struct cache_shared *
test_shared_at(const char *host, int port)
{
    const struct cache_config config = {.host = host,
                                        .port = port,
                                        .service = "trial",
                                        .clock = clock_system(),
                                        .command_ms = 50,
                                        .breaker_failures = 5,
                                        .breaker_open_ms = OPEN_MS};
    struct cache_shared *shared = NULL;

    assert_int_equal(cache_shared_create(&config, NULL, &shared).code, CODE_OK);
    return shared;
}

static inline struct cache_shared *
test_shared(void)
{
    return test_shared_at("127.0.0.1", test_redis_number("SAMVERKA_TEST_REDIS_PORT"));
}

static inline struct cache *
test_cache(struct cache_shared *shared)
{
    struct cache *cache = NULL;

    assert_int_equal(cache_create(shared, NULL, &cache).code, CODE_OK);
    return cache;
}

static inline void
test_signal_redis(int number)
{
    assert_int_equal(kill(test_redis_number("SAMVERKA_TEST_REDIS_PID"), number), 0);
}

/* By hiredis itself: the integer answer of a command. */
static inline long long
test_command(const char *command)
{
    redisContext *context =
        redisConnect("127.0.0.1", test_redis_number("SAMVERKA_TEST_REDIS_PORT"));
    redisReply *reply;
    long long value;

    assert_non_null(context);
    assert_int_equal(context->err, 0);
    reply = redisCommand(context, command);
    assert_non_null(reply);
    value = reply->integer;
    freeReplyObject(reply);
    redisFree(context);
    return value;
}
