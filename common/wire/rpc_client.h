#pragma once

/* The calling side of rpc: one DEALER per instance of a service, fewest outstanding first.
 *
 * A client belongs to one thread.  Every call has a deadline; an attempt that gets no answer
 * within its limit (the method's own, then twice that, ...) or meets a draining, absent or
 * restarting instance is repeated at another with the same id.  Writes carry the idempotency
 * key, so a repeat has one effect.  Outstanding calls are limited (`in_flight_limit`): beyond
 * it RESOURCE_EXHAUSTED.
 *
 * Two faces: rpc_call blocks (workers); rpc_start with rpc_client_poll does not (loops).  A
 * callback may start calls, but neither block in rpc_call nor destroy the client.
 */

#include <protobuf-c/protobuf-c.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/wire/message.h"
#include "common/wire/resolver.h"
#include "common/wire/socket.h"
#include "wire/v1/envelope.pb-c.h"

struct rpc_client;

#define RPC_CLIENT_SERVICES_MAX 32 /* each shard counts as one more */
#define RPC_SHARDS_MAX 16

struct rpc_client_config {
    void *zmq_context;
    struct resolver *resolver;
    const struct clock *clock;
    bool curve;
    const struct key_pair *own;
    uint32_t in_flight_limit; /* 0 means 1024 */
};

/* What a caller passes on; the principal, trace and language of the call being served. */
struct rpc_options {
    const Wire__V1__Principal *principal;
    const char *idempotency_key; /* NULL: none; required by writes */
    const char *traceparent;     /* NULL: a new one, made of the id */
    const char *language;        /* NULL: "en" */
    const char *id;              /* NULL: a new UUIDv7 */
    const char *service;  /* NULL: the method's first part; "wire.v1.Admin/..." needs it */
    struct mono deadline; /* at most a minute ahead */
};

/* The answer of a call.  Lives until the callback returns. */
struct rpc_answer {
    struct status status;
    const Wire__V1__ReplyHead *head; /* NULL when no instance answered */
    struct bytes packed;             /* of the reply; not yet checked */
};

must_use struct status rpc_client_create(const struct rpc_client_config *config,
                                         struct arena *arena, struct rpc_client **ret);
void rpc_client_destroy(struct rpc_client **client); /* answers outstanding calls UNAVAILABLE */

/* Names a service ("registry") and where it is.  `server_public` may be NULL without CURVE.
 * Both texts are copied.  Semicolons part the list into shards,
 * "tcp://a:1,tcp://b:1;tcp://c:1": a call to the service goes to any instance, one to
 * "<service>/2" (rpc_options.service) to one of the second shard.  A list without semicolons is
 * no shard. */
must_use struct status rpc_client_add(struct rpc_client *client, const char *service,
                                      const char *endpoint_list, const char *server_public,
                                      struct arena *arena);

/* How many shards a service has; 1 when it has none or is unknown. */
uint32_t rpc_client_shards(const struct rpc_client *client, const char *service);

/* Packs, sends, waits.  `method` is "registry.v1.Organisations/Get"; its first part names the
 * service.  The reply is checked and lives in `arena`.  The status is the remote one, or
 * DEADLINE_EXCEEDED, UNAVAILABLE, RESOURCE_EXHAUSTED. */
must_use struct status rpc_call(struct rpc_client *client, const char *method,
                                const ProtobufCMessage *request,
                                const ProtobufCMessageDescriptor *reply_descriptor,
                                const struct rpc_options *options, struct arena *arena,
                                ProtobufCMessage **ret);

/* Starts a call; `done` is called exactly once, from rpc_client_poll or rpc_client_destroy,
 * unless the status is a failure: then never.  The request and the options are copied. */
must_use struct status rpc_start(struct rpc_client *client, const char *method,
                                 struct bytes packed_request, const struct rpc_options *options,
                                 void (*done)(void *context, const struct rpc_answer *answer),
                                 void *context, struct arena *arena);

/* A descriptor that becomes readable when rpc_client_poll has work (an epoll of the sockets).
 */
int rpc_client_fd(const struct rpc_client *client);
/* Takes answers, expires attempts and deadlines, follows address changes.  Never blocks. */
void rpc_client_poll(struct rpc_client *client);
/* Milliseconds until rpc_client_poll is due without input; at most 1000. */
int rpc_client_next_ms(const struct rpc_client *client);

/* The state of the instances, for status pages.  The texts live until the next poll. */
struct rpc_instance {
    const char *service;
    const char *endpoint;
    bool connected, draining;
    uint32_t outstanding;
};
size_t rpc_client_instances(const struct rpc_client *client, struct rpc_instance *into,
                            size_t room);
