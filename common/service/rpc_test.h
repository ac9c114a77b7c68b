#pragma once

/* For unit tests of handlers: calls a method through the service's door, with the store
 * replaced at link time.  Link `service_test` before the layers: it brings a log of what was
 * announced in outbox_put's place.  (Tests against a real Postgres link `service_test_calls`
 * only.)
 *
 *     struct rpc_test test;
 *     Registry__V1__EnrollReply *reply;
 *
 *     rpc_test_init(&test, WIRE__V1__ROLE__PARTNERSHIP_OFFICER);
 *     assert_ok(rpc_test_call(&test, worker_service, "Enroll", &request.base, &reply));
 *     assert_string_equal(test.events[0].subject, reply->worker->id);
 *     rpc_test_fini(&test);
 *
 * One test at a time per process. */

#include "common/service/call.h"

#define RPC_TEST_EVENTS_MAX 64
#define RPC_TEST_TENANT "0193a000-0000-7000-8000-000000000001"
#define RPC_TEST_SUBJECT "0193a000-0000-7000-8000-0000000000aa"

struct rpc_test {
    struct arena arena;      /* of everything; replies live until rpc_test_fini */
    struct test_clock times; /* stands at 2026-01-01T00:00:00Z until moved */
    struct clock clock;
    Wire__V1__Role roles[8];
    Wire__V1__Principal principal; /* a person of RPC_TEST_TENANT; change as needed */
    struct pg_tx tx;               /* not open; only for stores replaced at link time */
    struct call call;              /* the template of each call; state, lang, ... */
    struct outbox_event events[RPC_TEST_EVENTS_MAX]; /* announced; data copied */
    size_t event_count;
};

void rpc_test_init(struct rpc_test *test, Wire__V1__Role role);
void rpc_test_fini(struct rpc_test *test);

/* Calls the method by its short name.  `reply` is a pointer to a pointer of the reply's type
 * and is not written on failure.  An unknown name aborts the test. */
struct status rpc_test_call_into(struct rpc_test *test, const ProtobufCService *service,
                                 const char *method, const ProtobufCMessage *request,
                                 ProtobufCMessage **ret);
#define rpc_test_call(test, service, method, request, reply)                                   \
    rpc_test_call_into((test), (service), (method), (request),                                 \
                       (ProtobufCMessage **)(void *)(reply))

/* The test that runs, for fakes. */
struct rpc_test *rpc_test_current(void);
