#include "services/gateway/cluster.h"

#include <stdlib.h>
#include <string.h>

#include "services/gateway/keys.h"
#include "services/gateway/own.h"
#include "services/gateway/ring.h"
#include "services/gateway/serve.h"
#include "services/gateway/stream.h"
#include "wire/v1/admin.pb-c.h"

#define SERVICES_MAX 8
#define INSTANCES_MAX 64
#define ASK_TICKS 2    /* seconds between questions */
#define SILENT_MS 6000 /* what was said longer ago counts no more */
#define ANSWER_BYTES ((size_t)256 << 10)
#define BODY_BYTES ((size_t)128 << 10)

/* What a service said last. */
struct told {
    struct cluster *cluster;
    const char *service;
    bool asking, heard;
    struct mono heard_at;
    bool ready, draining;
    char version[32];
    char reason[160];
    uint64_t started_unix_ms, position, calls, errors;
    uint32_t schema_version, workers, queue_depth;
};

struct cluster {
    struct gateway *gateway;
    struct told told[SERVICES_MAX];
    size_t count;
    unsigned ticks;
};

struct status
cluster_create(struct gateway *gateway, struct arena *arena, struct cluster **ret)
{
    struct cluster *cluster = calloc(1, sizeof *cluster);

    (void)arena;
    TRY(need(cluster));
    cluster->gateway = gateway;
    for (; keys_services[cluster->count] && cluster->count < SERVICES_MAX; cluster->count++)
        cluster->told[cluster->count] =
            (struct told){.cluster = cluster, .service = keys_services[cluster->count]};
    *ret = cluster;
    return OK;
}

void
cluster_destroy(struct cluster **cluster)
{
    free(take(cluster));
}

static void
take_info(struct told *told, const Wire__V1__InfoReply *info)
{
    told->heard = true;
    told->heard_at = clock_mono(told->cluster->gateway->clock);
    told->ready = info->ready;
    told->draining = info->draining;
    told->started_unix_ms = info->started_unix_ms;
    told->position = info->position;
    told->schema_version = info->schema_version;
    snprintf(told->version, sizeof told->version, "%s", info->version);
    snprintf(told->reason, sizeof told->reason, "%s",
             info->n_not_ready_because > 0 ? info->not_ready_because[0] : "");
}

static void
take_stats(struct told *told, const Wire__V1__StatsReply *stats)
{
    told->workers = stats->workers;
    told->queue_depth = stats->queue_depth;
    told->calls = told->errors = 0;
    for (size_t i = 0; i < stats->n_methods; i++) {
        told->calls += stats->methods[i]->calls;
        told->errors += stats->methods[i]->errors;
    }
}

static void
on_answer(struct told *told, const struct rpc_answer *answer,
          const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *reply;
    struct arena arena;

    arena_init(&arena, ANSWER_BYTES);
    if (!failed(answer->status) &&
        !failed(wire_unpack(descriptor, answer->packed, &arena, &reply))) {
        if (descriptor == &wire__v1__info_reply__descriptor)
            take_info(told, (const Wire__V1__InfoReply *)reply);
        else
            take_stats(told, (const Wire__V1__StatsReply *)reply);
    }
    arena_fini(&arena);
}

static void
on_info(void *context, const struct rpc_answer *answer)
{
    struct told *told = context;

    told->asking = false;
    on_answer(told, answer, &wire__v1__info_reply__descriptor);
}

static void
on_stats(void *context, const struct rpc_answer *answer)
{
    on_answer(context, answer, &wire__v1__stats_reply__descriptor);
}

static void
ask(struct told *told)
{
    struct gateway *gateway = told->cluster->gateway;
    Wire__V1__Role roles[] = {WIRE__V1__ROLE__SERVICE};
    Wire__V1__Principal principal = WIRE__V1__PRINCIPAL__INIT;
    const struct rpc_options options = {
        .service = told->service,
        .principal = &principal,
        .deadline = mono_add_ms(clock_mono(gateway->clock), ASK_TICKS * 1000)};
    const struct bytes empty = {0}; /* both requests have no fields */
    struct arena arena;

    principal.kind = WIRE__V1__PRINCIPAL__KIND__SERVICE;
    principal.subject_id = "gateway";
    principal.roles = roles;
    principal.n_roles = COUNT_OF(roles);
    arena_init(&arena, 64 << 10);
    told->asking = !failed(
        rpc_start(gateway->rpc, "wire.v1.Admin/Info", empty, &options, on_info, told, &arena));
    if (told->asking && failed(rpc_start(gateway->rpc, "wire.v1.Admin/Stats", empty, &options,
                                         on_stats, told, &arena)))
        told->calls = 0; /* the client is full: the next round asks again */
    arena_fini(&arena);
}

