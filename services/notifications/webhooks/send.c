#include "services/notifications/webhooks/send.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/metric.h"
#include "common/base/uuid.h"
#include "common/service/common_settings.h"
#include "services/notifications/webhooks/note.h"
#include "services/notifications/webhooks/request.h"
#include "services/notifications/webhooks/webhooks.h"

#define POLL_MS 100 /* the safety net under sender_wake */
#define AGAIN_MS 500
#define TX_MS 5000
#define NOTE_MS 5000 /* between the end of a try and the end of its lease */
#define GRACE_MS 2000
#define TENANTS_AT_A_TIME 50
#define STEP_BYTES ((size_t)64 << 20)
#define SLOT_BYTES ((size_t)4 << 20)
#define BODY_BYTES ((size_t)2 << 20)
#define SLOTS_MOST 256
#define TENANT_SHARE 4

static struct metric in_flight_gauge =
    METRIC("webhook_in_flight", METRIC_GAUGE, "requests under way", NULL, NULL);

/* A request from its lease until what came of it is committed. */
struct slot {
    enum { SLOT_FREE, SLOT_TAKEN, SLOT_SENDING, SLOT_ENDED } state;
    struct post post;
    struct post_request request;
    struct arena arena;
    char tenant_id[UUID_SIZE];
    struct due due; /* its texts live in the arena; no bodies or secrets */
    struct webhook_answer answer;
    uint32_t latency_ms;
};

struct sender {
    struct webhooks *webhooks;
    struct post_config post;
    const struct clock *clock;
    atomic_bool stopping, woken;
    pthread_t thread;
    bool running;
    CURLM *multi;
    /* the thread's own */
    struct pg *pg;
    struct arena own, step;
    struct slot *slots;
    size_t slot_count;
    struct mono look_at; /* when to ask who is due */
    bool failing;        /* it has been said that nothing can be taken or noted */
};

static void
free_slot(struct sender *sender, struct slot *slot)
{
    post_end(&slot->post, sender->multi);
    arena_reset(&slot->arena);
    slot->state = SLOT_FREE;
}

static size_t
count_slots(const struct sender *sender, int state)
{
    size_t count = 0;

    for (size_t i = 0; i < sender->slot_count; i++)
        count += (int)sender->slots[i].state == state;
    return count;
}

static struct slot *
find_slot(struct sender *sender, int state, const char *tenant_id)
{
    for (size_t i = 0; i < sender->slot_count; i++)
        if ((int)sender->slots[i].state == state &&
            (!tenant_id || strcmp(sender->slots[i].tenant_id, tenant_id) == 0))
            return &sender->slots[i];
    return NULL;
}

static struct status
begin_tx(struct sender *sender, const char *tenant_id, bool read_only, struct pg_tx *tx)
{
    const struct pg_scope scope = {.tenant_id = tenant_id,
                                   .deadline = mono_add_ms(clock_mono(sender->clock), TX_MS),
                                   .read_only = read_only};

    return pg_tx_begin(sender->pg, &scope, &sender->step, tx);
}

static struct status
note_all(struct sender *sender, struct pg_tx *tx)
{
    for (size_t i = 0; i < sender->slot_count; i++) {
        const struct slot *slot = &sender->slots[i];
        const struct note note = {&slot->due, slot->answer, slot->latency_ms};

        if (slot->state == SLOT_ENDED && strcmp(slot->tenant_id, tx->scope.tenant_id) == 0)
            TRY(note_write(tx, &sender->step, &note,
                           sender->webhooks->config.retry_thousandths));
    }
    return OK;
}

