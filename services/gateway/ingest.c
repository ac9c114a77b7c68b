/* POST /v1/events: other systems' events, as CloudEvents over HTTP, into the log. */

#include <ctype.h>
#include <string.h>

#include "common/base/utf8.h"
#include "common/event/event_json.h"
#include "common/json/json.h"
#include "events/v1/log.pb-c.h"
#include "services/gateway/ingest_json.h"
#include "services/gateway/ingest_request.h"
#include "services/gateway/own.h"
#include "services/gateway/serve.h"

#define APPEND "events.v1.Log/Append"
#define BODY_BYTES 1024 /* of the answer */

/* Lives in the exchange's arena. */
struct ingest {
    struct exchange *exchange;
    enum ingest_mode mode;
};

/* The ce- headers on their way into an event. */
struct gathering {
    struct exchange *exchange;
    struct ingest_event *event;
    struct status status;
};

static struct status
at_header(struct arena *arena, struct status status)
{
    if (failed(status) && status.field && *status.field != '/')
        status.field = arena_printf(arena, *status.field ? "/ce-%s" : "%s", status.field);
    return status;
}

static struct status
take_header(struct gathering *gathering, const char *name, const char *value)
{
    struct arena *arena = &gathering->exchange->arena;
    char *attribute;

    TRY(need(attribute = arena_copy(arena, name)));
    for (char *at = attribute; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    if (strcmp(attribute, "datacontenttype") == 0)
        return FAIL_FIELD(arena, attribute, "stands in Content-Type");
    if (failed(ingest_header_value(value, arena, &value)))
        return FAIL_FIELD(arena, attribute, "must be percent-encoded UTF-8");
    return ingest_event_text(gathering->event, attribute, value);
}

static enum MHD_Result
each_header(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct gathering *gathering = context;

    (void)kind;
    if (strncasecmp(name, "ce-", 3) != 0)
        return MHD_YES;
    gathering->status = take_header(gathering, name + 3, value ? value : "");
    return failed(gathering->status) ? MHD_NO : MHD_YES;
}

static enum MHD_Result
find_header(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    (void)value;
    if (strncasecmp(name, "ce-", 3) != 0)
        return MHD_YES;
    *(bool *)context = true;
    return MHD_NO;
}

/* The body is the data: JSON and texts as such, everything else as bytes. */
static struct status
take_body(struct exchange *exchange, const char *content_type, struct ingest_event *event)
{
    struct arena *arena = &exchange->arena;
    const char *body = (const char *)exchange->body.data;
    const size_t size = exchange->body.size;
    char *text;

    if (content_type)
        TRY(at_header(arena, ingest_event_text(event, "datacontenttype", content_type)));
    if (size == 0)
        return OK;
    TRY(need(text = arena_copy_n(arena, body, size)));
    if (content_type && event_json_type(content_type)) {
        TRY(json_value_check(body, size, arena));
        return ingest_event_data_json(event, text);
    }
    if (content_type && strncasecmp(content_type, "text/", 5) == 0 && utf8_text(body, size))
        return ingest_event_data_text(event, text);
    return ingest_event_data_bytes(event,
                                   (ProtobufCBinaryData){.len = size, .data = (uint8_t *)text});
}

static struct status
read_binary(struct exchange *exchange, Io__Cloudevents__V1__CloudEventBatch *ret)
{
    struct arena *arena = &exchange->arena;
    struct gathering gathering = {.exchange = exchange, .status = OK};
    struct ingest_event event;

    TRY(ingest_event_begin(arena, &event));
    gathering.event = &event;
    (void)MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, each_header,
                                    &gathering);
    TRY(at_header(arena, gathering.status));
    TRY(take_body(exchange, exchange_header(exchange, "Content-Type"), &event));
    TRY(need(ret->events = ARENA_ARRAY(arena, Io__Cloudevents__V1__CloudEvent *, 1)));
    TRY(at_header(arena, ingest_event_finish(&event, &ret->events[0])));
    ret->n_events = 1;
    return OK;
}

static struct status
read_events(struct ingest *ingest, Io__Cloudevents__V1__CloudEventBatch *ret)
{
    struct exchange *exchange = ingest->exchange;
    bool has_headers = false;

    (void)MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, find_header,
                                    &has_headers);
    TRY(ingest_mode_of(exchange_header(exchange, "Content-Type"), has_headers, &exchange->arena,
                       &ingest->mode));
    if (ingest->mode == INGEST_BINARY)
        return read_binary(exchange, ret);
    return ingest_json_read((const char *)exchange->body.data, exchange->body.size,
                            ingest->mode == INGEST_BATCH, &exchange->arena, ret);
}

