#include "services/events/sequencer.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "common/base/log.h"
#include "common/base/metric.h"
#include "common/wire/doorbell.h"
#include "services/events/round.h"

#define POLL_MS 50 /* the safety net under the doorbell */
#define FAILED_POLL_MS 200
#define TAKE_MARGIN 2000 /* ids */
#define TAKE_WHOLE_MS 1000
#define ROUND_MS 2500 /* limit of one transaction; below the 3 s of a stopped session */
#define ROUND_BYTES ((size_t)192 << 20)
#define UNSEAT_EVERY_MS 500
#define JOBS_MAX 1024 /* that wait in the line */
#define ROUND_JOBS 512
#define CATCH_UP_BLOCKS 20
#define SKIP_EVENTS 200000 /* a fellow that is further behind goes straight to the head */

static struct metric leader_gauge =
    METRIC("leader", METRIC_GAUGE, "1 while this instance numbers the log", NULL, NULL);
static struct metric position_gauge =
    METRIC("log_position", METRIC_GAUGE, "last position this instance knows", NULL, NULL);

struct sequencer {
    struct sequencer_config config;
    struct line jobs;
    atomic_bool stop, leads, in_touch;
    pthread_t thread;
    bool started;
    /* the thread's own */
    struct pg *pg;
    struct arena arena; /* of one round */
    struct round_memory memory;
    struct line_item *waiting; /* jobs taken from the line, for the next round */
    int64_t session;           /* whose settings and head are known; 0: none */
    uint64_t head;             /* of the log, while leading */
    uint64_t delivered;        /* last position given to `deliver` */
    struct mono unseat_due;
    bool rung;             /* since the outbox was looked at */
    struct mono take_due;  /* when it is looked at without a ring */
    struct mono whole_due; /* when it is looked at from its first row */
    int64_t taken_id;      /* the greatest that was taken */
    bool failing;          /* the last round failed and was logged */
    struct roll roll;
};

static void
note_leads(struct sequencer *sequencer, bool leads)
{
    if (leads == atomic_load(&sequencer->leads))
        return;
    atomic_store(&sequencer->leads, leads);
    metric_set(&leader_gauge, NULL, NULL, leads);
    log_info(leads ? "leads the log" : "follows another leader",
             KV("position", sequencer->delivered));
}

static void
note_delivered(struct sequencer *sequencer, uint64_t position)
{
    sequencer->delivered = position;
    metric_set(&position_gauge, NULL, NULL, (double)position);
}

static struct status
begin(struct sequencer *sequencer, struct pg_tx *ret)
{
    const struct clock *clock = sequencer->config.clock;
    const struct pg_scope scope = {.deadline = mono_add_ms(clock_mono(clock), ROUND_MS),
                                   .together = true};

    return pg_tx_begin(sequencer->pg, &scope, &sequencer->arena, ret);
}

/* Delivers what the log has behind `delivered`, one page at a time. */
static struct status
catch_up(struct sequencer *sequencer, struct pg_tx *tx, uint64_t head, uint64_t first_kept)
{
    if (!atomic_load(&sequencer->in_touch) || head - sequencer->delivered > SKIP_EVENTS ||
        sequencer->delivered < first_kept) {
        sequencer->config.reached(sequencer->config.context, head, first_kept);
        note_delivered(sequencer, head);
        atomic_store(&sequencer->in_touch, true);
    }
    while (sequencer->delivered < head) {
        scoped(store_page_release) struct block *page = NULL;

        TRY(store_page(tx, sequencer->delivered, CATCH_UP_BLOCKS, NULL, &page));
        if (!page || page->position != sequencer->delivered + 1)
            return FAIL(tx->arena, INTERNAL, "the log has a gap behind %" PRIu64,
                        sequencer->delivered);
        while (page) {
            struct block *block = page;

            page = take(&block->next);
            note_delivered(sequencer, block->last);
            sequencer->config.deliver(sequencer->config.context, block);
        }
    }
    return OK;
}

