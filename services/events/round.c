#include "services/events/round.h"

#include <string.h>

#include "common/base/log.h"
#include "common/base/metric.h"

static struct metric parked_total =
    METRIC("outbox_parked_total", METRIC_COUNTER, "outbox rows that were no event", NULL, NULL);

/* Events that enter the log in this round, in order. */
struct intake {
    struct build_event *events;
    size_t count;
    const char **tenant_ids; /* of events with a tenant's number; each once */
    size_t tenant_count;
};

static void
note_tenant(struct intake *intake, const struct build_event *event)
{
    if (event->internal)
        return;
    for (size_t i = intake->tenant_count; i > 0; i--)
        if (strcmp(intake->tenant_ids[i - 1], event->tenant_id) == 0)
            return;
    intake->tenant_ids[intake->tenant_count++] = event->tenant_id;
}

static void
take_in(struct intake *intake, const struct build_event *event)
{
    intake->events[intake->count++] = *event;
    note_tenant(intake, event);
}

static struct status
park(struct pg_tx *tx, const struct store_outbox_row *row, struct status why)
{
    const char *reason =
        arena_printf(tx->arena, "%s%s%s", why.field ? why.field : "", why.field ? ": " : "",
                     why.detail ? why.detail : code_name(why.code));

    TRY(need(reason));
    TRY(store_park(tx, row, reason));
    metric_add(&parked_total, NULL, NULL, 1);
    log_error("outbox row parked", KV("outbox_id", row->id), KV("reason", reason));
    return OK;
}

static struct status
take_rows(struct intake *intake, struct pg_tx *tx, const struct store_taken *taken)
{
    for (size_t i = 0; i < taken->count; i++) {
        const struct store_outbox_row *row = &taken->rows[i];
        struct build_event event = {
            .packed = row->event, .tenant_id = row->tenant_id, .internal = row->internal};
        const struct status status = packed_check_outbox(
            row->event, row->tenant_id, row->internal, tx->arena, &event.parts);

        if (status.code == CODE_RESOURCE_EXHAUSTED)
            return status; /* our memory, not the row's fault */
        if (failed(status))
            TRY(park(tx, row, status));
        else
            take_in(intake, &event);
    }
    return OK;
}

/* Whether the same batch comes twice within this round. */
static bool
repeated(struct append_job *const *jobs, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (jobs[j] && jobs[j]->append.batch_number == jobs[i]->append.batch_number &&
            strcmp(jobs[j]->append.source, jobs[i]->append.source) == 0 &&
            strcmp(jobs[j]->append.tenant_id, jobs[i]->append.tenant_id) == 0)
            return true;
    return false;
}

/* NOT_FOUND: new, to be taken in. */
static struct status
screen(struct pg_tx *tx, struct append_job *const *jobs, size_t i)
{
    if (repeated(jobs, i))
        return FAIL(tx->arena, ABORTED, "the same batch is being appended");
    return store_find_append(tx, &jobs[i]->append);
}

static struct status
take_jobs(struct intake *intake, struct pg_tx *tx, uint64_t head, struct append_job **jobs,
          size_t job_count)
{
    size_t bytes = 0;

    for (size_t i = 0; i < job_count; i++) {
        struct append_job *job = jobs[i];
        struct status status;

        if (bytes + job->bytes > ROUND_JOB_BYTES)
            status = FAIL(tx->arena, RESOURCE_EXHAUSTED, "too many batches at once");
        else
            status = screen(tx, jobs, i);
        if (status.code == CODE_NOT_FOUND) {
            bytes += job->bytes;
            job->append.first = head + intake->count + 1;
            job->append.last = head + intake->count + job->event_count;
            for (size_t e = 0; e < job->event_count; e++)
                take_in(intake, &job->events[e]);
            TRY(store_claim_append(tx, &job->append));
        } else if (!failed(status) || status.code == CODE_KEY_REUSED ||
                   status.code == CODE_ABORTED || status.code == CODE_RESOURCE_EXHAUSTED) {
            append_job_answer(&jobs[i], status);
        } else {
            return status;
        }
    }
    return OK;
}

static struct status
intake_begin(struct intake *intake, struct arena *arena, const struct store_taken *taken,
             struct append_job *const *jobs, size_t job_count)
{
    size_t room = taken->count;

    for (size_t i = 0; i < job_count; i++)
        room += jobs[i]->event_count;
    *intake = (struct intake){0};
    TRY(need(intake->events = ARENA_ARRAY(arena, struct build_event, room + 1)));
    return need(intake->tenant_ids = ARENA_ARRAY(arena, const char *, room + 1));
}

static struct status
number(struct build *build, struct pg_tx *tx, uint64_t head, const struct intake *intake)
{
    struct store_stream *streams;
    size_t count;

    TRY(store_streams(tx, (struct texts){intake->tenant_ids, intake->tenant_count}, &streams,
                      &count));
    TRY(build_begin(build, tx->arena, head, streams, count, intake->count));
    for (size_t i = 0; i < intake->count; i++)
        TRY(build_add(build, &intake->events[i]));
    build_end(build);
    return OK;
}

static struct status
store(struct pg_tx *tx, uint64_t head, const struct build *build)
{
    for (size_t i = 0; i < build->block_count; i++)
        TRY(store_add_block(tx, &build->blocks[i]));
    for (size_t i = 0; i < build->stream_count; i++)
        TRY(store_move_stream(tx, &build->streams[i]));
    return store_move_head(tx, head, build->position - 1);
}

/* Copies for memory, made before the commit so that nothing can fail after it. */
static struct status
make_blocks(struct round *round, struct arena *arena, const struct build *build)
{
    TRY(need(round->blocks = ARENA_ARRAY(arena, struct block *, build->block_count)));
    for (size_t i = 0; i < build->block_count; i++) {
        const struct store_block *block = &build->blocks[i];

        TRY(block_create(block->position, block->count, block->data, arena, &round->blocks[i]));
        round->block_count++;
    }
    return OK;
}

struct status
round_make(struct round *round, struct pg_tx *tx, uint64_t head,
           const struct store_taken *taken, struct append_job **jobs, size_t job_count)
{
    struct intake intake;
    struct build build;

    round->head = head;
    TRY(intake_begin(&intake, tx->arena, taken, jobs, job_count));
    TRY(take_rows(&intake, tx, taken));
    TRY(take_jobs(&intake, tx, head, jobs, job_count));
    if (!intake.count)
        return OK;
    TRY(number(&build, tx, head, &intake));
    TRY(store(tx, head, &build));
    TRY(make_blocks(round, tx->arena, &build));
    round->head = build.position - 1;
    return OK;
}

void
round_fini(struct round *round)
{
    for (size_t i = 0; i < round->block_count; i++)
        block_release(&round->blocks[i]);
    *round = (struct round){0};
}
