#include "clients/c/batch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "clients/c/error.h"
#include "clients/c/pool.h"
#include "io/cloudevents/v1/cloudevents.pb-c.h"

#define CE(name) IO__CLOUDEVENTS__V1__CLOUD_EVENT__##name
#define VALUE(name) CE(CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_##name)

#define EVENT_BYTES ((size_t)16 << 10) /* the log takes no larger one */
#define TEXT_BYTES 512                 /* nor a longer id, type or attribute */
#define ATTRIBUTES_MOST 32
#define MAKING_BYTES ((size_t)64 << 10)
#define FRAME_BYTES 4 /* tag and length of an event */

typedef Io__Cloudevents__V1__CloudEvent__AttributesEntry Entry;
typedef Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue Value;

void
samverka_new_id(char id[37])
{
    struct timespec now;
    uint8_t raw[16];
    uint64_t ms;

    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail with this clock */
    ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    randombytes_buf(raw, sizeof raw);
    for (size_t i = 0; i < 6; i++)
        raw[i] = (uint8_t)(ms >> (40 - 8 * i));
    raw[6] = (uint8_t)(0x70 | (raw[6] & 0x0f));
    raw[8] = (uint8_t)(0x80 | (raw[8] & 0x3f));
    for (size_t i = 0, at = 0; i < sizeof raw; i++) {
        static const char digits[] = "0123456789abcdef";

        if (i == 4 || i == 6 || i == 8 || i == 10)
            id[at++] = '-';
        id[at++] = digits[raw[i] >> 4];
        id[at++] = digits[raw[i] & 15];
    }
    id[36] = '\0';
}

static enum samverka_code
check_text(const char *name, const char *text, struct samverka_error *error)
{
    if (!text || !*text || strnlen(text, TEXT_BYTES + 1) > TEXT_BYTES || !smv_utf8(text))
        return smv_fail(error, SAMVERKA_INVALID, "%.40s: must have 1 to %d bytes of UTF-8",
                        name, TEXT_BYTES);
    return SAMVERKA_OK;
}

/* CloudEvents: small letters and digits. */
static bool
name_valid(const char *name)
{
    const size_t size = strnlen(name, 41);

    return size >= 1 && size <= 40 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == size;
}

static Entry *
add_entry(struct smv_pool *pool, Io__Cloudevents__V1__CloudEvent *event, const char *name)
{
    Entry *entry = smv_pool_alloc(pool, sizeof *entry);
    Value *value = smv_pool_alloc(pool, sizeof *value);
    char *key = smv_pool_copy(pool, name);

    if (!entry || !value || !key)
        return NULL;
    io__cloudevents__v1__cloud_event__attributes_entry__init(entry);
    io__cloudevents__v1__cloud_event__cloud_event_attribute_value__init(value);
    entry->key = key;
    entry->value = value;
    event->attributes[event->n_attributes++] = entry;
    return entry;
}

static enum samverka_code
add_text(struct smv_pool *pool, Io__Cloudevents__V1__CloudEvent *event, const char *name,
         const char *text, struct samverka_error *error)
{
    const enum samverka_code code = check_text(name, text, error);
    Entry *entry;

    if (code != SAMVERKA_OK)
        return code;
    if (!name_valid(name))
        return smv_fail(error, SAMVERKA_INVALID, "attribute %.40s: small letters and digits",
                        name);
    for (size_t i = 0; i < event->n_attributes; i++)
        if (strcmp(event->attributes[i]->key, name) == 0)
            return smv_fail(error, SAMVERKA_INVALID, "attribute %s is given twice", name);
    if (event->n_attributes == ATTRIBUTES_MOST)
        return smv_fail(error, SAMVERKA_INVALID, "at most %d attributes", ATTRIBUTES_MOST);
    if (!(entry = add_entry(pool, event, name)) ||
        !(entry->value->ce_string = smv_pool_copy(pool, text)))
        return smv_no_memory(error);
    entry->value->attr_case = VALUE(CE_STRING);
    return SAMVERKA_OK;
}

static enum samverka_code
add_time(struct smv_pool *pool, Io__Cloudevents__V1__CloudEvent *event, int64_t unix_ms,
         struct samverka_error *error)
{
    Google__Protobuf__Timestamp *time = smv_pool_alloc(pool, sizeof *time);
    Entry *entry = add_entry(pool, event, "time");

    if (!time || !entry)
        return smv_no_memory(error);
    if (unix_ms < 0)
        return smv_fail(error, SAMVERKA_INVALID, "time_unix_ms: must not be negative");
    google__protobuf__timestamp__init(time);
    time->seconds = unix_ms / 1000;
    time->nanos = (int32_t)(unix_ms % 1000) * 1000000;
    entry->value->attr_case = VALUE(CE_TIMESTAMP);
    entry->value->ce_timestamp = time;
    return SAMVERKA_OK;
}

