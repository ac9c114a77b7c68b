#include "services/events/append.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/uuid.h"

#define JOB_BYTES ((size_t)8 << 20)
#define SOURCE_BYTES 256

static struct status
check_header(const char *tenant_id, const char *source, uint64_t batch_number,
             struct arena *arena)
{
    if (!uuid_valid(tenant_id))
        return FAIL_FIELD(arena, "principal.tenant_id", "names the tenant of the events");
    if (!*source || strlen(source) > SOURCE_BYTES)
        return FAIL_FIELD(arena, "source", "must have 1 to %d bytes", SOURCE_BYTES);
    if (!batch_number || batch_number > INT64_MAX)
        return FAIL_FIELD(arena, "batch_number", "must be at least 1");
    return OK;
}

static struct status
count_events(struct bytes batch, struct arena *arena, size_t *ret)
{
    struct bytes event;
    bool broken = false;
    size_t count = 0;

    while (count <= PACKED_BATCH_EVENTS && packed_next(&batch, &event, &broken))
        count++;
    if (broken)
        return FAIL_FIELD(arena, "batch", "is not a CloudEventBatch");
    if (!count || count > PACKED_BATCH_EVENTS)
        return FAIL_FIELD(arena, "batch", "must hold 1 to %d events", PACKED_BATCH_EVENTS);
    *ret = count;
    return OK;
}

/* The failure of event i, with its place in front. */
static struct status
at_event(struct status status, size_t i, struct arena *arena)
{
    char *field;

    if (!failed(status))
        return OK;
    field = arena_printf(arena, "batch.events[%zu]%s%s", i, status.field ? "." : "",
                         status.field ? status.field : "");
    return (struct status){status.code, status.detail, field ? field : "batch"};
}

static struct status
add_events(struct append_job *job, struct bytes batch, struct arena *arena)
{
    struct bytes event;
    bool broken = false;

    for (size_t i = 0; packed_next(&batch, &event, &broken); i++) {
        struct build_event *into = &job->events[i];
        struct packed_event parts;
        char *copy;

        TRY(at_event(packed_check_append(event, job->append.source, arena, &parts), i, arena));
        TRY(need(copy = arena_copy_n(&job->arena, event.data, event.size)));
        into->packed = (struct bytes){(const uint8_t *)copy, event.size};
        into->tenant_id = job->append.tenant_id;
        into->give_tenant = true;
        TRY(packed_scan(into->packed, arena, &into->parts));
        job->event_count++;
    }
    return OK;
}

struct status
append_job_create(const char *tenant_id, const char *source, uint64_t batch_number,
                  struct bytes batch, struct arena *arena, struct append_job **ret)
{
    scoped(append_job_release) struct append_job *job = NULL;
    size_t count;

    TRY(check_header(tenant_id, source, batch_number, arena));
    TRY(count_events(batch, arena, &count));
    TRY(need(job = calloc(1, sizeof *job)));
    atomic_init(&job->holders, 1);
    arena_init(&job->arena, JOB_BYTES);
    job->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (job->done_fd < 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "no descriptor is left");
    TRY(need(job->append.tenant_id = arena_copy(&job->arena, tenant_id)));
    TRY(need(job->append.source = arena_copy(&job->arena, source)));
    TRY(need(job->events = ARENA_ARRAY(&job->arena, struct build_event, count)));
    job->append.batch_number = batch_number;
    packed_hash(batch, job->append.digest);
    TRY(add_events(job, batch, arena));
    job->bytes = batch.size;
    *ret = take(&job);
    return OK;
}

void
append_job_release(struct append_job **job)
{
    struct append_job *gone = take(job);

    if (!gone || atomic_fetch_sub(&gone->holders, 1) != 1)
        return;
    if (gone->done_fd >= 0)
        (void)close(gone->done_fd);
    arena_fini(&gone->arena);
    free(gone);
}

void
append_job_answer(struct append_job **job, struct status status)
{
    const uint64_t one = 1;

    (*job)->code = status.code;
    (void)snprintf((*job)->detail, sizeof(*job)->detail, "%s",
                   status.detail ? status.detail : "");
    if (write((*job)->done_fd, &one, sizeof one) < 0)
        (*job)->code = CODE_INTERNAL; /* cannot happen: the counter is at 0 */
    append_job_release(job);
}

struct status
append_job_await(struct append_job *job, const struct clock *clock, struct mono deadline,
                 struct arena *arena)
{
    struct pollfd done = {.fd = job->done_fd, .events = POLLIN};
    uint64_t answers;
    int ready;

    do {
        const int left_ms = mono_left_ms(deadline, clock_mono(clock));

        ready = poll(&done, 1, left_ms);
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0 || read(job->done_fd, &answers, sizeof answers) < 0)
        return FAIL(arena, DEADLINE_EXCEEDED,
                    "the batch may or may not be in the log: repeat it with its number");
    if (job->code != CODE_OK)
        return status_make(arena, job->code, "%s", job->detail);
    return OK;
}
