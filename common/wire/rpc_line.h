#pragma once

/* The bounded line between one loop and its workers, for rpc_server alone.
 *
 * One mutex, one condition, one eventfd.  The loop hands in what came in a batch and takes out
 * what is answered in a batch; one write to the eventfd tells of many answers.  Jobs come from
 * a pool of fixed size, so that nothing here grows.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <zmq.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/base/uuid.h"

#define RPC_WORKERS_MAX 64
/* Bytes of requests that may wait: many large ones are refused before their number is reached.
 */
#define RPC_LINE_BYTES ((size_t)64 << 20)

struct rpc_method;

/* A request on its way through the server, or work of the service's own. */
struct rpc_job {
    struct rpc_job *next;
    void (*run)(void *worker_context, void *argument); /* NULL: a request */
    void *argument;
    zmq_msg_t route;    /* who asked */
    zmq_msg_t frame;    /* the request; once answered, the reply */
    char id[UUID_SIZE]; /* of the request; "" while it is not known */
    const char *peer;   /* lives in `frame` */
    struct rpc_method *method;
    struct mono received, deadline;
    size_t bytes; /* of the request while it waits */
};

struct rpc_jobs {
    struct rpc_job *first, *last;
    uint32_t count;
    size_t bytes;
};

struct rpc_line_config {
    uint32_t workers, queue_limit;
    /* Turns a request into its answer, on a worker's thread. */
    void (*work)(void *server, void *worker_context, struct arena *arena, struct rpc_job *job);
    void *server;
    void *(*worker_start)(void *context, unsigned index);
    void (*worker_stop)(void *worker_context);
    void *context;
};

struct rpc_line;

void rpc_jobs_put(struct rpc_jobs *jobs, struct rpc_job *job);
struct rpc_job *rpc_jobs_take(struct rpc_jobs *jobs); /* NULL: empty */

must_use struct status rpc_line_create(const struct rpc_line_config *config,
                                       struct arena *arena, struct rpc_line **ret);

/* The loop's side. */
int rpc_line_fd(const struct rpc_line *line);        /* readable: answers are there */
struct rpc_job *rpc_line_job(struct rpc_line *line); /* an empty one, or NULL */
void rpc_line_free(struct rpc_line *line, struct rpc_job *job);
/* Whether one more request of this size may join `batch` and then the line. */
bool rpc_line_room(const struct rpc_line *line, const struct rpc_jobs *batch, size_t bytes);
void rpc_line_submit(struct rpc_line *line, struct rpc_jobs *batch); /* empties it */
void rpc_line_answers(struct rpc_line *line, struct rpc_jobs *ret);

/* Any thread. */
must_use struct status rpc_line_post(struct rpc_line *line,
                                     void (*run)(void *worker_context, void *argument),
                                     void *argument);
uint32_t rpc_line_depth(const struct rpc_line *line);
bool rpc_line_idle(const struct rpc_line *line); /* nothing waits, runs or is unsent */

/* Lets running work end, joins the workers, and gives what was never begun. */
void rpc_line_stop(struct rpc_line *line, struct rpc_jobs *ret_waiting);
void rpc_line_destroy(struct rpc_line **line);
