#pragma once

/* What a server can do, by name, with a few figures for each; for rpc_server alone. */

#include <protobuf-c/protobuf-c.h>
#include <stdatomic.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/wire/contract.h"
#include "wire/v1/admin.pb-c.h"

struct rpc_method {
    char *name; /* "registry.v1.Needs/Get" */
    const ProtobufCService *implementation;
    const ProtobufCServiceDescriptor *service;
    const ProtobufCMethodDescriptor *method;
    unsigned index;
    const struct contract_rpc *rpc;
    bool on_loop;
    _Atomic uint64_t calls, errors, total_micros, slowest_micros;
};

struct rpc_methods {
    struct rpc_method *list; /* sorted by name */
    size_t count;
};

/* INVALID_ARGUMENT: a service without a package, or a method that the contract does not know.
 */
must_use struct status rpc_methods_init(struct rpc_methods *methods,
                                        const ProtobufCService *const *services,
                                        const ProtobufCService *loop_service,
                                        struct arena *arena);
void rpc_methods_fini(struct rpc_methods *methods);

struct rpc_method *rpc_methods_find(const struct rpc_methods *methods, const char *name);

/* Counts an answer, here and in the metrics.  Any thread.  `method` may be NULL: unknown. */
void rpc_method_count(struct rpc_method *method, enum code code, int64_t micros);

/* Fills the methods of a StatsReply. */
must_use struct status rpc_methods_stats(const struct rpc_methods *methods, struct arena *arena,
                                         Wire__V1__StatsReply *reply);
