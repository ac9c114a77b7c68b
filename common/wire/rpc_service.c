#include "common/wire/rpc_service.h"

#include <string.h>

#include "common/base/log.h"

static struct rpc_peer *
find_peer(const struct rpc_service *service, const char *endpoint)
{
    for (size_t i = 0; i < service->peer_count; i++)
        if (strcmp(service->peers[i]->endpoint, endpoint) == 0)
            return service->peers[i];
    return NULL;
}

static void
add_peer(struct rpc_service *service, const char *endpoint)
{
    struct rpc_peer *peer = find_peer(service, endpoint);
    struct status status;

    if (peer) {
        peer->leaving = false;
        return;
    }
    if (service->peer_count == RESOLVER_ENDPOINTS_MAX)
        return; /* old ones still leave: the next change or poll tries again */
    status = rpc_peer_create(service->zmq_context, endpoint, &service->curve,
                             service->high_water, service->epoll_fd, NULL, &peer);
    if (failed(status)) {
        log_warn("instance not connected", KV("service", (const char *)service->name),
                 KV("endpoint", endpoint), KV("detail", status.detail));
        return;
    }
    peer->service = service;
    /* A look that finds nothing arms the monitor's descriptor: it tells only those that waited.
     */
    (void)rpc_peer_take_events(peer);
    service->peers[service->peer_count++] = peer;
}

static void
close_left(struct rpc_service *service)
{
    for (size_t i = 0; i < service->peer_count;) {
        struct rpc_peer *peer = service->peers[i];

        if (!peer->leaving || peer->outstanding > 0) {
            i++;
            continue;
        }
        rpc_peer_destroy(&peer, service->epoll_fd);
        service->peers[i] = service->peers[--service->peer_count];
    }
}

void
rpc_service_refresh(struct rpc_service *service)
{
    struct resolved now;

    close_left(service);
    if (resolver_version(service->resolver, service->watch) == service->version)
        return;
    resolver_get(service->resolver, service->watch, &now);
    for (size_t i = 0; i < service->peer_count; i++)
        service->peers[i]->leaving = true;
    for (size_t i = 0; i < now.count; i++)
        add_peer(service, now.endpoints[i]);
    service->version = now.version;
    close_left(service);
}

void
rpc_service_fini(struct rpc_service *service)
{
    while (service->peer_count > 0)
        rpc_peer_destroy(&service->peers[--service->peer_count], service->epoll_fd);
}

static bool
asked(const struct rpc_slot *slot, const struct rpc_peer *peer)
{
    for (uint32_t i = 0; i < slot->peer_count; i++)
        if (slot->peers[i] == peer)
            return true;
    return false;
}

struct rpc_peer *
rpc_service_choose(struct rpc_service *service, const struct rpc_slot *slot, bool fresh,
                   struct mono now)
{
    struct rpc_peer *best = NULL;
    bool best_fresh = false;

    if (++service->turn >= service->peer_count)
        service->turn = 0;
    for (size_t i = 0; i < service->peer_count; i++) {
        struct rpc_peer *peer = service->peers[(service->turn + i) % service->peer_count];
        bool is_fresh;

        if (!peer->connected || peer->draining || peer->leaving)
            continue;
        is_fresh = peer->rests_until.ns <= now.ns && !asked(slot, peer);
        if (fresh && !is_fresh)
            continue;
        if (best && (best_fresh > is_fresh ||
                     (best_fresh == is_fresh && best->outstanding <= peer->outstanding)))
            continue;
        best = peer;
        best_fresh = is_fresh;
    }
    return best;
}
