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
#define OUR_TYPES "org.samverka." /* facts of this deployment: its own services tell them */

static struct status
check_header(const struct append_request *request, struct arena *arena)
{
    if (!uuid_valid(request->tenant_id))
        return FAIL_FIELD(arena, "tenant_id", "names the tenant of the events");
    if (!*request->source || strlen(request->source) > APPEND_SOURCE_BYTES)
        return FAIL_FIELD(arena, "source", "must have 1 to %d bytes", APPEND_SOURCE_BYTES);
    if (!request->batch_number || request->batch_number > INT64_MAX)
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

/* What the appender may say. */
static struct status
check_type(const struct texts *types, struct bytes type)
{
    if (!types)
        return OK;
    for (size_t i = 0; i < types->count; i++)
        if (bytes_begin(type, types->items[i]) && !bytes_begin(type, OUR_TYPES))
            return OK;
    return (struct status){CODE_PERMISSION_DENIED,
                           "this system may not append events of the type", "type"};
}

/* An event whose attributes have names that JSON or a header would misread is refused. */
static struct status
check_names(struct bytes event, struct arena *arena)
{
    struct packed_field field;

    while (packed_next_field(&event, &field))
        if (field.name.size && !bytes_name_attribute(field.name))
            return FAIL_FIELD(arena, "attributes", "no attribute may be named %.*s",
                              field.name.size < 64 ? (int)field.name.size : 64,
                              (const char *)field.name.data);
    return OK;
}

static struct status
add_events(struct append_job *job, const struct append_request *request, struct bytes batch,
           struct arena *arena)
{
    struct bytes event;
    bool broken = false;

    for (size_t i = 0; packed_next(&batch, &event, &broken); i++) {
        struct build_event *into = &job->events[i];

        into->packed = event;
        into->tenant_id = job->append.tenant_id;
        into->give_tenant = true;
        TRY(at_event(packed_check_append(event, job->append.source, arena, &into->parts), i,
                     arena));
        TRY(at_event(check_names(event, arena), i, arena));
        TRY(at_event(check_type(request->types, into->parts.type), i, arena));
        job->event_count++;
    }
    return OK;
}

static struct status
take_batch(struct append_job *job, const struct append_request *request, struct bytes *ret)
{
    *ret = request->batch;
    if (request->release) {
        job->owner = request->owner;
        job->release = request->release;
        return OK;
    }
    return need(ret->data = (const uint8_t *)arena_copy_n(&job->arena, request->batch.data,
                                                          request->batch.size));
}

static struct status
fill(struct append_job *job, const struct append_request *request, struct arena *arena)
{
    struct store_append *append = &job->append;
    struct bytes batch;
    size_t count;

    TRY(check_header(request, arena));
    TRY(count_events(request->batch, arena, &count));
    TRY(need(append->tenant_id = arena_copy(&job->arena, request->tenant_id)));
    TRY(need(append->source = arena_copy(&job->arena, request->source)));
    TRY(need(job->events = ARENA_ARRAY(&job->arena, struct build_event, count)));
    append->batch_number = request->batch_number;
    packed_hash(request->batch, append->digest);
    job->bytes = request->batch.size;
    TRY(take_batch(job, request, &batch));
    TRY(add_events(job, request, batch, arena));
    return OK;
}

static struct status
make_empty(struct append_job **ret)
{
    struct append_job *job = calloc(1, sizeof *job);

    TRY(need(job));
    atomic_init(&job->holders, 1);
    arena_init(&job->arena, JOB_BYTES);
    job->done_fd = -1;
    *ret = job;
    return OK;
}

struct status
append_job_make(const struct append_request *request, struct arena *arena,
                struct append_job **ret)
{
    scoped(append_job_release) struct append_job *job = NULL;
    struct status status;

    TRY(make_empty(&job));
    status = fill(job, request, arena);
    if (failed(status)) {
        job->release = NULL; /* nothing was taken from the caller */
        return status;
    }
    *ret = take(&job);
    return OK;
}

static void
wake_worker(struct append_job *job)
{
    const uint64_t one = 1;

    if (write(job->done_fd, &one, sizeof one) < 0)
        job->code = CODE_INTERNAL; /* cannot happen: the counter is at 0 */
    append_job_release(&job);
}

static struct status
await_by_descriptor(struct append_job *job, struct arena *arena)
{
    job->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (job->done_fd < 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "no descriptor is left");
    job->answered = wake_worker;
    return OK;
}

struct status
append_job_begin(size_t events, struct arena *arena, struct append_job **ret)
{
    scoped(append_job_release) struct append_job *job = NULL;

    TRY(make_empty(&job));
    TRY(need(job->events = ARENA_ARRAY(&job->arena, struct build_event, events + 1)));
    TRY(await_by_descriptor(job, arena));
    *ret = take(&job);
    return OK;
}

struct status
append_job_create(const struct append_request *request, struct arena *arena,
                  struct append_job **ret)
{
    scoped(append_job_release) struct append_job *job = NULL;

    TRY(append_job_make(request, arena, &job));
    TRY(await_by_descriptor(job, arena));
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
    if (gone->release)
        gone->release(gone->owner);
    arena_fini(&gone->arena);
    free(gone);
}

void
append_job_answer(struct append_job **job, struct status status)
{
    struct append_job *done = take(job);

    done->code = status.code;
    (void)snprintf(done->detail, sizeof done->detail, "%s%s%s",
                   status.field ? status.field : "", status.field ? ": " : "",
                   status.detail ? status.detail : "");
    done->answered(done);
}

struct status
append_job_outcome(const struct append_job *job)
{
    return (struct status){job->code, job->code == CODE_OK ? NULL : job->detail, NULL};
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
