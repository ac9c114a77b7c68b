/* From a request to its handler, with a real Postgres and a handler that does as it is told. */

#include "common/service/dispatch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/pg/idempotency.h"
#include "common/service/service_sql.h"
#include "common/service/worker.h"
#include "events/v1/log.pb-c.h"

#define TENANT "0193a000-0000-7000-8000-000000000001"

/* What the handler shall return, call by call; OK after the last. */
static struct {
    enum code codes[8];
    size_t calls;
} script;

/* Leaves a row of the table `listener` as its effect. */
static struct status
note(struct call *call, const Events__V1__ReadRequest *request, Events__V1__ReadReply *reply)
{
    const enum code code = script.codes[script.calls++];

    reply->through = script.calls;
    if (call->tx)
        TRY(pg_execute(call->tx, &SQL_LISTENER_BEGIN,
                       PG_IN(pg_text(arena_printf(call->arena, "effect-%llu",
                                                  (unsigned long long)request->after))),
                       NULL));
    return code == CODE_OK ? OK : status_make(call->arena, code, "as the test wants it");
}

RPC_METHOD(Events__V1__Log_Service, note, Events__V1__ReadRequest, Events__V1__ReadReply)

static Events__V1__Log_Service log_service = {.base = EVENTS__V1__LOG__BASE_INIT,
                                              .read = rpc_note};

struct stage {
    struct frame frame;
    struct worker *worker;
    struct arena arena;
    struct contract_rpc rpc;
    Wire__V1__RequestHead head;
    Wire__V1__Principal principal;
    Wire__V1__Role role;
    Events__V1__ReadRequest body;
    struct rpc_request request;
};

static void
make_request(struct stage *stage)
{
    struct bytes packed;

    assert_int_equal(wire_pack(&stage->body.base, &stage->arena, &packed).code, CODE_OK);
    stage->request = (struct rpc_request){
        .arena = &stage->arena,
        .head = &stage->head,
        .principal = &stage->principal,
        .peer = "service:gateway",
        .rpc = &stage->rpc,
        .service = log_service.base.descriptor,
        .method = &log_service.base.descriptor->methods[1],
        .method_index = 1,
        .implementation = &log_service.base,
        .body = &stage->body.base,
        .packed = packed,
        .deadline = mono_add_ms(clock_mono(clock_system()), 10000),
    };
}

static struct status
run(struct stage *stage)
{
    make_request(stage);
    return dispatch_run(stage->worker, &stage->request);
}

static bool
effect_is_there(struct stage *stage, uint64_t number)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct call call;
    char name[64];

    (void)snprintf(name, sizeof name, "effect-%llu", (unsigned long long)number);
    worker_own_call(stage->worker, 10000, &call);
    assert_int_equal(call_begin(&call, NULL, true, &tx).code, CODE_OK);
    assert_int_equal(pg_query(&tx, &SQL_LISTENER_POSITION, PG_IN(pg_text(name)), &rows).code,
                     CODE_OK);
    return rows.count == 1;
}

static int
set_up(void **state)
{
    static const struct service service = {.name = "registry", .uses = USES_POSTGRES};
    static uint64_t number;
    struct stage *stage = calloc(1, sizeof *stage);

    arena_init(&stage->arena, (size_t)64 << 20);
    stage->frame.service = &service;
    stage->frame.open.clock = clock_system();
    stage->frame.settings.pg_password = "";
    stage->frame.settings.pg_dsn =
        arena_printf(&stage->arena, "host=%s port=%s dbname=%s user=app_registry",
                     getenv("SAMVERKA_TEST_PG_HOST"), getenv("SAMVERKA_TEST_PG_PORT"),
                     getenv("SAMVERKA_TEST_PG_DATABASE"));
    stage->frame.rooms[0] = idempotency_statements;
    stage->frame.rooms[1] = SQL_STATEMENTS;
    stage->worker = worker_start(&stage->frame, 0);
    assert_int_equal(stage->worker->start.code, CODE_OK);
    stage->rpc = (struct contract_rpc){.method = "events.v1.Log/Read",
                                       .role_mask = 1u << WIRE__V1__ROLE__SYSTEM,
                                       .transaction = WIRE__V1__TRANSACTION__WRITE};
    wire__v1__request_head__init(&stage->head);
    wire__v1__principal__init(&stage->principal);
    events__v1__read_request__init(&stage->body);
    stage->body.after = ++number; /* every test has an effect and a key of its own */
    stage->head.id = "01a20215-b3d8-7ffa-8cf6-490bb4ed112c";
    stage->head.idempotency_key =
        arena_printf(&stage->arena, "key-%llu", (unsigned long long)number);
    stage->role = WIRE__V1__ROLE__SYSTEM;
    stage->principal.kind = WIRE__V1__PRINCIPAL__KIND__SYSTEM;
    stage->principal.subject_id = "s1";
    stage->principal.tenant_id = TENANT;
    stage->principal.roles = &stage->role;
    stage->principal.n_roles = 1;
    memset(&script, 0, sizeof script);
    *state = stage;
    return 0;
}

