#pragma once

/* A service that rpc_client calls, and its instances: follows the addresses, chooses whom to
 * ask. */

#include "common/wire/rpc_peer.h"
#include "common/wire/rpc_slots.h"

struct rpc_service {
    char name[32];   /* of a shard "matching/2" */
    uint32_t shards; /* 1: not in shards; 0: it is a shard of another */
    struct resolver *resolver;
    int watch;
    uint64_t version; /* of the addresses taken in */
    char server_public[KEY_TEXT_SIZE];
    struct wire_curve curve;
    void *zmq_context;
    int high_water;
    int epoll_fd;
    struct rpc_peer *peers[RESOLVER_ENDPOINTS_MAX];
    size_t peer_count;
    size_t turn; /* where the next choice begins, so that equals share */
};

/* Takes in changed addresses: connects new ones, lets go of those that are gone once nothing is
 * outstanding there. */
void rpc_service_refresh(struct rpc_service *service);
void rpc_service_fini(struct rpc_service *service);

/* The connected instance that is best for the call: one that was not asked yet, does not rest,
 * and has the fewest outstanding.  `fresh`: only such a one.  NULL: there is none. */
struct rpc_peer *rpc_service_choose(struct rpc_service *service, const struct rpc_slot *slot,
                                    bool fresh, struct mono now);
