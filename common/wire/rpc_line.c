#include "common/wire/rpc_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Jobs beyond those that wait or run: a batch being read, answers being sent. */
#define SPARE_JOBS 256
/* Empty jobs the loop fetches under one lock. */
#define FETCH_JOBS 64

struct worker {
    struct rpc_line *line;
    unsigned index;
    pthread_t thread;
    struct arena arena; /* of the call it serves */
};

struct rpc_line {
    struct rpc_line_config config;
    int fd;
    struct rpc_job *pool;
    struct rpc_jobs mine; /* empty jobs at hand for the loop */

    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct rpc_jobs empty, waiting, answers;
    uint32_t idle; /* workers that sleep and that nobody has called yet */
    bool stop;

    atomic_bool told;           /* the eventfd has been written since answers were taken */
    _Atomic uint32_t depth;     /* = waiting.count */
    _Atomic size_t bytes;       /* = waiting.bytes */
    _Atomic uint32_t under_way; /* handed in and not yet given back */

    struct worker workers[RPC_WORKERS_MAX];
    uint32_t started;
};

void
rpc_jobs_put(struct rpc_jobs *jobs, struct rpc_job *job)
{
    job->next = NULL;
    if (jobs->last)
        jobs->last->next = job;
    else
        jobs->first = job;
    jobs->last = job;
    jobs->count++;
    jobs->bytes += job->bytes;
}

struct rpc_job *
rpc_jobs_take(struct rpc_jobs *jobs)
{
    struct rpc_job *job = jobs->first;

    if (!job)
        return NULL;
    jobs->first = job->next;
    if (!jobs->first)
        jobs->last = NULL;
    jobs->count--;
    jobs->bytes -= job->bytes;
    return job;
}

static void
jobs_move(struct rpc_jobs *from, struct rpc_jobs *to)
{
    if (!from->first)
        return;
    if (to->last)
        to->last->next = from->first;
    else
        to->first = from->first;
    to->last = from->last;
    to->count += from->count;
    to->bytes += from->bytes;
    *from = (struct rpc_jobs){0};
}

static void
lock(struct rpc_line *line)
{
    (void)pthread_mutex_lock(&line->lock); /* cannot fail: never held twice by a thread */
}

static void
unlock(struct rpc_line *line)
{
    (void)pthread_mutex_unlock(&line->lock); /* cannot fail: held */
}

static void
note_waiting(struct rpc_line *line)
{
    atomic_store_explicit(&line->depth, line->waiting.count, memory_order_relaxed);
    atomic_store_explicit(&line->bytes, line->waiting.bytes, memory_order_relaxed);
}

/* With the lock held.  One is called; it calls the next while work waits, so that a burst of
 * short requests does not wake everybody. */
static void
call_worker(struct rpc_line *line)
{
    if (line->idle == 0 || !line->waiting.first)
        return;
    line->idle--;
    (void)pthread_cond_signal(&line->wake); /* cannot fail */
}

static void
tell_loop(struct rpc_line *line)
{
    const uint64_t one = 1;

    if (!atomic_exchange_explicit(&line->told, true, memory_order_acq_rel))
        (void)!write(line->fd, &one, sizeof one); /* cannot fail: the counter stays low */
}

/* With the lock held: the next job, or NULL when the line has been stopped. */
static struct rpc_job *
wait_for_job(struct rpc_line *line)
{
    struct rpc_job *job;

    while (!line->waiting.first && !line->stop) {
        line->idle++;
        (void)pthread_cond_wait(&line->wake, &line->lock); /* cannot fail */
        /* Who called has taken us off `idle`; a wake-up for no reason leaves one too many
         * there, which costs an empty call at most. */
    }
    if (line->stop)
        return NULL;
    job = rpc_jobs_take(&line->waiting);
    note_waiting(line);
    call_worker(line);
    return job;
}

/* With the lock held: gives a finished job back. */
static void
finish(struct rpc_line *line, struct rpc_job *job)
{
    if (job->run) {
        rpc_jobs_put(&line->empty, job);
        atomic_fetch_sub_explicit(&line->under_way, 1, memory_order_release);
    } else {
        rpc_jobs_put(&line->answers, job);
    }
}

static void *
work(void *context)
{
    struct worker *self = context;
    struct rpc_line *line = self->line;
    const struct rpc_line_config *config = &line->config;
    void *worker_context =
        config->worker_start ? config->worker_start(config->context, self->index) : NULL;
    struct rpc_job *job;

    lock(line);
    while ((job = wait_for_job(line))) {
        const bool request = !job->run;

        unlock(line);
        job->bytes = 0; /* no longer waits */
        if (request)
            config->work(config->server, worker_context, &self->arena, job);
        else
            job->run(worker_context, job->argument);
        lock(line);
        finish(line, job);
        if (request) {
            unlock(line);
            tell_loop(line);
            lock(line);
        }
    }
    unlock(line);
    if (config->worker_stop)
        config->worker_stop(worker_context);
    return NULL;
}

int
rpc_line_fd(const struct rpc_line *line)
{
    return line->fd;
}

struct rpc_job *
rpc_line_job(struct rpc_line *line)
{
    struct rpc_job *job = rpc_jobs_take(&line->mine);

    if (job)
        return job;
    lock(line);
    for (int i = 0; i < FETCH_JOBS && line->empty.first; i++)
        rpc_jobs_put(&line->mine, rpc_jobs_take(&line->empty));
    unlock(line);
    return rpc_jobs_take(&line->mine);
}

void
rpc_line_free(struct rpc_line *line, struct rpc_job *job)
{
    job->bytes = 0;
    rpc_jobs_put(&line->mine, job);
    if (line->mine.count <= 2 * FETCH_JOBS)
        return;
    lock(line);
    while (line->mine.count > FETCH_JOBS)
        rpc_jobs_put(&line->empty, rpc_jobs_take(&line->mine));
    unlock(line);
}

