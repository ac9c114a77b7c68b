#include "common/wire/rpc_task.h"

#include "common/base/log.h"
#include "common/wire/rpc_head.h"

static struct status
check_body(struct arena *arena, struct rpc_request *request)
{
    ProtobufCMessage *body;

    TRY(wire_unpack(request->method->input, request->packed, arena, &body));
    request->body = body;
    return OK;
}

/* The handler and the log find a trace in every request. */
static struct status
complete_trace(Wire__V1__RequestHead *head, struct arena *arena)
{
    char *trace;

    if (head->traceparent[0])
        return OK;
    TRY(need(trace = arena_alloc(arena, RPC_TRACEPARENT_SIZE)));
    rpc_head_traceparent(head->id, trace);
    head->traceparent = trace;
    return OK;
}

struct status
rpc_task_fill(struct rpc_task *task, const struct rpc_job *job, bool trusted,
              struct arena *arena)
{
    const struct rpc_method *method = job->method;
    struct rpc_request *request = &task->request;

    request->arena = arena;
    request->head = task->head;
    request->peer = job->peer;
    request->rpc = method->rpc;
    request->service = method->service;
    request->method = method->method;
    request->method_index = method->index;
    request->implementation = method->implementation;
    request->deadline = job->deadline;
    TRY(complete_trace(task->head, arena));
    TRY(rpc_head_principal(task->head, job->peer, trusted, arena, &request->principal));
    return check_body(arena, request);
}

/* What the caller may know: the details of our own faults stay in the log. */
static struct status
public_status(struct status status, const struct rpc_job *job)
{
    if (status.code != CODE_INTERNAL)
        return status;
    log_context(job->id, NULL, job->method ? job->method->name : NULL);
    log_error("request failed", KV("detail", status.detail ? status.detail : ""));
    log_context(NULL, NULL, NULL);
    status.detail = code_meaning(CODE_INTERNAL);
    status.field = NULL;
    return status;
}

static struct status
measure_reply(const struct rpc_request *request, struct arena *arena, struct rpc_body *ret)
{
    struct rpc_body body = {.packed = request->packed_reply};

    if (!body.packed.data)
        body.message = request->reply; /* NULL: an empty one */
    body.size =
        body.message ? protobuf_c_message_get_packed_size(body.message) : body.packed.size;
    if (body.size > WIRE_MESSAGE_BYTES)
        return FAIL(arena, TOO_LARGE, "the answer would have %zu bytes; %zu are allowed",
                    body.size, WIRE_MESSAGE_BYTES);
    *ret = body;
    return OK;
}

void
rpc_task_reply(struct rpc_task *task, struct rpc_job *job, bool draining,
               const struct clock *clock, struct arena *arena)
{
    Wire__V1__ReplyHead head = WIRE__V1__REPLY_HEAD__INIT;
    struct rpc_body body = {0};
    struct status status;
    zmq_msg_t frame;

    if (!failed(task->status))
        task->status = measure_reply(&task->request, arena, &body);
    status = public_status(task->status, job);
    head.id = job->id;
    head.code = (Wire__V1__Code)status.code;
    head.detail = status.detail ? status.detail : "";
    head.field = status.field ? status.field : "";
    head.retry_after_ms = task->request.retry_after_ms;
    head.draining = draining;
    head.replayed = task->request.replayed;
    if (failed(rpc_head_pack_reply(&head, &body, &frame)))
        (void)zmq_msg_init(&frame);   /* no memory: the caller's attempt ends by its limit */
    (void)zmq_msg_close(&job->frame); /* a message of ours */
    job->frame = frame;
    rpc_method_count(job->method, status.code,
                     mono_micros_between(job->received, clock_mono(clock)));
}
