#include "common/service/dispatch.h"

#include <stdint.h>

struct status
dispatch_invoke(const ProtobufCService *implementation, unsigned method,
                const ProtobufCMessage *body, struct call *call)
{
    const ProtobufCMethodDescriptor *descriptor = &implementation->descriptor->methods[method];
    /* protobuf-c's signature has no const; invoke only reads the slots. */
    ProtobufCService *slots = (ProtobufCService *)(uintptr_t)implementation;

    TRY(need(call->reply = arena_alloc(call->arena, descriptor->output->sizeof_message)));
    protobuf_c_message_init(descriptor->output, call->reply);
    call->answered = false;
    implementation->invoke(slots, method, body, NULL, call);
    if (!call->answered)
        return FAIL(call->arena, INTERNAL, "%s has no handler", descriptor->name);
    return call->result;
}
