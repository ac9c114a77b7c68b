/* wire.v1.Admin, answered on the loop so that it answers under full load too. */

#include <string.h>

#include "common/service/dispatch.h"
#include "common/service/frame.h"
#include "common/service/listener.h"

#define PING_BYTES_MAX ((size_t)64 << 10)

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Wire__V1__Admin_Service, handler, Wire__V1__##Name##Request,                    \
               Wire__V1__##Name##Reply)

static struct status
ping(struct call *call, const Wire__V1__PingRequest *request, Wire__V1__PingReply *reply)
{
    if (request->payload.len > PING_BYTES_MAX)
        return FAIL_FIELD(call->arena, "payload", "at most %zu bytes", PING_BYTES_MAX);
    reply->payload = request->payload;
    return OK;
}

static struct status
method_names(struct call *call, const struct service *service, Wire__V1__InfoReply *reply)
{
    size_t count = 0;

    for (size_t i = 0; service->methods && service->methods[i]; i++)
        count += service->methods[i]->descriptor->n_methods;
    TRY(need(reply->methods = ARENA_ARRAY(call->arena, const char *, count + 1)));
    for (size_t i = 0; service->methods && service->methods[i]; i++) {
        const ProtobufCServiceDescriptor *descriptor = service->methods[i]->descriptor;

        for (unsigned m = 0; m < descriptor->n_methods; m++)
            TRY(need(reply->methods[reply->n_methods++] = arena_printf(
                         call->arena, "%s/%s", descriptor->name, descriptor->methods[m].name)));
    }
    return OK;
}

static struct status
info(struct call *call, const Wire__V1__InfoRequest *request, Wire__V1__InfoReply *reply)
{
    struct frame *frame = call->state;
    const char *reasons[FRAME_REASONS_MAX];
    const size_t count = readiness_reasons(frame, reasons);

    (void)request;
    TRY(method_names(call, frame->service, reply));
    TRY(need(reply->not_ready_because = ARENA_ARRAY(call->arena, const char *, count + 1)));
    for (size_t i = 0; i < count; i++)
        reply->not_ready_because[reply->n_not_ready_because++] = reasons[i];
    reply->service = frame->service->name;
    reply->instance = frame->instance;
    reply->version = SAMVERKA_VERSION;
    reply->started_unix_ms = (uint64_t)frame->started.unix_ms;
    reply->ready = count == 0;
    reply->draining = atomic_load(&frame->readiness.draining);
    reply->schema_version = atomic_load(&frame->readiness.schema_version);
    reply->position = frame->listener ? listener_position(frame->listener) : 0;
    return OK;
}

static struct status
stats(struct call *call, const Wire__V1__StatsRequest *request, Wire__V1__StatsReply *reply)
{
    const struct frame *frame = call->state;
    const struct rpc_server_stats figures = rpc_server_stats(frame->open.rpc);

    (void)request;
    reply->workers = figures.workers;
    reply->queue_depth = figures.queue_depth;
    reply->queue_limit = figures.queue_limit;
    return rpc_server_method_stats(frame->open.rpc, call->arena, reply);
}

static struct status
drain(struct call *call, const Wire__V1__DrainRequest *request, Wire__V1__DrainReply *reply)
{
    (void)request;
    (void)reply;
    loop_drain(call->state, "rpc");
    return OK;
}

struct status
admin_rpc_run(void *context, struct rpc_request *request)
{
    struct frame *frame = context;
    struct call call = {
        .arena = request->arena,
        .clock = frame->open.clock,
        .principal = request->principal,
        .tenant_id = request->principal->tenant_id,
        .request_id = request->head->id,
        .deadline = request->deadline,
        .state = frame,
    };

    TRY(dispatch_admit(request));
    TRY(dispatch_invoke(request->implementation, request->method_index, request->body, &call));
    request->reply = call.reply;
    return OK;
}

METHOD(ping, Ping)
METHOD(info, Info)
METHOD(stats, Stats)
METHOD(drain, Drain)

static Wire__V1__Admin_Service service = WIRE__V1__ADMIN__INIT(rpc_);
const ProtobufCService *const admin_rpc_service = &service.base;
