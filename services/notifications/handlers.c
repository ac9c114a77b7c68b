#include "notifications/v1/messages.pb-c.h"

#include "common/base/uuid.h"
#include "common/pg/cursor.h"
#include "common/service/call.h"
#include "services/notifications/notifications.h"
#include "services/notifications/store.h"

#define LISTING "messages"
#define PAGE_SIZE_DEFAULT 50
#define PAGE_SIZE_MOST 200

static struct status
check_id(struct call *call, const char *field, const char *id)
{
    if (!uuid_valid(id))
        return FAIL_FIELD(call->arena, field, "must be a UUID in lower case");
    return OK;
}

static struct status
subscribe(struct call *call, const Notifications__V1__SubscribeRequest *request,
          Notifications__V1__SubscribeReply *reply)
{
    char id[UUID_SIZE];

    TRY(rules_subscription(call->arena, request,
                           call_has_role(call, WIRE__V1__ROLE__PARTNERSHIP_OFFICER) ||
                               call_has_role(call, WIRE__V1__ROLE__PROGRAMME_DIRECTOR)));
    uuid_v7(call->clock, id);
    return store_subscribe(call->tx, call->arena, id, call->principal->subject_id,
                           request->topic, request->email, &reply->subscription);
}

static struct status
list_subscriptions(struct call *call,
                   const Notifications__V1__ListSubscriptionsRequest *request,
                   Notifications__V1__ListSubscriptionsReply *reply)
{
    (void)request;
    return store_subscriptions(call->tx, call->arena, call->principal->subject_id,
                               &reply->subscriptions, &reply->n_subscriptions);
}

static struct status
unsubscribe(struct call *call, const Notifications__V1__UnsubscribeRequest *request,
            Notifications__V1__UnsubscribeReply *reply)
{
    (void)reply;
    TRY(check_id(call, "subscription_id", request->subscription_id));
    return store_unsubscribe(call->tx, call->arena, request->subscription_id,
                             call->principal->subject_id);
}

static struct status
add_words(struct call *call, struct message_row *row)
{
    struct message_words words;

    TRY(rules_words(call->arena, row->kind, row->detail, call->lang, &words));
    row->message->title = words.title;
    row->message->text = words.text;
    return OK;
}

static struct status
list_messages(struct call *call, const Notifications__V1__ListMessagesRequest *request,
              Notifications__V1__ListMessagesReply *reply)
{
    const uint32_t limit = request->page_size ? request->page_size : PAGE_SIZE_DEFAULT;
    const char *account = call->principal->subject_id;
    const char *ignored, *before;
    struct message_row *rows;
    size_t count;

    if (limit > PAGE_SIZE_MOST)
        return FAIL_FIELD(call->arena, "page_size", "must be at most %d", PAGE_SIZE_MOST);
    TRY(cursor_read(call->arena, call->tenant_id, LISTING, request->page_token, &ignored,
                    &before));
    TRY(store_messages(call->tx, call->arena, account, before, request->unread, limit + 1,
                       &rows, &count));
    TRY(store_unread(call->tx, call->arena, account, &reply->unread_count));
    if (count > limit) {
        count = limit;
        TRY(cursor_make(call->arena, call->tenant_id, LISTING, "",
                        rows[count - 1].message->message_id, &reply->next_page_token));
    }
    TRY(need(reply->messages =
                 ARENA_ARRAY(call->arena, Notifications__V1__Message *, count + 1)));
    for (size_t i = 0; i < count; i++) {
        TRY(add_words(call, &rows[i]));
        reply->messages[i] = rows[i].message;
    }
    reply->n_messages = count;
    return OK;
}

static struct status
mark_message_read(struct call *call, const Notifications__V1__MarkMessageReadRequest *request,
                  Notifications__V1__MarkMessageReadReply *reply)
{
    const char *account = call->principal->subject_id;
    struct message_row row;

    TRY(check_id(call, "message_id", request->message_id));
    TRY(store_mark_read(call->tx, account, request->message_id));
    TRY(store_message(call->tx, call->arena, account, request->message_id, &row));
    TRY(add_words(call, &row));
    reply->message = row.message;
    return OK;
}

#define METHOD(Service, handler, Name)                                                         \
    RPC_METHOD(Notifications__V1__##Service##_Service, handler,                                \
               Notifications__V1__##Name##Request, Notifications__V1__##Name##Reply)

METHOD(Subscriptions, subscribe, Subscribe)
METHOD(Subscriptions, list_subscriptions, ListSubscriptions)
METHOD(Subscriptions, unsubscribe, Unsubscribe)
METHOD(Messages, list_messages, ListMessages)
METHOD(Messages, mark_message_read, MarkMessageRead)

static Notifications__V1__Subscriptions_Service subscriptions =
    NOTIFICATIONS__V1__SUBSCRIPTIONS__INIT(rpc_);
static Notifications__V1__Messages_Service messages = NOTIFICATIONS__V1__MESSAGES__INIT(rpc_);
const ProtobufCService *const subscriptions_service = &subscriptions.base;
const ProtobufCService *const messages_service = &messages.base;