void
cluster_tick(struct cluster *cluster)
{
    if (cluster->ticks++ % ASK_TICKS != 0)
        return;
    for (size_t i = 0; i < cluster->count; i++)
        if (!cluster->told[i].asking)
            ask(&cluster->told[i]);
    gateway_wake_in(cluster->gateway, 10);
}

/* Addresses are for operators. */
static void
write_instances(struct exchange *exchange, const char *service, struct buffer *body)
{
    const bool whole = identity_has_role(exchange->identity, WIRE__V1__ROLE__OPERATOR);
    struct rpc_instance instances[INSTANCES_MAX];
    const size_t count = rpc_client_instances(exchange->gateway->rpc, instances, INSTANCES_MAX);
    const char *separator = "";

    buffer_puts(body, ",\"instances\":[");
    for (size_t i = 0; i < count; i++) {
        if (strcmp(instances[i].service, service) != 0)
            continue;
        buffer_printf(body, "%s{\"connected\":%s,\"draining\":%s,\"outstanding\":%u", separator,
                      instances[i].connected ? "true" : "false",
                      instances[i].draining ? "true" : "false", instances[i].outstanding);
        if (whole) {
            buffer_puts(body, ",\"endpoint\":");
            buffer_put_json(body, instances[i].endpoint, strlen(instances[i].endpoint));
        }
        buffer_puts(body, "}");
        separator = ",";
    }
    buffer_puts(body, "]");
}

static void
write_service(struct exchange *exchange, const struct told *told, struct buffer *body)
{
    const bool heard = told->heard && mono_left_ms(mono_add_ms(told->heard_at, SILENT_MS),
                                                   exchange->started) > 0;

    buffer_printf(body, "{\"name\":\"%s\",\"heard\":%s,\"ready\":%s,\"draining\":%s",
                  told->service, heard ? "true" : "false",
                  heard && told->ready ? "true" : "false",
                  heard && told->draining ? "true" : "false");
    buffer_puts(body, ",\"version\":");
    buffer_put_json(body, told->version, strlen(told->version));
    buffer_puts(body, ",\"reason\":");
    buffer_put_json(body, told->reason, heard ? strlen(told->reason) : 0);
    buffer_printf(body,
                  ",\"startedUnixMs\":\"%llu\",\"position\":\"%llu\",\"calls\":\"%llu\","
                  "\"errors\":\"%llu\",\"workers\":%u,\"queueDepth\":%u,\"schemaVersion\":%u",
                  (unsigned long long)told->started_unix_ms, (unsigned long long)told->position,
                  (unsigned long long)told->calls, (unsigned long long)told->errors,
                  told->workers, told->queue_depth, told->schema_version);
    write_instances(exchange, told->service, body);
    buffer_puts(body, "}");
}

void
own_cluster(struct exchange *exchange)
{
    const struct gateway *gateway = exchange->gateway;
    const struct cluster *cluster = gateway->cluster;
    scoped(buffer_fini) struct buffer body = {0};

    buffer_init(&body, BODY_BYTES);
    buffer_puts(&body, "{\"services\":[");
    for (size_t i = 0; i < cluster->count; i++) {
        buffer_puts(&body, i ? "," : "");
        write_service(exchange, &cluster->told[i], &body);
    }
    buffer_printf(&body,
                  "],\"gateway\":{\"version\":\"%s\",\"draining\":%s,\"streamClients\":%zu},"
                  "\"log\":{\"position\":\"%llu\",\"head\":\"%llu\",\"live\":%s}}",
                  SAMVERKA_VERSION, gateway->draining ? "true" : "false",
                  streams_count(gateway->streams),
                  (unsigned long long)ring_through(gateway->ring),
                  (unsigned long long)ring_head(gateway->ring),
                  ring_live(gateway->ring, exchange->started) ? "true" : "false");
    exchange_answer_buffer(exchange, 200, "application/json", &body);
}
