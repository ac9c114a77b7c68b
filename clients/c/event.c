#include "clients/c/event.h"

#include <stdlib.h>
#include <string.h>

#include "clients/c/error.h"

#define CE(name) IO__CLOUDEVENTS__V1__CLOUD_EVENT__##name
#define VALUE(name) CE(CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_##name)
#define NUMBER_DIGITS_MOST 19

/* The text of an attribute; NULL: it is of another kind. */
static const char *
text_of(const Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue *value)
{
    if (!value)
        return NULL;
    switch (value->attr_case) {
    case VALUE(CE_STRING):
        return value->ce_string;
    case VALUE(CE_URI):
        return value->ce_uri;
    case VALUE(CE_URI_REF):
        return value->ce_uri_ref;
    default:
        return NULL;
    }
}

static bool
texts_valid(const Io__Cloudevents__V1__CloudEvent *event)
{
    if (!smv_utf8(event->id) || !smv_utf8(event->source) || !smv_utf8(event->type))
        return false;
    for (size_t i = 0; i < event->n_attributes; i++) {
        const char *text = text_of(event->attributes[i]->value);

        if (!smv_utf8(event->attributes[i]->key) || (text && !smv_utf8(text)))
            return false;
    }
    return event->data_case != CE(DATA_PROTO_DATA) || smv_utf8(event->proto_data->type_url);
}

bool
smv_event_read(const uint8_t *packed, size_t size, struct smv_pool *pool,
               struct samverka_event *ret)
{
    ProtobufCAllocator allocator = smv_pool_allocator(pool);
    const Io__Cloudevents__V1__CloudEvent *event;

    if (size > SMV_EVENT_BYTES)
        return false;
    event = (const Io__Cloudevents__V1__CloudEvent *)protobuf_c_message_unpack(
        &io__cloudevents__v1__cloud_event__descriptor, &allocator, size, packed);
    if (!event || !texts_valid(event))
        return false;
    *ret = (struct samverka_event){packed, size, event};
    return true;
}

/* The later of two with one name counts: the log puts its own behind the producer's bytes. */
static const Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue *
find(const struct samverka_event *event, const char *name)
{
    for (size_t i = event->event->n_attributes; i > 0; i--)
        if (strcmp(event->event->attributes[i - 1]->key, name) == 0)
            return event->event->attributes[i - 1]->value;
    return NULL;
}

const char *
samverka_event_attribute(const struct samverka_event *event, const char *name)
{
    return text_of(find(event, name));
}

uint64_t
smv_event_number(const struct samverka_event *event, const char *name)
{
    const char *text = samverka_event_attribute(event, name);
    const size_t size = text ? strspn(text, "0123456789") : 0;

    return size > 0 && size <= NUMBER_DIGITS_MOST && !text[size] ? strtoull(text, NULL, 10) : 0;
}

uint64_t
samverka_event_position(const struct samverka_event *event)
{
    return smv_event_number(event, "sequence");
}

const char *
samverka_event_id(const struct samverka_event *event)
{
    return event->event->id;
}

const char *
samverka_event_source(const struct samverka_event *event)
{
    return event->event->source;
}

const char *
samverka_event_type(const struct samverka_event *event)
{
    return event->event->type;
}

const char *
samverka_event_subject(const struct samverka_event *event)
{
    const char *subject = samverka_event_attribute(event, "subject");

    return subject ? subject : "";
}

int64_t
samverka_event_time_unix_ms(const struct samverka_event *event)
{
    const Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue *value =
        find(event, "time");
    const int64_t most_s = 253402300799; /* the year 9999 */

    if (!value || value->attr_case != VALUE(CE_TIMESTAMP) || !value->ce_timestamp ||
        value->ce_timestamp->seconds < 0 || value->ce_timestamp->seconds > most_s)
        return 0;
    return value->ce_timestamp->seconds * 1000 + value->ce_timestamp->nanos / 1000000;
}

const void *
samverka_event_data(const struct samverka_event *event, size_t *size)
{
    switch (event->event->data_case) {
    case CE(DATA_PROTO_DATA):
        *size = event->event->proto_data->value.len;
        return event->event->proto_data->value.data;
    case CE(DATA_BINARY_DATA):
        *size = event->event->binary_data.len;
        return event->event->binary_data.data;
    case CE(DATA_TEXT_DATA):
        *size = strlen(event->event->text_data);
        return event->event->text_data;
    default:
        *size = 0;
        return "";
    }
}

const char *
samverka_event_data_type(const struct samverka_event *event)
{
    return event->event->data_case == CE(DATA_PROTO_DATA) ? event->event->proto_data->type_url
                                                          : "";
}

const void *
samverka_event_packed(const struct samverka_event *event, size_t *size)
{
    *size = event->size;
    return event->packed;
}
