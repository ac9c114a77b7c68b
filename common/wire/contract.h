#pragma once

/* The contract's own options as tables: who may call what, which message is which event, which
 * fields are personal data.  Generated from proto/ at build time; constant, thread-safe. */

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct contract_rpc {
    const char *method;  /* "registry.v1.Organisations/Get"; the table is sorted by it */
    uint32_t role_mask;  /* bit n: role n of wire.v1.Role may call */
    int transaction;     /* enum wire.v1.Transaction */
    uint32_t attempt_ms; /* limit of one attempt */
    bool any_tenant;     /* a transaction without a tenant is allowed */
};

struct contract_event {
    const ProtobufCMessageDescriptor *descriptor;
    const char *type; /* "org.samverka.need.published.v1" */
    bool internal;
};

struct contract_personal {
    const char *message; /* "registry.v1.Person" */
    const char *field;
};

extern const struct contract_rpc contract_rpcs[];
extern const size_t contract_rpc_count;
/* Every service but the inboxes, by name. */
extern const ProtobufCServiceDescriptor *const contract_services[];
extern const size_t contract_service_count;
extern const struct contract_event contract_events[];
extern const size_t contract_event_count;
extern const struct contract_personal contract_personal_fields[];
extern const size_t contract_personal_count;

/* NULL: unknown. */
const struct contract_rpc *contract_find_rpc(const char *method);
const struct contract_event *contract_find_event(const ProtobufCMessageDescriptor *descriptor);
const struct contract_event *contract_find_event_type(const char *type);
