#include "common/wire/doorbell.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#define TOGETHER_MS 1      /* rings this close become one */
#define LOOK_AROUND_MS 500 /* how often the addresses are compared */
#define CLEAR_MAX 10000    /* rings taken at once */
#define RING_HIGH_WATER 10 /* more that wait say nothing new */

/* Of one ringer, at an ear that nobody reads: 100 s of rings.  It must not fill up: libzmq
 * (4.3.4) aborts the process when a connection breaks while its pipe is full and a heartbeat
 * falls due before somebody reads.  Nor may the ear keep the newest ring alone (ZMQ_CONFLATE):
 * there a message that comes while the other side looks is lost, once in a while the
 * subscription, and with it every ring; and what it holds is leaked. */
#define UNREAD_HIGH_WATER 100000

struct doorbell {
    struct resolver *resolver;
    int watch;
    struct resolved joined; /* what the socket is connected to */
    void *socket;
    int fd;           /* eventfd: a ring, or the end */
    atomic_bool rung; /* a ring waits for the thread */
    atomic_bool stop;
    pthread_t thread;
};

static void
wake(struct doorbell *bell)
{
    const uint64_t one = 1;

    /* Cannot fail: the counter never comes near its end, because only the first ring writes. */
    (void)!write(bell->fd, &one, sizeof one);
}

void
doorbell_ring(struct doorbell *bell)
{
    if (!atomic_exchange_explicit(&bell->rung, true, memory_order_acq_rel))
        wake(bell);
}

static bool
holds(const struct resolved *list, const char *endpoint)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->endpoints[i], endpoint) == 0)
            return true;
    return false;
}

static void
follow_addresses(struct doorbell *bell)
{
    struct resolved now;

    if (resolver_version(bell->resolver, bell->watch) == bell->joined.version)
        return;
    resolver_get(bell->resolver, bell->watch, &now);
    for (size_t i = 0; i < bell->joined.count; i++)
        if (!holds(&now, bell->joined.endpoints[i]))
            socket_leave(bell->socket, bell->joined.endpoints[i]);
    for (size_t i = 0; i < now.count; i++) {
        struct status status = OK;

        if (!holds(&bell->joined, now.endpoints[i]))
            status = socket_join(bell->socket, now.endpoints[i], NULL);
        if (failed(status))
            log_warn("doorbell not connected", KV("endpoint", (const char *)now.endpoints[i]),
                     KV("detail", status.detail));
    }
    bell->joined = now;
}

/* Waits for a ring; false when none came in time. */
static bool
wait_ring(struct doorbell *bell, int ms)
{
    struct pollfd item = {.fd = bell->fd, .events = POLLIN};
    uint64_t ignored;

    if (poll(&item, 1, ms) <= 0)
        return false;
    (void)!read(bell->fd, &ignored, sizeof ignored); /* readable: cannot fail */
    return true;
}

static void *
run(void *context)
{
    struct doorbell *bell = context;

    while (!atomic_load_explicit(&bell->stop, memory_order_acquire)) {
        follow_addresses(bell);
        if (!wait_ring(bell, LOOK_AROUND_MS))
            continue;
        if (!atomic_exchange_explicit(&bell->rung, false, memory_order_acq_rel))
            continue; /* woken to end */
        if (zmq_send(bell->socket, "", 0, ZMQ_DONTWAIT) != 0 && errno == ETERM)
            break;
        (void)poll(NULL, 0, TOGETHER_MS); /* the rings of this time wait in bell->rung */
    }
    return NULL;
}

static void
dismantle(struct doorbell **bell)
{
    socket_close(&(*bell)->socket);
    if ((*bell)->fd >= 0)
        (void)close((*bell)->fd); /* nothing was written that could be lost */
    free(*bell);
    *bell = NULL;
}

static struct status
start(struct doorbell *bell, const struct doorbell_config *config, struct arena *arena)
{
    const struct wire_curve curve = {
        .on = config->curve, .own = config->own, .server_public = config->server_public};
    const struct socket_limits limits = {.send_high_water = RING_HIGH_WATER};

    TRY(resolver_watch(bell->resolver, config->endpoint_list, arena, &bell->watch));
    bell->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (bell->fd < 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "eventfd: %s", strerror(errno));
    TRY(socket_connect(config->zmq_context, ZMQ_PUB, NULL, &curve, limits, arena,
                       &bell->socket));
    if (pthread_create(&bell->thread, NULL, run, bell) != 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "no thread for the doorbell");
    return OK;
}

struct status
doorbell_create(const struct doorbell_config *config, struct arena *arena,
                struct doorbell **ret)
{
    struct doorbell *bell = calloc(1, sizeof *bell);
    struct status status;

    TRY(need(bell));
    bell->fd = -1;
    bell->resolver = config->resolver;
    status = start(bell, config, arena);
    if (failed(status)) {
        dismantle(&bell);
        return status;
    }
    *ret = bell;
    return OK;
}

void
doorbell_destroy(struct doorbell **bell)
{
    if (!*bell)
        return;
    atomic_store_explicit(&(*bell)->stop, true, memory_order_release);
    wake(*bell);
    (void)pthread_join((*bell)->thread, NULL); /* our own thread, joined once */
    dismantle(bell);
}

struct status
doorbell_bind(void *zmq_context, const char *endpoint, const struct wire_curve *curve,
              struct arena *arena, void **ret_socket)
{
    const struct socket_limits limits = {.receive_high_water = UNREAD_HIGH_WATER};
    scoped(socket_close) void *socket = NULL;
    char ignored[256];

    TRY(socket_bind(zmq_context, ZMQ_SUB, endpoint, curve, limits, arena, &socket, ignored));
    if (zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0) != 0)
        return FAIL(arena, INTERNAL, "the doorbell hears nothing: %s", zmq_strerror(errno));
    *ret_socket = take(&socket);
    return OK;
}

void
doorbell_clear(void *socket)
{
    char ignored[1];

    for (int i = 0; i < CLEAR_MAX; i++)
        if (zmq_recv(socket, ignored, sizeof ignored, ZMQ_DONTWAIT) < 0)
            return;
}
