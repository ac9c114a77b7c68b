#include "tests/bench/events/event.h"

#include <string.h>

#include "io/cloudevents/v1/cloudevents.pb-c.h"

#define ID_BYTES 36
#define NUMBER_AT 20 /* in the id: behind the run and the publisher */
#define TYPE "org.samverka.bench.measured.v1"
#define DATA_FIELD 6
#define BATCH_EVENTS_FIELD 1
#define LENGTH_DELIMITED 2

typedef Io__Cloudevents__V1__CloudEvent Event;
typedef Io__Cloudevents__V1__CloudEvent__AttributesEntry Entry;
typedef Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue Value;

struct attributes {
    Entry entries[3];
    Value values[3];
    Entry *list[3];
    size_t count;
};

static void
add(struct attributes *attributes, const char *name, const char *text)
{
    Entry *entry = &attributes->entries[attributes->count];
    Value *value = &attributes->values[attributes->count];

    io__cloudevents__v1__cloud_event__attributes_entry__init(entry);
    io__cloudevents__v1__cloud_event__cloud_event_attribute_value__init(value);
    entry->key = name;
    entry->value = value;
    value->attr_case =
        IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_STRING;
    value->ce_string = text;
    attributes->list[attributes->count++] = entry;
}

/* Fills the event with data until it has its size. */
static void
pack(Event *event, uint8_t *into)
{
    static uint8_t data[BENCH_EVENT_BYTES];
    size_t size;

    event->data_case = IO__CLOUDEVENTS__V1__CLOUD_EVENT__DATA_BINARY_DATA;
    event->binary_data.data = data;
    do {
        event->binary_data.len++;
        size = protobuf_c_message_get_packed_size(&event->base);
    } while (size < BENCH_EVENT_BYTES);
    if (size != BENCH_EVENT_BYTES || event->binary_data.len < sizeof(uint64_t))
        bench_die("event", "does not come to its size");
    (void)protobuf_c_message_pack(&event->base, into);
}

void
event_make(const struct bench_publisher *publisher, bool with_tenant, struct event *ret)
{
    struct attributes attributes = {.count = 0};
    Event event = IO__CLOUDEVENTS__V1__CLOUD_EVENT__INIT;
    char id[ID_BYTES + 1];
    const uint8_t *found;

    (void)snprintf(id, sizeof id, "%016llx-%03x%016x", (unsigned long long)publisher->load->run,
                   publisher->number, 0u);
    (void)snprintf(ret->source, sizeof ret->source, "/bench/%llx/%u",
                   (unsigned long long)publisher->load->run, publisher->number);
    event.id = id;
    event.source = ret->source;
    event.spec_version = "1.0";
    event.type = TYPE;
    event.attributes = attributes.list;
    if (with_tenant) {
        add(&attributes, "tenantid", EVENT_TENANT);
        add(&attributes, "audience", EVENT_TENANT);
    } else {
        add(&attributes, "subject", "0193a000-0000-7000-8000-000000000001");
    }
    event.n_attributes = attributes.count;
    pack(&event, ret->bytes);
    found = memmem(ret->bytes, sizeof ret->bytes, id, ID_BYTES);
    ret->id_at = (size_t)(found - ret->bytes);
    ret->due_at = BENCH_EVENT_BYTES - event.binary_data.len; /* the data comes last */
}

/* Bytes that nothing can make shorter; xorshift64* (Vigna, 2016). */
static void
fill_at_random(uint8_t *into, size_t size, uint64_t seed)
{
    uint64_t state = seed * 0x9e3779b97f4a7c15 | 1;

    for (size_t at = 0; at < size; at += sizeof state) {
        uint64_t word;

        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        word = state * 0x2545f4914f6cdd1d;
        memcpy(into + at, &word, size - at < sizeof word ? size - at : sizeof word);
    }
}

void
event_stamp(struct event *event, uint64_t number, uint64_t due_ns)
{
    static const char digits[] = "0123456789abcdef";
    const size_t data_at = event->due_at + sizeof due_ns;
    uint8_t *id = event->bytes + event->id_at + NUMBER_AT;

    for (unsigned i = 0; i < 16; i++)
        id[i] = (uint8_t)digits[number >> (60 - 4 * i) & 15];
    memcpy(event->bytes + event->due_at, &due_ns, sizeof due_ns);
    fill_at_random(event->bytes + data_at, sizeof event->bytes - data_at, number ^ due_ns);
}

void
event_put(const struct event *event, uint8_t *into)
{
    into[0] = BATCH_EVENTS_FIELD << 3 | LENGTH_DELIMITED;
    into[1] = (uint8_t)(BENCH_EVENT_BYTES & 0x7f) | 0x80;
    into[2] = BENCH_EVENT_BYTES >> 7;
    memcpy(into + EVENT_FRAME_BYTES, event->bytes, BENCH_EVENT_BYTES);
}

static uint64_t
read_varint(struct bytes *rest)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && rest->size; shift += 7) {
        const uint8_t byte = *rest->data++;

        rest->size--;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    bench_die("event", "a broken number");
}

/* The next field, which must be text, bytes or a message, as all of an event's are. */
static uint64_t
read_field(struct bytes *rest, struct bytes *ret)
{
    const uint64_t tag = read_varint(rest);
    const uint64_t size = read_varint(rest);

    if ((tag & 7) != LENGTH_DELIMITED || size > rest->size)
        bench_die("event", "a broken field");
    *ret = (struct bytes){rest->data, (size_t)size};
    rest->data += size;
    rest->size -= (size_t)size;
    return tag >> 3;
}

bool
event_next(struct bytes *batch, struct bytes *ret)
{
    if (!batch->size)
        return false;
    if (read_field(batch, ret) != BATCH_EVENTS_FIELD)
        bench_die("batch", "holds something else than events");
    return true;
}

uint64_t
event_due(struct bytes event)
{
    struct bytes value;
    uint64_t due_ns;

    while (event.size) {
        if (read_field(&event, &value) != DATA_FIELD)
            continue;
        if (value.size < sizeof due_ns)
            bench_die("event", "carries no time");
        memcpy(&due_ns, value.data, sizeof due_ns);
        return due_ns;
    }
    bench_die("event", "has no data");
}
