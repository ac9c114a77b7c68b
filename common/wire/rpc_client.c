#include "common/wire/rpc_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/uuid.h"
#include "common/wire/contract.h"
#include "common/wire/rpc_flight.h"

#define IN_FLIGHT 1024
#define IN_FLIGHT_MAX 100000
#define CALL_MAX_MS 60000

static const struct rpc_service *
look_up(const struct rpc_client *client, const char *name, size_t size)
{
    for (size_t i = 0; i < client->service_count; i++) {
        const struct rpc_service *service = &client->services[i];

        if (strlen(service->name) == size && memcmp(service->name, name, size) == 0)
            return service;
    }
    return NULL;
}

static struct rpc_service *
find_service(struct rpc_client *client, const char *name, size_t size)
{
    const struct rpc_service *service = look_up(client, name, size);

    return service ? &client->services[service - client->services] : NULL;
}

/* "registry.v1.Organisations/Get" goes to "registry", unless the options name the service. */
static struct status
route(struct rpc_client *client, const char *method, const struct rpc_options *options,
      struct arena *arena, struct rpc_service **ret)
{
    const char *name = options->service ? options->service : method;
    const size_t size = strcspn(name, ".");
    struct rpc_service *service = find_service(client, name, size);

    if (!service)
        return FAIL(arena, INVALID_ARGUMENT, "no service \"%.*s\" for %s", (int)size, name,
                    method);
    *ret = service;
    return OK;
}

/* A UUIDv7 by the method of RFC 9562 6.2 with a counter: the last 48 bits count up from a
 * random start, so that an id costs no system call.  Only the digits that change are written.
 */
