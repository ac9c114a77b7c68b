#pragma once

/* Calls in flight: what rpc_client.c starts is sent, repeated and ended here. */

#include "common/wire/rpc_client.h"
#include "common/wire/rpc_service.h"

#define RPC_ATTEMPT_MS 400 /* of a method that the contract does not know */

struct rpc_client {
    struct rpc_client_config config;
    struct rpc_service services[RPC_CLIENT_SERVICES_MAX];
    size_t service_count;
    struct rpc_slots slots;
    int epoll_fd;
    int kick_fd; /* readable: answers may wait that no socket tells of */
    bool kicked;
    bool polling;                        /* a callback must not poll again */
    struct mono next_due;                /* nothing is due before */
    struct rpc_slot *begun, *begun_last; /* by callbacks, and not yet sent */
    struct arena arena;                  /* of the answer being taken */
    char last_id[UUID_SIZE];             /* of a call; begins as a random UUIDv7 */
    uint64_t last_id_ms;
};

/* Sends a slot that has been filled, or lets it wait for an instance.  Within a callback the
 * sending waits until all answers at hand are taken: sent close together, requests share system
 * calls. */
void rpc_flight_begin(struct rpc_client *client, struct rpc_slot *slot);

/* Makes sure that the client's descriptor tells of an answer that came while sending.  Needed
 * after rpc_flight_begin unless rpc_flight_poll follows. */
void rpc_flight_settle(struct rpc_client *client);

/* Waits at most wait_ms for something to do and does it. */
void rpc_flight_poll(struct rpc_client *client, int wait_ms);
int rpc_flight_next_ms(const struct rpc_client *client);

/* Answers all calls UNAVAILABLE. */
void rpc_flight_end(struct rpc_client *client);
