#include "common/redis/cache.h"

#include <stdatomic.h>
#include <stdio.h>

#include "common/redis/redis_test.h"

static struct arena arena;
static struct cache_shared *shared;
static struct cache *cache;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    shared = test_shared();
    cache = test_cache(shared);
    (void)test_command("FLUSHALL");
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    cache_destroy(&cache);
    cache_shared_destroy(&shared);
    arena_fini(&arena);
    return 0;
}

/* A load that counts, and does what it is told. */
struct source {
    const char *text;
    atomic_int loads;
    atomic_int failures_left;
    struct cache *forgets; /* forgets the key while it loads */
    atomic_int *await;     /* waits until this reaches ... */
    int await_count;
};

static struct status
load(void *context, struct arena *memory, const void **ret, size_t *ret_size)
{
    struct source *source = context;

    atomic_fetch_add(&source->loads, 1);
    while (source->await && atomic_load(source->await) < source->await_count)
        ;
    if (source->forgets)
        cache_forget(source->forgets, TENANT_A, "thing");
    if (atomic_fetch_sub(&source->failures_left, 1) > 0)
        return FAIL(memory, NOT_FOUND, "no such thing");
    *ret_size = strlen(source->text);
    return need(*ret = arena_copy(memory, source->text));
}

static struct status
get(struct cache *from, const char *tenant_id, struct source *source, char ret[64])
{
    const void *value = NULL;
    size_t size = 0;
    struct arena memory;
    struct status status;

    arena_init(&memory, 1 << 20);
    status = cache_get(from, tenant_id, "thing", 10000, in_ms(TEST_MS), &memory, load, source,
                       &value, &size);
    if (!failed(status))
        (void)snprintf(ret, 64, "%.*s", (int)size, (const char *)value);
    status.detail = NULL; /* goes with the memory */
    arena_fini(&memory);
    return status;
}

static void
assert_got(const char *tenant_id, struct source *source, const char *text)
{
    char got[64];

    assert_int_equal(get(cache, tenant_id, source, got).code, CODE_OK);
    assert_string_equal(got, text);
}

static void
a_value_is_loaded_once_and_then_found(void **state)
{
    struct source source = {.text = "value"};
    struct source another = {.text = "not asked"};
    struct cache_shared *other_process = test_shared();
    struct cache *other = test_cache(other_process);
    char got[64];

    (void)state;
    assert_got(TENANT_A, &source, "value");
    assert_got(TENANT_A, &source, "value");
    assert_int_equal(source.loads, 1);
    assert_int_equal(get(other, TENANT_A, &another, got).code, CODE_OK);
    assert_string_equal(got, "value");
    assert_int_equal(another.loads, 0);
    cache_destroy(&other);
    cache_shared_destroy(&other_process);
}

static void
nothing_is_a_value_too(void **state)
{
    struct source source = {.text = ""};

    (void)state;
    assert_got(TENANT_A, &source, "");
    assert_got(TENANT_A, &source, "");
    assert_int_equal(source.loads, 1);
}

static void
tenants_have_their_own_values(void **state)
{
    struct source of_a = {.text = "of A"};
    struct source of_b = {.text = "of B"};

    (void)state;
    assert_got(TENANT_A, &of_a, "of A");
    assert_got(TENANT_B, &of_b, "of B");
    assert_got(TENANT_A, &of_b, "of A");
    assert_int_equal(test_command("EXISTS v1:trial:" TENANT_A ":thing"), 1);
}

static void
a_value_lives_its_time_give_or_take_a_tenth(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct source source = {.text = "value"};
        long long left_ms;

        cache_forget(cache, TENANT_A, "thing");
        assert_got(TENANT_A, &source, "value");
        left_ms = test_command("PTTL v1:trial:" TENANT_A ":thing");
        assert_in_range(left_ms, 8000, 11000);
    }
}

static void
a_forgotten_value_is_loaded_again(void **state)
{
    struct source first = {.text = "first"};
    struct source second = {.text = "second"};

    (void)state;
    assert_got(TENANT_A, &first, "first");
    cache_forget(cache, TENANT_A, "thing");
    assert_got(TENANT_A, &second, "second");
}