/* The body, and the id of the batch ("": none). */
static struct status
gather(struct sender *sender, struct pg_tx *tx, const struct due *due, struct buffer *body,
       const char **ret_batch)
{
    char id[UUID_SIZE];

    *ret_batch = due->batch;
    if (due->mode != NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_BATCH ||
        due->kind != DELIVERY_EVENT) {
        buffer_put(body, due->body, due->size);
        return buffer_check(body, &sender->step);
    }
    if (!*due->batch) {
        uuid_v7(sender->clock, id);
        TRY(need(*ret_batch = arena_copy(&sender->step, id)));
        TRY(store_tie_batch(tx, due, *ret_batch));
    }
    return store_batch_body(tx, &sender->step, *ret_batch, body);
}

static struct status
copy_due(const struct due *due, struct arena *arena, struct due *ret)
{
    struct due copy = {.id = due->id, .kind = due->kind, .attempts = due->attempts};

    TRY(need(copy.webhook_id = arena_copy(arena, due->webhook_id)));
    TRY(need(copy.line = arena_copy(arena, due->line)));
    *ret = copy;
    return OK;
}

/* A request that cannot be made has failed before it was sent. */
static struct status
fill_slot(struct sender *sender, struct pg_tx *tx, const struct due *due, struct slot *slot)
{
    scoped(buffer_fini) struct buffer body = {0};
    const char *batch;
    struct status status;

    buffer_init(&body, BODY_BYTES);
    TRY(gather(sender, tx, due, &body, &batch));
    TRY(copy_due(due, &slot->arena, &slot->due));
    (void)snprintf(slot->tenant_id, sizeof slot->tenant_id, "%s", tx->scope.tenant_id);
    slot->answer = (struct webhook_answer){0};
    slot->latency_ms = 0;
    status = request_make(sender->webhooks->ring, slot->tenant_id, due, batch, &body,
                          clock_wall(sender->clock), sender->post.loopback, &slot->arena,
                          &slot->request);
    slot->state = SLOT_TAKEN;
    if (failed(status))
        slot->answer.error = status.code == CODE_INVALID_ARGUMENT
                                 ? "the URL is not one that may be used"
                                 : "the request cannot be signed";
    return OK;
}

/* A tenant has a quarter of all at most, so that its slow receivers leave room for others'. */
static uint32_t
room_of(const struct sender *sender, const char *tenant_id)
{
    const uint32_t each = sender->webhooks->config.in_flight;
    uint32_t most = (uint32_t)sender->slot_count / TENANT_SHARE, own = 0, left = 0;

    most = most > each ? most : each;
    for (size_t i = 0; i < sender->slot_count; i++) {
        const struct slot *slot = &sender->slots[i];

        left += slot->state == SLOT_FREE;
        own += slot->state == SLOT_SENDING && strcmp(slot->tenant_id, tenant_id) == 0;
    }
    most = most > own ? most - own : 0;
    return most < left ? most : left;
}

static struct status
take_due(struct sender *sender, struct pg_tx *tx)
{
    const struct webhooks_config *config = &sender->webhooks->config;
    struct due *due;
    size_t count;

    if (atomic_load(&sender->stopping))
        return OK;
    TRY(store_take(tx, &sender->step, room_of(sender, tx->scope.tenant_id), config->in_flight,
                   (int64_t)config->timeout_ms + NOTE_MS, &due, &count));
    for (size_t i = 0; i < count; i++)
        TRY(fill_slot(sender, tx, &due[i], find_slot(sender, SLOT_FREE, NULL)));
    return OK;
}

/* One transaction of a tenant: notes what has ended, takes what is due. */
static struct status
work_on(struct sender *sender, const char *tenant_id)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    TRY(begin_tx(sender, tenant_id, false, &tx));
    TRY(store_hold_roll(&tx));
    TRY(note_all(sender, &tx));
    TRY(take_due(sender, &tx));
    TRY(store_tie_roll(&tx, AGAIN_MS));
    return pg_tx_commit(&tx);
}

static void
start_slot(struct sender *sender, struct slot *slot)
{
    struct status status = OK;

    if (!slot->answer.error)
        status = post_start(&slot->post, sender->multi, &sender->post, &slot->request, slot,
                            &slot->arena);
    if (failed(status))
        slot->answer.error = "the request could not be started";
    slot->state = slot->answer.error ? SLOT_ENDED : SLOT_SENDING;
}