/* Now and then: is the leader there at all? */
static struct status
unseat(struct sequencer *sequencer, struct pg_tx *tx)
{
    const struct mono now = clock_mono(sequencer->config.clock);
    uint64_t ended;

    if (mono_left_ms(sequencer->unseat_due, now) > 0)
        return OK;
    sequencer->unseat_due = mono_add_ms(now, UNSEAT_EVERY_MS);
    TRY(store_unseat(tx, &ended));
    if (ended)
        log_warn("a leader that reads nothing was unseated");
    return OK;
}

/* Which ids came of late, read from the log's end. */
static struct status
learn(struct sequencer *sequencer, struct pg_tx *tx, uint64_t head, uint64_t first_kept)
{
    uint64_t after = head > RECENT_EVENTS ? head - RECENT_EVENTS : 0;

    round_memory_clear(&sequencer->memory);
    if (after < first_kept)
        after = first_kept;
    while (after < head) {
        scoped(store_page_release) struct block *page = NULL;

        TRY(store_page(tx, after, CATCH_UP_BLOCKS, NULL, &page));
        if (!page || page->last <= after)
            return FAIL(tx->arena, INTERNAL, "the log has a gap behind %" PRIu64, after);
        for (const struct block *block = page; block; block = block->next) {
            intake_memory_learn(&sequencer->memory.intake, block);
            after = block->last;
        }
    }
    return OK;
}

/* First contact of this session, not the leader, or its first round: the log itself tells where
 * it stands. */
static struct status
look(struct sequencer *sequencer, struct pg_tx *tx, const struct store_taken *taken)
{
    uint64_t head, first_kept;

    if (taken->session != sequencer->session)
        TRY(store_settle(tx));
    TRY(store_head(tx, &head, &first_kept));
    if (head < sequencer->delivered)
        return FAIL(tx->arena, INTERNAL,
                    "the log ends at %" PRIu64 " but %" PRIu64
                    " has been seen: was it restored?",
                    head, sequencer->delivered);
    TRY(catch_up(sequencer, tx, head, first_kept));
    sequencer->head = head;
    if (!taken->leader)
        return unseat(sequencer, tx);
    return learn(sequencer, tx, head, first_kept);
}

static void
answer_all(struct append_job **jobs, size_t count, struct status status)
{
    for (size_t i = 0; i < count; i++)
        if (jobs[i])
            append_job_answer(&jobs[i], status);
}

/* As many as one round may take; the others wait for the next. */
static size_t
take_jobs(struct sequencer *sequencer, struct append_job **jobs)
{
    size_t count = 0, bytes = 0;

    if (!sequencer->waiting)
        sequencer->waiting = line_take(&sequencer->jobs);
    while (sequencer->waiting && count < ROUND_JOBS) {
        struct append_job *job = (struct append_job *)sequencer->waiting;

        if (count && bytes + job->bytes > INTAKE_JOB_BYTES)
            break;
        sequencer->waiting = sequencer->waiting->next;
        bytes += job->bytes;
        jobs[count++] = job;
    }
    return count;
}

static void
deliver_round(struct sequencer *sequencer, struct round *round)
{
    sequencer->head = round->head;
    for (size_t i = 0; i < round->block_count; i++) {
        struct block *block = take(&round->blocks[i]);

        note_delivered(sequencer, block->last);
        sequencer->config.deliver(sequencer->config.context, block);
    }
    if (round->block_count && sequencer->config.ring)
        sequencer->config.ring(sequencer->config.context);
}

/* The outbox is looked at when somebody rang, and every POLL_MS.  In between, a round of jobs
 * alone saves the question: should another lead meanwhile, the check of the head refuses what
 * is done here. */
static bool
may_skip(struct sequencer *sequencer)
{
    return sequencer->session && !sequencer->rung && atomic_load(&sequencer->leads) &&
           mono_left_ms(sequencer->take_due, clock_mono(sequencer->config.clock)) > 0;
}

