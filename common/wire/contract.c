#include "common/wire/contract.h"

#include <string.h>

#include "common/base/status.h"
#include "wire/v1/status.pb-c.h"

/* The table of codes and the contract say the same; that the contract has no code beside them
 * is contract_test's. */
#define CODE(name, number, http, retry, meaning)                                               \
    _Static_assert((int)CODE_##name == (int)WIRE__V1__CODE__##name,                            \
                   "code.def and wire.v1.Code disagree about " #name);
#include "common/base/code.def"
#undef CODE

const struct contract_rpc *
contract_find_rpc(const char *method)
{
    size_t low = 0, high = contract_rpc_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(method, contract_rpcs[middle].method);

        if (!order)
            return &contract_rpcs[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct contract_event *
contract_find_event(const ProtobufCMessageDescriptor *descriptor)
{
    for (size_t i = 0; i < contract_event_count; i++)
        if (contract_events[i].descriptor == descriptor)
            return &contract_events[i];
    return NULL;
}

const struct contract_event *
contract_find_event_type(const char *type)
{
    for (size_t i = 0; i < contract_event_count; i++)
        if (!strcmp(contract_events[i].type, type))
            return &contract_events[i];
    return NULL;
}
