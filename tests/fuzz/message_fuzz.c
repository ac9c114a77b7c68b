/* The guard's promise: what wire_check accepts, protobuf-c unpacks within its budget, and what
 * was unpacked packs into something the guard accepts.
 *
 * The input is the name of a message of the contract, a newline, and the packed bytes; without
 * a known name all of it is a request head. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/contract.h"
#include "common/wire/message.h"
#include "io/cloudevents/v1/cloudevents.pb-c.h"
#include "wire/v1/envelope.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_named(const ProtobufCMessageDescriptor *descriptor, const uint8_t *name, size_t size)
{
    return strlen(descriptor->name) == size && memcmp(descriptor->name, name, size) == 0;
}

static const ProtobufCMessageDescriptor *
find_message(const uint8_t *name, size_t size)
{
    for (size_t i = 0; i < contract_service_count; i++)
        for (unsigned j = 0; j < contract_services[i]->n_methods; j++) {
            const ProtobufCMethodDescriptor *method = &contract_services[i]->methods[j];

            if (is_named(method->input, name, size))
                return method->input;
            if (is_named(method->output, name, size))
                return method->output;
        }
    for (size_t i = 0; i < contract_event_count; i++)
        if (is_named(contract_events[i].descriptor, name, size))
            return contract_events[i].descriptor;
    if (is_named(&io__cloudevents__v1__cloud_event_batch__descriptor, name, size))
        return &io__cloudevents__v1__cloud_event_batch__descriptor;
    return NULL;
}

static void
check_again(const ProtobufCMessage *message, struct arena *arena)
{
    struct bytes packed;
    const struct status status = wire_pack(message, arena, &packed);

    if (failed(status)) {
        /* Short varints become long ones: the size may have passed a limit. */
        if (status.code != CODE_TOO_LARGE && status.code != CODE_RESOURCE_EXHAUSTED)
            abort();
        return;
    }
    if (failed(wire_check(message->descriptor, packed, arena)))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
    const ProtobufCMessageDescriptor *descriptor =
        newline ? find_message(data, (size_t)(newline - data)) : NULL;
    struct bytes packed = {data, size};
    ProtobufCMessage *message;
    struct arena arena;
    struct status status;

    if (descriptor)
        packed = (struct bytes){newline + 1, size - (size_t)(newline + 1 - data)};
    else
        descriptor = &wire__v1__request_head__descriptor;
    arena_init(&arena, ARENA_CALL_BYTES);
    status = wire_check(descriptor, packed, &arena);
    if (failed(status) && (!status.detail || !status.detail[0]))
        abort(); /* a refusal says why */
    if (!failed(status)) {
        status = wire_unpack(descriptor, packed, &arena, &message);
        if (!failed(status))
            check_again(message, &arena);
        else if (status.code != CODE_RESOURCE_EXHAUSTED)
            abort();
    }
    arena_fini(&arena);
    return 0;
}