bool
rpc_line_room(const struct rpc_line *line, const struct rpc_jobs *batch, size_t bytes)
{
    const uint32_t depth = atomic_load_explicit(&line->depth, memory_order_relaxed);
    const size_t waiting = atomic_load_explicit(&line->bytes, memory_order_relaxed);

    return depth + batch->count < line->config.queue_limit &&
           waiting + batch->bytes + bytes <= RPC_LINE_BYTES;
}

void
rpc_line_submit(struct rpc_line *line, struct rpc_jobs *batch)
{
    if (!batch->first)
        return;
    atomic_fetch_add_explicit(&line->under_way, batch->count, memory_order_relaxed);
    lock(line);
    jobs_move(batch, &line->waiting);
    note_waiting(line);
    call_worker(line);
    unlock(line);
}

void
rpc_line_answers(struct rpc_line *line, struct rpc_jobs *ret)
{
    uint64_t ignored;

    *ret = (struct rpc_jobs){0};
    if (!atomic_load_explicit(&line->told, memory_order_acquire))
        return;
    /* EAGAIN: who told is about to write; that write belongs to this telling, so it stays open
     * and the descriptor brings us back. */
    if (read(line->fd, &ignored, sizeof ignored) == sizeof ignored)
        atomic_store_explicit(&line->told, false, memory_order_seq_cst);
    lock(line);
    jobs_move(&line->answers, ret);
    unlock(line);
    atomic_fetch_sub_explicit(&line->under_way, ret->count, memory_order_release);
}

struct status
rpc_line_post(struct rpc_line *line, void (*run)(void *worker_context, void *argument),
              void *argument)
{
    struct rpc_job *job = NULL;

    lock(line);
    if (!line->stop && line->waiting.count < line->config.queue_limit)
        job = rpc_jobs_take(&line->empty);
    if (job) {
        job->run = run;
        job->argument = argument;
        atomic_fetch_add_explicit(&line->under_way, 1, memory_order_relaxed);
        rpc_jobs_put(&line->waiting, job);
        note_waiting(line);
        call_worker(line);
    }
    unlock(line);
    return job ? OK : FAIL(NULL, RESOURCE_EXHAUSTED, "the workers' line is full");
}

uint32_t
rpc_line_depth(const struct rpc_line *line)
{
    return atomic_load_explicit(&line->depth, memory_order_relaxed);
}

bool
rpc_line_idle(const struct rpc_line *line)
{
    return atomic_load_explicit(&line->under_way, memory_order_acquire) == 0;
}

void
rpc_line_stop(struct rpc_line *line, struct rpc_jobs *ret_waiting)
{
    lock(line);
    line->stop = true;
    (void)pthread_cond_broadcast(&line->wake); /* cannot fail */
    unlock(line);
    for (; line->started > 0; line->started--)
        /* Our own thread, joined once. */
        (void)pthread_join(line->workers[line->started - 1].thread, NULL);
    *ret_waiting = line->waiting;
    line->waiting = (struct rpc_jobs){0};
    note_waiting(line);
}

void
rpc_line_destroy(struct rpc_line **line)
{
    struct rpc_line *self = *line;

    if (!self)
        return;
    for (unsigned i = 0; i < self->config.workers; i++)
        arena_fini(&self->workers[i].arena);
    if (self->fd >= 0)
        (void)close(self->fd);                /* nothing was written that could be lost */
    (void)pthread_cond_destroy(&self->wake);  /* nobody waits */
    (void)pthread_mutex_destroy(&self->lock); /* nobody holds it */
    free(self->pool);
    free(self);
    *line = NULL;
}

static struct status
start_workers(struct rpc_line *line, struct arena *arena)
{
    for (unsigned i = 0; i < line->config.workers; i++) {
        struct worker *worker = &line->workers[i];

        worker->line = line;
        worker->index = i;
        if (pthread_create(&worker->thread, NULL, work, worker) != 0)
            return FAIL(arena, RESOURCE_EXHAUSTED, "no thread for a worker");
        line->started++;
    }
    return OK;
}

struct status
rpc_line_create(const struct rpc_line_config *config, struct arena *arena,
                struct rpc_line **ret)
{
    const size_t jobs = config->queue_limit + config->workers + SPARE_JOBS;
    struct rpc_line *line;
    struct status status;

    if (config->workers < 1 || config->workers > RPC_WORKERS_MAX || config->queue_limit < 1 ||
        config->queue_limit > 10000)
        return FAIL(arena, INVALID_ARGUMENT, "1..64 workers and a line of 1..10000");
    TRY(need(line = calloc(1, sizeof *line)));
    line->config = *config;
    (void)pthread_mutex_init(&line->lock, NULL); /* cannot fail with these attributes */
    (void)pthread_cond_init(&line->wake, NULL);  /* as above */
    for (unsigned i = 0; i < config->workers; i++)
        arena_init(&line->workers[i].arena, ARENA_CALL_BYTES);
    line->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    line->pool = calloc(jobs, sizeof *line->pool);
    for (size_t i = 0; line->pool && i < jobs; i++)
        rpc_jobs_put(&line->empty, &line->pool[i]);
    if (line->fd < 0)
        status = FAIL(arena, RESOURCE_EXHAUSTED, "eventfd: %s", strerror(errno));
    else
        status = line->pool ? start_workers(line, arena) : need(NULL);
    if (failed(status)) {
        struct rpc_jobs none;

        rpc_line_stop(line, &none);
        rpc_line_destroy(&line);
        return status;
    }
    *ret = line;
    return OK;
}
