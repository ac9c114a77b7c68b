#include "common/wire/rpc_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/metric.h"
#include "common/wire/rpc_head.h"
#include "common/wire/rpc_line.h"
#include "common/wire/rpc_methods.h"
#include "common/wire/rpc_task.h"

/* Requests read before the workers get them, and messages taken in one call of
 * rpc_server_serve: enough to share the cost of a wake-up, few enough that answers and timers
 * are not kept waiting. */
#define BATCH 64
#define SERVE_MAX 512
#define LINGER_MS 2000
/* Answers that may wait for one slow peer: more than a client has asked for. */
#define HIGH_WATER 2000
#define FULL_RETRY_MS 250

struct rpc_server {
    struct rpc_server_config config;
    char domain[32];
    char endpoint[256];
    void *socket;
    struct rpc_methods methods;
    struct rpc_line *line;
    struct rpc_jobs batch;  /* read, not yet handed to the workers */
    struct rpc_jobs outbox; /* answered on the loop: sent together, they share system calls */
    struct arena arena;     /* of the request the loop works on */
    atomic_bool draining;
    _Atomic uint64_t malformed;
};

static struct metric dropped_total = METRIC(
    "rpc_dropped_total", METRIC_COUNTER, "messages that could not be answered", "reason", NULL);
static struct metric queue_depth =
    METRIC("rpc_queue_depth", METRIC_GAUGE, "requests that wait for a worker", NULL, NULL);
static struct metric refused_total = METRIC(
    "rpc_refused_total", METRIC_COUNTER, "requests refused without being run", "reason", NULL);

static struct bytes
bytes_of(zmq_msg_t *message)
{
    return (struct bytes){zmq_msg_data(message), zmq_msg_size(message)};
}

static void
close_message(zmq_msg_t *message)
{
    (void)zmq_msg_close(message); /* fails only for what is no message */
}

static bool
is_draining(const struct rpc_server *server)
{
    return atomic_load_explicit(&server->draining, memory_order_relaxed);
}

/* Whether the head's principal is believed. */
static bool
trusts(const struct rpc_server *server, const struct rpc_job *job)
{
    return !server->config.curve.on || rpc_head_peer_trusted(job->peer);
}

static void
reply(struct rpc_server *server, struct rpc_job *job, struct rpc_task *task,
      struct arena *arena)
{
    rpc_task_reply(task, job, is_draining(server), server->config.clock, arena);
}

/* Sends a reply.  A peer that is gone (EHOSTUNREACH) or does not read (EAGAIN) loses it: it
 * asks again elsewhere. */