static void
a_value_forgotten_while_it_is_loaded_is_not_kept(void **state)
{
    struct cache *other = test_cache(shared);
    struct source old = {.text = "old", .forgets = other};
    struct source fresh = {.text = "fresh"};

    (void)state;
    assert_got(TENANT_A, &old, "old");
    assert_got(TENANT_A, &fresh, "fresh");
    cache_destroy(&other);
}

static void
a_failing_load_fails_its_call_and_is_not_kept(void **state)
{
    struct source source = {.text = "value", .failures_left = 1};
    char got[64];

    (void)state;
    assert_int_equal(get(cache, TENANT_A, &source, got).code, CODE_NOT_FOUND);
    assert_got(TENANT_A, &source, "value");
    assert_int_equal(source.loads, 2);
}

static void
a_key_that_is_too_long_is_loaded_each_time(void **state)
{
    struct source source = {.text = "value"};
    const void *value = NULL;
    size_t size = 0;
    char what[600];

    (void)state;
    memset(what, 'x', sizeof what - 1);
    what[sizeof what - 1] = '\0';
    for (int i = 0; i < 2; i++)
        assert_int_equal(cache_get(cache, TENANT_A, what, 1000, in_ms(TEST_MS), &arena, load,
                                   &source, &value, &size)
                             .code,
                         CODE_OK);
    assert_int_equal(source.loads, 2);
}

#define THREADS 100

struct asker {
    pthread_t thread;
    struct source *source;
    atomic_int *started;
    struct status status;
    char got[64];
};

static void *
ask(void *context)
{
    struct asker *asker = context;
    struct cache *own = test_cache(shared);

    atomic_fetch_add(asker->started, 1);
    asker->status = get(own, TENANT_A, asker->source, asker->got);
    cache_destroy(&own);
    return NULL;
}

static void
ask_from_all(struct asker *askers, struct source *source, atomic_int *started)
{
    for (size_t i = 0; i < THREADS; i++) {
        askers[i] = (struct asker){.source = source, .started = started};
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
}

static void
a_hundred_who_miss_together_load_once(void **state)
{
    static struct asker askers[THREADS];
    atomic_int started = 0;
    struct source source = {.text = "value", .await = &started, .await_count = THREADS};

    (void)state;
    ask_from_all(askers, &source, &started);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(askers[i].status.code, CODE_OK);
        assert_string_equal(askers[i].got, "value");
    }
    assert_int_equal(source.loads, 1);
}

static void
when_the_first_load_fails_the_next_in_line_loads(void **state)
{
    static struct asker askers[THREADS];
    atomic_int started = 0;
    struct source source = {
        .text = "value", .failures_left = 1, .await = &started, .await_count = THREADS};
    int failures = 0;

    (void)state;
    ask_from_all(askers, &source, &started);
    for (size_t i = 0; i < THREADS; i++)
        failures += failed(askers[i].status);
    assert_int_equal(failures, 1);
    assert_int_equal(source.loads, 2);
}

static void
who_waits_for_a_slow_load_waits_to_the_deadline_at_most(void **state)
{
    atomic_int gate = 0;
    atomic_int started = 0;
    struct source slow = {.text = "value", .await = &gate, .await_count = 1};
    struct asker leader = {.source = &slow, .started = &started};
    const struct mono limit = in_ms(TEST_MS);
    const struct mono start = clock_mono(clock_system());
    struct status status;
    const void *value;
    size_t size;

    (void)state;
    assert_int_equal(pthread_create(&leader.thread, NULL, ask, &leader), 0);
    while (!atomic_load(&slow.loads))
        assert_true(mono_left_ms(limit, clock_mono(clock_system())) > 0);
    status = cache_get(cache, TENANT_A, "thing", 1000, in_ms(100), &arena, load, &slow, &value,
                       &size);
    assert_int_equal(status.code, CODE_DEADLINE_EXCEEDED);
    assert_in_range(millis_since(start), 90, 5000);
    atomic_store(&gate, 1);
    assert_int_equal(pthread_join(leader.thread, NULL), 0);
    assert_int_equal(leader.status.code, CODE_OK);
    assert_int_equal(slow.loads, 1);
}