static enum samverka_code
add_attributes(struct smv_pool *pool, Io__Cloudevents__V1__CloudEvent *event,
               const struct samverka_new_event *from, struct samverka_error *error)
{
    enum samverka_code code = SAMVERKA_OK;

    event->attributes = smv_pool_alloc(pool, (ATTRIBUTES_MOST + 1) * sizeof(Entry *));
    if (!event->attributes)
        return smv_no_memory(error);
    if (from->time_unix_ms)
        code = add_time(pool, event, from->time_unix_ms, error);
    if (code == SAMVERKA_OK && from->subject)
        code = add_text(pool, event, "subject", from->subject, error);
    for (const char *const *pair = from->attributes; code == SAMVERKA_OK && pair && *pair;
         pair += 2)
        code = add_text(pool, event, pair[0], pair[1], error);
    return code;
}

static enum samverka_code
set_data(struct smv_pool *pool, Io__Cloudevents__V1__CloudEvent *event,
         const struct samverka_new_event *from, struct samverka_error *error)
{
    const ProtobufCBinaryData data = {from->data_size, smv_pool_alloc(pool, from->data_size)};

    if (!data.data)
        return smv_fail(error, SAMVERKA_INVALID, "data: an event has at most %zu bytes",
                        EVENT_BYTES);
    if (from->data_size)
        memcpy(data.data, from->data, from->data_size);
    if (!from->data_type) {
        event->data_case = CE(DATA_BINARY_DATA);
        event->binary_data = data;
        return SAMVERKA_OK;
    }
    const enum samverka_code code = check_text("data_type", from->data_type, error);

    if (code != SAMVERKA_OK)
        return code;
    event->data_case = CE(DATA_PROTO_DATA);
    if (!(event->proto_data = smv_pool_alloc(pool, sizeof *event->proto_data)))
        return smv_no_memory(error);
    google__protobuf__any__init(event->proto_data);
    event->proto_data->value = data;
    return (event->proto_data->type_url = smv_pool_copy(pool, from->data_type))
               ? SAMVERKA_OK
               : smv_no_memory(error);
}

static enum samverka_code
make(struct smv_pool *pool, const char *source, const struct samverka_new_event *from,
     Io__Cloudevents__V1__CloudEvent *event, struct samverka_error *error)
{
    enum samverka_code code;

    if ((code = check_text("id", from->id, error)) != SAMVERKA_OK ||
        (code = check_text("type", from->type, error)) != SAMVERKA_OK)
        return code;
    io__cloudevents__v1__cloud_event__init(event);
    event->id = smv_pool_copy(pool, from->id);
    event->source = smv_pool_copy(pool, source);
    event->type = smv_pool_copy(pool, from->type);
    event->spec_version = smv_pool_copy(pool, "1.0");
    if (!event->id || !event->source || !event->type || !event->spec_version)
        return smv_no_memory(error);
    if ((code = add_attributes(pool, event, from, error)) != SAMVERKA_OK)
        return code;
    return set_data(pool, event, from, error);
}

static enum samverka_code
put(struct smv_batch *batch, const Io__Cloudevents__V1__CloudEvent *event,
    struct samverka_error *error)
{
    size_t size = protobuf_c_message_get_packed_size(&event->base);
    const size_t event_size = size;

    if (size > EVENT_BYTES)
        return smv_fail(error, SAMVERKA_INVALID, "the event has %zu bytes, at most %zu", size,
                        EVENT_BYTES);
    if (batch->count == SMV_BATCH_EVENTS || batch->size + size + FRAME_BYTES > SMV_BATCH_BYTES)
        return smv_fail(error, SAMVERKA_FULL, "the batch takes no more: send it");
    if (batch->size + size + FRAME_BYTES > batch->room) {
        const size_t room = 2 * (batch->room + size + FRAME_BYTES);
        uint8_t *data = realloc(batch->data, room);

        if (!data)
            return smv_no_memory(error);
        batch->data = data;
        batch->room = room;
    }
    batch->data[batch->size++] = 0x0a; /* CloudEventBatch.events */
    for (; size >= 0x80; size >>= 7)
        batch->data[batch->size++] = (uint8_t)(size | 0x80);
    batch->data[batch->size++] = (uint8_t)size;
    (void)protobuf_c_message_pack(&event->base, batch->data + batch->size);
    batch->size += event_size;
    batch->count++;
    return SAMVERKA_OK;
}

enum samverka_code
smv_batch_add(struct smv_batch *batch, const char *source,
              const struct samverka_new_event *event, struct samverka_error *error)
{
    Io__Cloudevents__V1__CloudEvent made;
    enum samverka_code code;
    struct smv_pool pool;

    smv_pool_init(&pool, MAKING_BYTES);
    code = make(&pool, source, event, &made, error);
    if (code == SAMVERKA_OK)
        code = put(batch, &made, error);
    smv_pool_fini(&pool);
    return code;
}

void
smv_batch_clear(struct smv_batch *batch)
{
    free(batch->data);
    *batch = (struct smv_batch){0};
}
