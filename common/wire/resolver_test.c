#include "common/wire/resolver.h"

#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/test.h"

#define PATIENCE_MS 10000

static struct resolver *resolver;
static struct arena arena;

static int
begin(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return failed(resolver_create(&arena, &resolver));
}

static int
end(void **state)
{
    (void)state;
    resolver_destroy(&resolver);
    arena_fini(&arena);
    return 0;
}

static struct resolved
known(const char *list)
{
    struct resolved now;
    int handle;

    assert_int_equal(resolver_watch(resolver, list, &arena, &handle).code, CODE_OK);
    resolver_get(resolver, handle, &now);
    return now;
}

static void
numbers_and_localhost_are_known_at_once(void **state)
{
    const struct resolved now = known("tcp://localhost:5561,tcp://10.0.0.7:5561");

    (void)state;
    assert_int_equal(now.version, 1);
    assert_int_equal(now.count, 2);
    assert_string_equal(now.endpoints[0], "tcp://10.0.0.7:5561");
    assert_string_equal(now.endpoints[1], "tcp://127.0.0.1:5561");
}

static void
ipv6_numbers_keep_their_brackets(void **state)
{
    const struct resolved now = known("tcp://[::1]:80");

    (void)state;
    assert_int_equal(now.count, 1);
    assert_string_equal(now.endpoints[0], "tcp://[::1]:80");
}

static void
an_address_named_twice_is_kept_once(void **state)
{
    const struct resolved now =
        known("tcp://127.0.0.1:1,tcp://127.0.0.1:2,tcp://localhost:1,tcp://127.0.0.1:1");

    (void)state;
    assert_int_equal(now.count, 2);
}

static void
the_same_list_has_the_same_handle(void **state)
{
    int one, two, other;

    (void)state;
    assert_int_equal(resolver_watch(resolver, "tcp://10.0.0.1:1", &arena, &one).code, CODE_OK);
    assert_int_equal(resolver_watch(resolver, "tcp://10.0.0.1:1", &arena, &two).code, CODE_OK);
    assert_int_equal(resolver_watch(resolver, "tcp://10.0.0.1:2", &arena, &other).code,
                     CODE_OK);
    assert_int_equal(one, two);
    assert_int_not_equal(one, other);
}

static void
what_is_no_endpoint_list_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "registry:5560",
                                      "ipc://x",
                                      "tcp://",
                                      "tcp://host",
                                      "tcp://host:",
                                      "tcp://host:0",
                                      "tcp://host:65536",
                                      "tcp://host:12x",
                                      "tcp://:5560",
                                      "tcp://a b:1",
                                      "tcp://a:1,",
                                      "tcp://a:1,,tcp://b:1",
                                      "tcp://::1:80",
                                      "tcp://host:1/x"};
    int handle;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (resolver_watch(resolver, bad[i], &arena, &handle).code != CODE_INVALID_ARGUMENT)
            fail_msg("\"%s\" was taken", bad[i]);
}

static void
lists_are_limited(void **state)
{
    char list[64];
    int handle;

    (void)state;
    for (int i = 0; i < RESOLVER_LISTS_MAX; i++) {
        (void)snprintf(list, sizeof list, "tcp://10.0.0.1:%d", i + 1);
        assert_int_equal(resolver_watch(resolver, list, &arena, &handle).code, CODE_OK);
    }
    assert_int_equal(resolver_watch(resolver, "tcp://10.0.0.2:1", &arena, &handle).code,
                     CODE_RESOURCE_EXHAUSTED);
}

/* Most machines know their own name without DNS; it is not one that is taken for a number. */
static void
a_name_is_resolved_by_the_thread(void **state)
{
    const struct mono deadline = mono_add_ms(clock_mono(clock_system()), PATIENCE_MS);
    struct resolved now;
    char list[128], host[64];
    struct addrinfo *infos = NULL;
    int handle;

    (void)state;
    if (gethostname(host, sizeof host) != 0 || getaddrinfo(host, NULL, NULL, &infos) != 0)
        skip();
    freeaddrinfo(infos);
    (void)snprintf(list, sizeof list, "tcp://%s:7000", host);
    assert_int_equal(resolver_watch(resolver, list, &arena, &handle).code, CODE_OK);
    while (resolver_version(resolver, handle) == 0 &&
           mono_left_ms(deadline, clock_mono(clock_system())) > 0)
        (void)poll(NULL, 0, 1);
    resolver_get(resolver, handle, &now);
    assert_true(now.count > 0);
    assert_non_null(strstr(now.endpoints[0], ":7000"));
}

static void
a_name_that_nobody_knows_gives_no_address_and_no_change(void **state)
{
    const struct resolved now = known("tcp://no-such-host.invalid:1");

    (void)state;
    assert_int_equal(now.count, 0);
    assert_int_equal(now.version, 0);
}

int
main(void)
{
#define RESOLVED(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        RESOLVED(numbers_and_localhost_are_known_at_once),
        RESOLVED(ipv6_numbers_keep_their_brackets),
        RESOLVED(an_address_named_twice_is_kept_once),
        RESOLVED(the_same_list_has_the_same_handle),
        RESOLVED(what_is_no_endpoint_list_is_refused),
        RESOLVED(lists_are_limited),
        RESOLVED(a_name_is_resolved_by_the_thread),
        RESOLVED(a_name_that_nobody_knows_gives_no_address_and_no_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