/* Moves the log's complaint to its place in the request.  What the sequencer finds comes as
 * text, with the place in front. */
static struct status
at_place(const struct ingest *ingest, struct status status)
{
    struct arena *arena = &ingest->exchange->arena;
    const char *colon = status.detail ? strstr(status.detail, ": ") : NULL;

    if (!status.field && colon && strncmp(status.detail, "batch.events[", 13) == 0) {
        status.field = arena_copy_n(arena, status.detail, (size_t)(colon - status.detail));
        status.detail = colon + 2;
    }
    if (status.field)
        status.field = ingest_pointer(status.field, ingest->mode, arena);
    return status;
}

static void
answer_appended(struct ingest *ingest, const struct rpc_answer *answer)
{
    struct exchange *exchange = ingest->exchange;
    scoped(buffer_fini) struct buffer body = {0};
    struct status status = at_place(ingest, answer->status);
    const Events__V1__AppendReply *reply;
    ProtobufCMessage *message;

    if (!failed(status))
        status = wire_unpack(&events__v1__append_reply__descriptor, answer->packed,
                             &exchange->arena, &message);
    if (failed(status)) {
        exchange_refuse(exchange, status, answer->head ? answer->head->retry_after_ms : 0);
        return;
    }
    reply = (const Events__V1__AppendReply *)message;
    buffer_init(&body, BODY_BYTES);
    buffer_printf(&body,
                  "{\"firstPosition\":\"%llu\",\"lastPosition\":\"%llu\",\"duplicates\":%u}",
                  (unsigned long long)reply->first_position,
                  (unsigned long long)reply->last_position, reply->duplicates);
    exchange_answer_buffer(exchange, 200, "application/json", &body);
}

static void
on_appended(void *context, const struct rpc_answer *answer)
{
    struct ingest *ingest = context;

    ingest->exchange->gateway->working--;
    answer_appended(ingest, answer);
}

static struct status
append(struct ingest *ingest, const Io__Cloudevents__V1__CloudEventBatch *events,
       const struct ingest_batch *batch)
{
    struct exchange *exchange = ingest->exchange;
    Events__V1__AppendRequest request = EVENTS__V1__APPEND_REQUEST__INIT;
    struct identity_principal principal;
    struct rpc_options options = {
        .traceparent = exchange->traceparent,
        .language = lang_tag(exchange->lang),
        .id = exchange->request_id,
        .deadline = exchange->deadline,
    };
    struct bytes packed;

    TRY(wire_pack(&events->base, &exchange->arena, &packed));
    request.source = batch->source;
    request.batch_number = batch->number;
    request.batch.data = (uint8_t *)(uintptr_t)packed.data;
    request.batch.len = packed.size;
    TRY(wire_pack(&request.base, &exchange->arena, &packed));
    identity_to_principal(exchange->identity, &principal);
    options.principal = &principal.principal;
    TRY(rpc_start(exchange->gateway->rpc, APPEND, packed, &options, on_appended, ingest,
                  &exchange->arena));
    exchange->gateway->working++;
    return OK;
}

static struct status
start(struct exchange *exchange)
{
    const struct contract_rpc *rpc = contract_find_rpc(APPEND);
    Io__Cloudevents__V1__CloudEventBatch events = IO__CLOUDEVENTS__V1__CLOUD_EVENT_BATCH__INIT;
    struct ingest_batch batch;
    struct ingest *ingest;
    const char *key;

    if (!(rpc->role_mask & exchange->identity->role_mask))
        return FAIL(&exchange->arena, PERMISSION_DENIED,
                    "events are taken from systems, by their bearer token");
    TRY(need(ingest = ARENA_NEW(&exchange->arena, struct ingest)));
    ingest->exchange = exchange;
    if (*exchange->query)
        return FAIL(&exchange->arena, INVALID_ARGUMENT,
                    "this method takes no parameters in the query");
    TRY(request_key(exchange, &key));
    TRY(read_events(ingest, &events));
    TRY(ingest_batch_of(exchange_header(exchange, "Samverka-Source"),
                        exchange_header(exchange, "Samverka-Batch-Number"),
                        exchange->identity->subject_id, key, &events, &exchange->arena,
                        &batch));
    return append(ingest, &events, &batch);
}

void
own_events_ingest(struct exchange *exchange)
{
    const struct status status = start(exchange);

    if (failed(status))
        exchange_refuse(exchange, status, 0);
}