static int
tear_down(void **state)
{
    struct stage *stage = *state;

    worker_stop(stage->worker);
    arena_fini(&stage->arena);
    free(stage);
    return 0;
}

static uint64_t
packed_through(struct stage *stage)
{
    ProtobufCMessage *reply;

    assert_int_equal(wire_unpack(&events__v1__read_reply__descriptor,
                                 stage->request.packed_reply, &stage->arena, &reply)
                         .code,
                     CODE_OK);
    return ((Events__V1__ReadReply *)reply)->through;
}

static void
a_write_leaves_its_effect_and_its_answer(void **state)
{
    struct stage *stage = *state;

    assert_int_equal(run(stage).code, CODE_OK);
    assert_false(stage->request.replayed);
    assert_int_equal(packed_through(stage), 1);
    assert_true(effect_is_there(stage, stage->body.after));
}

static void
a_repeated_key_gets_the_first_answer_and_no_second_effect(void **state)
{
    struct stage *stage = *state;

    assert_int_equal(run(stage).code, CODE_OK);
    assert_int_equal(run(stage).code, CODE_OK);
    assert_true(stage->request.replayed);
    assert_int_equal(packed_through(stage), 1);
    assert_int_equal(script.calls, 1);
}

static void
a_key_that_comes_with_another_request_is_refused(void **state)
{
    struct stage *stage = *state;

    assert_int_equal(run(stage).code, CODE_OK);
    stage->body.limit = 7;
    assert_int_equal(run(stage).code, CODE_KEY_REUSED);
    assert_int_equal(script.calls, 1);
}

static void
the_same_key_of_somebody_else_is_another_key(void **state)
{
    struct stage *stage = *state;

    assert_int_equal(run(stage).code, CODE_OK);
    stage->principal.subject_id = "s2";
    assert_int_equal(run(stage).code, CODE_OK);
    assert_int_equal(script.calls, 2);
}

static void
a_failed_write_leaves_nothing_and_may_be_repeated_with_its_key(void **state)
{
    struct stage *stage = *state;

    script.codes[0] = CODE_FAILED_PRECONDITION;
    assert_int_equal(run(stage).code, CODE_FAILED_PRECONDITION);
    assert_null(stage->request.packed_reply.data);
    assert_false(effect_is_there(stage, stage->body.after));
    assert_int_equal(run(stage).code, CODE_OK);
    assert_false(stage->request.replayed);
    assert_true(effect_is_there(stage, stage->body.after));
}

static void
a_lost_race_is_run_again_twice_and_no_more(void **state)
{
    struct stage *stage = *state;

    script.codes[0] = script.codes[1] = CODE_ABORTED;
    assert_int_equal(run(stage).code, CODE_OK);
    assert_int_equal(script.calls, 3);
    memset(&script, 0, sizeof script);
    script.codes[0] = script.codes[1] = script.codes[2] = CODE_ABORTED;
    stage->head.idempotency_key = "another";
    assert_int_equal(run(stage).code, CODE_ABORTED);
    assert_int_equal(script.calls, 3);
}

