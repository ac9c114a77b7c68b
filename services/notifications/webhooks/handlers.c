#include "notifications/v1/webhooks.pb-c.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/uuid.h"
#include "common/pg/cursor.h"
#include "common/pg/idempotency.h"
#include "services/notifications/notifications.h"
#include "services/notifications/webhooks/content.h"
#include "services/notifications/webhooks/store.h"

#define SERVICE "notifications.v1.Webhooks/"
#define PAGE_SIZE_DEFAULT 50
#define PAGE_SIZE_MOST 200
#define ACTIVE NOTIFICATIONS__V1__WEBHOOK_STATE__WEBHOOK_ACTIVE
#define VERIFYING NOTIFICATIONS__V1__WEBHOOK_STATE__WEBHOOK_VERIFYING
#define PAUSED NOTIFICATIONS__V1__WEBHOOK_STATE__WEBHOOK_PAUSED
#define DISABLED NOTIFICATIONS__V1__WEBHOOK_STATE__WEBHOOK_DISABLED

static const struct webhooks *
webhooks_of(const struct call *call)
{
    const struct notifications_state *state = call->state;

    return &state->webhooks;
}

static struct status
check_id(struct call *call, const char *id)
{
    if (!uuid_valid(id))
        return FAIL_FIELD(call->arena, "webhook_id", "must be a UUID in lower case");
    return OK;
}

/* The two rpcs that show a secret keep their answer under the idempotency key as every write
 * does, but without the secret, which stands sealed in its row alone. */
struct once {
    struct idempotency key;
    ProtobufCMessage *known; /* the answer of the first call; NULL: this is the first */
};

static struct status
begin_once(struct call *call, const char *method, const ProtobufCMessage *request,
           const ProtobufCMessageDescriptor *reply, struct pg_tx *tx, struct once *ret)
{
    struct bytes packed, answer = {0};
    bool known = false;

    if (!*call->tenant_id)
        return FAIL_FIELD(call->arena, "principal.tenant_id", "%s acts in a tenant", method);
    if (!*call->idempotency_key)
        return FAIL_FIELD(call->arena, "idempotency_key", "%s changes state: it needs a key",
                          method);
    TRY(wire_pack(request, call->arena, &packed));
    *ret = (struct once){.key = {.method = method,
                                 .key = call->idempotency_key,
                                 .request = packed.data,
                                 .request_size = packed.size}};
    TRY(need(ret->key.principal = arena_printf(call->arena, "%d:%s", (int)call->principal->kind,
                                               call->principal->subject_id)));
    TRY(call_begin(call, call->tenant_id, false, tx));
    TRY(idempotency_claim(tx, &ret->key, &known, &answer.data, &answer.size));
    return known ? wire_unpack(reply, answer, call->arena, &ret->known) : OK;
}

static struct status
end_once(struct call *call, const struct once *once)
{
    struct bytes packed;

    TRY(wire_pack(call->reply, call->arena, &packed));
    TRY(idempotency_store(call->tx, &once->key, packed.data, packed.size));
    return call_commit(call);
}

/* A repeat shows the secret again, unless it has been rotated since. */
static struct status
show_secret(struct call *call, struct pg_tx *tx, const Notifications__V1__Webhook *webhook,
            const char **ret)
{
    const struct seal_owner owner = {call->tenant_id, webhook->webhook_id};
    const uint8_t *sealed;
    struct status found;
    size_t size;

    found = store_webhook_secret(tx, call->arena, webhook->webhook_id, webhook->secret_number,
                                 &sealed, &size);
    if (found.code == CODE_NOT_FOUND)
        return OK;
    TRY(found);
    return seal_show(webhooks_of(call)->ring, &owner, sealed, size, call->arena, ret);
}

/* An event of our own for one webhook: it stands in no log. */
static struct status
add_ping(struct call *call, const Notifications__V1__Webhook *webhook, enum delivery_kind kind,
         Notifications__V1__Delivery **ret)
{
    const struct webhooks *webhooks = webhooks_of(call);
    Io__Cloudevents__V1__CloudEvent event;
    char id[UUID_SIZE], time[WALL_TEXT_SIZE];
    struct ping ping = {.kind = kind};
    struct content content;
    char *source;

    uuid_v7(call->clock, id);
    wall_format(clock_wall(call->clock), time);
    ping.type = kind == DELIVERY_TEST ? "org.samverka.webhook.test.v1"
                                      : "org.samverka.webhook.verify.v1";
    TRY(need(ping.id = arena_copy(call->arena, id)));
    TRY(need(source = arena_printf(call->arena, "%s/tenants/%s", webhooks->config.source,
                                   call->tenant_id)));
    TRY(content_ping(call->arena, ping.id, source, ping.type, webhook->webhook_id, time,
                     &event));
    TRY(content_make(webhooks->events, &event, webhook->mode, call->arena, &content));
    ping.headers = content.headers;
    ping.body = content.body;
    ping.size = content.size;
    return store_add_ping(call->tx, call->arena, webhook->webhook_id, &ping, ret);
}