/* Where the next taking begins: a little below what was taken last, because the dead entries of
 * the index before that would be walked again each time.  Rows of transactions that took their
 * ids long before they committed stand lower; once a second all is looked at. */
static int64_t
take_floor(struct sequencer *sequencer)
{
    const struct mono now = clock_mono(sequencer->config.clock);

    if (mono_left_ms(sequencer->whole_due, now) > 0 && sequencer->taken_id > TAKE_MARGIN)
        return sequencer->taken_id - TAKE_MARGIN;
    sequencer->whole_due = mono_add_ms(now, TAKE_WHOLE_MS);
    return 0;
}

static struct status
take_rows(struct sequencer *sequencer, struct pg_tx *tx, bool jobs, struct store_taken *ret)
{
    if (jobs && may_skip(sequencer)) {
        *ret = (struct store_taken){.leader = true, .session = sequencer->session};
        return OK;
    }
    sequencer->rung = false;
    sequencer->take_due = mono_add_ms(clock_mono(sequencer->config.clock), POLL_MS);
    TRY(store_take(tx, ROUND_ROWS, take_floor(sequencer), ret));
    if (ret->count && ret->rows[ret->count - 1].id > sequencer->taken_id)
        sequencer->taken_id = ret->rows[ret->count - 1].id;
    return OK;
}

/* One transaction.  ret_more: the outbox may hold more. */
static struct status
run_round(struct sequencer *sequencer, struct append_job **jobs, size_t job_count,
          bool *ret_more)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    scoped(round_fini) struct round round = {0};
    struct store_taken taken;

    *ret_more = false;
    TRY(begin(sequencer, &tx));
    TRY(take_rows(sequencer, &tx, job_count > 0, &taken));
    if (!taken.leader || taken.session != sequencer->session || !atomic_load(&sequencer->leads))
        TRY(look(sequencer, &tx, &taken));
    if (taken.leader && (taken.count || job_count))
        TRY(round_make(&round, &sequencer->memory, &tx, sequencer->head, &taken, jobs,
                       job_count));
    TRY(pg_tx_commit(&tx));
    sequencer->session = taken.session;
    note_leads(sequencer, taken.leader);
    if (!taken.leader) {
        answer_all(jobs, job_count, status_make(NULL, CODE_UNAVAILABLE, "not_leader"));
        return OK;
    }
    if (taken.count || job_count)
        deliver_round(sequencer, &round);
    answer_all(jobs, job_count, OK);
    *ret_more = taken.count == ROUND_ROWS;
    if (*ret_more)
        sequencer->rung = true;
    return OK;
}

static void
note_failure(struct sequencer *sequencer, struct status status)
{
    if (failed(status) && !sequencer->failing)
        log_warn("the log cannot be written or read now", KV("code", code_name(status.code)),
                 KV("detail", status.detail));
    if (!failed(status) && sequencer->failing)
        log_info("the log can be written and read again");
    sequencer->failing = failed(status);
}

/* A round, and what follows from its failure: nothing of it is known, so the session's next
 * round reads the head again, and who appends must ask again. */
static bool
attempt(struct sequencer *sequencer)
{
    struct append_job *jobs[ROUND_JOBS];
    const size_t job_count = take_jobs(sequencer, jobs);
    bool more = false;
    const struct status status = run_round(sequencer, jobs, job_count, &more);

    note_failure(sequencer, status);
    if (failed(status)) {
        sequencer->session = 0;
        sequencer->whole_due = (struct mono){0};
        note_leads(sequencer, false);
        answer_all(jobs, job_count,
                   status_make(NULL, CODE_UNAVAILABLE,
                               "it may be in the log or not: repeat the batch"));
    }
    arena_reset(&sequencer->arena);
    return more || sequencer->waiting;
}

