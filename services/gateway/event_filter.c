#include "services/gateway/event_filter.h"

#include <string.h>

#include "common/wire/follow.h"
#include "events/v1/log.pb-c.h"
#include "io/cloudevents/v1/cloudevents.pb-c.h"

#define LIMIT_MAX 1000
#define TYPE_BYTES 128

struct reading {
    struct exchange *exchange;
    struct event_query *query;
};

static struct status
read_number(struct arena *arena, const char *name, const char *value, uint64_t most,
            uint64_t *ret)
{
    uint64_t number = 0;

    if (!*value || strspn(value, "0123456789") != strlen(value))
        return FAIL_FIELD(arena, name, "must be a whole number");
    for (; *value; value++)
        if (__builtin_mul_overflow(number, (uint64_t)10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*value - '0'), &number) || number > most)
            return FAIL_FIELD(arena, name, "is too large");
    *ret = number;
    return OK;
}

static struct status
read_types(struct arena *arena, const char *value, struct event_filter *filter)
{
    while (*value) {
        const size_t size = strcspn(value, ",");

        if (size > TYPE_BYTES)
            return FAIL_FIELD(arena, "types", "a prefix has at most %d characters", TYPE_BYTES);
        if (size > 0 && filter->type_count == EVENT_TYPES_WANTED)
            return FAIL_FIELD(arena, "types", "at most %d prefixes", EVENT_TYPES_WANTED);
        if (size > 0)
            TRY(need(filter->types[filter->type_count++] = arena_copy_n(arena, value, size)));
        value += size + (value[size] == ',');
    }
    return OK;
}

static struct status
set_parameter(void *context, const char *name, const char *value)
{
    struct reading *reading = context;
    struct event_query *query = reading->query;
    struct arena *arena = &reading->exchange->arena;
    uint64_t limit;

    if (strcmp(name, "after") == 0) {
        query->has_after = true;
        return read_number(arena, name, value, INT64_MAX, &query->after);
    }
    if (strcmp(name, "types") == 0)
        return read_types(arena, value, &query->filter);
    if (strcmp(name, "limit") == 0) {
        TRY(read_number(arena, name, value, LIMIT_MAX, &limit));
        if (limit == 0)
            return FAIL_FIELD(arena, name, "must be a number from 1 to %d", LIMIT_MAX);
        query->limit = (uint32_t)limit;
        return OK;
    }
    return FAIL_FIELD(arena, name, "there is no such parameter");
}

struct status
event_query_read(struct exchange *exchange, struct event_query *ret)
{
    struct event_query query = {0};
    struct reading reading = {exchange, &query};

    memcpy(query.filter.tenant_id, exchange->identity->tenant_id,
           sizeof query.filter.tenant_id);
    TRY(request_each_parameter(exchange, set_parameter, &reading));
    *ret = query;
    return OK;
}

void
event_own_principal(struct identity_principal *ret)
{
    wire__v1__principal__init(&ret->principal);
    ret->principal.kind = WIRE__V1__PRINCIPAL__KIND__SERVICE;
    ret->principal.subject_id = "gateway";
    ret->roles[0] = WIRE__V1__ROLE__SERVICE;
    ret->principal.roles = ret->roles;
    ret->principal.n_roles = 1;
}

struct status
event_read_start(struct gateway *gateway, const Wire__V1__Principal *principal,
                 const struct event_filter *filter, uint64_t after, uint32_t limit,
                 struct mono deadline,
                 void (*done)(void *context, const struct rpc_answer *answer), void *context,
                 struct arena *arena)
{
    const struct rpc_options options = {.principal = principal, .deadline = deadline};
    Events__V1__ReadRequest request = EVENTS__V1__READ_REQUEST__INIT;
    Events__V1__Filter types = EVENTS__V1__FILTER__INIT;
    const char *wanted[EVENT_TYPES_WANTED];
    struct bytes packed;

    memcpy(wanted, filter->types, sizeof wanted);
    types.types = wanted;
    types.n_types = filter->type_count;
    request.after = after;
    request.limit = limit;
    request.filter = &types;
    TRY(wire_pack(&request.base, arena, &packed));
    return rpc_start(gateway->rpc, "events.v1.Log/Read", packed, &options, done, context,
                     arena);
}

struct status
event_page_unpack(struct bytes packed, struct arena *arena, struct event_page *ret)
{
    const Events__V1__ReadReply *reply;
    ProtobufCMessage *message;

    TRY(wire_unpack(&events__v1__read_reply__descriptor, packed, arena, &message));
    reply = (const Events__V1__ReadReply *)message;
    TRY(event_batch_unpack((struct bytes){reply->batch.data, reply->batch.len}, LIMIT_MAX,
                           arena, &ret->events));
    ret->through = reply->through;
    ret->head = reply->head;
    return OK;
}