static struct status
make_webhook(struct call *call, const Notifications__V1__CreateWebhookRequest *request,
             uint8_t sealed[SEAL_BYTES], Notifications__V1__Webhook **ret)
{
    Notifications__V1__Webhook *webhook = ARENA_NEW(call->arena, Notifications__V1__Webhook);
    struct seal_owner owner = {.tenant_id = call->tenant_id};
    char id[UUID_SIZE];

    TRY(need(webhook));
    notifications__v1__webhook__init(webhook);
    webhook->url = request->url;
    webhook->filter = request->filter;
    webhook->mode = request->mode;
    webhook->description = request->description;
    TRY(rules_webhook(call->arena, webhooks_of(call)->config.loopback, webhook));
    uuid_v7(call->clock, id);
    TRY(need(webhook->webhook_id = arena_copy(call->arena, id)));
    owner.webhook_id = webhook->webhook_id;
    TRY(seal_create(webhooks_of(call)->ring, &owner, call->arena, sealed,
                    &webhook->public_key));
    *ret = webhook;
    return OK;
}

static struct status
create_webhook(struct call *call, const Notifications__V1__CreateWebhookRequest *request,
               Notifications__V1__CreateWebhookReply *reply)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    Notifications__V1__Delivery *verification;
    Notifications__V1__Webhook *webhook;
    uint8_t sealed[SEAL_BYTES];
    struct webhook_row row;
    struct once once;

    TRY(make_webhook(call, request, sealed, &webhook));
    TRY(begin_once(call, SERVICE "CreateWebhook", &request->base, reply->base.descriptor, &tx,
                   &once));
    if (once.known) {
        reply->webhook = ((Notifications__V1__CreateWebhookReply *)once.known)->webhook;
        return show_secret(call, &tx, reply->webhook, &reply->secret);
    }
    TRY(store_webhook_enrol(&tx, call->arena));
    TRY(store_follower_position(&tx, call->arena, &webhook->position));
    TRY(store_webhook_insert(&tx, webhook, sealed));
    TRY(add_ping(call, webhook, DELIVERY_VERIFICATION, &verification));
    TRY(store_tie_roll(&tx, 0));
    TRY(store_webhook(&tx, call->arena, webhook->webhook_id, &row));
    reply->webhook = row.webhook;
    TRY(end_once(call, &once));
    return seal_show(webhooks_of(call)->ring,
                     &(struct seal_owner){call->tenant_id, webhook->webhook_id}, sealed,
                     SEAL_BYTES, call->arena, &reply->secret);
}

static struct status
get_webhook(struct call *call, const Notifications__V1__GetWebhookRequest *request,
            Notifications__V1__GetWebhookReply *reply)
{
    struct webhook_row row;

    TRY(check_id(call, request->webhook_id));
    TRY(store_webhook(call->tx, call->arena, request->webhook_id, &row));
    reply->webhook = row.webhook;
    return OK;
}

static struct status
list_webhooks(struct call *call, const Notifications__V1__ListWebhooksRequest *request,
              Notifications__V1__ListWebhooksReply *reply)
{
    (void)request;
    return store_webhooks(call->tx, call->arena, &reply->webhooks, &reply->n_webhooks);
}

/* The fields that are named; *ret_state is UNSPECIFIED when the state is not. */
static struct status
apply(struct call *call, const Notifications__V1__UpdateWebhookRequest *request,
      Notifications__V1__Webhook *webhook, Notifications__V1__WebhookState *ret_state)
{
    *ret_state = NOTIFICATIONS__V1__WEBHOOK_STATE__WEBHOOK_STATE_UNSPECIFIED;
    if (request->n_update_fields == 0)
        return FAIL_FIELD(call->arena, "update_fields",
                          "must name at least one field to change");
    for (size_t i = 0; i < request->n_update_fields; i++) {
        const char *name = request->update_fields[i];

        if (strcmp(name, "url") == 0)
            webhook->url = request->url;
        else if (strcmp(name, "filter") == 0)
            webhook->filter = request->filter;
        else if (strcmp(name, "description") == 0)
            webhook->description = request->description;
        else if (strcmp(name, "state") == 0 &&
                 (request->state == ACTIVE || request->state == PAUSED))
            *ret_state = request->state;
        else if (strcmp(name, "state") == 0)
            return FAIL_FIELD(call->arena, "state", "must be WEBHOOK_ACTIVE or WEBHOOK_PAUSED");
        else
            return FAIL_FIELD(call->arena, arena_printf(call->arena, "update_fields[%zu]", i),
                              "%.40s is not a field that can be changed", name);
    }
    return OK;
}

