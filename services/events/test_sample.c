#include "services/events/test_sample.h"

#include <string.h>

#include "io/cloudevents/v1/cloudevents.pb-c.h"

typedef Io__Cloudevents__V1__CloudEvent Event;
typedef Io__Cloudevents__V1__CloudEvent__AttributesEntry Entry;
typedef Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue Value;

static void
add(struct arena *arena, Event *event, const char *name, const char *text)
{
    Entry *entry = ARENA_NEW(arena, Entry);
    Value *value = ARENA_NEW(arena, Value);

    if (!text)
        return;
    io__cloudevents__v1__cloud_event__attributes_entry__init(entry);
    io__cloudevents__v1__cloud_event__cloud_event_attribute_value__init(value);
    entry->key = name;
    entry->value = value;
    value->attr_case =
        IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_STRING;
    value->ce_string = text;
    event->attributes[event->n_attributes++] = entry;
}

static struct bytes
pack(struct arena *arena, const ProtobufCMessage *message)
{
    const size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *data = arena_alloc(arena, size + 1);

    return (struct bytes){data, protobuf_c_message_pack(message, data)};
}

struct bytes
sample_pack(struct arena *arena, struct sample sample)
{
    Event event = IO__CLOUDEVENTS__V1__CLOUD_EVENT__INIT;
    Entry *attributes[8];

    event.attributes = attributes;
    event.id = sample.id ? sample.id : "0193a000-0000-7000-8000-00000000aaaa";
    event.source = sample.source ? sample.source : "/samverka/tenants/x";
    event.spec_version = sample.version ? sample.version : "1.0";
    event.type = sample.type ? sample.type : SAMPLE_TYPE;
    add(arena, &event, "tenantid", sample.tenant_id);
    add(arena, &event, "audience", sample.audience);
    add(arena, &event, "subject", sample.subject);
    add(arena, &event, sample.extra_name, sample.extra_text);
    event.data_case = IO__CLOUDEVENTS__V1__CLOUD_EVENT__DATA_BINARY_DATA;
    event.binary_data.len = sample.data_bytes;
    event.binary_data.data = arena_alloc(arena, sample.data_bytes + 1);
    return pack(arena, &event.base);
}

struct bytes
sample_batch(struct arena *arena, const struct bytes *events, size_t count)
{
    size_t room = 0, size = 0;
    uint8_t *data;

    for (size_t i = 0; i < count; i++)
        room += events[i].size + PACKED_FRAME_BYTES;
    data = arena_alloc(arena, room + 1);
    for (size_t i = 0; i < count; i++) {
        size += packed_put_frame(data + size, events[i].size);
        memcpy(data + size, events[i].data, events[i].size);
        size += events[i].size;
    }
    return (struct bytes){data, size};
}

const char *
sample_attribute(struct arena *arena, struct bytes event, const char *name)
{
    ProtobufCMessage *message;
    const Event *unpacked;

    assert_ok(
        wire_unpack(&io__cloudevents__v1__cloud_event__descriptor, event, arena, &message));
    unpacked = (const Event *)message;
    for (size_t i = 0; i < unpacked->n_attributes; i++)
        if (strcmp(unpacked->attributes[i]->key, name) == 0)
            return unpacked->attributes[i]->value->ce_string;
    return "";
}
