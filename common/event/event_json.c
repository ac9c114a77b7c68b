#include "common/event/event_json.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/json/json_plan.h"
#include "common/wire/contract.h"
#include "common/wire/follow.h"

#define EVENT_TYPES_MAX 512

struct event_json {
    struct json_schema *schema;
};

struct status
event_json_create(struct arena *arena, struct event_json **ret)
{
    scoped(event_json_destroy) struct event_json *events = calloc(1, sizeof *events);
    const ProtobufCMessageDescriptor *roots[EVENT_TYPES_MAX + 1] = {NULL};

    TRY(need(events));
    if (contract_event_count > EVENT_TYPES_MAX)
        return FAIL(arena, INTERNAL, "more than %d types of events", EVENT_TYPES_MAX);
    for (size_t i = 0; i < contract_event_count; i++)
        roots[i] = contract_events[i].descriptor;
    TRY(json_schema_create(roots, arena, &events->schema));
    *ret = take(&events);
    return OK;
}

void
event_json_destroy(struct event_json **events)
{
    if (!*events)
        return;
    json_schema_destroy(&(*events)->schema);
    free(take(events));
}

static void
put_member(struct buffer *into, const char *name, const char *value)
{
    buffer_putc(into, ',');
    buffer_put_json(into, name, strlen(name));
    buffer_putc(into, ':');
    buffer_put_json(into, value, strlen(value));
}

static void
put_bytes(struct buffer *into, const ProtobufCBinaryData *data)
{
    buffer_putc(into, '"');
    json_base64_write(data, into);
    buffer_putc(into, '"');
}

static void
put_attribute(struct buffer *into, const char *name,
              const Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue *value)
{
    char time[JSON_TIME_SIZE];

    switch (value->attr_case) {
    case IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_STRING:
        put_member(into, name, value->ce_string);
        return;
    case IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_URI:
        put_member(into, name, value->ce_uri);
        return;
    case IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_URI_REF:
        put_member(into, name, value->ce_uri_ref);
        return;
    case IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_TIMESTAMP:
        if (json_time_write(value->ce_timestamp->seconds, value->ce_timestamp->nanos, time))
            put_member(into, name, time);
        return;
    default:
        break;
    }
    buffer_putc(into, ',');
    buffer_put_json(into, name, strlen(name));
    buffer_putc(into, ':');
    if (value->attr_case ==
        IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_BOOLEAN)
        buffer_puts(into, value->ce_boolean ? "true" : "false");
    else if (value->attr_case ==
             IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_INTEGER)
        buffer_printf(into, "%d", value->ce_integer);
    else if (value->attr_case ==
             IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_BYTES)
        put_bytes(into, &value->ce_bytes);
    else
        buffer_puts(into, "null");
}

/* The data as JSON where the contract knows its type. */
static struct status
put_known_data(const struct event_json *events, const Io__Cloudevents__V1__CloudEvent *event,
               struct arena *arena, struct buffer *into, bool *ret_known)
{
    const struct contract_event *kind = contract_find_event_type(event->type);
    ProtobufCMessage *data;

    *ret_known = false;
    if (!kind || event->data_case != IO__CLOUDEVENTS__V1__CLOUD_EVENT__DATA_PROTO_DATA ||
        failed(event_data(event, kind->descriptor, arena, &data)))
        return OK;
    buffer_puts(into, ",\"datacontenttype\":\"application/json\",\"data\":");
    TRY(json_write(json_schema_find(events->schema, kind->descriptor), data, arena, into));
    *ret_known = true;
    return OK;
}

bool
event_json_type(const char *content_type)
{
    const size_t size = strcspn(content_type, "; \t");

    return (size == 16 && strncasecmp(content_type, "application/json", size) == 0) ||
           (size == 9 && strncasecmp(content_type, "text/json", size) == 0) ||
           (size > 5 && strncasecmp(content_type + size - 5, "+json", 5) == 0);
}

/* What a producer calls JSON is looked at before it stands as such in an answer of ours; what
 * is none goes out as the bytes that came. */
static void
put_text(const char *type, const char *text, struct arena *arena, struct buffer *into)
{
    const ProtobufCBinaryData bytes = {strlen(text), (uint8_t *)(uintptr_t)text};

    put_member(into, "datacontenttype", type);
    if (!event_json_type(type)) {
        put_member(into, "data", text);
    } else if (failed(json_value_check(text, bytes.len, arena))) {
        buffer_puts(into, ",\"data_base64\":");
        put_bytes(into, &bytes);
    } else {
        buffer_puts(into, ",\"data\":");
        json_value_write(text, bytes.len, into);
    }
}

static void
put_other_data(const Io__Cloudevents__V1__CloudEvent *event, struct arena *arena,
               struct buffer *into)
{
    const char *type = event_attribute(event, "datacontenttype");

    switch (event->data_case) {
    case IO__CLOUDEVENTS__V1__CLOUD_EVENT__DATA_PROTO_DATA:
        put_member(into, "datacontenttype", type ? type : "application/protobuf");
        buffer_puts(into, ",\"data_base64\":");
        put_bytes(into, &event->proto_data->value);
        return;
    case IO__CLOUDEVENTS__V1__CLOUD_EVENT__DATA_BINARY_DATA:
        put_member(into, "datacontenttype", type ? type : "application/octet-stream");
        buffer_puts(into, ",\"data_base64\":");
        put_bytes(into, &event->binary_data);
        return;
    case IO__CLOUDEVENTS__V1__CLOUD_EVENT__DATA_TEXT_DATA:
        put_text(type ? type : "text/plain", event->text_data, arena, into);
        return;
    default:
        return;
    }
}

struct status
event_json_write(const struct event_json *events, const Io__Cloudevents__V1__CloudEvent *event,
                 struct arena *arena, struct buffer *into)
{
    bool known;

    buffer_puts(into, "{\"specversion\":\"1.0\"");
    put_member(into, "id", event->id);
    put_member(into, "source", event->source);
    put_member(into, "type", event->type);
    for (size_t i = 0; i < event->n_attributes; i++) {
        const char *name = event->attributes[i]->key;

        if (event->attributes[i]->value && strcmp(name, "datacontenttype") != 0)
            put_attribute(into, name, event->attributes[i]->value);
    }
    TRY(put_known_data(events, event, arena, into, &known));
    if (!known)
        put_other_data(event, arena, into);
    buffer_putc(into, '}');
    return buffer_check(into, arena);
}