/* What follows from the state it had and the one that is wanted. */
static Notifications__V1__WebhookState
next_state(Notifications__V1__WebhookState had, Notifications__V1__WebhookState wanted,
           bool verified)
{
    if (wanted == PAUSED)
        return PAUSED;
    if (wanted != ACTIVE && (had == PAUSED || had == DISABLED))
        return had;
    return verified ? ACTIVE : VERIFYING;
}

static struct status
update_webhook(struct call *call, const Notifications__V1__UpdateWebhookRequest *request,
               Notifications__V1__UpdateWebhookReply *reply)
{
    Notifications__V1__WebhookState had, wanted;
    Notifications__V1__Delivery *verification;
    struct webhook_row row;
    const char *url;

    TRY(check_id(call, request->webhook_id));
    TRY(store_hold_roll(call->tx));
    TRY(store_webhook(call->tx, call->arena, request->webhook_id, &row));
    url = row.webhook->url;
    had = row.webhook->state;
    TRY(apply(call, request, row.webhook, &wanted));
    TRY(rules_webhook(call->arena, webhooks_of(call)->config.loopback, row.webhook));
    row.verified = row.verified && strcmp(url, row.webhook->url) == 0;
    row.webhook->state = next_state(had, wanted, row.verified);
    TRY(store_webhook_update(call->tx, call->arena, &row, request->expected_version,
                             row.webhook->state != ACTIVE));
    if (row.webhook->state == VERIFYING &&
        (had != VERIFYING || strcmp(url, row.webhook->url) != 0)) {
        TRY(store_drop_pings(call->tx, request->webhook_id));
        TRY(add_ping(call, row.webhook, DELIVERY_VERIFICATION, &verification));
    }
    if (had == PAUSED || had == DISABLED)
        TRY(store_webhook_restart(call->tx, request->webhook_id));
    TRY(store_tie_roll(call->tx, 0));
    TRY(store_webhook(call->tx, call->arena, request->webhook_id, &row));
    reply->webhook = row.webhook;
    return OK;
}

static struct status
delete_webhook(struct call *call, const Notifications__V1__DeleteWebhookRequest *request,
               Notifications__V1__DeleteWebhookReply *reply)
{
    struct webhook_row row;

    (void)reply;
    TRY(check_id(call, request->webhook_id));
    TRY(store_hold_roll(call->tx));
    TRY(store_webhook(call->tx, call->arena, request->webhook_id, &row));
    TRY(store_webhook_delete(call->tx, call->arena, request->webhook_id,
                             request->expected_version));
    return store_tie_roll(call->tx, 0);
}

static struct status
rotate_webhook_secret(struct call *call,
                      const Notifications__V1__RotateWebhookSecretRequest *request,
                      Notifications__V1__RotateWebhookSecretReply *reply)
{
    const struct seal_owner owner = {call->tenant_id, request->webhook_id};
    scoped(pg_tx_end) struct pg_tx tx = {0};
    uint8_t sealed[SEAL_BYTES];
    const char *public_key;
    struct webhook_row row;
    struct once once;

    TRY(check_id(call, request->webhook_id));
    TRY(seal_create(webhooks_of(call)->ring, &owner, call->arena, sealed, &public_key));
    TRY(begin_once(call, SERVICE "RotateWebhookSecret", &request->base, reply->base.descriptor,
                   &tx, &once));
    if (once.known) {
        reply->webhook = ((Notifications__V1__RotateWebhookSecretReply *)once.known)->webhook;
        return show_secret(call, &tx, reply->webhook, &reply->secret);
    }
    TRY(store_hold_roll(&tx));
    TRY(store_webhook(&tx, call->arena, request->webhook_id, &row));
    TRY(store_webhook_rotate(&tx, call->arena, request->webhook_id, request->expected_version,
                             sealed, public_key));
    TRY(store_webhook(&tx, call->arena, request->webhook_id, &row));
    reply->webhook = row.webhook;
    TRY(end_once(call, &once));
    return seal_show(webhooks_of(call)->ring, &owner, sealed, SEAL_BYTES, call->arena,
                     &reply->secret);
}

