/* The timers of webhooks: feeding from the log who lags, telling officers, tidying. */

#include <string.h>

#include "common/base/metric.h"
#include "common/base/uuid.h"
#include "common/wire/follow_frame.h"
#include "events/v1/log.pb-c.h"
#include "registry/v1/accounts.pb-c.h"
#include "services/notifications/notifications.h"
#include "services/notifications/webhooks/fan.h"
#include "services/notifications/webhooks/send.h"

#define READ_EVENTS 500
#define READ_MS 3000
#define LEFT_MS 6000 /* a page is begun only with this much time for it */
#define PAGES_A_TURN 20
#define PRUNES_A_TURN 10
#define NIL_ID "00000000-0000-0000-0000-000000000000"

static struct metric oldest =
    METRIC("webhook_oldest_pending_seconds", METRIC_GAUGE,
           "age of the oldest delivery that waits for an active webhook", NULL, NULL);

static struct webhooks *
webhooks_of(const struct call *call)
{
    struct notifications_state *state = call->state;

    return &state->webhooks;
}

static bool
has_time(const struct call *call)
{
    return mono_left_ms(call->deadline, clock_mono(call->clock)) > LEFT_MS;
}

static struct status
tenants(struct call *call,
        struct status (*list)(struct pg_tx *tx, struct arena *arena, const char ***ret,
                              size_t *ret_count),
        const char ***ret, size_t *ret_count)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    TRY(call_begin(call, NULL, true, &tx));
    return list(&tx, call->arena, ret, ret_count);
}

struct page {
    uint64_t through;
    struct fan_events events;
};

static struct status
read_log(struct call *call, const char *method, const ProtobufCMessage *request,
         const ProtobufCMessageDescriptor *descriptor, ProtobufCMessage **ret)
{
    struct rpc_options options = call_forward(call, NULL);

    options.deadline = mono_add_ms(clock_mono(call->clock), READ_MS);
    return rpc_call(call->rpc, method, request, descriptor, &options, call->arena, ret);
}

/* What the log no longer has cannot be fed: the page is empty and goes to where it begins. */
static struct status
skip_gone(struct call *call, const struct webhook_sieve *sieve, struct page *ret)
{
    Events__V1__HeadRequest request = EVENTS__V1__HEAD_REQUEST__INIT;
    ProtobufCMessage *message;

    TRY(read_log(call, "events.v1.Log/Head", &request.base, &events__v1__head_reply__descriptor,
                 &message));
    ret->through = ((Events__V1__HeadReply *)message)->first_kept;
    if (ret->through <= sieve->fed_through)
        return FAIL(call->arena, UNAVAILABLE, "the log says that it has what it does not give");
    log_warn("events are gone that a webhook was to get", KV("webhook_id", sieve->webhook_id),
             KV("after", sieve->fed_through), KV("first_kept", ret->through));
    return OK;
}

/* How many events packed bytes hold, as far as they are whole: unpacking checks them all. */
static uint32_t
count_events(struct bytes packed)
{
    uint32_t count = 0;

    for (size_t at = 0; at < packed.size; count++) {
        uint64_t length = 0;
        unsigned shift = 0;

        at++; /* the tag */
        while (at < packed.size && shift < 35) {
            length |= (uint64_t)(packed.data[at] & 0x7f) << shift;
            shift += 7;
            if (!(packed.data[at++] & 0x80))
                break;
        }
        if (length > packed.size - at)
            return count;
        at += length;
    }
    return count;
}

static struct status
read_page(struct call *call, const struct webhook_sieve *sieve, struct page *ret)
{
    Events__V1__ReadRequest request = EVENTS__V1__READ_REQUEST__INIT;
    const Io__Cloudevents__V1__CloudEventBatch *batch;
    Events__V1__Filter filter = EVENTS__V1__FILTER__INIT;
    const Events__V1__ReadReply *reply;
    ProtobufCMessage *message;
    struct status status;
    struct bytes packed;

    filter.types = sieve->filter.types;
    filter.n_types = sieve->filter.n_types;
    request.after = sieve->fed_through;
    request.limit = READ_EVENTS;
    request.filter = &filter;
    status = read_log(call, "events.v1.Log/Read", &request.base,
                      &events__v1__read_reply__descriptor, &message);
    if (status.code == CODE_POSITION_GONE)
        return skip_gone(call, sieve, ret);
    TRY(status);
    reply = (const Events__V1__ReadReply *)message;
    packed = (struct bytes){reply->batch.data, reply->batch.len};
    TRY(follow_unpack_batch(packed, count_events(packed), call->arena, &batch));
    *ret = (struct page){reply->through, {batch->events, batch->n_events}};
    return OK;
}

/* The part of the page that the follower has passed: the rest is its own. */
static void
cut_page(struct page *page, uint64_t position)
{
    while (page->events.count &&
           event_position(page->events.events[page->events.count - 1]) > position)
        page->events.count--;
}

/* Writes a page.  The follower stands still meanwhile, so that a webhook becomes live exactly
 * where its feeding ends.  *ret_more: there is more to feed, and room for it. */
static struct status
write_page(struct call *call, struct arena *part, const char *tenant_id,
           struct webhook_sieve *sieve, struct page *page, bool *ret_more)
{
    const struct fan fan = {.json = webhooks_of(call)->events, .arena = part};
    scoped(pg_tx_end) struct pg_tx tx = {0};
    uint64_t position;
    bool still, wrote, live;

