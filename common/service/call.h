#pragma once

/* What a handler works with, and how a typed handler becomes a method.
 *
 * The framework opens the transaction that the method's contract asks for (READ or WRITE)
 * before the handler and commits it after; for a WRITE it claims the idempotency key first and
 * stores the packed answer last.  A handler therefore only decides, stores and announces;
 * whatever it returns other than OK rolls everything back.  A method with transaction NONE has
 * tx NULL.
 */

#include "common/base/lang.h"
#include "common/base/log.h"
#include "common/pg/outbox.h"
#include "common/pg/pg_tx.h"
#include "common/redis/cache.h"
#include "common/wire/doorbell.h"
#include "common/wire/rpc_client.h"
#include "common/wire/rpc_server.h"
#include "io/cloudevents/v1/cloudevents.pb-c.h"

struct call {
    struct arena *arena;
    struct pg_tx *tx;       /* NULL: the method's transaction is NONE */
    struct pg *pg;          /* this worker's connection; for methods that open their own */
    struct cache *cache;    /* NULL: the service uses no Redis */
    struct rpc_client *rpc; /* this worker's client; NULL: the service calls nobody */
    const struct clock *clock;
    const Wire__V1__Principal *principal;
    const char *tenant_id; /* of the principal; "" when it has none */
    enum lang lang;
    const char *request_id;
    const char *traceparent;
    const char *idempotency_key;
    struct mono deadline;
    void *state; /* the service's own, from service.create_state */
    const Io__Cloudevents__V1__CloudEvent *event; /* an inbox's handler: what it hears */
    uint64_t position;                            /* of that event */
    uint32_t retry_after_ms;                      /* may be set with a failure */
    /* framework */
    struct doorbell *doorbell; /* NULL: the service writes no events */
    ProtobufCMessage *reply;
    struct status result;
    bool answered;
};

/* Adapts a typed handler to the slot protobuf-c generated for it.  Each handlers.c wraps it:
 *
 *     #define METHOD(handler, Name)                                                          \
 *         RPC_METHOD(Registry__V1__Needs_Service, handler, Registry__V1__##Name##Request,    \
 *                    Registry__V1__##Name##Reply)
 */
#define RPC_METHOD(Service, handler, Request, Reply)                                           \
    static void rpc_##handler(Service *service, const Request *request,                        \
                              Reply##_Closure closure, void *call)                             \
    {                                                                                          \
        struct call *rpc_call_ = call;                                                         \
        (void)service;                                                                         \
        (void)closure;                                                                         \
        rpc_call_->result = handler(rpc_call_, request, (Reply *)rpc_call_->reply);            \
        rpc_call_->answered = true;                                                            \
    }

bool call_has_role(const struct call *call, Wire__V1__Role role);

/* outbox_put with the call's trace, correlation and tenant filled in. */
must_use struct status call_emit(struct call *call, struct outbox_event event);

/* A transaction of the call's own, where the framework opened none (timers, in-memory inboxes,
 * methods with transaction NONE).  While it is open call->tx is `tx`.  `tenant_id` may be NULL.
 *
 *     scoped(pg_tx_end) struct pg_tx tx = {0};
 *     TRY(call_begin(call, tenant_id, false, &tx));
 *     ...
 *     TRY(call_commit(call));
 *
 * A function that returns without call_commit rolls back; call->tx must not be used after. */
must_use struct status call_begin(struct call *call, const char *tenant_id, bool read_only,
                                  struct pg_tx *tx);
/* Commits call->tx and rings the doorbell when an event was written. */
must_use struct status call_commit(struct call *call);

/* Options for a call to another service on behalf of this one's caller. */
struct rpc_options call_forward(const struct call *call, const char *idempotency_key);
