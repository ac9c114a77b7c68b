#include "common/service/dispatch.h"

#include <poll.h>
#include <sodium.h>
#include <string.h>

#include "common/base/metric.h"
#include "common/base/uuid.h"
#include "common/pg/idempotency.h"
#include "common/service/worker.h"
#include "wire/v1/status.pb-c.h"

/* A transaction that lost a race is run again here, while the caller's time allows: the request
 * had no effect, and a way back to the client would cost more. */
#define RACES_MAX 2
#define RACE_LEFT_MS 50

#define TRACEPARENT_SIZE 56 /* "00-<32>-<16>-01" and a NUL */

static struct metric requests = METRIC("rpc_requests_total", METRIC_COUNTER,
                                       "requests by method and outcome", "method", "code");
static struct metric durations =
    METRIC("rpc_duration_seconds", METRIC_HISTOGRAM,
           "time from a worker's taking a request to its answer", "method", NULL);
static struct metric races =
    METRIC("rpc_races_total", METRIC_COUNTER, "transactions run again because they lost a race",
           "method", NULL);
static struct metric replays = METRIC("idempotency_replays_total", METRIC_COUNTER,
                                      "writes answered with a stored answer", "method", NULL);

struct status
dispatch_admit(const struct rpc_request *request)
{
    const Wire__V1__Principal *principal = request->principal;
    const struct contract_rpc *rpc = request->rpc;
    const bool needs_tenant =
        rpc->transaction != WIRE__V1__TRANSACTION__NONE && !rpc->any_tenant;
    bool allowed = rpc->role_mask & (1u << WIRE__V1__ROLE__ANYONE);

    for (size_t i = 0; i < principal->n_roles && !allowed; i++)
        allowed = principal->roles[i] > 0 && principal->roles[i] < 32 &&
                  (rpc->role_mask & (1u << principal->roles[i]));
    if (!allowed && principal->n_roles == 0)
        return FAIL(request->arena, UNAUTHENTICATED, "%s needs a credential", rpc->method);
    if (!allowed)
        return FAIL(request->arena, PERMISSION_DENIED, "%s is not for your roles", rpc->method);
    if (needs_tenant && !*principal->tenant_id)
        return FAIL_FIELD(request->arena, "principal.tenant_id", "%s acts in a tenant",
                          rpc->method);
    if (*principal->tenant_id && !uuid_valid(principal->tenant_id))
        return FAIL_FIELD(request->arena, "principal.tenant_id", "not a UUID");
    if (rpc->transaction == WIRE__V1__TRANSACTION__WRITE && !*request->head->idempotency_key)
        return FAIL_FIELD(request->arena, "idempotency_key", "%s changes state: it needs a key",
                          rpc->method);
    return OK;
}

static const char *
principal_text(struct arena *arena, const Wire__V1__Principal *principal)
{
    static const char *const kinds[] = {"anyone", "person", "system", "service"};
    const size_t kind = (size_t)principal->kind;

    return arena_printf(arena, "%s:%s", kind < COUNT_OF(kinds) ? kinds[kind] : "anyone",
                        principal->subject_id);
}

/* A trace starts here when the caller brought none. */
static char *
trace_start(struct arena *arena)
{
    unsigned char random[24];
    char hex[2 * sizeof random + 1];

    randombytes_buf(random, sizeof random);
    sodium_bin2hex(hex, sizeof hex, random, sizeof random);
    return arena_printf(arena, "00-%.32s-%.16s-01", hex, hex + 32);
}

static const char *
trace_id(struct arena *arena, const char *traceparent)
{
    if (!traceparent || strlen(traceparent) != TRACEPARENT_SIZE - 1)
        return "";
    return arena_copy_n(arena, traceparent + 3, 32);
}

static void
make_call(struct worker *worker, struct rpc_request *request, struct call *ret)
{
    const struct frame *frame = worker->frame;
    const Wire__V1__RequestHead *head = request->head;

    *ret = (struct call){
        .arena = request->arena,
        .pg = worker->pg,
        .cache = worker->cache,
        .rpc = worker->rpc,
        .clock = frame->open.clock,
        .principal = request->principal,
        .tenant_id = request->principal->tenant_id,
        .lang = lang_parse(head->language),
        .request_id = head->id,
        .traceparent = *head->traceparent ? head->traceparent : trace_start(request->arena),
        .idempotency_key = head->idempotency_key,
        .deadline = request->deadline,
        .state = frame->open.state,
        .doorbell = frame->open.doorbell,
    };
}

