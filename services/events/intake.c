#include "services/events/intake.h"

#include <string.h>

#include "common/base/log.h"
#include "common/base/metric.h"

static struct metric parked_total =
    METRIC("outbox_parked_total", METRIC_COUNTER, "outbox rows that were no event", NULL, NULL);
static struct metric duplicates_total = METRIC("append_duplicates_total", METRIC_COUNTER,
                                               "appended events that were known", NULL, NULL);

struct status
intake_memory_init(struct intake_memory *memory)
{
    TRY(sources_create(&memory->sources));
    return recent_create(&memory->recent);
}

void
intake_memory_fini(struct intake_memory *memory)
{
    sources_destroy(&memory->sources);
    recent_destroy(&memory->recent);
}

void
intake_memory_clear(struct intake_memory *memory)
{
    sources_clear(memory->sources);
    recent_clear(memory->recent);
}

void
intake_memory_learn(struct intake_memory *memory, const struct block *block)
{
    for (uint32_t i = 0; block->data.size && i < block->count; i++) {
        const struct block_event *event = &block->events[i];
        struct bytes made;

        if (packed_appended(event->framed, &made))
            (void)recent_note(memory->recent, &event->parts, made); /* or known: as good */
    }
}

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

struct status
intake_begin(struct intake *intake, struct intake_memory *memory, struct arena *arena,
             uint64_t head, size_t room)
{
    *intake = (struct intake){.arena = arena, .memory = memory, .head = head};
    TRY(need(intake->events = ARENA_ARRAY(arena, struct build_event, room + 1)));
    return need(intake->tenant_ids = ARENA_ARRAY(arena, const char *, room + 1));
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

struct status
intake_rows(struct intake *intake, struct pg_tx *tx, const struct store_taken *taken)
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

static bool
same_batch(const struct store_append *a, const struct store_append *b)
{
    return a->batch_number == b->batch_number && strcmp(a->source, b->source) == 0 &&
           strcmp(a->tenant_id, b->tenant_id) == 0;
}

/* Whether the same batch came before in this round. */
static bool
repeated(struct append_job *const *jobs, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (jobs[j] && same_batch(&jobs[j]->append, &jobs[i]->append))
            return true;
    return false;
}

/* NOT_FOUND: new, to be taken in.  `seen` is where the round's own batches are noted, behind
 * those that the log has. */
static struct status
screen(struct intake *intake, struct pg_tx *tx, struct append_job *const *jobs, size_t i)
{
    struct store_append *append = &jobs[i]->append;
    struct sources *sources = intake->memory->sources;
    uint64_t highest = 0;
    struct status status;

    if (sources_is_new(sources, append->tenant_id, append->source, append->batch_number)) {
        sources_note(sources, append->tenant_id, append->source, append->batch_number);
        return FAIL(NULL, NOT_FOUND, "new");
    }
    if (repeated(jobs, i))
        return FAIL(intake->arena, ABORTED, "the same batch is being appended");
    status = store_find_append(tx, append, &highest);
    if (status.code == CODE_NOT_FOUND)
        sources_note(sources, append->tenant_id, append->source,
                     highest > append->batch_number ? highest : append->batch_number);
    return status;
}

static struct status
reused(const struct intake *intake, size_t e, const struct packed_event *parts)
{
    return FAIL(intake->arena, KEY_REUSED,
                "batch.events[%zu].id: %.*s came before with other content", e,
                parts->id.size < 64 ? (int)parts->id.size : 64, (const char *)parts->id.data);
}

/* All events of the job but those that are known, or none.  KEY_REUSED names the first one
 * whose id came before with other bytes. */
static struct status
take_events(struct intake *intake, struct append_job *job)
{
    struct recent *recent = intake->memory->recent;
    struct store_append *append = &job->append;
    const size_t before = intake->count;

    append->duplicates = 0;
    for (size_t e = 0; e < job->event_count; e++) {
        const struct build_event *event = &job->events[e];
        const enum recent_outcome known = recent_note(recent, &event->parts, event->packed);

        if (known == RECENT_OTHER) {
            recent_undo(recent, intake->count - before);
            intake->count = before;
            return reused(intake, e, &event->parts);
        }
        if (known == RECENT_SAME) {
            append->duplicates++;
            continue;
        }
        take_in(intake, event);
    }
    metric_add(&duplicates_total, NULL, NULL, append->duplicates);
    append->first = intake->count > before ? intake->head + before + 1 : 0;
    append->last = intake->count > before ? intake->head + intake->count : 0;
    return OK;
}

/* The peer's position moves with its events: what was taken in before is never taken again.  A
 * job without events moves it alone. */
static struct status
take_peer(struct intake *intake, struct pg_tx *tx, const struct append_job *job)
{
    TRY(store_peer_move(tx, &job->peer));
    for (size_t e = 0; e < job->event_count; e++)
        take_in(intake, &job->events[e]);
    return FAIL(NULL, NOT_FOUND, "new");
}

static struct status
take_job(struct intake *intake, struct pg_tx *tx, struct append_job *const *jobs, size_t i)
{
    struct status status;

    if (jobs[i]->peer.source)
        return take_peer(intake, tx, jobs[i]);
    status = screen(intake, tx, jobs, i);
    if (status.code == CODE_NOT_FOUND)
        TRY(take_events(intake, jobs[i]));
    return status;
}

struct status
intake_jobs(struct intake *intake, struct pg_tx *tx, struct append_job **jobs, size_t job_count)
{
    struct store_claims claims = {0};

    TRY(store_claims_begin(&claims, tx->arena, job_count));
    for (size_t i = 0; i < job_count; i++) {
        const struct status status = take_job(intake, tx, jobs, i);

        if (status.code == CODE_NOT_FOUND && jobs[i]->peer.source)
            continue; /* its position says so */
        if (status.code == CODE_NOT_FOUND)
            store_claims_add(&claims, &jobs[i]->append);
        else if (!failed(status) || status.code == CODE_KEY_REUSED ||
                 status.code == CODE_ABORTED)
            append_job_answer(&jobs[i], status);
        else
            return status;
    }
    return store_claims_put(tx, &claims);
}
