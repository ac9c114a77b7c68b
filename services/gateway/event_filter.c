#include "services/gateway/event_filter.h"

#include <string.h>

#include "common/wire/follow.h"
#include "events/v1/log.pb-c.h"
#include "io/cloudevents/v1/cloudevents.pb-c.h"

#define LIMIT_MAX 1000
#define EVENT_TERM_BYTES 128 /* as the log limits it */

const struct event_parameter event_parameters[EVENT_TERM_KINDS] = {
    {"types", EVENT_TERM_TYPE},           {"subjects", EVENT_TERM_SUBJECT},
    {"programmes", EVENT_TERM_PROGRAMME}, {"nuts", EVENT_TERM_NUTS},
    {"concepts", EVENT_TERM_CONCEPT},
};

struct reading {
    struct exchange *exchange;
    struct event_query *query;
};

struct status
event_number_read(struct arena *arena, const char *name, const char *value, uint64_t most,
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

/* Terms of a kind, joined by commas. */
static struct status
read_terms(struct arena *arena, const struct event_parameter *parameter, const char *value,
           struct event_filter *filter)
{
    while (*value) {
        const size_t size = strcspn(value, ",");
        struct event_term *term = &filter->terms[filter->term_count];

        if (size > EVENT_TERM_BYTES)
            return FAIL_FIELD(arena, parameter->name, "each has at most %d bytes",
                              EVENT_TERM_BYTES);
        if (size > 0 && filter->term_count == EVENT_TERMS_WANTED)
            return FAIL_FIELD(arena, parameter->name, "at most %d in the whole filter",
                              EVENT_TERMS_WANTED);
        if (size > 0) {
            term->kind = parameter->kind;
            TRY(need(term->text = arena_copy_n(arena, value, size)));
            filter->term_count++;
        }
        value += size + (value[size] == ',');
    }
    return OK;
}

struct status
event_filter_set(struct arena *arena, const char *name, const char *value,
                 struct event_filter *filter, bool *ret_known)
{
    *ret_known = true;
    for (size_t i = 0; i < EVENT_TERM_KINDS; i++)
        if (strcmp(name, event_parameters[i].name) == 0)
            return read_terms(arena, &event_parameters[i], value, filter);
    *ret_known = false;
    return OK;
}

void
event_filter_put(const struct event_filter *filter, struct buffer *into)
{
    for (size_t kind = 0; kind < EVENT_TERM_KINDS; kind++) {
        bool first = true;

        for (size_t i = 0; i < filter->term_count; i++) {
            if (filter->terms[i].kind != event_parameters[kind].kind)
                continue;
            if (first)
                buffer_printf(into, "&%s=", event_parameters[kind].name);
            else
                buffer_putc(into, ',');
            percent_encode(into, filter->terms[i].text);
            first = false;
        }
    }
}

static struct status
set_parameter(void *context, const char *name, const char *value)
{
    struct reading *reading = context;
    struct event_query *query = reading->query;
    struct arena *arena = &reading->exchange->arena;
    uint64_t limit;
    bool known;

    if (strcmp(name, "after") == 0) {
        query->has_after = true;
        return event_number_read(arena, name, value, INT64_MAX, &query->after);
    }
    if (strcmp(name, "limit") == 0) {
        TRY(event_number_read(arena, name, value, LIMIT_MAX, &limit));
        if (limit == 0)
            return FAIL_FIELD(arena, name, "must be a number from 1 to %d", LIMIT_MAX);
        query->limit = (uint32_t)limit;
        return OK;
    }
    TRY(event_filter_set(arena, name, value, &query->filter, &known));
    return known ? OK : FAIL_FIELD(arena, name, "there is no such parameter");
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

/* Each kind's terms in a list of its own, which live in `texts`. */
static void
fill_filter(const struct event_filter *filter,
            const char *texts[EVENT_TERM_KINDS][EVENT_TERMS_WANTED], Events__V1__Filter *ret)
{
    const char ***const lists[EVENT_TERM_KINDS] = {
        [EVENT_TERM_TYPE] = &ret->types,           [EVENT_TERM_SUBJECT] = &ret->subjects,
        [EVENT_TERM_PROGRAMME] = &ret->programmes, [EVENT_TERM_NUTS] = &ret->nuts,
        [EVENT_TERM_CONCEPT] = &ret->concepts,
    };
    size_t *const counts[EVENT_TERM_KINDS] = {
        [EVENT_TERM_TYPE] = &ret->n_types,           [EVENT_TERM_SUBJECT] = &ret->n_subjects,
        [EVENT_TERM_PROGRAMME] = &ret->n_programmes, [EVENT_TERM_NUTS] = &ret->n_nuts,
        [EVENT_TERM_CONCEPT] = &ret->n_concepts,
    };

    for (size_t i = 0; i < filter->term_count; i++) {
        const enum event_term_kind kind = filter->terms[i].kind;

        *lists[kind] = texts[kind];
        texts[kind][(*counts[kind])++] = filter->terms[i].text;
    }
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
    Events__V1__Filter wanted = EVENTS__V1__FILTER__INIT;
    const char *texts[EVENT_TERM_KINDS][EVENT_TERMS_WANTED];
    const char *tenant_id = filter->tenant_id;
    struct bytes packed;

    fill_filter(filter, texts, &wanted);
    if (filter->own_only) {
        wanted.tenant_ids = &tenant_id;
        wanted.n_tenant_ids = 1;
    }
    request.after = after;
    request.limit = limit;
    request.filter = &wanted;
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

static const char *
text_or_none(const Io__Cloudevents__V1__CloudEvent *event, const char *name)
{
    const char *text = event_attribute(event, name);

    return text ? text : "";
}

struct event_traits
event_traits_of(const Io__Cloudevents__V1__CloudEvent *event)
{
    return (struct event_traits){.type = event->type,
                                 .tenant_id = text_or_none(event, "tenantid"),
                                 .audience = text_or_none(event, "audience"),
                                 .subject = text_or_none(event, "subject"),
                                 .programme = text_or_none(event, "programme"),
                                 .nuts = text_or_none(event, "nuts"),
                                 .concepts = text_or_none(event, "esco")};
}
