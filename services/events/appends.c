#include "services/events/appends.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/metric.h"
#include "services/events/frames.h"
#include "services/events/post.h"

#define OUTCOMES_MAX 8192 /* more than jobs can be under way */
#define LATE_MS 2000      /* how long a peer may leave its outcomes unread */

static struct metric appended_total =
    METRIC("appends_total", METRIC_COUNTER, "batches that came by the stream", "code", NULL);

_Static_assert(APPEND_SOURCE_BYTES <= FRAME_SOURCE_BYTES, "an outcome names its source");

/* Who waits for the outcome; lives in the job's arena. */
struct asker {
    struct appends *appends;
    struct routing routing;
    struct quota *quota;
    struct mono answered_at; /* first try to tell */
};

struct status
appends_init(struct appends *appends, const struct appends_config *config, struct arena *arena)
{
    *appends = (struct appends){.config = *config};
    appends->late_end = &appends->late;
    return line_init(&appends->outcomes, OUTCOMES_MAX, arena);
}

static void
forget(struct appends *appends, struct append_job *job)
{
    struct asker *asker = job->asker;

    appends->under_way--;
    appends->bytes -= job->bytes;
    asker->quota->appends--;
    asker->quota->append_bytes -= job->bytes;
    append_job_release(&job);
}

static void
forget_all(struct appends *appends, struct line_item *item)
{
    while (item) {
        struct append_job *job = (struct append_job *)item;

        item = item->next;
        forget(appends, job);
    }
}

void
appends_fini(struct appends *appends)
{
    if (appends->outcomes.fd < 0)
        return;
    forget_all(appends, line_take(&appends->outcomes));
    forget_all(appends, appends->late);
    line_fini(&appends->outcomes);
}

/* On the sequencer's thread: the line takes over its share. */
static void
put_outcome(struct append_job *job)
{
    struct asker *asker = job->asker;

    if (!line_push(&asker->appends->outcomes, &job->item))
        append_job_release(&job); /* cannot happen: see OUTCOMES_MAX */
}

static enum post
tell(struct appends *appends, const struct routing *routing,
     const struct frame_outcome *outcome)
{
    uint8_t frame[FRAME_BYTES];
    const size_t size = frame_put_outcome(outcome, frame);

    return post_frame(appends->config.socket, routing, (struct bytes){frame, size});
}

static void
refuse(struct appends *appends, const struct routing *routing, const Events__V1__Append *append,
       struct status why)
{
    const struct frame_outcome outcome = {
        .source = append->source, .batch_number = append->batch_number, .status = why};

    metric_add(&appended_total, code_name(why.code), NULL, 1);
    /* Full or gone: it does not read what it is told, and may ask again. */
    (void)tell(appends, routing, &outcome);
}

/* Whose the events become, and which types they may have. */
static struct status
check_rights(const struct rights *rights, const Events__V1__Append *append, struct arena *arena,
             struct append_request *ret)
{
    if (!rights)
        return FAIL(arena, PERMISSION_DENIED, "this key has no rights here");
    ret->tenant_id = append->tenant_id;
    if (rights->all)
        return OK;
    if (!rights->append_types.count)
        return FAIL(arena, PERMISSION_DENIED, "this system may append no events");
    if (!rights->tenant_id ||
        (*append->tenant_id && strcmp(append->tenant_id, rights->tenant_id) != 0))
        return (struct status){CODE_PERMISSION_DENIED, "is not the system's tenant",
                               "append.tenant_id"};
    ret->tenant_id = rights->tenant_id;
    ret->types = &rights->append_types;
    return OK;
}

static struct status
check_quota(const struct appends *appends, struct quota *quota, uint32_t rate, size_t bytes,
            struct arena *arena)
{
    if (quota->appends >= APPENDS_OF_A_KEY || quota->append_bytes + bytes > APPENDS_KEY_BYTES)
        return FAIL(arena, RESOURCE_EXHAUSTED, "%u batches of this key are under way already",
                    quota->appends);
    if (appends->bytes + bytes > APPENDS_BYTES || appends->under_way >= OUTCOMES_MAX / 2)
        return FAIL(arena, RESOURCE_EXHAUSTED, "too many batches are under way here");
    if (!rate)
        return OK;
    bucket_fill(&quota->appended, rate, clock_mono(appends->config.clock));
    if (bucket_wait_ms(&quota->appended, rate))
        return FAIL(arena, RESOURCE_EXHAUSTED,
                    "this key may append %u events a second; try again in %d ms", rate,
                    bucket_wait_ms(&quota->appended, rate));
    return OK;
}