static void
a_read_cannot_write(void **state)
{
    struct stage *stage = *state;

    stage->rpc.transaction = WIRE__V1__TRANSACTION__READ;
    assert_int_not_equal(run(stage).code, CODE_OK);
    assert_int_equal(script.calls, 1);
    assert_false(effect_is_there(stage, stage->body.after));
}

static void
a_method_without_a_transaction_has_none(void **state)
{
    struct stage *stage = *state;

    stage->rpc.transaction = WIRE__V1__TRANSACTION__NONE;
    assert_int_equal(run(stage).code, CODE_OK);
    assert_non_null(stage->request.reply);
    assert_false(effect_is_there(stage, stage->body.after));
}

static void
a_worker_that_could_not_start_sends_callers_elsewhere(void **state)
{
    struct stage *stage = *state;

    stage->worker->start = FAIL(NULL, INVALID_ARGUMENT, "a bad connection string");
    assert_int_equal(run(stage).code, CODE_UNAVAILABLE);
    assert_int_equal(script.calls, 0);
}

static enum code
admitted(struct stage *stage)
{
    make_request(stage);
    return dispatch_admit(&stage->request).code;
}

static void
who_has_no_role_is_unauthenticated_and_who_has_another_is_denied(void **state)
{
    struct stage *stage = *state;

    assert_int_equal(admitted(stage), CODE_OK);
    stage->role = WIRE__V1__ROLE__STUDENT;
    assert_int_equal(admitted(stage), CODE_PERMISSION_DENIED);
    stage->role = (Wire__V1__Role)77;
    assert_int_equal(admitted(stage), CODE_PERMISSION_DENIED);
    stage->principal.n_roles = 0;
    assert_int_equal(admitted(stage), CODE_UNAUTHENTICATED);
    stage->rpc.role_mask |= 1u << WIRE__V1__ROLE__ANYONE;
    assert_int_equal(admitted(stage), CODE_OK);
}

static void
a_tenant_is_needed_where_the_contract_says_so(void **state)
{
    struct stage *stage = *state;

    stage->principal.tenant_id = "";
    assert_int_equal(admitted(stage), CODE_INVALID_ARGUMENT);
    stage->rpc.any_tenant = true;
    assert_int_equal(admitted(stage), CODE_OK);
    assert_int_equal(run(stage).code, CODE_OK);
    stage->principal.tenant_id = "no-uuid";
    assert_int_equal(admitted(stage), CODE_INVALID_ARGUMENT);
    stage->rpc.transaction = WIRE__V1__TRANSACTION__NONE;
    stage->rpc.any_tenant = false;
    stage->principal.tenant_id = "";
    assert_int_equal(admitted(stage), CODE_OK);
}

static void
a_write_needs_a_key_and_a_read_does_not(void **state)
{
    struct stage *stage = *state;

    stage->head.idempotency_key = "";
    assert_int_equal(admitted(stage), CODE_INVALID_ARGUMENT);
    stage->rpc.transaction = WIRE__V1__TRANSACTION__READ;
    assert_int_equal(admitted(stage), CODE_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_write_leaves_its_effect_and_its_answer),
        TEST(a_repeated_key_gets_the_first_answer_and_no_second_effect),
        TEST(a_key_that_comes_with_another_request_is_refused),
        TEST(the_same_key_of_somebody_else_is_another_key),
        TEST(a_failed_write_leaves_nothing_and_may_be_repeated_with_its_key),
        TEST(a_lost_race_is_run_again_twice_and_no_more),
        TEST(a_read_cannot_write),
        TEST(a_method_without_a_transaction_has_none),
        TEST(a_worker_that_could_not_start_sends_callers_elsewhere),
        TEST(who_has_no_role_is_unauthenticated_and_who_has_another_is_denied),
        TEST(a_tenant_is_needed_where_the_contract_says_so),
        TEST(a_write_needs_a_key_and_a_read_does_not),
    };

    return cmocka_run_group_tests_name("dispatch", tests, NULL, NULL);
}
