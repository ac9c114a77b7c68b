#include "common/wire/rpc_peer.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "common/base/arena.h"

#define REST_MS 200
#define REST_MAX_MS 5000
#define REFUSED_REST_MS 50
#define EVENTS_MAX 64 /* read at once */

static struct status
watch(int epoll_fd, void *socket, struct rpc_watch *watch, struct arena *arena)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = watch};
    size_t size = sizeof(int);
    int fd;

    if (zmq_getsockopt(socket, ZMQ_FD, &fd, &size) != 0 ||
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "a socket cannot be watched: %s",
                    zmq_strerror(errno));
    return OK;
}

static void
unwatch(int epoll_fd, void *socket)
{
    size_t size = sizeof(int);
    int fd;

    if (socket && zmq_getsockopt(socket, ZMQ_FD, &fd, &size) == 0)
        (void)epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL); /* ENOENT: never watched */
}

static struct status
monitor(struct rpc_peer *peer, void *zmq_context, struct arena *arena)
{
    static _Atomic uint64_t serial;
    const int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED;
    char address[64];

    /* A name for an inproc endpoint; two sockets must not share one. */
    (void)snprintf(address, sizeof address, "inproc://rpc-peer-%llu",
                   (unsigned long long)atomic_fetch_add(&serial, 1));
    if (zmq_socket_monitor(peer->socket, address, events) != 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "no monitor: %s", zmq_strerror(errno));
    return socket_local(zmq_context, ZMQ_PAIR, address, false, arena, &peer->monitor);
}

static struct status
start(struct rpc_peer *peer, void *zmq_context, const struct wire_curve *curve, int high_water,
      int epoll_fd, struct arena *arena)
{
    const struct socket_limits limits = {.send_high_water = high_water,
                                         .receive_high_water = high_water};

    TRY(socket_connect(zmq_context, ZMQ_DEALER, NULL, curve, limits, arena, &peer->socket));
    TRY(monitor(peer, zmq_context, arena));
    TRY(watch(epoll_fd, peer->socket, &peer->socket_watch, arena));
    TRY(watch(epoll_fd, peer->monitor, &peer->monitor_watch, arena));
    return socket_join(peer->socket, peer->endpoint, arena);
}

struct status
rpc_peer_create(void *zmq_context, const char *endpoint, const struct wire_curve *curve,
                int high_water, int epoll_fd, struct arena *arena, struct rpc_peer **ret)
{
    struct rpc_peer *peer = calloc(1, sizeof *peer);
    struct status status;

    TRY(need(peer));
    (void)snprintf(peer->endpoint, sizeof peer->endpoint, "%s", endpoint); /* of that size */
    peer->socket_watch = (struct rpc_watch){.peer = peer};
    peer->monitor_watch = (struct rpc_watch){.peer = peer, .monitor = true};
    status = start(peer, zmq_context, curve, high_water, epoll_fd, arena);
    if (failed(status)) {
        rpc_peer_destroy(&peer, epoll_fd);
        return status;
    }
    *ret = peer;
    return OK;
}

void
rpc_peer_destroy(struct rpc_peer **peer, int epoll_fd)
{
    if (!*peer)
        return;
    unwatch(epoll_fd, (*peer)->socket);
    unwatch(epoll_fd, (*peer)->monitor);
    if ((*peer)->socket)
        (void)zmq_socket_monitor((*peer)->socket, NULL, 0); /* ends it; fails if never begun */
    socket_close(&(*peer)->monitor);
    socket_close(&(*peer)->socket);
    free(*peer);
    *peer = NULL;
}

/* An event is two frames: its number with a value, and the address. */
static bool
take_event(void *socket, uint16_t *ret)
{
    uint8_t event[6], address[RESOLVER_ENDPOINT_SIZE];
    int size = zmq_recv(socket, event, sizeof event, ZMQ_DONTWAIT);

    if (size < 0)
        return false;
    (void)zmq_recv(socket, address, sizeof address, ZMQ_DONTWAIT); /* comes with the first */
    *ret = 0;
    if (size >= 2)
        memcpy(ret, event, sizeof *ret);
    return true;
}

bool
rpc_peer_take_events(struct rpc_peer *peer)
{
    size_t size = sizeof(int);
    bool lost = false;
    uint16_t event;
    int ignored;

    for (int i = 0; i < EVENTS_MAX && take_event(peer->monitor, &event); i++) {
        peer->connected = event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
        lost |= event == ZMQ_EVENT_DISCONNECTED;
        if (!peer->connected)
            continue;
        peer->draining = false; /* who connects anew has been started anew */
        peer->failures = 0;
        peer->rests_until = (struct mono){0};
        /* Lets the socket learn of its new connection: a send alone might not look. */
        (void)zmq_getsockopt(peer->socket, ZMQ_EVENTS, &ignored, &size);
        peer->touched = true;
    }
    return lost;
}

void
rpc_peer_failed(struct rpc_peer *peer, struct mono now)
{
    int64_t rest = REST_MS;

    for (uint32_t i = 0; i < peer->failures && rest < REST_MAX_MS; i++)
        rest *= 2;
    peer->failures++;
    peer->rests_until = mono_add_ms(now, rest < REST_MAX_MS ? rest : REST_MAX_MS);
}

void
rpc_peer_refused(struct rpc_peer *peer, struct mono now)
{
    peer->rests_until = mono_add_ms(now, REFUSED_REST_MS);
}

void
rpc_peer_answered(struct rpc_peer *peer)
{
    peer->failures = 0;
    peer->rests_until = (struct mono){0};
}