static struct status
test_webhook(struct call *call, const Notifications__V1__TestWebhookRequest *request,
             Notifications__V1__TestWebhookReply *reply)
{
    struct webhook_row row;
    uint32_t open;

    TRY(check_id(call, request->webhook_id));
    TRY(store_hold_roll(call->tx));
    TRY(store_webhook(call->tx, call->arena, request->webhook_id, &row));
    if (!row.verified)
        return FAIL(call->arena, FAILED_PRECONDITION,
                    "the receiver has not answered its verification");
    TRY(store_open_tests(call->tx, call->arena, request->webhook_id, &open));
    if (open >= WEBHOOK_OPEN_TESTS)
        return FAIL(call->arena, RESOURCE_EXHAUSTED, "%d tests are on their way already",
                    WEBHOOK_OPEN_TESTS);
    TRY(add_ping(call, row.webhook, DELIVERY_TEST, &reply->delivery));
    return store_tie_roll(call->tx, 0);
}

static struct status
list_deliveries(struct call *call, const Notifications__V1__ListDeliveriesRequest *request,
                Notifications__V1__ListDeliveriesReply *reply)
{
    const uint32_t limit = request->page_size ? request->page_size : PAGE_SIZE_DEFAULT;
    const char *listing, *ignored, *before;
    struct webhook_row row;

    TRY(check_id(call, request->webhook_id));
    if (limit > PAGE_SIZE_MOST)
        return FAIL_FIELD(call->arena, "page_size", "must be at most %d", PAGE_SIZE_MOST);
    TRY(need(listing = arena_printf(call->arena, "deliveries/%s/%d", request->webhook_id,
                                    (int)request->state)));
    TRY(cursor_read(call->arena, call->tenant_id, listing, request->page_token, &ignored,
                    &before));
    TRY(store_webhook(call->tx, call->arena, request->webhook_id, &row));
    TRY(store_deliveries(call->tx, call->arena, request->webhook_id, strtoull(before, NULL, 10),
                         request->state, limit + 1, &reply->deliveries, &reply->n_deliveries));
    if (reply->n_deliveries <= limit)
        return OK;
    reply->n_deliveries = limit;
    TRY(need(before =
                 arena_printf(call->arena, "%llu",
                              (unsigned long long)reply->deliveries[limit - 1]->delivery_id)));
    return cursor_make(call->arena, call->tenant_id, listing, "", before,
                       &reply->next_page_token);
}

static struct status
replay_webhook(struct call *call, const Notifications__V1__ReplayWebhookRequest *request,
               Notifications__V1__ReplayWebhookReply *reply)
{
    struct webhook_row row;

    TRY(check_id(call, request->webhook_id));
    if (request->from_position == (request->delivery_id != 0))
        return FAIL_FIELD(call->arena, "delivery_id",
                          "name one delivery, or say from_position and after");
    if (request->delivery_id > INT64_MAX)
        return FAIL_FIELD(call->arena, "delivery_id", "is too large");
    TRY(store_hold_roll(call->tx));
    TRY(store_webhook(call->tx, call->arena, request->webhook_id, &row));
    if (request->from_position && request->after > row.webhook->position)
        return FAIL_FIELD(call->arena, "after", "lies beyond position %llu of the webhook",
                          (unsigned long long)row.webhook->position);
    if (request->from_position)
        TRY(store_replay_from(call->tx, request->webhook_id, request->after));
    else
        TRY(store_replay_one(call->tx, call->arena, request->webhook_id, request->delivery_id));
    TRY(store_tie_roll(call->tx, 0));
    TRY(store_webhook(call->tx, call->arena, request->webhook_id, &row));
    reply->webhook = row.webhook;
    return OK;
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Notifications__V1__Webhooks_Service, handler,                                   \
               Notifications__V1__##Name##Request, Notifications__V1__##Name##Reply)

METHOD(create_webhook, CreateWebhook)
METHOD(get_webhook, GetWebhook)
METHOD(list_webhooks, ListWebhooks)
METHOD(update_webhook, UpdateWebhook)
METHOD(delete_webhook, DeleteWebhook)
METHOD(rotate_webhook_secret, RotateWebhookSecret)
METHOD(test_webhook, TestWebhook)
METHOD(list_deliveries, ListDeliveries)
METHOD(replay_webhook, ReplayWebhook)

static Notifications__V1__Webhooks_Service service = NOTIFICATIONS__V1__WEBHOOKS__INIT(rpc_);
const ProtobufCService *const webhooks_service = &service.base;