static struct status
read_attempt(struct worker *worker, struct rpc_request *request, struct call *call)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    const char *tenant = *call->tenant_id ? call->tenant_id : NULL;

    TRY(call_begin(call, tenant, true, &tx));
    TRY(dispatch_invoke(request->implementation, request->method_index, request->body, call));
    readiness_pg_ok(worker->frame);
    request->reply = call->reply;
    return OK;
}

static struct status
write_attempt(struct worker *worker, struct rpc_request *request, struct call *call)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    const struct idempotency key = {
        .principal = principal_text(call->arena, call->principal),
        .method = request->rpc->method,
        .key = call->idempotency_key,
        .request = request->packed.data,
        .request_size = request->packed.size,
    };
    const char *tenant = *call->tenant_id ? call->tenant_id : NULL;
    struct bytes answer = {0};
    bool known = false;

    TRY(need(key.principal));
    TRY(call_begin(call, tenant, false, &tx));
    TRY(idempotency_claim(&tx, &key, &known, &answer.data, &answer.size));
    if (known) {
        request->packed_reply = answer;
        request->replayed = true;
        metric_add(&replays, request->rpc->method, NULL, 1);
        return OK;
    }
    TRY(dispatch_invoke(request->implementation, request->method_index, request->body, call));
    TRY(wire_pack(call->reply, call->arena, &answer));
    TRY(idempotency_store(&tx, &key, answer.data, answer.size));
    TRY(call_commit(call));
    readiness_pg_ok(worker->frame);
    request->packed_reply = answer;
    return OK;
}

static struct status
attempt(struct worker *worker, struct rpc_request *request, struct call *call)
{
    switch (request->rpc->transaction) {
    case WIRE__V1__TRANSACTION__READ:
        return read_attempt(worker, request, call);
    case WIRE__V1__TRANSACTION__WRITE:
        return write_attempt(worker, request, call);
    default:
        TRY(dispatch_invoke(request->implementation, request->method_index, request->body,
                            call));
        request->reply = call->reply;
        return OK;
    }
}

static struct status
perform(struct worker *worker, struct rpc_request *request, struct call *call)
{
    const struct clock *clock = call->clock;
    struct status status = attempt(worker, request, call);

    for (uint32_t lost = 1; status.code == CODE_ABORTED && lost <= RACES_MAX &&
                            request->rpc->transaction != WIRE__V1__TRANSACTION__NONE &&
                            mono_left_ms(request->deadline, clock_mono(clock)) > RACE_LEFT_MS;
         lost++) {
        metric_add(&races, request->rpc->method, NULL, 1);
        /* Those who met part by chance. */
        (void)poll(NULL, 0, (int)randombytes_uniform(5 * lost + 1));
        call->retry_after_ms = 0;
        status = attempt(worker, request, call);
    }
    call->tx = NULL;
    return status;
}

static void
tell(const struct rpc_request *request, struct status status, int64_t micros)
{
    const char *code = code_name(status.code);
    const double ms = (double)micros / 1000.0;

    metric_add(&requests, request->rpc->method, code, 1);
    metric_observe_seconds(&durations, request->rpc->method, NULL, (double)micros / 1e6);
    if (!failed(status))
        log_info("rpc", KV("code", code), KV("ms", ms), KV("peer", request->peer),
                 KV("tenant_id", request->principal->tenant_id),
                 KV("replayed", request->replayed));
    else
        LOG_AT(status.code == CODE_INTERNAL ? LOG_ERROR_LEVEL : LOG_INFO_LEVEL, "rpc",
               KV("code", code), KV("ms", ms), KV("peer", request->peer),
               KV("tenant_id", request->principal->tenant_id),
               KV("detail", status.detail ? status.detail : ""),
               KV("field", status.field ? status.field : ""));
}

struct status
dispatch_run(void *context, struct rpc_request *request)
{
    struct worker *worker = context;
    const struct clock *clock = worker->frame->open.clock;
    const struct mono start = clock_mono(clock);
    struct status status;
    struct call call;

    make_call(worker, request, &call);
    log_context(request->head->id, trace_id(request->arena, call.traceparent),
                request->rpc->method);
    status = dispatch_admit(request);
    if (!failed(status) && failed(worker->start)) /* logged when the worker started */
        status = FAIL(request->arena, UNAVAILABLE, "this instance cannot work");
    if (!failed(status))
        status = perform(worker, request, &call);
    if (failed(status)) {
        request->reply = NULL;
        request->packed_reply = (struct bytes){0};
        request->retry_after_ms = call.retry_after_ms;
    }
    tell(request, status, mono_micros_between(start, clock_mono(clock)));
    log_context(NULL, NULL, NULL);
    return status; /* rpc_server keeps the detail of INTERNAL from the caller */
}
