#pragma once

/* What one thread that runs handlers owns: its connections and an arena for jobs.
 *
 * Workers of the rpc server, and the listener, have one each.  A worker that could not be made
 * says so in `start`, and every call it gets fails with that. */

#include "common/service/frame.h"

struct worker {
    struct frame *frame;
    struct arena own; /* lives as long as the worker */
    struct arena job; /* of the timer job or event under way */
    struct pg *pg;
    struct cache *cache;
    struct rpc_client *rpc;
    struct status start;
};

/* For rpc_server_config.  worker_start never gives NULL. */
void *worker_start(void *frame, unsigned index);
void worker_stop(void *worker);

/* A call as the service itself, with `worker`'s connections and job arena. */
void worker_own_call(struct worker *worker, uint32_t limit_ms, struct call *ret);
