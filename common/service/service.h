#pragma once

/* The frame of every process: settings, log, keys, sockets, loop, workers, signals, drain,
 * timers, listener, admin port.  main.c declares a service and calls service_main; nothing
 * else.
 *
 *     --settings        prints every setting, its value and its meaning
 *     --settings-doc    the same as Markdown
 *     --ping            asks a running instance (by its rpc_bind) and exits 0 or 1
 *     --settings-file F reads F
 *
 * Threads: the main thread runs the loop and never blocks; `workers` threads run handlers and
 * timers; the listener is a worker of its own.  SIGTERM and SIGINT drain.
 */

#include "common/base/metric.h"
#include "common/base/setting.h"
#include "common/service/call.h"
#include "common/wire/follow.h"

enum service_uses {
    USES_POSTGRES = 1 << 0,
    USES_REDIS = 1 << 1,
    USES_DOORBELL = 1 << 2, /* writes events */
    USES_RPC = 1 << 3,      /* calls other services */
};

/* Runs on a worker with a call whose principal is the service itself, with 30 s to finish, and
 * never beside itself in one process.  call.tx is NULL: see call_begin. */
struct service_timer {
    const char *name;
    uint32_t every_ms;
    struct status (*run)(struct call *call);
};

/* What a process hears.  With USES_POSTGRES and `stored`, the position is kept in the service's
 * table `listener` and moved as the first statement of each transaction, one transaction per
 * event: effects happen once, whichever instance wins.  Otherwise the state keeps the position:
 * `start` gives it (it may block: it runs on the listener's thread) and every instance hears
 * all. It is called again when events from its position are no longer kept.
 *
 * Slots are made by RPC_METHOD with Wire__V1__Ack as the reply; each hears the event's data,
 * and call.event, call.position and call.tenant_id tell the rest.  Stored: call.tx is the
 * transaction that moves the position, in the event's tenant.  A handler that fails with
 * UNAVAILABLE, ABORTED, RESOURCE_EXHAUSTED or STORAGE_FULL is tried again until it succeeds;
 * with another code at most five times or for a minute (DEADLINE_EXCEEDED: ten minutes), then
 * the event is parked: logged, counted and, when stored, kept in the table `parked_event`.
 */
struct service_inbox {
    const ProtobufCService *service; /* inbox.proto: one rpc per event, named after it */
    bool stored;
    struct status (*start)(struct call *call, uint64_t *ret_after); /* only when not stored */
    /* After each batch and heartbeat; may be NULL. */
    void (*reached)(void *state, uint64_t through, uint64_t head);
};

struct service;

/* Everything the frame made, for services that add threads and sockets of their own. */
struct service_frame {
    void *zmq_context;
    struct zap *zap; /* NULL without CURVE */
    struct resolver *resolver;
    const struct clock *clock;
    const struct common_settings *settings;
    const struct key_pair *own_key;
    const char *instance;      /* its name among the service's instances */
    struct rpc_server *rpc;    /* NULL before it is bound */
    struct _zloop_t *loop;     /* the main thread's; NULL before it is made */
    struct doorbell *doorbell; /* NULL: the service writes no events */
    void *state;
    const struct service *service;
};

struct service {
    const char *name;                       /* "registry" */
    const ProtobufCService *const *methods; /* NULL at the end; Admin is added */
    const struct service_inbox *inbox;      /* NULL: hears nothing */
    const struct setting *settings;         /* the service's own; NULL: none */
    void *settings_values;
    const struct service_timer *timers;                  /* zeroed at the end; NULL: none */
    const struct pg_statement *const *const *statements; /* NULL at the end */
    const char *const *calls; /* services it calls; NULL at the end */
    uint32_t schema_version;  /* migrations it needs; checked at start */
    unsigned uses;
    /* All may be NULL.  create_state runs before workers start, destroy_state after they ended.
     */
    struct status (*create_state)(struct service_frame *frame, struct arena *arena, void **ret);
    void (*destroy_state)(void *state);
    /* The service's own threads: started after the sockets, stopped at drain. */
    struct status (*start)(struct service_frame *frame, struct arena *arena);
    void (*stop)(struct service_frame *frame);
    /* Asked on the main thread at a drain, every 20 ms until it says true or drain_ms is over;
     * the first time begins the service's own drain.  The admin port answers meanwhile. */
    bool (*drained)(struct service_frame *frame);
    /* NULL or "" when ready, else the reason (a text that lives for ever).  Any thread. */
    const char *(*not_ready)(void *state);
};

must_use int service_main(int argc, char **argv, const struct service *service);