static void
send_reply(struct rpc_server *server, struct rpc_job *job)
{
    if (zmq_msg_send(&job->route, server->socket, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
        zmq_msg_send(&job->frame, server->socket, ZMQ_DONTWAIT) < 0)
        metric_add(&dropped_total, errno == EAGAIN ? "peer does not read" : "peer gone", NULL,
                   1);
    close_message(&job->route); /* empty when sent */
    close_message(&job->frame);
    rpc_line_free(server->line, job);
}

static void
drop(struct rpc_server *server, struct rpc_job *job, const char *reason)
{
    atomic_fetch_add_explicit(&server->malformed, 1, memory_order_relaxed);
    metric_add(&dropped_total, reason, NULL, 1);
    close_message(&job->route);
    close_message(&job->frame);
    rpc_line_free(server->line, job);
}

static struct status
run_request(struct rpc_server *server, void *worker_context, struct arena *arena,
            struct rpc_job *job, struct rpc_task *task)
{
    const struct rpc_server_config *config = &server->config;
    struct bytes head;

    TRY(rpc_head_split(bytes_of(&job->frame), arena, &head, &task->request.packed));
    TRY(rpc_head_again(head, arena, &task->head));
    if (mono_left_ms(job->deadline, clock_mono(config->clock)) == 0) {
        metric_add(&refused_total, "late", NULL, 1);
        return FAIL(arena, DEADLINE_EXCEEDED, "the time allowed passed while waiting");
    }
    TRY(rpc_task_fill(task, job, trusts(server, job), arena));
    return config->run(worker_context, &task->request);
}

/* A request on a worker's thread. */
static void
work(void *context, void *worker_context, struct arena *arena, struct rpc_job *job)
{
    struct rpc_server *server = context;
    struct rpc_task task = {.request.arena = arena};

    task.status = run_request(server, worker_context, arena, job, &task);
    reply(server, job, &task, arena);
    arena_reset(arena);
}

/* Reads the head and decides what becomes of the request; OK: it may run. */
static struct status
admit(struct rpc_server *server, struct rpc_job *job, struct rpc_task *task)
{
    struct arena *arena = &server->arena;
    struct bytes head;

    TRY(rpc_head_split(bytes_of(&job->frame), arena, &head, &task->request.packed));
    TRY(rpc_head_read(head, arena, &task->head));
    memcpy(job->id, task->head->id, UUID_SIZE);
    job->deadline = mono_add_ms(job->received, task->head->remaining_ms);
    job->method = rpc_methods_find(&server->methods, task->head->method);
    if (!job->method)
        return FAIL(arena, UNIMPLEMENTED, "there is no method %s", task->head->method);
    if (job->method->on_loop)
        return OK;
    if (is_draining(server)) {
        metric_add(&refused_total, "draining", NULL, 1);
        return FAIL(arena, UNAVAILABLE, "this instance is draining");
    }
    job->bytes = zmq_msg_size(&job->frame);
    if (!rpc_line_room(server->line, &server->batch, job->bytes)) {
        metric_add(&refused_total, "line full", NULL, 1);
        task->request.retry_after_ms = FULL_RETRY_MS;
        return FAIL(arena, RESOURCE_EXHAUSTED, "too many requests wait");
    }
    return OK;
}

/* The User-Id of who sent the request; NULL when it may not be served (any more). */
static const char *
find_peer(struct rpc_server *server, struct rpc_job *job)
{
    if (!server->config.curve.on)
        return "";
    return zap_message_peer(server->config.zap, server->domain, &job->frame);
}

static void
handle(struct rpc_server *server, struct rpc_job *job)
{
    struct rpc_task task = {.request.arena = &server->arena};

    job->run = NULL;
    job->id[0] = '\0';
    job->method = NULL;
    job->received = clock_mono(server->config.clock);
    job->peer = find_peer(server, job);
    if (!job->peer) {
        drop(server, job, "key not valid");
        return;
    }
    task.status = admit(server, job, &task);
    if (!failed(task.status) && !job->method->on_loop) {
        rpc_jobs_put(&server->batch, job);
        arena_reset(&server->arena);
        return;
    }
    job->bytes = 0;
    if (!failed(task.status))
        task.status = rpc_task_fill(&task, job, trusts(server, job), &server->arena);
    if (!failed(task.status))
        task.status = server->config.run_on_loop(server->config.context, &task.request);
    if (!job->id[0] && !rpc_head_find_id(bytes_of(&job->frame), job->id)) {
        drop(server, job, "malformed");
    } else {
        reply(server, job, &task, &server->arena);
        rpc_jobs_put(&server->outbox, job);
    }
    arena_reset(&server->arena);
}

/* Takes the frames that follow what has been read of a message. */
static void
skip_rest(void *socket)
{
    int more = 1;
    size_t size = sizeof more;

    while (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) == 0 && more) {
        zmq_msg_t frame;

        (void)zmq_msg_init(&frame); /* cannot fail */
        (void)zmq_msg_recv(&frame, socket,
                           ZMQ_DONTWAIT); /* the parts of a message come together */
        close_message(&frame);
    }
}

/* Reads one message; false when none is there. */
static bool
receive(struct rpc_server *server)
{
    struct rpc_job *job = rpc_line_job(server->line);
    bool whole;

    if (!job)
        return false;                /* all are under way: their answers come first */
    (void)zmq_msg_init(&job->route); /* cannot fail, as the next */
    (void)zmq_msg_init(&job->frame);
    if (zmq_msg_recv(&job->route, server->socket, ZMQ_DONTWAIT) < 0) {
        rpc_line_free(server->line, job); /* empty messages hold nothing */
        return false;
    }
    whole = zmq_msg_more(&job->route) &&
            zmq_msg_recv(&job->frame, server->socket, ZMQ_DONTWAIT) >= 0 &&
            !zmq_msg_more(&job->frame);
    if (whole) {
        handle(server, job);
        return true;
    }
    skip_rest(server->socket);
    drop(server, job, "not one frame");
    return true;
}

static unsigned
send_all(struct rpc_server *server, struct rpc_jobs *replies)
{
    const unsigned count = replies->count;
    struct rpc_job *job;

    while ((job = rpc_jobs_take(replies)))
        send_reply(server, job);
    return count;
}

static unsigned
send_answers(struct rpc_server *server)
{
    struct rpc_jobs answers;

    rpc_line_answers(server->line, &answers);
    return send_all(server, &answers);
}