/* `more`: there is work already, and only whether somebody rang is looked at. */
static void
wait_for_work(struct sequencer *sequencer, bool more)
{
    zmq_pollitem_t items[] = {
        {.fd = sequencer->jobs.fd, .events = ZMQ_POLLIN},
        {.socket = sequencer->config.bell, .events = ZMQ_POLLIN},
    };
    const int count = sequencer->config.bell ? 2 : 1;

    int wait_ms = POLL_MS;

    /* A bell does not hurry a database that is away: the wait is the back-off. */
    if (sequencer->failing)
        wait_ms = FAILED_POLL_MS;
    else if (more)
        wait_ms = 0;
    if (zmq_poll(items, sequencer->failing ? 1 : count, wait_ms) < 0)
        return; /* interrupted: look again */
    if (count > 1 && (items[1].revents || sequencer->failing)) {
        doorbell_clear(sequencer->config.bell); /* rings are not left to pile up */
        sequencer->rung = true;
    }
}

static void *
run(void *argument)
{
    struct sequencer *sequencer = argument;

    while (!atomic_load(&sequencer->stop)) {
        const bool more = attempt(sequencer);

        if (atomic_load(&sequencer->leads))
            roll_look(&sequencer->roll, sequencer->pg, &sequencer->arena);
        wait_for_work(sequencer, more);
    }
    socket_close(
        &sequencer->config.bell); /* the thread's own: left open, the context never ends */
    return NULL;
}

struct status
sequencer_create(const struct sequencer_config *config, struct arena *arena,
                 struct sequencer **ret)
{
    scoped(sequencer_destroy) struct sequencer *sequencer = calloc(1, sizeof *sequencer);

    TRY(need(sequencer));
    sequencer->config = *config;
    sequencer->jobs.fd = -1;
    sequencer->roll = (struct roll){.config = config->roll, .clock = config->clock};
    arena_init(&sequencer->arena, ROUND_BYTES);
    TRY(round_memory_init(&sequencer->memory));
    TRY(line_init(&sequencer->jobs, JOBS_MAX, arena));
    TRY(pg_create(config->pg, arena, &sequencer->pg));
    if (pthread_create(&sequencer->thread, NULL, run, sequencer) != 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "no thread for the sequencer");
    sequencer->started = true;
    *ret = take(&sequencer);
    return OK;
}

void
sequencer_destroy(struct sequencer **sequencer)
{
    struct sequencer *gone = take(sequencer);
    struct append_job *jobs[ROUND_JOBS];
    size_t count;

    if (!gone)
        return;
    if (gone->started) {
        atomic_store(&gone->stop, true);
        line_wake(&gone->jobs);
        (void)pthread_join(gone->thread, NULL); /* it was created and is joined once */
        while ((count = take_jobs(gone, jobs)) > 0)
            answer_all(jobs, count, status_make(NULL, CODE_UNAVAILABLE, "draining"));
    }
    metric_set(&leader_gauge, NULL, NULL, 0);
    pg_destroy(&gone->pg);
    round_memory_fini(&gone->memory);
    line_fini(&gone->jobs);
    arena_fini(&gone->arena);
    free(gone);
}

struct status
sequencer_post(struct sequencer *sequencer, struct append_job *job, struct arena *arena)
{
    if (!atomic_load(&sequencer->leads) || atomic_load(&sequencer->stop))
        return FAIL(arena, UNAVAILABLE, "not_leader");
    (void)atomic_fetch_add(&job->holders, 1); /* the sequencer's share */
    if (line_push(&sequencer->jobs, &job->item))
        return OK;
    (void)atomic_fetch_sub(&job->holders, 1); /* the caller has one too */
    return FAIL(arena, RESOURCE_EXHAUSTED, "more than %d batches wait", JOBS_MAX);
}

bool
sequencer_leads(const struct sequencer *sequencer)
{
    return atomic_load(&sequencer->leads);
}

bool
sequencer_in_touch(const struct sequencer *sequencer)
{
    return atomic_load(&sequencer->in_touch);
}