static void
say_failing(struct sender *sender, struct status status)
{
    if (failed(status) && !sender->failing)
        log_warn("webhooks cannot be taken or noted now", KV("code", code_name(status.code)),
                 KV("detail", status.detail ? status.detail : ""));
    else if (!failed(status) && sender->failing)
        log_info("webhooks can be taken and noted again");
    sender->failing = failed(status);
}

/* Nothing leaves before the commit; what was taken and could not be committed is leased in
 * vain. */
static void
serve(struct sender *sender, const char *tenant_id)
{
    struct status status = work_on(sender, tenant_id);

    for (size_t i = 0; i < sender->slot_count; i++) {
        struct slot *slot = &sender->slots[i];

        if (slot->state == SLOT_FREE || strcmp(slot->tenant_id, tenant_id) != 0)
            continue;
        if (slot->state == SLOT_TAKEN && failed(status))
            free_slot(sender, slot);
        else if (slot->state == SLOT_TAKEN)
            start_slot(sender, slot);
        else if (slot->state == SLOT_ENDED && !failed(status))
            free_slot(sender, slot);
    }
    say_failing(sender, status);
}

static void
collect(struct sender *sender)
{
    struct webhook_answer answer;
    uint32_t latency_ms;
    struct post *post;
    int running;

    (void)curl_multi_perform(sender->multi, &running);
    while ((post = post_ended(sender->multi, &answer, &latency_ms))) {
        struct slot *slot = post->owner;

        post_end(post, sender->multi);
        slot->answer = answer;
        slot->latency_ms = latency_ms;
        slot->state = SLOT_ENDED;
    }
    metric_set(&in_flight_gauge, NULL, NULL, running);
}

/* Tenants whose requests have ended, each once. */
static void
serve_ended(struct sender *sender)
{
    const size_t ended = count_slots(sender, SLOT_ENDED);
    struct slot *slot;

    for (size_t i = 0; i < ended && (slot = find_slot(sender, SLOT_ENDED, NULL)); i++) {
        char tenant_id[UUID_SIZE];

        memcpy(tenant_id, slot->tenant_id, sizeof tenant_id);
        arena_reset(&sender->step);
        serve(sender, tenant_id);
        if (sender->failing)
            return;
    }
}

static struct status
read_due(struct sender *sender, const char ***ret, size_t *ret_count)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    TRY(begin_tx(sender, NULL, true, &tx));
    return store_roll_due(&tx, &sender->step, TENANTS_AT_A_TIME, ret, ret_count);
}

static void
serve_due(struct sender *sender)
{
    char tenants[TENANTS_AT_A_TIME][UUID_SIZE];
    const bool woken = atomic_exchange(&sender->woken, false);
    const struct mono now = clock_mono(sender->clock);
    const char **due;
    struct status status;
    size_t count = 0;

    if (!woken && mono_left_ms(sender->look_at, now) > 0)
        return;
    sender->look_at = mono_add_ms(now, POLL_MS);
    arena_reset(&sender->step);
    status = read_due(sender, &due, &count);
    say_failing(sender, status);
    if (failed(status))
        return;
    for (size_t i = 0; i < count; i++)
        (void)snprintf(tenants[i], sizeof tenants[i], "%s", due[i]);
    for (size_t i = 0; i < count && find_slot(sender, SLOT_FREE, NULL); i++) {
        arena_reset(&sender->step);
        serve(sender, tenants[i]);
    }
    if (count == TENANTS_AT_A_TIME)
        atomic_store(&sender->woken, true);
}

/* At the end: what no answer came for is given back, so that another instance sends it at once.
 */
