#include "services/gateway/ingest_event.h"

#include <string.h>

#include "common/event/event_json.h"
#include "common/json/json_plan.h"

#define KIND(name) IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_##name

/* What the log gives an event, or a deployment that passes it on. */
static const char *const reserved[] = {"sequence", "tenantsequence", "tenantid", "audience",
                                       "originsequence"};

struct status
ingest_event_begin(struct arena *arena, struct ingest_event *ret)
{
    struct ingest_event made = {.arena = arena};

    TRY(need(made.event = ARENA_NEW(arena, Io__Cloudevents__V1__CloudEvent)));
    io__cloudevents__v1__cloud_event__init(made.event);
    TRY(need(made.event->attributes =
                 ARENA_ARRAY(arena, Io__Cloudevents__V1__CloudEvent__AttributesEntry *,
                             INGEST_ATTRIBUTES)));
    *ret = made;
    return OK;
}

static struct status
check_name(struct ingest_event *event, const char *name)
{
    const size_t size = strlen(name);

    if (size == 0 || size > INGEST_NAME_BYTES ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") != size)
        return FAIL_FIELD(event->arena, name,
                          "an attribute's name has 1 to %d letters a to z and digits",
                          INGEST_NAME_BYTES);
    if (strcmp(name, "data") == 0)
        return FAIL_FIELD(event->arena, name, "no attribute may be called data");
    for (size_t i = 0; i < COUNT_OF(reserved); i++)
        if (strcmp(name, reserved[i]) == 0)
            return FAIL_FIELD(event->arena, name, "is the log's to give");
    return OK;
}

/* A CloudEvents String: no control characters, neither those of ASCII nor U+0080 to U+009F. */
static struct status
check_text(struct ingest_event *event, const char *name, const char *text)
{
    for (const char *at = text; *at; at++) {
        const unsigned char byte = (unsigned char)*at;

        if (byte < 0x20 || byte == 0x7f || (byte == 0xc2 && (unsigned char)at[1] < 0xa0))
            return FAIL_FIELD(event->arena, name, "must hold no control characters");
    }
    return OK;
}

static struct status
check_short(struct ingest_event *event, const char *name, const char *text)
{
    const size_t size = strlen(text);

    if (size == 0 || size > INGEST_TEXT_BYTES)
        return FAIL_FIELD(event->arena, name, "must have 1 to %d bytes", INGEST_TEXT_BYTES);
    return OK;
}

static struct status
set_once(struct ingest_event *event, const char *name, const char **into, const char *text)
{
    if (**into)
        return FAIL_FIELD(event->arena, name, "is given twice");
    TRY(check_short(event, name, text));
    if (strcmp(name, "source") == 0 && strpbrk(text, " \"<>\\^`{|}"))
        return FAIL_FIELD(event->arena, name, "must be a URI reference");
    *into = text;
    return OK;
}

static struct status
set_version(struct ingest_event *event, const char *text)
{
    if (event->has_version)
        return FAIL_FIELD(event->arena, "specversion", "is given twice");
    if (strcmp(text, "1.0") != 0)
        return FAIL_FIELD(event->arena, "specversion", "must be 1.0");
    event->has_version = true;
    event->event->spec_version = text;
    return OK;
}

/* A fresh attribute without its value. */
static struct status
add(struct ingest_event *event, const char *name,
    Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue **ret)
{
    Io__Cloudevents__V1__CloudEvent *into = event->event;
    Io__Cloudevents__V1__CloudEvent__AttributesEntry *entry;

    TRY(check_name(event, name));
    for (size_t i = 0; i < into->n_attributes; i++)
        if (strcmp(into->attributes[i]->key, name) == 0)
            return FAIL_FIELD(event->arena, name, "is given twice");
    if (into->n_attributes == INGEST_ATTRIBUTES)
        return FAIL_FIELD(event->arena, name, "more than %d attributes", INGEST_ATTRIBUTES);
    TRY(need(entry =
                 ARENA_NEW(event->arena, Io__Cloudevents__V1__CloudEvent__AttributesEntry)));
    io__cloudevents__v1__cloud_event__attributes_entry__init(entry);
    TRY(need(entry->key = arena_copy(event->arena, name)));
    TRY(need(entry->value = ARENA_NEW(
                 event->arena, Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue)));
    io__cloudevents__v1__cloud_event__cloud_event_attribute_value__init(entry->value);
    into->attributes[into->n_attributes++] = entry;
    *ret = entry->value;
    return OK;
}

static struct status
set_time(struct ingest_event *event, const char *text,
         Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue *value)
{
    Google__Protobuf__Timestamp *time = ARENA_NEW(event->arena, Google__Protobuf__Timestamp);
    int64_t seconds;
    int32_t nanos;

    TRY(need(time));
    google__protobuf__timestamp__init(time);
    if (!json_time_read((struct json_slice){text, strlen(text)}, &seconds, &nanos))
        return FAIL_FIELD(event->arena, "time", "must be a time, as in 2026-11-22T05:59:35Z");
    time->seconds = seconds;
    time->nanos = nanos;
    value->attr_case = KIND(CE_TIMESTAMP);
    value->ce_timestamp = time;
    return OK;
}

struct status
ingest_event_text(struct ingest_event *event, const char *name, const char *text)
{
    Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue *value;

    TRY(check_text(event, name, text));
    if (strcmp(name, "specversion") == 0)
        return set_version(event, text);
    if (strcmp(name, "id") == 0)
        return set_once(event, name, &event->event->id, text);
    if (strcmp(name, "source") == 0)
        return set_once(event, name, &event->event->source, text);
    if (strcmp(name, "type") == 0)
        return set_once(event, name, &event->event->type, text);
    TRY(add(event, name, &value));
    if (strcmp(name, "time") == 0)
        return set_time(event, text, value);
    if (strcmp(name, "subject") == 0)
        TRY(check_short(event, name, text));
    if (strcmp(name, "dataschema") == 0) {
        TRY(check_short(event, name, text));
        value->attr_case = KIND(CE_URI);
        value->ce_uri = text;
        return OK;
    }
    if (strcmp(name, "datacontenttype") == 0) {
        TRY(check_short(event, name, text));
        event->content_type = text;
    }
    value->attr_case = KIND(CE_STRING);
    value->ce_string = text;
    return OK;
}

/* Whether CloudEvents says that the attribute is a text. */
static bool
is_text(const char *name)
{
    static const char *const texts[] = {
        "id",         "source",          "type", "specversion", "subject",
        "dataschema", "datacontenttype", "time"};

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (strcmp(name, texts[i]) == 0)
            return true;
    return false;
}

struct status
ingest_event_integer(struct ingest_event *event, const char *name, int32_t number)
{
    Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue *value;

    if (is_text(name))
        return FAIL_FIELD(event->arena, name, "must be a text");
    TRY(add(event, name, &value));
    value->attr_case = KIND(CE_INTEGER);
    value->ce_integer = number;
    return OK;
}

struct status
ingest_event_boolean(struct ingest_event *event, const char *name, bool yes)
{
    Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue *value;

    if (is_text(name))
        return FAIL_FIELD(event->arena, name, "must be a text");
    TRY(add(event, name, &value));
    value->attr_case = KIND(CE_BOOLEAN);
    value->ce_boolean = yes;
    return OK;
}

static struct status
take_data(struct ingest_event *event, enum ingest_data kind)
{
    if (event->data != INGEST_DATA_NONE)
        return FAIL_FIELD(event->arena, "data", "is given twice, as data and data_base64");
    event->data = kind;
    return OK;
}

struct status
ingest_event_data_text(struct ingest_event *event, const char *text)
{
    TRY(take_data(event, INGEST_DATA_TEXT));
    event->event->data_case = IO__CLOUDEVENTS__V1__CLOUD_EVENT__DATA_TEXT_DATA;
    event->event->text_data = text;
    return OK;
}

struct status
ingest_event_data_json(struct ingest_event *event, const char *text)
{
    TRY(take_data(event, INGEST_DATA_JSON));
    event->event->data_case = IO__CLOUDEVENTS__V1__CLOUD_EVENT__DATA_TEXT_DATA;
    event->event->text_data = text;
    return OK;
}

struct status
ingest_event_data_bytes(struct ingest_event *event, ProtobufCBinaryData bytes)
{
    TRY(take_data(event, INGEST_DATA_BYTES));
    event->event->data_case = IO__CLOUDEVENTS__V1__CLOUD_EVENT__DATA_BINARY_DATA;
    event->event->binary_data = bytes;
    return OK;
}

/* Data without a content type is JSON, says CloudEvents; ours says so itself. */
static struct status
settle_content_type(struct ingest_event *event)
{
    const bool json = event->content_type && event_json_type(event->content_type);

    if (event->data == INGEST_DATA_JSON && !event->content_type)
        return ingest_event_text(event, "datacontenttype", "application/json");
    if (event->data == INGEST_DATA_JSON && !json)
        return FAIL_FIELD(event->arena, "data",
                          "must be a string, or data_base64, with this datacontenttype");
    return OK;
}

struct status
ingest_event_finish(struct ingest_event *event, Io__Cloudevents__V1__CloudEvent **ret)
{
    const struct {
        const char *name;
        bool given;
    } needed[] = {{"specversion", event->has_version},
                  {"id", *event->event->id},
                  {"source", *event->event->source},
                  {"type", *event->event->type}};

    for (size_t i = 0; i < COUNT_OF(needed); i++)
        if (!needed[i].given)
            return FAIL_FIELD(event->arena, needed[i].name, "is missing");
    TRY(settle_content_type(event));
    if (protobuf_c_message_get_packed_size(&event->event->base) > INGEST_EVENT_BYTES) {
        const struct status status =
            FAIL(event->arena, TOO_LARGE, "an event has at most %zu bytes", INGEST_EVENT_BYTES);

        return (struct status){status.code, status.detail, ""};
    }
    *ret = event->event;
    return OK;
}