    *ret_more = false;
    TRY(call_begin(call, NULL, false, &tx));
    TRY(store_follower_hold(&tx, call->arena, &position));
    TRY(pg_tx_enter(&tx, tenant_id));
    TRY(store_hold_roll(&tx));
    TRY(store_feeds_from(&tx, call->arena, sieve->webhook_id, sieve->fed_through, &still));
    if (!still)
        return OK; /* paused, replayed, fed by another instance */
    live = page->through >= position;
    cut_page(page, position);
    TRY(fan_out(&fan, &tx, sieve, 1, page->events, &wrote));
    if (!sieve->full) {
        sieve->fed_through = live ? position : page->through;
        TRY(store_fed(&tx, sieve->webhook_id, live, sieve->fed_through));
        *ret_more = !live;
    }
    TRY(store_tie_roll(&tx, 0));
    return call_commit(call);
}

static struct status
has_room(struct call *call, const char *tenant_id, const struct webhook_sieve *sieve, bool *ret)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    uint32_t open;

    TRY(call_begin(call, tenant_id, true, &tx));
    TRY(store_open_count(&tx, call->arena, sieve->webhook_id, WEBHOOK_BACKLOG, &open));
    *ret = open < WEBHOOK_BACKLOG / 2;
    return OK;
}

static struct status
feed_webhook(struct call *call, struct arena *part, const char *tenant_id,
             struct webhook_sieve *sieve)
{
    bool more = true;

    for (int i = 0; i < PAGES_A_TURN && more && has_time(call); i++) {
        struct page page = {0};
        bool room;

        TRY(has_room(call, tenant_id, sieve, &room));
        if (!room)
            return OK;
        TRY(read_page(call, sieve, &page));
        TRY(write_page(call, part, tenant_id, sieve, &page, &more));
        sender_wake(webhooks_of(call)->sender);
    }
    return OK;
}

static struct status
feed_tenant(struct call *call, struct arena *part, const char *tenant_id)
{
    struct webhook_sieve *sieves;
    size_t count;

    {
        scoped(pg_tx_end) struct pg_tx tx = {0};

        TRY(call_begin(call, tenant_id, true, &tx));
        TRY(store_sieves(&tx, call->arena, false, &sieves, &count));
    }
    for (size_t i = 0; i < count && has_time(call); i++)
        TRY(feed_webhook(call, part, tenant_id, &sieves[i]));
    return OK;
}

struct status
webhooks_feed(struct call *call)
{
    scoped(arena_fini) struct arena part = {0};
    const char **list;
    size_t count;

    arena_init(&part, FAN_BYTES);
    TRY(tenants(call, store_roll_lags, &list, &count));
    for (size_t i = 0; i < count && has_time(call); i++)
        TRY(feed_tenant(call, &part, list[i]));
    return OK;
}

static struct status
officers(struct call *call, const char *tenant_id, Registry__V1__ListRoleHoldersReply **ret)
{
    Registry__V1__ListRoleHoldersRequest request =
        REGISTRY__V1__LIST_ROLE_HOLDERS_REQUEST__INIT;
    Wire__V1__Principal principal = *call->principal;
    struct rpc_options options = call_forward(call, NULL);
    ProtobufCMessage *reply;

    principal.tenant_id = tenant_id;
    options.principal = &principal;
    options.deadline = mono_add_ms(clock_mono(call->clock), READ_MS);
    request.role = WIRE__V1__ROLE__PARTNERSHIP_OFFICER;
    TRY(rpc_call(call->rpc, "registry.v1.Accounts/ListRoleHolders", &request.base,
                 &registry__v1__list_role_holders_reply__descriptor, &options, call->arena,
                 &reply));
    *ret = (Registry__V1__ListRoleHoldersReply *)reply;
    return OK;
}

static struct status
tell_tenant(struct call *call, const char *tenant_id)
{
    Registry__V1__ListRoleHoldersReply *holders;
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct untold *untold;
    size_t count;

    TRY(officers(call, tenant_id, &holders));
    TRY(call_begin(call, tenant_id, false, &tx));
    TRY(store_hold_roll(&tx));
    TRY(store_untold(&tx, call->arena, &untold, &count));
    for (size_t i = 0; i < count; i++) {
        char id[UUID_SIZE];

        uuid_v7(call->clock, id);
        TRY(store_tell_officers(&tx, &untold[i], id, (const char *const *)holders->account_ids,
                                holders->n_account_ids));
    }
    TRY(store_tie_roll(&tx, 0));
    return call_commit(call);
}

struct status
webhooks_tell(struct call *call)
{
    const char **list;
    size_t count;

    TRY(tenants(call, store_roll_untold, &list, &count));
    for (size_t i = 0; i < count && has_time(call); i++)
        TRY(tell_tenant(call, list[i]));
    return OK;
}

static struct status
tidy_tenant(struct call *call, const char *tenant_id, double *oldest_seconds)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    uint64_t deleted = 1;
    double seconds;

    TRY(call_begin(call, tenant_id, false, &tx));
    for (int i = 0; i < PRUNES_A_TURN && deleted; i++)
        TRY(store_prune(&tx, webhooks_of(call)->config.log_days, &deleted));
    TRY(store_oldest_pending(&tx, call->arena, &seconds));
    if (seconds > *oldest_seconds)
        *oldest_seconds = seconds;
    return call_commit(call);
}

struct status
webhooks_tidy(struct call *call)
{
    const char *after = NIL_ID;
    double seconds = 0;

    while (has_time(call)) {
        const char **list;
        size_t count;

        {
            scoped(pg_tx_end) struct pg_tx tx = {0};

            TRY(call_begin(call, NULL, true, &tx));
            TRY(store_roll_all(&tx, call->arena, after, &list, &count));
        }
        for (size_t i = 0; i < count && has_time(call); i++)
            TRY(tidy_tenant(call, list[i], &seconds));
        if (!count)
            break;
        after = list[count - 1];
    }
    metric_set(&oldest, NULL, NULL, seconds);
    return OK;
}
