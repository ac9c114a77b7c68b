#pragma once

/* One instance of a service, as rpc_client sees it: its DEALER, whether it is connected, and
 * how much it is trusted at present. */

#include <stdbool.h>
#include <zmq.h>

#include "common/base/clock.h"
#include "common/wire/resolver.h"
#include "common/wire/socket.h"

struct rpc_service;
struct rpc_peer;

/* What a descriptor in the client's epoll stands for. */
struct rpc_watch {
    struct rpc_peer *peer;
    bool monitor;
};

struct rpc_peer {
    struct rpc_service *service;
    char endpoint[RESOLVER_ENDPOINT_SIZE];
    void *socket, *monitor;
    struct rpc_watch socket_watch, monitor_watch;
    uint32_t outstanding; /* attempts under way */
    bool connected;
    bool draining;           /* said so; until it connects anew */
    bool leaving;            /* no longer an address of the service */
    bool touched;            /* sent to: answers may be there without its descriptor telling */
    uint32_t failures;       /* attempts without an answer, since the last answer */
    struct mono rests_until; /* taken only when there is no better one */
};

must_use struct status rpc_peer_create(void *zmq_context, const char *endpoint,
                                       const struct wire_curve *curve, int high_water,
                                       int epoll_fd, struct arena *arena,
                                       struct rpc_peer **ret);
void rpc_peer_destroy(struct rpc_peer **peer, int epoll_fd);

/* Reads what the monitor tells; true when the connection was lost meanwhile. */
bool rpc_peer_take_events(struct rpc_peer *peer);

/* An attempt got no answer: it is spared for a while, longer each time. */
void rpc_peer_failed(struct rpc_peer *peer, struct mono now);
/* It refused (UNAVAILABLE): another is asked first for a moment. */
void rpc_peer_refused(struct rpc_peer *peer, struct mono now);
void rpc_peer_answered(struct rpc_peer *peer);
