#pragma once

/* What the files of the frame share.  Services see service.h only.
 *
 * One frame per process, made and unmade by the main thread; other threads read it, and write
 * only its atomics.
 */

#include <signal.h>
#include <stdatomic.h>

#include "common/redis/cache.h"
#include "common/service/common_settings.h"
#include "common/service/service.h"

#define FRAME_ARENA_BYTES ((size_t)4 << 20)
#define FRAME_TIMERS_MAX 32
#define FRAME_REASONS_MAX 4
#define FRAME_ROOMS_MAX 48

struct listener;
struct admin_http;

/* What is known of Postgres and of the process's own state; see readiness.c. */
struct readiness {
    atomic_bool started; /* the loop runs */
    atomic_bool draining;
    _Atomic int64_t pg_ok_ns; /* monotonic; when Postgres last answered; 0: never */
    _Atomic uint32_t schema_version;
    _Atomic(const char *) pg_reason; /* why the last look failed; NULL: it did not */
};

struct frame;

/* A timer's job: at most one of a kind waits or runs. */
struct timer_slot {
    struct frame *frame;
    const char *name;
    uint32_t every_ms;
    uint32_t limit_ms; /* for one run */
    struct status (*run)(struct call *call);
    atomic_bool busy;
    bool failing; /* touched only by the run itself: says what has been logged */
};

struct frame {
    struct service_frame open; /* what services see */
    const struct service *service;
    struct common_settings settings;
    struct arena arena; /* lives as long as the process; main thread only */
    char instance[96];
    struct key_pair own_key;
    struct wall started;
    Wire__V1__Principal own_principal; /* the service itself */
    Wire__V1__Role own_roles[1];
    const struct pg_statement *const *rooms[FRAME_ROOMS_MAX + 1]; /* what connections prepare */
    struct cache_shared *cache_shared;                            /* NULL: no Redis */
    struct readiness readiness;
    struct timer_slot timers[FRAME_TIMERS_MAX];
    size_t timer_count;
    struct listener *listener; /* NULL: hears nothing */
    struct admin_http *admin;
    sigset_t signals;
    int signal_fd;
    /* main thread, during a drain */
    struct mono drain_since, drain_deadline;
    bool cut_short;       /* drain_ms was over before the work was */
    bool service_started; /* service.start has succeeded: service.stop is due */
};

/* frame_setup.c: from settings to sockets, and back. */
must_use struct status frame_setup(struct frame *frame, struct arena *arena);
void frame_teardown(struct frame *frame);

/* loop.c: runs until drained. */
must_use struct status loop_run(struct frame *frame, struct arena *arena);
/* Starts the drain; main thread. */
void loop_drain(struct frame *frame, const char *why);

/* readiness.c */
/* Fills `into` with the reasons why no work may come; 0: ready.  Any thread. */
size_t readiness_reasons(const struct frame *frame, const char *into[FRAME_REASONS_MAX]);
/* Called when a transaction has committed: Postgres is there.  Any thread. */
void readiness_pg_ok(struct frame *frame);
/* The timer that looks at Postgres. */
struct status readiness_look(struct call *call);

/* timers.c */
must_use struct status timers_start(struct frame *frame, struct arena *arena);

/* ping.c: the exit code of --ping. */
int ping_run(const struct service *service, const struct common_settings *settings,
             struct arena *arena);

/* admin_rpc.c: wire.v1.Admin, answered on the loop. */
extern const ProtobufCService *const admin_rpc_service;
struct status admin_rpc_run(void *frame, struct rpc_request *request);
