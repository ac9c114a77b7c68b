#pragma once

/* A request while somebody works on it, on the loop or on a worker; for rpc_server alone. */

#include "common/wire/rpc_line.h"
#include "common/wire/rpc_methods.h"
#include "common/wire/rpc_server.h"

struct rpc_task {
    struct rpc_request request;
    Wire__V1__RequestHead *head; /* NULL: could not be read */
    struct status status;
};

/* Fills the request from the task's checked head and the still unchecked body, which lies
 * packed in it.  `trusted` as for rpc_head_principal. */
must_use struct status rpc_task_fill(struct rpc_task *task, const struct rpc_job *job,
                                     bool trusted, struct arena *arena);

/* Turns the job's request into the reply that the task's status and request tell, and counts
 * it. Details of our own faults go to the log and not to the caller. */
void rpc_task_reply(struct rpc_task *task, struct rpc_job *job, bool draining,
                    const struct clock *clock, struct arena *arena);