static void
release_message(void *owner)
{
    zmq_msg_t *message = owner;

    (void)zmq_msg_close(message); /* fails only for what is no message */
    free(message);
}

/* The message's bytes live on as long as the job. */
static struct status
hold_message(zmq_msg_t *batch, struct append_request *request)
{
    zmq_msg_t *held = calloc(1, sizeof *held);

    TRY(need(held));
    (void)zmq_msg_init(held);        /* cannot fail */
    (void)zmq_msg_move(held, batch); /* nor can this */
    request->batch = (struct bytes){zmq_msg_data(held), zmq_msg_size(held)};
    request->owner = held;
    request->release = release_message;
    return OK;
}

static struct status
make_job(struct appends *appends, const struct routing *routing, struct quota *quota,
         const struct append_request *request, struct arena *arena, struct append_job **ret)
{
    scoped(append_job_release) struct append_job *job = NULL;
    struct asker *asker;
    const struct status status = append_job_make(request, arena, &job);

    if (failed(status)) {
        request->release(request->owner);
        return status;
    }
    TRY(need(asker = ARENA_NEW(&job->arena, struct asker)));
    *asker = (struct asker){.appends = appends, .routing = *routing, .quota = quota};
    job->asker = asker;
    job->answered = put_outcome;
    *ret = take(&job);
    return OK;
}

static struct status
post(struct appends *appends, const struct routing *routing, struct quota *quota,
     const struct rights *rights, const Events__V1__Append *append, zmq_msg_t *batch,
     struct arena *arena)
{
    struct append_request request = {.source = append->source,
                                     .batch_number = append->batch_number};
    scoped(append_job_release) struct append_job *job = NULL;
    uint32_t rate;

    TRY(check_rights(rights, append, arena, &request));
    rate = quota_limit(rights, rights->limits.appends_per_second,
                       appends->config.appends_per_second);
    TRY(check_quota(appends, quota, rate, zmq_msg_size(batch), arena));
    TRY(hold_message(batch, &request));
    TRY(make_job(appends, routing, quota, &request, arena, &job));
    TRY(appends->config.post(appends->config.context, job, arena));
    appends->under_way++;
    appends->bytes += job->bytes;
    quota->appends++;
    quota->append_bytes += job->bytes;
    quota->appended.tokens -= rate ? (double)job->event_count : 0;
    return OK;
}

void
appends_take(struct appends *appends, const struct routing *routing, struct quota *quota,
             const struct rights *rights, const Events__V1__Append *append, zmq_msg_t *batch,
             struct arena *arena)
{
    const struct status status = post(appends, routing, quota, rights, append, batch, arena);

    if (failed(status))
        refuse(appends, routing, append, status);
}

/* False: its peer has no room now. */
static bool
send_outcome(struct appends *appends, const struct append_job *job)
{
    const struct store_append *append = &job->append;
    struct asker *asker = job->asker;
    const struct mono now = clock_mono(appends->config.clock);
    const struct frame_outcome outcome = {.source = append->source,
                                          .batch_number = append->batch_number,
                                          .status = append_job_outcome(job),
                                          .first = append->first,
                                          .last = append->last,
                                          .duplicates = append->duplicates};

    if (!asker->answered_at.ns) {
        asker->answered_at = now;
        metric_add(&appended_total, code_name(job->code), NULL, 1);
    }
    return tell(appends, &asker->routing, &outcome) != POST_FULL ||
           mono_left_ms(mono_add_ms(asker->answered_at, LATE_MS), now) == 0;
}

static void
send_or_keep(struct appends *appends, struct line_item *item)
{
    while (item) {
        struct append_job *job = (struct append_job *)item;

        item = item->next;
        if (send_outcome(appends, job)) {
            forget(appends, job);
            continue;
        }
        job->item.next = NULL;
        *appends->late_end = &job->item;
        appends->late_end = &job->item.next;
    }
}

void
appends_send(struct appends *appends)
{
    struct line_item *late = appends->late;

    appends->late = NULL;
    appends->late_end = &appends->late;
    send_or_keep(appends, late);
    send_or_keep(appends, line_take(&appends->outcomes));
}

bool
appends_are_late(const struct appends *appends)
{
    return appends->late != NULL;
}