static void
a_frozen_redis_costs_its_limit_once(void **state)
{
    struct source source = {.text = "value"};
    struct mono start;

    (void)state;
    assert_got(TENANT_A, &source, "value");
    test_signal_redis(SIGSTOP);
    start = clock_mono(clock_system());
    assert_got(TENANT_B, &source, "value");
    assert_in_range(millis_since(start), 40, 500);
    assert_true(cache_breaker_open(shared));
    start = clock_mono(clock_system());
    for (int i = 0; i < 100; i++)
        assert_got(TENANT_B, &source, "value");
    assert_in_range(millis_since(start), 0, 1000); /* a hundred limits would be five seconds */
    test_signal_redis(SIGCONT);
}

static void
after_the_breaker_redis_is_used_again(void **state)
{
    const struct mono limit = in_ms(TEST_MS);
    struct source source = {.text = "value"};
    int before;

    (void)state;
    assert_got(TENANT_A, &source, "value");
    test_signal_redis(SIGSTOP);
    assert_got(TENANT_A, &source, "value");
    test_signal_redis(SIGCONT);
    do { /* each miss loads; a hit does not */
        before = source.loads;
        assert_got(TENANT_A, &source, "value");
        assert_true(mono_left_ms(limit, clock_mono(clock_system())) > 0);
    } while (source.loads > before);
    assert_false(cache_breaker_open(shared));
}

static void
a_connection_that_redis_closed_is_made_anew(void **state)
{
    struct source source = {.text = "value"};

    (void)state;
    assert_got(TENANT_A, &source, "value");
    (void)test_command("CLIENT KILL TYPE normal SKIPME yes");
    assert_got(TENANT_A, &source, "value");
    assert_int_equal(source.loads, 1);
}

static void
a_name_is_resolved(void **state)
{
    struct cache_shared *named =
        test_shared_at("localhost", test_redis_number("SAMVERKA_TEST_REDIS_PORT"));
    struct cache *other = test_cache(named);
    struct source source = {.text = "value"};
    const struct mono limit = in_ms(TEST_MS);
    char got[64];

    (void)state;
    while (!test_command("EXISTS v1:trial:" TENANT_A ":thing")) {
        assert_int_equal(get(other, TENANT_A, &source, got).code, CODE_OK);
        assert_true(mono_left_ms(limit, clock_mono(clock_system())) > 0);
    }
    cache_destroy(&other);
    cache_shared_destroy(&named);
}

static void
a_name_that_does_not_exist_costs_the_limit_at_most(void **state)
{
    struct cache_shared *named = test_shared_at("no-such-host.invalid", 6379);
    struct cache *other = test_cache(named);
    struct source source = {.text = "value"};
    const struct mono start = clock_mono(clock_system());
    char got[64];

    (void)state;
    assert_int_equal(get(other, TENANT_A, &source, got).code, CODE_OK);
    assert_in_range(millis_since(start), 0, 1000);
    cache_destroy(&other);
    cache_shared_destroy(&named);
}

static void
without_redis_everything_is_loaded_and_the_breaker_opens(void **state)
{
    struct source source = {.text = "value"};

    (void)state;
    assert_got(TENANT_A, &source, "value");
    test_signal_redis(SIGKILL);
    for (int i = 0; i < 20; i++)
        assert_got(TENANT_A, &source, "value");
    assert_true(cache_breaker_open(shared));
    assert_in_range(source.loads, 20, 21); /* one may have been answered before it died */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_value_is_loaded_once_and_then_found),
        TEST(nothing_is_a_value_too),
        TEST(tenants_have_their_own_values),
        TEST(a_value_lives_its_time_give_or_take_a_tenth),
        TEST(a_forgotten_value_is_loaded_again),
        TEST(a_value_forgotten_while_it_is_loaded_is_not_kept),
        TEST(a_failing_load_fails_its_call_and_is_not_kept),
        TEST(a_key_that_is_too_long_is_loaded_each_time),
        TEST(a_hundred_who_miss_together_load_once),
        TEST(when_the_first_load_fails_the_next_in_line_loads),
        TEST(who_waits_for_a_slow_load_waits_to_the_deadline_at_most),
        TEST(a_connection_that_redis_closed_is_made_anew),
        TEST(a_name_is_resolved),
        TEST(a_name_that_does_not_exist_costs_the_limit_at_most),
        TEST(a_frozen_redis_costs_its_limit_once),
        TEST(after_the_breaker_redis_is_used_again),
        /* the last one, because it kills the server */
        TEST(without_redis_everything_is_loaded_and_the_breaker_opens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