static void
next_id(struct rpc_client *client, char ret[UUID_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    const uint64_t now_ms = (uint64_t)clock_wall(client->config.clock).unix_ms;
    char *id = client->last_id;
    uint64_t ms = now_ms;

    for (int i = UUID_SIZE - 2; i > 23; i--) {
        id[i] = id[i] == 'f' ? '0' : id[i] == '9' ? 'a' : (char)(id[i] + 1);
        if (id[i] != '0')
            break; /* nothing to carry */
    }
    for (int i = 12; i >= 0 && now_ms != client->last_id_ms; i--) {
        if (i == 8)
            continue; /* the hyphen */
        id[i] = digits[ms & 15];
        ms >>= 4;
    }
    client->last_id_ms = now_ms;
    memcpy(ret, id, UUID_SIZE);
}

static struct status
head_too_large(struct arena *arena)
{
    return FAIL(arena, INVALID_ARGUMENT, "the head of a call has more than %d bytes",
                RPC_SLOT_HEAD_BYTES);
}

/* One text field of a head, behind the others; an empty one is not written. */
static bool
put_text(struct rpc_slot *slot, unsigned field, const char *text)
{
    const size_t size = text ? strlen(text) : 0;
    uint8_t *into = slot->head + slot->head_size;

    if (size == 0)
        return true;
    if (size > sizeof slot->head || slot->head_size + size + 3 > sizeof slot->head)
        return false;
    *into++ = (uint8_t)(field << 3 | 2);
    if (size >= 0x80)
        *into++ = (uint8_t)(size | 0x80);
    *into++ = (uint8_t)(size >= 0x80 ? size >> 7 : size);
    memcpy(into, text, size);
    slot->head_size = (size_t)(into - slot->head) + size;
    return true;
}

/* By hand, because it is done for every call and its fields are few; what is nested is
 * protobuf-c's. */
static struct status
pack_head(struct rpc_slot *slot, const char *method, const struct rpc_options *options,
          struct arena *arena)
{
    Wire__V1__RequestHead nested = WIRE__V1__REQUEST_HEAD__INIT;
    Wire__V1__Principal principal;

    slot->head_size = 0;
    if (!put_text(slot, 1, slot->id) || !put_text(slot, 2, method) ||
        !put_text(slot, 6, options->idempotency_key) ||
        !put_text(slot, 7, options->traceparent) || !put_text(slot, 8, options->language))
        return head_too_large(arena);
    if (!options->principal)
        return OK;
    principal = *options->principal; /* the head wants one that it could change */
    nested.principal = &principal;
    if (slot->head_size + protobuf_c_message_get_packed_size(&nested.base) > sizeof slot->head)
        return head_too_large(arena);
    slot->head_size += protobuf_c_message_pack(&nested.base, slot->head + slot->head_size);
    return OK;
}

static struct status
fill_slot(struct rpc_slot *slot, const char *method, struct bytes packed,
          const struct rpc_options *options, struct arena *arena)
{
    const struct contract_rpc *rpc = contract_find_rpc(method);

    TRY(pack_head(slot, method, options, arena));
    TRY(rpc_slot_set_body(slot, packed.data, packed.size));
    slot->attempt_ms = rpc ? rpc->attempt_ms : RPC_ATTEMPT_MS;
    return OK;
}

static struct status
begin(struct rpc_client *client, const char *method, struct bytes packed,
      const struct rpc_options *options,
      void (*done)(void *context, const struct rpc_answer *answer), void *context,
      struct arena *arena)
{
    const struct mono now = clock_mono(client->config.clock);
    const struct mono latest = mono_add_ms(now, CALL_MAX_MS);
    struct rpc_service *service;
    char id[UUID_SIZE];
    struct rpc_slot *slot;
    struct status status;

    TRY(route(client, method, options, arena, &service));
    if (packed.size > WIRE_MESSAGE_BYTES)
        return FAIL(arena, TOO_LARGE, "the request has %zu bytes", packed.size);
    if (options->id && !uuid_valid(options->id))
        return FAIL(arena, INVALID_ARGUMENT, "the id of a call must be a UUID");
    if (options->id && rpc_slots_find(&client->slots, options->id))
        return FAIL(arena, INVALID_ARGUMENT, "a call with the id %s is under way", options->id);
    if (options->deadline.ns <= now.ns)
        return FAIL(arena, DEADLINE_EXCEEDED, "the time allowed is over before the call");
    if (options->id)
        memcpy(id, options->id, sizeof id);
    else
        next_id(client, id);
    TRY(rpc_slots_take(&client->slots, id, arena, &slot));
    status = fill_slot(slot, method, packed, options, arena);
    if (failed(status)) {
        rpc_slots_give(&client->slots, slot);
        return status;
    }
    slot->service = service;
    slot->deadline = options->deadline.ns < latest.ns ? options->deadline : latest;
    slot->done = done;
    slot->context = context;
    rpc_flight_begin(client, slot);
    return OK;
}

struct status
rpc_start(struct rpc_client *client, const char *method, struct bytes packed_request,
          const struct rpc_options *options,
          void (*done)(void *context, const struct rpc_answer *answer), void *context,
          struct arena *arena)
{
    TRY(begin(client, method, packed_request, options, done, context, arena));
    rpc_flight_settle(client);
    return OK;
}

/* A call that somebody waits for. */
struct wait {
    bool done;
    struct status status;
    const ProtobufCMessageDescriptor *descriptor;
    struct arena *arena;
    ProtobufCMessage *reply;
};

static void
wake(void *context, const struct rpc_answer *answer)
{
    struct wait *wait = context;
    const struct status *status = &answer->status;

    wait->done = true;
    wait->status = *status;
    if (!failed(*status)) {
        wait->status = wire_unpack(wait->descriptor, answer->packed, wait->arena, &wait->reply);
        if (failed(wait->status))
            wait->status.code = CODE_INTERNAL; /* the fault is the other side's */
        return;
    }
    /* The texts go with the answer. */
    wait->status = status_make(wait->arena, status->code, "%s", status->detail);
    if (status->field)
        wait->status.field = arena_copy(wait->arena, status->field);
}

struct status
rpc_call(struct rpc_client *client, const char *method, const ProtobufCMessage *request,
         const ProtobufCMessageDescriptor *reply_descriptor, const struct rpc_options *options,
         struct arena *arena, ProtobufCMessage **ret)
{
    struct wait wait = {.descriptor = reply_descriptor, .arena = arena};
    struct bytes packed;

    if (client->polling)
        return FAIL(arena, INTERNAL, "rpc_call within a callback would wait for ever");
    TRY(wire_pack(request, arena, &packed));
    TRY(begin(client, method, packed, options, wake, &wait, arena));
    while (!wait.done)
        rpc_flight_poll(client, rpc_flight_next_ms(client));
    TRY(wait.status);
    *ret = wait.reply;
    return OK;
}

int
rpc_client_fd(const struct rpc_client *client)
{
    return client->epoll_fd;
}

void
rpc_client_poll(struct rpc_client *client)
{
    rpc_flight_poll(client, 0);
}

int
rpc_client_next_ms(const struct rpc_client *client)
{
    return rpc_flight_next_ms(client);
}

size_t
rpc_client_instances(const struct rpc_client *client, struct rpc_instance *into, size_t room)
{
    size_t count = 0;

    for (size_t i = 0; i < client->service_count; i++) {
        const struct rpc_service *service = &client->services[i];

        /* Those of a shard are among the service's own. */
        for (size_t j = 0; service->shards > 0 && j < service->peer_count && count < room; j++)
            into[count++] =
                (struct rpc_instance){.service = service->name,
                                      .endpoint = service->peers[j]->endpoint,
                                      .connected = service->peers[j]->connected,
                                      .draining = service->peers[j]->draining,
                                      .outstanding = service->peers[j]->outstanding};
    }
    return count;
}

uint32_t
rpc_client_shards(const struct rpc_client *client, const char *service)
{
    const struct rpc_service *found = look_up(client, service, strlen(service));

    return found && found->shards > 1 ? found->shards : 1;
}

static struct status
add_service(struct rpc_client *client, const char *service_name, const char *endpoint_list,
            const char *server_public, uint32_t shards, struct arena *arena)
{
    struct rpc_service *service = &client->services[client->service_count];
    const struct rpc_client_config *config = &client->config;
    int watch;

    if (client->service_count == RPC_CLIENT_SERVICES_MAX)
        return FAIL(arena, RESOURCE_EXHAUSTED, "too many services");
    if (!service_name[0] || strlen(service_name) >= sizeof service->name ||
        find_service(client, service_name, strlen(service_name)))
        return FAIL(arena, INVALID_ARGUMENT, "a service's name is bad or taken");
    if (config->curve && !key_text_valid(server_public))
        return FAIL(arena, INVALID_ARGUMENT, "no public key of %s", service_name);
    TRY(resolver_watch(config->resolver, endpoint_list, arena, &watch));
    *service = (struct rpc_service){.resolver = config->resolver,
                                    .watch = watch,
                                    .shards = shards,
                                    .zmq_context = config->zmq_context,
                                    .high_water = (int)config->in_flight_limit * 2,
                                    .epoll_fd = client->epoll_fd};
    (void)snprintf(service->name, sizeof service->name, "%s", service_name); /* measured */
    if (config->curve)
        memcpy(service->server_public, server_public, KEY_TEXT_SIZE);
    service->curve = (struct wire_curve){
        .on = config->curve, .own = config->own, .server_public = service->server_public};
    client->service_count++;
    rpc_service_refresh(service);
    return OK;
}

static struct status
add_shard(struct rpc_client *client, const char *service, uint32_t number, const char *list,
          size_t size, const char *server_public, struct arena *arena)
{
    const char *name = arena_printf(arena, "%s/%u", service, number);
    const char *own = arena_copy_n(arena, list, size);

    TRY(need(name));
    TRY(need(own));
    return add_service(client, name, own, server_public, 0, arena);
}

struct status
rpc_client_add(struct rpc_client *client, const char *service_name, const char *endpoint_list,
               const char *server_public, struct arena *arena)
{
    const char *at = endpoint_list;
    uint32_t shards = 1;

    for (const char *c = endpoint_list; *c; c++)
        shards += *c == ';';
    if (shards > RPC_SHARDS_MAX)
        return FAIL(arena, INVALID_ARGUMENT, "%s has more than %d shards", service_name,
                    RPC_SHARDS_MAX);
    TRY(add_service(client, service_name, endpoint_list, server_public, shards, arena));
    for (uint32_t i = 1; shards > 1 && i <= shards; i++) {
        const size_t size = strcspn(at, ";");

        TRY(add_shard(client, service_name, i, at, size, server_public, arena));
        at += size + 1;
    }
    return OK;
}

static struct status
open_descriptors(struct rpc_client *client, struct arena *arena)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

    client->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    client->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (client->epoll_fd < 0 || client->kick_fd < 0 ||
        epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, client->kick_fd, &event) != 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "no descriptors: %s", strerror(errno));
    return OK;
}

