#include <stdio.h>

#include "common/redis/redis_test.h"

static struct cache_shared *shared;
static struct cache *cache;

static int
set_up(void **state)
{
    (void)state;
    shared = test_shared();
    cache = test_cache(shared);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    cache_destroy(&cache);
    cache_shared_destroy(&shared);
    return 0;
}

/* How many of `tries` are let through when one token an hour comes after a burst of 8. */
static int
taken(struct cache *by, const char *tenant_id, const char *what, int tries,
      uint32_t *ret_retry_ms)
{
    int count = 0;

    for (int i = 0; i < tries; i++)
        count += limiter_take(by, tenant_id, what, 1, 3600000, 8, ret_retry_ms);
    return count;
}

static void
a_burst_passes_and_then_the_rate_holds(void **state)
{
    uint32_t retry_ms = 0;

    (void)state;
    assert_int_equal(taken(cache, TENANT_A, "burst", 20, &retry_ms), 8);
    assert_in_range(retry_ms, 3500000, 3600001);
}

static void
a_bucket_fills_again(void **state)
{
    const struct mono limit = in_ms(TEST_MS);
    uint32_t retry_ms = 0;

    (void)state;
    assert_true(limiter_take(cache, TENANT_A, "refill", 10, 1000, 1, &retry_ms));
    assert_false(limiter_take(cache, TENANT_A, "refill", 10, 1000, 1, &retry_ms));
    assert_in_range(retry_ms, 1, 101);
    while (!limiter_take(cache, TENANT_A, "refill", 10, 1000, 1, &retry_ms))
        assert_true(mono_left_ms(limit, clock_mono(clock_system())) > 0);
}

static void
tenants_and_things_have_their_own_buckets(void **state)
{
    uint32_t retry_ms = 0;

    (void)state;
    assert_int_equal(taken(cache, TENANT_A, "own", 20, &retry_ms), 8);
    assert_int_equal(taken(cache, TENANT_B, "own", 20, &retry_ms), 8);
    assert_int_equal(taken(cache, TENANT_A, "another", 20, &retry_ms), 8);
}

static void
all_processes_share_a_bucket(void **state)
{
    struct cache_shared *other_process = test_shared();
    struct cache *other = test_cache(other_process);
    uint32_t retry_ms = 0;

    (void)state;
    assert_int_equal(taken(cache, TENANT_A, "shared", 5, &retry_ms), 5);
    assert_int_equal(taken(other, TENANT_A, "shared", 20, &retry_ms), 3);
    cache_destroy(&other);
    cache_shared_destroy(&other_process);
}

static void
a_bucket_leaves_redis_when_it_is_full_again(void **state)
{
    uint32_t retry_ms = 0;
    long long left_ms;

    (void)state;
    assert_true(limiter_take(cache, TENANT_A, "leaves", 1, 60000, 8, &retry_ms));
    left_ms = test_command("PTTL v1:trial:" TENANT_A ":leaves");
    assert_in_range(left_ms, 50000, 60002);
}

static void
without_redis_a_tighter_limit_holds_and_keys_are_still_apart(void **state)
{
    uint32_t retry_ms = 0;

    (void)state;
    test_signal_redis(SIGKILL);
    /* The socket may take one more answer that was on its way. */
    (void)taken(cache, TENANT_A, "before", 6, &retry_ms);
    assert_int_equal(taken(cache, TENANT_A, "local", 20, &retry_ms), 2);
    assert_in_range(retry_ms, 4 * 3500000, 4 * 3600000 + 1);
    assert_int_equal(taken(cache, TENANT_B, "local", 20, &retry_ms), 2);
}

static void
without_redis_the_buckets_are_bounded_and_the_busy_ones_stay(void **state)
{
    uint32_t retry_ms = 0;
    int kept = 0;

    (void)state;
    for (int i = 0; i < 3 * REDIS_LOCAL_BUCKETS; i++) {
        char what[32];

        (void)snprintf(what, sizeof what, "many-%d", i);
        (void)limiter_take(cache, TENANT_A, what, 1000, 1000, 1, &retry_ms);
    }
    assert_int_equal(taken(cache, TENANT_A, "busy", 20, &retry_ms), 2);
    for (int i = 0; i < 3 * REDIS_LOCAL_BUCKETS; i++) {
        char what[32];

        (void)snprintf(what, sizeof what, "more-%d", i);
        (void)limiter_take(cache, TENANT_A, what, 1000, 1000, 1, &retry_ms);
    }
    kept = taken(cache, TENANT_A, "busy", 1, &retry_ms);
    assert_int_equal(kept, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_burst_passes_and_then_the_rate_holds),
        TEST(a_bucket_fills_again),
        TEST(tenants_and_things_have_their_own_buckets),
        TEST(all_processes_share_a_bucket),
        TEST(a_bucket_leaves_redis_when_it_is_full_again),
        /* from here on there is no Redis */
        TEST(without_redis_a_tighter_limit_holds_and_keys_are_still_apart),
        TEST(without_redis_the_buckets_are_bounded_and_the_busy_ones_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
