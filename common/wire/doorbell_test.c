#include "common/wire/doorbell.h"

#include <pthread.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/test.h"

#define PATIENCE_MS 10000
#define RINGERS 4
#define RINGS 2000

struct play {
    void *context;
    struct resolver *resolver;
    struct arena arena;
    void *ears[2];
    char endpoints[600];
    struct doorbell *bell;
};

static struct play play;

static void
open_ear(void **ret)
{
    const struct wire_curve off = {0};
    const size_t used = strlen(play.endpoints);
    char endpoint[256];
    size_t size = sizeof endpoint;

    assert_int_equal(
        doorbell_bind(play.context, "tcp://127.0.0.1:*", &off, &play.arena, ret).code, CODE_OK);
    assert_int_equal(zmq_getsockopt(*ret, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    (void)snprintf(play.endpoints + used, sizeof play.endpoints - used, "%s%s",
                   used > 0 ? "," : "", endpoint);
}

static int
begin(void **state)
{
    (void)state;
    play = (struct play){.context = zmq_ctx_new()};
    arena_init(&play.arena, 1 << 20);
    open_ear(&play.ears[0]);
    open_ear(&play.ears[1]);
    return failed(resolver_create(&play.arena, &play.resolver));
}

static int
end(void **state)
{
    (void)state;
    doorbell_destroy(&play.bell);
    resolver_destroy(&play.resolver);
    socket_close(&play.ears[0]);
    socket_close(&play.ears[1]);
    (void)zmq_ctx_term(play.context);
    arena_fini(&play.arena);
    return 0;
}

static void
make_bell(void)
{
    const struct doorbell_config config = {.zmq_context = play.context,
                                           .resolver = play.resolver,
                                           .endpoint_list = play.endpoints};

    assert_int_equal(doorbell_create(&config, &play.arena, &play.bell).code, CODE_OK);
}

static bool
rings(void *ear, int ms)
{
    zmq_pollitem_t item = {.socket = ear, .events = ZMQ_POLLIN};

    return zmq_poll(&item, 1, ms) == 1;
}

/* Rings until the connection stands and this ear has heard one. */
static void
ring_until_heard(void *ear)
{
    const struct mono deadline = mono_add_ms(clock_mono(clock_system()), PATIENCE_MS);

    do
        doorbell_ring(play.bell);
    while (!rings(ear, 5) && mono_left_ms(deadline, clock_mono(clock_system())) > 0);
    assert_true(rings(ear, 0));
}

static void
quiet(void)
{
    while (rings(play.ears[0], 50) || rings(play.ears[1], 50)) {
        doorbell_clear(play.ears[0]);
        doorbell_clear(play.ears[1]);
    }
}

static void
a_ring_reaches_every_instance(void **state)
{
    (void)state;
    make_bell();
    ring_until_heard(play.ears[0]);
    ring_until_heard(play.ears[1]);
    quiet();
    doorbell_ring(play.bell);
    assert_true(rings(play.ears[0], PATIENCE_MS));
    assert_true(rings(play.ears[1], PATIENCE_MS));
    doorbell_clear(play.ears[0]);
    assert_false(rings(play.ears[0], 20));
}

static void *
ring_often(void *context)
{
    (void)context;
    for (int i = 0; i < RINGS; i++)
        doorbell_ring(play.bell);
    return NULL;
}

static void
many_rings_from_many_threads_become_few(void **state)
{
    pthread_t threads[RINGERS];
    int heard = 0;

    (void)state;
    make_bell();
    ring_until_heard(play.ears[0]);
    ring_until_heard(play.ears[1]);
    quiet();
    for (int i = 0; i < RINGERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ring_often, NULL), 0);
    for (int i = 0; i < RINGERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    while (rings(play.ears[0], heard == 0 ? PATIENCE_MS : 50)) {
        char byte;

        assert_int_equal(zmq_recv(play.ears[0], &byte, 1, ZMQ_DONTWAIT), 0);
        heard++;
    }
    assert_in_range(heard, 1, RINGERS * RINGS / 10);
}

static void
a_bell_without_an_ear_can_be_rung_and_destroyed(void **state)
{
    (void)state;
    (void)snprintf(play.endpoints, sizeof play.endpoints, "tcp://127.0.0.1:1");
    make_bell();
    for (int i = 0; i < 100; i++)
        doorbell_ring(play.bell);
    doorbell_destroy(&play.bell);
    assert_null(play.bell);
}

/* Waits until the ear's connection has broken; false: it has not. */
static bool
breaks(void *monitor)
{
    zmq_pollitem_t item = {.socket = monitor, .events = ZMQ_POLLIN};

    return zmq_poll(&item, 1, PATIENCE_MS) == 1;
}

/* With a full pipe libzmq would not see the end, and abort at the second heartbeat after it. */
static void
a_ringer_that_dies_while_nobody_reads_is_noticed(void **state)
{
    void *monitor = zmq_socket(play.context, ZMQ_PAIR);

    (void)state;
    assert_int_equal(zmq_socket_monitor(play.ears[0], "inproc://ear", ZMQ_EVENT_DISCONNECTED),
                     0);
    assert_int_equal(zmq_connect(monitor, "inproc://ear"), 0);
    make_bell();
    ring_until_heard(play.ears[0]);
    for (int i = 0; i < 100; i++) {
        doorbell_ring(play.bell);
        (void)rings(play.ears[1], 5);
        doorbell_clear(play.ears[1]);
    }
    doorbell_destroy(&play.bell);
    assert_true(breaks(monitor));
    (void)zmq_socket_monitor(play.ears[0], NULL, 0);
    socket_close(&monitor);
}

int
main(void)
{
#define PLAYED(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        PLAYED(a_ring_reaches_every_instance),
        PLAYED(many_rings_from_many_threads_become_few),
        PLAYED(a_bell_without_an_ear_can_be_rung_and_destroyed),
        PLAYED(a_ringer_that_dies_while_nobody_reads_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
