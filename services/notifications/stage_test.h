#pragma once

/* The rooms of notifications on a real Postgres: the doors, the store and what two senders see.
 */

#include "services/notifications/store.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

#include "common/pg/cursor.h"
#include "common/pg/pg_test.h"
#include "common/service/rpc_test.h"
#include "notifications/v1/inbox.pb-c.h"
#include "services/notifications/notifications.h"
#include "services/notifications/store.h"

#define OFFICER "0193a000-0000-7000-8000-0000000000c1"
#define COACH "0193a000-0000-7000-8000-0000000000c2"
#define MATCH "0193a000-0000-7000-8000-0000000000b1"
#define STUDENT "0193a000-0000-7000-8000-0000000000c3"
#define ROUND "0193a000-0000-7000-8000-0000000000b3"
#define PLACEMENT "0193a000-0000-7000-8000-0000000000b2"
#define LEASE_MS 60000

/* Two connections: what happens side by side. */
static struct side {
    struct pg *pg;
    struct arena arena;
    struct pg_tx tx;
} sides[2];
static struct rpc_test rpc;
static uint32_t told; /* events told in this test */

static inline int
set_up(void **state)
{
    static const struct pg_statement *const *rooms[2];
    const unsigned char secret[CURSOR_SECRET_BYTES] = {1};

    (void)state;
    rooms[0] = notifications_statements;
    cursor_set_secret(secret);
    test_run("postgres", NULL,
             "TRUNCATE notifications.subscription, notifications.message, notifications.mail, "
             "notifications.mailbag CASCADE");
    for (size_t i = 0; i < COUNT_OF(sides); i++) {
        arena_init(&sides[i].arena, ARENA_CALL_BYTES);
        sides[i].pg = test_pg("app_notifications", rooms);
    }
    rpc_test_init(&rpc, WIRE__V1__ROLE__PARTNERSHIP_OFFICER);
    rpc.principal.tenant_id = TENANT_A;
    rpc.principal.subject_id = OFFICER;
    told = 0;
    return 0;
}

static inline int
tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sides); i++) {
        pg_tx_end(&sides[i].tx);
        pg_destroy(&sides[i].pg);
        arena_fini(&sides[i].arena);
    }
    rpc_test_fini(&rpc);
    return 0;
}

static inline struct pg_tx *
begin(struct side *side, const char *tenant_id)
{
    const struct pg_scope scope = scope_of(tenant_id, TEST_MS);

    assert_ok(pg_tx_begin(side->pg, &scope, &side->arena, &side->tx));
    return &side->tx;
}

static inline void
commit(struct side *side)
{
    assert_ok(pg_tx_commit(&side->tx));
}

/* As the framework calls: in a transaction of the caller's tenant, kept when it went well. */
static inline struct status
call_into(const ProtobufCService *service, const char *method, const ProtobufCMessage *request,
          ProtobufCMessage **ret)
{
    struct status status;

    rpc.call.tx = begin(&sides[0], rpc.principal.tenant_id);
    status = rpc_test_call_into(&rpc, service, method, request, ret);
    if (failed(status))
        pg_tx_end(&sides[0].tx);
    else
        status = pg_tx_commit(&sides[0].tx);
    return status;
}
#define call_door(service, method, request, reply)                                             \
    call_into((service), (method), &(request)->base, (ProtobufCMessage **)(void *)(reply))

static inline const char *
subscribe(const char *account, Notifications__V1__Topic topic, bool email)
{
    Notifications__V1__SubscribeRequest request = NOTIFICATIONS__V1__SUBSCRIBE_REQUEST__INIT;
    Notifications__V1__SubscribeReply *reply;

    rpc.principal.subject_id = account;
    request.topic = topic;
    request.email = email;
    assert_ok(call_door(subscriptions_service, "Subscribe", &request, &reply));
    return reply->subscription->subscription_id;
}

/* Ids in the order of telling. */
static inline char *
event_id(uint32_t number)
{
    return arena_printf(&rpc.arena, "0193a000-%04x-7000-8000-000000000000", number);
}

static inline struct status
hear_event(const char *id, const char *method, const ProtobufCMessage *event)
{
    Io__Cloudevents__V1__CloudEvent envelope = IO__CLOUDEVENTS__V1__CLOUD_EVENT__INIT;
    ProtobufCMessage *ack;

    envelope.id = id;
    rpc.call.event = &envelope;
    rpc.call.position = ++told;
    return call_into(notifications_inbox, method, event, &ack);
}

static inline void
suggest(uint32_t number)
{
    Matching__V1__MatchSuggested event = MATCHING__V1__MATCH_SUGGESTED__INIT;

    event.match_id = MATCH;
    event.score_thousandths = 42000;
    assert_ok(hear_event(event_id(number), "MatchSuggested", &event.base));
}
