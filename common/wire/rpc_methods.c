#include "common/wire/rpc_methods.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/metric.h"

static struct metric requests_total =
    METRIC("rpc_requests_total", METRIC_COUNTER, "requests answered", "method", "code");
static struct metric seconds =
    METRIC("rpc_seconds", METRIC_HISTOGRAM, "from the arrival of a request to its answer",
           "method", NULL);

static int
compare(const void *left, const void *right)
{
    return strcmp(((const struct rpc_method *)left)->name,
                  ((const struct rpc_method *)right)->name);
}

struct rpc_method *
rpc_methods_find(const struct rpc_methods *methods, const char *name)
{
    size_t low = 0, high = methods->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(methods->list[middle].name, name);

        if (order == 0)
            return &methods->list[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static struct status
add_service(struct rpc_methods *methods, const ProtobufCService *service, bool on_loop,
            struct arena *arena)
{
    const ProtobufCServiceDescriptor *descriptor = service->descriptor;

    for (unsigned i = 0; i < descriptor->n_methods; i++) {
        struct rpc_method *method = &methods->list[methods->count++];

        if (asprintf(&method->name, "%s/%s", descriptor->name, descriptor->methods[i].name) < 0)
            return need(method->name = NULL);
        method->implementation = service;
        method->service = descriptor;
        method->method = &descriptor->methods[i];
        method->index = i;
        method->on_loop = on_loop;
        method->rpc = contract_find_rpc(method->name);
        if (!method->rpc)
            return FAIL(arena, INVALID_ARGUMENT, "%s is not in the contract", method->name);
    }
    return OK;
}

struct status
rpc_methods_init(struct rpc_methods *methods, const ProtobufCService *const *services,
                 const ProtobufCService *loop_service, struct arena *arena)
{
    size_t room = loop_service ? loop_service->descriptor->n_methods : 0;
    struct status status = OK;

    *methods = (struct rpc_methods){0};
    for (size_t i = 0; services && services[i]; i++)
        room += services[i]->descriptor->n_methods;
    TRY(need(methods->list = calloc(room + 1, sizeof *methods->list)));
    for (size_t i = 0; services && services[i] && !failed(status); i++)
        status = add_service(methods, services[i], false, arena);
    if (loop_service && !failed(status))
        status = add_service(methods, loop_service, true, arena);
    if (failed(status)) {
        rpc_methods_fini(methods);
        return status;
    }
    qsort(methods->list, methods->count, sizeof *methods->list, compare);
    return OK;
}

void
rpc_methods_fini(struct rpc_methods *methods)
{
    for (size_t i = 0; i < methods->count; i++)
        free(methods->list[i].name);
    free(methods->list);
    *methods = (struct rpc_methods){0};
}

void
rpc_method_count(struct rpc_method *method, enum code code, int64_t micros)
{
    const uint64_t spent = micros > 0 ? (uint64_t)micros : 0;
    uint64_t slowest;

    metric_add(&requests_total, method ? method->name : "unknown", code_name(code), 1);
    if (!method)
        return;
    metric_observe_seconds(&seconds, method->name, NULL, (double)spent / 1e6);
    atomic_fetch_add_explicit(&method->calls, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&method->total_micros, spent, memory_order_relaxed);
    if (code != CODE_OK)
        atomic_fetch_add_explicit(&method->errors, 1, memory_order_relaxed);
    slowest = atomic_load_explicit(&method->slowest_micros, memory_order_relaxed);
    while (spent > slowest &&
           !atomic_compare_exchange_weak_explicit(&method->slowest_micros, &slowest, spent,
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

struct status
rpc_methods_stats(const struct rpc_methods *methods, struct arena *arena,
                  Wire__V1__StatsReply *reply)
{
    Wire__V1__MethodStats *stats = ARENA_ARRAY(arena, Wire__V1__MethodStats, methods->count);
    Wire__V1__MethodStats **list = ARENA_ARRAY(arena, Wire__V1__MethodStats *, methods->count);

    TRY(need(stats));
    TRY(need(list));
    for (size_t i = 0; i < methods->count; i++) {
        struct rpc_method *method = &methods->list[i];

        wire__v1__method_stats__init(&stats[i]);
        stats[i].method = method->name;
        stats[i].calls = atomic_load_explicit(&method->calls, memory_order_relaxed);
        stats[i].errors = atomic_load_explicit(&method->errors, memory_order_relaxed);
        stats[i].total_micros =
            atomic_load_explicit(&method->total_micros, memory_order_relaxed);
        stats[i].slowest_micros =
            atomic_load_explicit(&method->slowest_micros, memory_order_relaxed);
        list[i] = &stats[i];
    }
    reply->methods = list;
    reply->n_methods = methods->count;
    return OK;
}