static void
give_back(struct sender *sender)
{
    for (size_t i = 0; i < sender->slot_count; i++) {
        struct slot *slot = &sender->slots[i];

        if (slot->state != SLOT_SENDING)
            continue;
        post_end(&slot->post, sender->multi);
        slot->answer.error = "the sender was stopped";
        slot->state = SLOT_ENDED;
    }
    serve_ended(sender);
}

static void *
thread_main(void *context)
{
    struct sender *sender = context;
    struct mono end = {0};

    for (;;) {
        const bool stopping = atomic_load(&sender->stopping);

        if (stopping && !end.ns)
            end = mono_add_ms(clock_mono(sender->clock), GRACE_MS);
        collect(sender);
        serve_ended(sender);
        if (stopping && (!find_slot(sender, SLOT_SENDING, NULL) ||
                         mono_left_ms(end, clock_mono(sender->clock)) == 0))
            break;
        if (!stopping)
            serve_due(sender);
        /* Requests that ended before they began are noted soon, not at once: Postgres may be
         * away. */
        (void)curl_multi_poll(sender->multi, NULL, 0, POLL_MS, NULL);
    }
    give_back(sender);
    return NULL;
}

static struct status
make(struct sender *sender, struct service_frame *frame, struct arena *arena)
{
    const struct webhooks_config *config = &sender->webhooks->config;

    sender->clock = frame->clock;
    sender->look_at = clock_mono(frame->clock);
    sender->post = (struct post_config){.clock = frame->clock,
                                        .timeout_ms = config->timeout_ms,
                                        .loopback = config->loopback,
                                        .ca_file = config->ca_file,
                                        .resolve = config->resolve};
    sender->slot_count =
        config->in_flight_all < SLOTS_MOST ? config->in_flight_all : SLOTS_MOST;
    TRY(need(sender->slots = calloc(sender->slot_count, sizeof *sender->slots)));
    for (size_t i = 0; i < sender->slot_count; i++)
        arena_init(&sender->slots[i].arena, SLOT_BYTES);
    TRY(need(sender->multi = curl_multi_init()));
    if (curl_multi_setopt(sender->multi, CURLMOPT_MAXCONNECTS, (long)sender->slot_count) !=
        CURLM_OK)
        return FAIL(arena, INTERNAL, "libcurl does not take the number of connections");
    return webhooks_pg(frame, "notifications/sender", &sender->own, &sender->pg);
}

struct status
sender_start(struct webhooks *webhooks, struct service_frame *frame, struct arena *arena,
             struct sender **ret)
{
    scoped(sender_stop) struct sender *sender = calloc(1, sizeof *sender);

    TRY(need(sender));
    sender->webhooks = webhooks;
    arena_init(&sender->own, STEP_BYTES);
    arena_init(&sender->step, STEP_BYTES);
    TRY(make(sender, frame, arena));
    if (pthread_create(&sender->thread, NULL, thread_main, sender) != 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "no thread to send webhooks");
    sender->running = true;
    *ret = take(&sender);
    return OK;
}

void
sender_wake(struct sender *sender)
{
    if (!sender)
        return;
    atomic_store(&sender->woken, true);
    (void)curl_multi_wakeup(sender->multi); /* at the latest it looks by itself in POLL_MS */
}

void
sender_stop(struct sender **sender)
{
    struct sender *gone = take(sender);

    if (!gone)
        return;
    atomic_store(&gone->stopping, true);
    if (gone->running) {
        (void)curl_multi_wakeup(gone->multi);
        (void)pthread_join(gone->thread, NULL);
    }
    for (size_t i = 0; gone->slots && i < gone->slot_count; i++) {
        post_end(&gone->slots[i].post, gone->multi);
        post_fini(&gone->slots[i].post);
        arena_fini(&gone->slots[i].arena);
    }
    free(gone->slots);
    (void)curl_multi_cleanup(gone->multi);
    pg_destroy(&gone->pg);
    arena_fini(&gone->step);
    arena_fini(&gone->own);
    free(gone);
}
