#include "common/service/rpc_test.h"

#include "common/service/dispatch.h"

#define NEW_YEAR_2026_MS 1767225600000

static struct rpc_test *current;

void
rpc_test_init(struct rpc_test *test, Wire__V1__Role role)
{
    *test = (struct rpc_test){.times = {.mono = {1000000000}, .wall = {NEW_YEAR_2026_MS}}};
    arena_init(&test->arena, (size_t)64 << 20);
    test->clock = clock_test(&test->times);
    test->roles[0] = role;
    wire__v1__principal__init(&test->principal);
    test->principal.kind = WIRE__V1__PRINCIPAL__KIND__PERSON;
    test->principal.subject_id = RPC_TEST_SUBJECT;
    test->principal.tenant_id = RPC_TEST_TENANT;
    test->principal.roles = test->roles;
    test->principal.n_roles = 1;
    test->tx = (struct pg_tx){.arena = &test->arena};
    test->call = (struct call){
        .arena = &test->arena,
        .tx = &test->tx,
        .clock = &test->clock,
        .principal = &test->principal,
        .lang = LANG_EN,
        .request_id = "0193a000-0000-7000-8000-00000000feed",
        .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        .idempotency_key = "test",
        .deadline = mono_add_ms(test->times.mono, 10000),
    };
    current = test;
}

void
rpc_test_fini(struct rpc_test *test)
{
    arena_fini(&test->arena);
    current = NULL;
}

struct rpc_test *
rpc_test_current(void)
{
    return current;
}

struct status
rpc_test_call_into(struct rpc_test *test, const ProtobufCService *service, const char *method,
                   const ProtobufCMessage *request, ProtobufCMessage **ret)
{
    const ProtobufCMethodDescriptor *found =
        protobuf_c_service_descriptor_get_method_by_name(service->descriptor, method);
    struct call call = test->call;

    if (!found || request->descriptor != found->input) {
        (void)fprintf(stderr, "%s has no method %s with such a request\n",
                      service->descriptor->name, method);
        abort();
    }
    call.tenant_id = test->principal.tenant_id;
    TRY(dispatch_invoke(service, (unsigned)(found - service->descriptor->methods), request,
                        &call));
    *ret = call.reply;
    return OK;
}