struct status
rpc_client_create(const struct rpc_client_config *config, struct arena *arena,
                  struct rpc_client **ret)
{
    struct rpc_client *client = calloc(1, sizeof *client);
    struct status status;

    TRY(need(client));
    client->config = *config;
    client->epoll_fd = client->kick_fd = -1;
    uuid_v7(config->clock, client->last_id);
    if (client->config.in_flight_limit == 0)
        client->config.in_flight_limit = IN_FLIGHT;
    arena_init(&client->arena, ARENA_CALL_BYTES);
    if (client->config.in_flight_limit > IN_FLIGHT_MAX)
        status = FAIL(arena, INVALID_ARGUMENT, "at most %d calls in flight", IN_FLIGHT_MAX);
    else
        status = open_descriptors(client, arena);
    if (!failed(status))
        status = rpc_slots_init(&client->slots, client->config.in_flight_limit);
    if (failed(status)) {
        rpc_client_destroy(&client);
        return status;
    }
    *ret = client;
    return OK;
}

void
rpc_client_destroy(struct rpc_client **client)
{
    struct rpc_client *self = *client;

    if (!self)
        return;
    rpc_flight_end(self);
    for (size_t i = 0; i < self->service_count; i++)
        rpc_service_fini(&self->services[i]);
    rpc_slots_fini(&self->slots);
    arena_fini(&self->arena);
    if (self->epoll_fd >= 0)
        (void)close(self->epoll_fd); /* nothing was written that could be lost */
    if (self->kick_fd >= 0)
        (void)close(self->kick_fd);
    free(self);
    *client = NULL;
}
