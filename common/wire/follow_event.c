/* What a follower reads from an event, and how a batch becomes events. */

#include <errno.h>
#include <string.h>

#include "common/wire/follow.h"
#include "common/wire/follow_frame.h"

#define TAG_EVENT ((1u << 3) | 2u) /* CloudEventBatch.events: field 1, length-delimited */
#define VARINT_BYTES_MAX 5         /* of a length below 2^32 */

/* The later of two attributes with one name counts: the sequencer appends to the stored bytes.
 */
const char *
event_attribute(const Io__Cloudevents__V1__CloudEvent *event, const char *name)
{
    for (size_t i = event->n_attributes; i > 0; i--) {
        const Io__Cloudevents__V1__CloudEvent__AttributesEntry *entry =
            event->attributes[i - 1];
        const Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue *value = entry->value;

        if (strcmp(entry->key, name) != 0 || !value)
            continue;
        switch (value->attr_case) {
        case IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_STRING:
            return value->ce_string;
        case IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_URI:
            return value->ce_uri;
        case IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_URI_REF:
            return value->ce_uri_ref;
        default:
            return NULL;
        }
    }
    return NULL;
}

uint64_t
event_position(const Io__Cloudevents__V1__CloudEvent *event)
{
    const char *text = event_attribute(event, "sequence");
    unsigned long long position;
    char *end;

    if (!text || *text < '0' || *text > '9')
        return 0;
    errno = 0;
    position = strtoull(text, &end, 10);
    return errno || *end ? 0 : position;
}

struct status
event_data(const Io__Cloudevents__V1__CloudEvent *event,
           const ProtobufCMessageDescriptor *descriptor, struct arena *arena,
           ProtobufCMessage **ret)
{
    const Google__Protobuf__Any *any = event->proto_data;
    const char *slash;

    if (event->data_case != IO__CLOUDEVENTS__V1__CLOUD_EVENT__DATA_PROTO_DATA || !any)
        return FAIL_FIELD(arena, "proto_data", "the event carries no protobuf message");
    slash = strrchr(any->type_url, '/');
    if (strcmp(slash ? slash + 1 : any->type_url, descriptor->name) != 0)
        return FAIL_FIELD(arena, "proto_data.type_url", "%s is not %s", any->type_url,
                          descriptor->name);
    return wire_unpack(descriptor, (struct bytes){any->value.data, any->value.len}, arena, ret);
}

/* The bytes of the next event; false when they are not whole. */
static bool
next_event(struct bytes *rest, struct bytes *ret)
{
    uint64_t length = 0;
    size_t at = 1;

    if (rest->data[0] != TAG_EVENT)
        return false;
    for (unsigned shift = 0;; shift += 7, at++) {
        if (at > VARINT_BYTES_MAX || at >= rest->size)
            return false;
        length |= (uint64_t)(rest->data[at] & 0x7f) << shift;
        if (!(rest->data[at] & 0x80))
            break;
    }
    at++;
    if (length > rest->size - at)
        return false;
    *ret = (struct bytes){rest->data + at, (size_t)length};
    rest->data += at + length;
    rest->size -= at + length;
    return true;
}

/* Event by event, so that the guard's limits hold for each and not for the batch. */
struct status
follow_unpack_batch(struct bytes packed, uint32_t count, struct arena *arena,
                    const Io__Cloudevents__V1__CloudEventBatch **ret)
{
    Io__Cloudevents__V1__CloudEventBatch *batch =
        ARENA_NEW(arena, Io__Cloudevents__V1__CloudEventBatch);
    Io__Cloudevents__V1__CloudEvent **events =
        ARENA_ARRAY(arena, Io__Cloudevents__V1__CloudEvent *, (size_t)count + 1);
    struct bytes rest = packed;

    TRY(need(batch));
    TRY(need(events));
    io__cloudevents__v1__cloud_event_batch__init(batch);
    batch->events = events;
    while (rest.size > 0) {
        ProtobufCMessage *event;
        struct bytes bytes;

        if (batch->n_events == count || !next_event(&rest, &bytes))
            return FAIL(arena, INVALID_ARGUMENT, "a batch is not what its head says");
        TRY(wire_unpack(&io__cloudevents__v1__cloud_event__descriptor, bytes, arena, &event));
        events[batch->n_events++] = (Io__Cloudevents__V1__CloudEvent *)event;
    }
    if (batch->n_events != count)
        return FAIL(arena, INVALID_ARGUMENT, "a batch has fewer events than its head says");
    *ret = batch;
    return OK;
}

struct status
event_batch_unpack(struct bytes packed, uint32_t limit, struct arena *arena,
                   const Io__Cloudevents__V1__CloudEventBatch **ret)
{
    struct bytes rest = packed, event;
    uint32_t count = 0;

    while (rest.size > 0 && next_event(&rest, &event))
        count++;
    if (count > limit)
        return FAIL(arena, RESOURCE_EXHAUSTED, "a batch of %u events; at most %u", count,
                    limit);
    return follow_unpack_batch(packed, count, arena, ret);
}
