#pragma once

/* The serving side of rpc: one ROUTER, a bounded waiting line, N workers.
 *
 * The thread that owns the server (a service's main thread) calls rpc_server_serve whenever the
 * socket or the answers' descriptor is readable; it never blocks.  Heads are checked there;
 * methods marked `on_loop` are answered at once; all others wait in the line for a worker.  A
 * full line answers RESOURCE_EXHAUSTED, a passed deadline DEADLINE_EXCEEDED without running, a
 * draining server UNAVAILABLE with `draining`.  The principal in a head is believed only from
 * peers named "service:" or "operator:"; a malformed head is answered where an id can be read,
 * else dropped and counted.
 */

#include <protobuf-c/protobuf-c.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/wire/contract.h"
#include "common/wire/message.h"
#include "common/wire/socket.h"
#include "common/wire/zap.h"
#include "wire/v1/admin.pb-c.h"
#include "wire/v1/envelope.pb-c.h"

/* A request as a worker gets it; lives until the handler returns. */
struct rpc_request {
    struct arena *arena;
    const Wire__V1__RequestHead *head;    /* checked */
    const Wire__V1__Principal *principal; /* never NULL */
    const char *peer;                     /* User-Id of the connection, "" without CURVE */
    const struct contract_rpc *rpc;
    const ProtobufCServiceDescriptor *service;
    const ProtobufCMethodDescriptor *method;
    unsigned method_index;
    const ProtobufCService *implementation;
    const ProtobufCMessage *body; /* checked and unpacked */
    struct bytes packed;          /* the body as it came, for fingerprints */
    struct mono deadline;
    /* To be set by the handler; both live in `arena`. */
    const ProtobufCMessage *reply; /* on OK, unless packed_reply is set */
    struct bytes packed_reply;     /* on OK: an answer that is packed already */
    bool replayed;
    uint32_t retry_after_ms;
};

struct rpc_server_config {
    void *zmq_context;
    const char *bind; /* "tcp://127.0.0.1:5560" */
    struct wire_curve curve;
    struct zap *zap; /* NULL without CURVE */
    const struct clock *clock;
    const ProtobufCService *const *services; /* NULL at the end */
    uint32_t workers;                        /* 1..64 */
    uint32_t queue_limit;                    /* requests that may wait: 1..10000 */
    /* Runs a method on a worker.  worker_context is what worker_start gave. */
    struct status (*run)(void *worker_context, struct rpc_request *request);
    /* Runs a method of `loop_service` on the owner's thread; must not block. */
    struct status (*run_on_loop)(void *context, struct rpc_request *request);
    const ProtobufCService *loop_service;                 /* wire.v1.Admin */
    void *(*worker_start)(void *context, unsigned index); /* on the worker's thread */
    void (*worker_stop)(void *worker_context);
    void *context;
};

struct rpc_server;

must_use struct status rpc_server_create(const struct rpc_server_config *config,
                                         struct arena *arena, struct rpc_server **ret);

/* What to poll: the ROUTER and the descriptor that tells of answers from workers. */
void *rpc_server_socket(struct rpc_server *server);
int rpc_server_answers_fd(struct rpc_server *server);
const char *rpc_server_endpoint(const struct rpc_server *server); /* with the real port */

/* Takes what has come in and sends what is ready, a bounded number of messages at a time. */
void rpc_server_serve(struct rpc_server *server);

/* From now on new requests are answered `draining`. */
void rpc_server_drain(struct rpc_server *server);
bool rpc_server_idle(const struct rpc_server *server); /* nothing waits, runs or is unsent */

/* Adds a job that is not a request (a timer, a batch of events) to the workers' line.
 * RESOURCE_EXHAUSTED when the line is full.  Any thread. */
must_use struct status rpc_server_post(struct rpc_server *server,
                                       void (*job)(void *worker_context, void *argument),
                                       void *argument);

struct rpc_server_stats {
    uint32_t workers, queue_depth, queue_limit;
    uint64_t malformed; /* dropped without an answer */
};
struct rpc_server_stats rpc_server_stats(const struct rpc_server *server);
/* Fills a StatsReply's methods from the counters. */
must_use struct status rpc_server_method_stats(const struct rpc_server *server,
                                               struct arena *arena,
                                               Wire__V1__StatsReply *reply);

/* Waits for running handlers (each has its deadline), then ends the workers. */
void rpc_server_destroy(struct rpc_server **server);