void
rpc_server_serve(struct rpc_server *server)
{
    unsigned taken = 0, received, sent;

    do {
        sent = send_answers(server);
        received = 0;
        while (received < BATCH && receive(server))
            received++;
        rpc_line_submit(server->line, &server->batch);
        (void)send_all(server, &server->outbox); /* counted as received */
        taken += received;
    } while (taken < SERVE_MAX && (received == BATCH || sent > 0));
    metric_set(&queue_depth, NULL, NULL, rpc_line_depth(server->line));
}

void *
rpc_server_socket(struct rpc_server *server)
{
    return server->socket;
}

int
rpc_server_answers_fd(struct rpc_server *server)
{
    return rpc_line_fd(server->line);
}

const char *
rpc_server_endpoint(const struct rpc_server *server)
{
    return server->endpoint;
}

void
rpc_server_drain(struct rpc_server *server)
{
    atomic_store_explicit(&server->draining, true, memory_order_relaxed);
}

bool
rpc_server_idle(const struct rpc_server *server)
{
    return rpc_line_idle(server->line);
}

struct status
rpc_server_post(struct rpc_server *server, void (*job)(void *worker_context, void *argument),
                void *argument)
{
    return rpc_line_post(server->line, job, argument);
}

struct rpc_server_stats
rpc_server_stats(const struct rpc_server *server)
{
    return (struct rpc_server_stats){
        .workers = server->config.workers,
        .queue_depth = rpc_line_depth(server->line),
        .queue_limit = server->config.queue_limit,
        .malformed = atomic_load_explicit(&server->malformed, memory_order_relaxed)};
}

struct status
rpc_server_method_stats(const struct rpc_server *server, struct arena *arena,
                        Wire__V1__StatsReply *reply)
{
    return rpc_methods_stats(&server->methods, arena, reply);
}

/* Requests that no worker has begun: the caller goes elsewhere. */
static void
answer_waiting(struct rpc_server *server, struct rpc_jobs *waiting)
{
    struct rpc_job *job;

    while ((job = rpc_jobs_take(waiting))) {
        struct rpc_task task = {.request.arena = &server->arena};

        if (job->run)
            continue; /* a job of the service's own: its time is over */
        task.status = FAIL(&server->arena, UNAVAILABLE, "this instance is draining");
        reply(server, job, &task, &server->arena);
        send_reply(server, job);
        arena_reset(&server->arena);
    }
}

void
rpc_server_destroy(struct rpc_server **server)
{
    struct rpc_server *self = *server;

    if (!self)
        return;
    rpc_server_drain(self);
    if (self->line) {
        struct rpc_jobs waiting;

        rpc_line_stop(self->line, &waiting);
        answer_waiting(self, &waiting);
        (void)send_answers(self); /* how many is of no interest here */
    }
    socket_close(&self->socket);
    rpc_line_destroy(&self->line);
    rpc_methods_fini(&self->methods);
    arena_fini(&self->arena);
    free(self);
    *server = NULL;
}

static struct status
start(struct rpc_server *server, struct arena *arena)
{
    const struct rpc_server_config *config = &server->config;
    const struct socket_limits limits = {.send_high_water = HIGH_WATER,
                                         .receive_high_water = HIGH_WATER,
                                         .linger_ms = LINGER_MS};
    const struct rpc_line_config line = {.workers = config->workers,
                                         .queue_limit = config->queue_limit,
                                         .work = work,
                                         .server = server,
                                         .worker_start = config->worker_start,
                                         .worker_stop = config->worker_stop,
                                         .context = config->context};

    if (config->curve.on && (!config->zap || !config->curve.domain))
        return FAIL(arena, INVALID_ARGUMENT, "CURVE needs a key table and a domain");
    if (config->curve.on)
        (void)snprintf(server->domain, sizeof server->domain, "%s", config->curve.domain);
    TRY(rpc_methods_init(&server->methods, config->services, config->loop_service, arena));
    TRY(socket_bind(config->zmq_context, ZMQ_ROUTER, config->bind, &config->curve, limits,
                    arena, &server->socket, server->endpoint));
    return rpc_line_create(&line, arena, &server->line);
}

struct status
rpc_server_create(const struct rpc_server_config *config, struct arena *arena,
                  struct rpc_server **ret)
{
    struct rpc_server *server = calloc(1, sizeof *server);
    struct status status;

    TRY(need(server));
    server->config = *config;
    arena_init(&server->arena, ARENA_CALL_BYTES);
    status = start(server, arena);
    if (failed(status)) {
        rpc_server_destroy(&server);
        return status;
    }
    *ret = server;
    return OK;
}
