#include "services/events/packed.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "io/cloudevents/v1/cloudevents.pb-c.h"

enum { VARINT = 0, FIXED64 = 1, LENGTH = 2, FIXED32 = 5 };

/* Field numbers of io.cloudevents.v1. */
enum {
    EVENT_ID = 1,
    EVENT_SOURCE,
    EVENT_VERSION,
    EVENT_TYPE,
    EVENT_ATTRIBUTES,
    EVENT_BINARY,
    EVENT_TEXT,
    EVENT_PROTO
};
enum { ENTRY_KEY = 1, ENTRY_VALUE };
enum { VALUE_STRING = 3, VALUE_URI = 5, VALUE_URI_REF = 6 };
enum { BATCH_EVENTS = 1 };

#define ATTRIBUTES_MAX 64
#define UUID_TEXT 36

/* One field; `value` is set for fields with a length. */
struct field {
    uint64_t number;
    unsigned wire;
    struct bytes value;
};

struct attribute {
    struct bytes key, text; /* text.data NULL: no value, or of another kind */
};

static void
skip(struct bytes *rest, size_t size)
{
    rest->data += size;
    rest->size -= size;
}

static bool
take_varint(struct bytes *rest, uint64_t *ret)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 10 && i < rest->size; i++) {
        const uint8_t byte = rest->data[i];

        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            skip(rest, i + 1);
            *ret = value;
            return true;
        }
    }
    return false;
}

static bool
take_field(struct bytes *rest, struct field *ret)
{
    uint64_t tag;
    uint64_t size = 0;

    if (!take_varint(rest, &tag) || tag > UINT32_MAX || tag >> 3 == 0)
        return false;
    *ret = (struct field){.number = tag >> 3, .wire = (unsigned)(tag & 7)};
    switch (ret->wire) {
    case VARINT:
        return take_varint(rest, &size);
    case FIXED64:
        size = 8;
        break;
    case FIXED32:
        size = 4;
        break;
    case LENGTH:
        if (!take_varint(rest, &size))
            return false;
        break;
    default:
        return false;
    }
    if (size > rest->size)
        return false;
    ret->value = (struct bytes){rest->data, (size_t)size};
    skip(rest, (size_t)size);
    return true;
}

static struct status
scan_value(struct bytes value, struct arena *arena, struct bytes *ret)
{
    bool seen = false;
    struct bytes text = {0};

    while (value.size) {
        struct field field;

        if (!take_field(&value, &field))
            return FAIL_FIELD(arena, "attributes", "broken value");
        if (field.number > 7)
            continue; /* of a later version of the format */
        if (seen)
            return FAIL_FIELD(arena, "attributes", "an attribute has two values");
        seen = true;
        if (field.number == VALUE_STRING || field.number == VALUE_URI ||
            field.number == VALUE_URI_REF)
            text = field.value;
    }
    *ret = text;
    return OK;
}

static struct status
scan_entry(struct bytes entry, struct arena *arena, struct attribute *ret)
{
    struct attribute attribute = {0};
    bool has_value = false;

    while (entry.size) {
        struct field field;

        if (!take_field(&entry, &field))
            return FAIL_FIELD(arena, "attributes", "broken entry");
        if (field.number == ENTRY_KEY) {
            if (attribute.key.data)
                return FAIL_FIELD(arena, "attributes", "an attribute has two names");
            attribute.key = field.value;
        } else if (field.number == ENTRY_VALUE) {
            if (has_value)
                return FAIL_FIELD(arena, "attributes", "an attribute has two values");
            has_value = true;
            TRY(scan_value(field.value, arena, &attribute.text));
        }
    }
    if (!attribute.key.size)
        return FAIL_FIELD(arena, "attributes", "an attribute without a name");
    *ret = attribute;
    return OK;
}

/* What is being gathered while an event is walked. */
struct scan {
    struct packed_event event;
    struct bytes version;
    struct bytes keys[ATTRIBUTES_MAX];
    size_t key_count;
    bool has_data;
    struct arena *arena;
};

/* Where the log keeps an attribute that it uses; NULL: it does not.  A number is only noted. */
static struct bytes *
find_used(struct packed_event *event, struct bytes key)
{
    switch (key.size) {
    case 4:
        return bytes_are(key, "nuts")   ? &event->nuts
               : bytes_are(key, "esco") ? &event->concepts
                                        : NULL;
    case 7:
        return bytes_are(key, "subject") ? &event->subject : NULL;
    case 8:
        event->numbered = event->numbered || bytes_are(key, "sequence");
        return bytes_are(key, "tenantid")   ? &event->tenant_id
               : bytes_are(key, "audience") ? &event->audience
                                            : NULL;
    case 9:
        return bytes_are(key, "programme") ? &event->programme : NULL;
    case 12:
        return bytes_are(key, "partitionkey") ? &event->partition_key : NULL;
    case 14:
        event->numbered = event->numbered || bytes_are(key, "tenantsequence") ||
                          bytes_are(key, "originsequence");
        return NULL;
    default:
        return NULL;
    }
}

static struct status
scan_attribute(struct scan *scan, struct bytes entry)
{
    struct attribute attribute;
    struct bytes *into;

    TRY(scan_entry(entry, scan->arena, &attribute));
    for (size_t i = 0; i < scan->key_count; i++)
        if (bytes_equal(scan->keys[i], attribute.key))
            return FAIL_FIELD(scan->arena, "attributes", "attribute %.*s is given twice",
                              (int)(attribute.key.size < 64 ? attribute.key.size : 64),
                              (const char *)attribute.key.data);
    if (scan->key_count == ATTRIBUTES_MAX)
        return FAIL_FIELD(scan->arena, "attributes", "more than %d attributes", ATTRIBUTES_MAX);
    scan->keys[scan->key_count++] = attribute.key;
    into = find_used(&scan->event, attribute.key);
    if (!into)
        return OK;
    if (!attribute.text.data)
        return FAIL_FIELD(scan->arena,
                          arena_printf(scan->arena, "attributes.%.*s", (int)attribute.key.size,
                                       (const char *)attribute.key.data),
                          "is not a text");
    *into = attribute.text;
    return OK;
}

static struct status
set_once(struct bytes *into, struct bytes value, const char *name, struct arena *arena)
{
    if (into->data)
        return FAIL_FIELD(arena, name, "is given twice");
    *into = value;
    return OK;
}

static struct status
scan_field(struct scan *scan, const struct field *field)
{
    if (field->number >= EVENT_ID && field->number <= EVENT_PROTO && field->wire != LENGTH)
        return FAIL_FIELD(scan->arena, "event", "field %" PRIu64 " has the wrong wire type",
                          field->number);
    switch (field->number) {
    case EVENT_ID:
        return set_once(&scan->event.id, field->value, "id", scan->arena);
    case EVENT_SOURCE:
        return set_once(&scan->event.source, field->value, "source", scan->arena);
    case EVENT_VERSION:
        return set_once(&scan->version, field->value, "spec_version", scan->arena);
    case EVENT_TYPE:
        return set_once(&scan->event.type, field->value, "type", scan->arena);
    case EVENT_ATTRIBUTES:
        return scan_attribute(scan, field->value);
    case EVENT_BINARY:
    case EVENT_TEXT:
    case EVENT_PROTO:
        if (scan->has_data)
            return FAIL_FIELD(scan->arena, "data", "is given twice");
        scan->has_data = true;
        return OK;
    default:
        return OK; /* unknown fields are kept */
    }
}

static struct status
check_text(struct bytes text, bool required, const char *name, struct arena *arena)
{
    if (required && !text.size)
        return FAIL_FIELD(arena, name, "is missing");
    if (text.size > PACKED_TEXT_BYTES)
        return FAIL_FIELD(arena, name, "is longer than %d bytes", PACKED_TEXT_BYTES);
    return OK;
}

struct status
packed_scan(struct bytes event, struct arena *arena, struct packed_event *ret)
{
    struct scan scan = {.arena = arena};

    while (event.size) {
        struct field field;

        if (!take_field(&event, &field))
            return FAIL_FIELD(arena, "event", "broken bytes");
        TRY(scan_field(&scan, &field));
    }
    TRY(check_text(scan.event.id, true, "id", arena));
    TRY(check_text(scan.event.source, true, "source", arena));
    TRY(check_text(scan.event.type, true, "type", arena));
    TRY(check_text(scan.event.subject, false, "attributes.subject", arena));
    TRY(check_text(scan.event.partition_key, false, "attributes.partitionkey", arena));
    if (!bytes_are(scan.version, "1.0"))
        return FAIL_FIELD(arena, "spec_version", "must be 1.0");
    *ret = scan.event;
    return OK;
}

static struct status
check_common(struct bytes event, struct arena *arena, struct packed_event *ret)
{
    struct packed_event parts;

    if (event.size > PACKED_EVENT_BYTES)
        return FAIL(arena, TOO_LARGE, "an event has at most %zu bytes", PACKED_EVENT_BYTES);
    TRY(wire_check(&io__cloudevents__v1__cloud_event__descriptor, event, arena));
    TRY(packed_scan(event, arena, &parts));
    if (parts.numbered)
        return FAIL_FIELD(arena, "attributes.sequence", "is the log's to give");
    *ret = parts;
    return OK;
}

struct status
packed_check_outbox(struct bytes event, const char *tenant_id, bool internal,
                    struct arena *arena, struct packed_event *ret)
{
    struct packed_event parts;

    TRY(check_common(event, arena, &parts));
    if (!bytes_are(parts.tenant_id, tenant_id))
        return FAIL_FIELD(arena, "attributes.tenantid", "is not the writer's tenant");
    if (bytes_are(parts.audience, "internal") != internal)
        return FAIL_FIELD(arena, "attributes.audience", "is not what the row says");
    *ret = parts;
    return OK;
}

struct status
packed_check_append(struct bytes event, const char *source, struct arena *arena,
                    struct packed_event *ret)
{
    struct packed_event parts;

    TRY(check_common(event, arena, &parts));
    if (parts.tenant_id.data)
        return FAIL_FIELD(arena, "attributes.tenantid", "is the log's to give");
    if (parts.audience.data)
        return FAIL_FIELD(arena, "attributes.audience", "is the log's to give");
    if (!bytes_begin(parts.source, source))
        return FAIL_FIELD(arena, "source", "must begin with the batch's source");
    *ret = parts;
    return OK;
}

bool
packed_next(struct bytes *rest, struct bytes *ret_event, bool *ret_broken)
{
    while (rest->size) {
        struct field field;

        if (!take_field(rest, &field) ||
            (field.number == BATCH_EVENTS && field.wire != LENGTH)) {
            *ret_broken = true;
            return false;
        }
        if (field.number == BATCH_EVENTS) {
            *ret_event = field.value;
            return true;
        }
    }
    *ret_broken = false;
    return false;
}

bool
packed_appended(struct bytes framed, struct bytes *ret)
{
    static const char tenant[] = "tenantid";
    const size_t behind =
        PACKED_TENANT_BYTES + PACKED_SEQUENCE_BYTES + PACKED_TENANT_SEQUENCE_BYTES;
    struct bytes event;
    bool broken;

    if (!packed_next(&framed, &event, &broken) || event.size <= behind)
        return false;
    /* Before the key stand the tags and lengths of the entry and of the key. */
    if (memcmp(event.data + event.size - behind + 4, tenant, strlen(tenant)) != 0)
        return false;
    *ret = (struct bytes){event.data, event.size - behind};
    return true;
}

bool
packed_next_field(struct bytes *rest, struct packed_field *ret)
{
    const uint8_t *start = rest->data;
    struct attribute attribute = {0};
    struct field field;

    if (!rest->size || !take_field(rest, &field))
        return false;
    if (field.number == EVENT_ATTRIBUTES && failed(scan_entry(field.value, NULL, &attribute)))
        return false; /* not in what has been scanned */
    *ret = (struct packed_field){.whole = {start, (size_t)(rest->data - start)},
                                 .name = attribute.key,
                                 .text = attribute.text};
    return true;
}

static size_t
put_varint(uint8_t *into, uint64_t value)
{
    size_t size = 0;

    for (; value >= 0x80; value >>= 7)
        into[size++] = (uint8_t)(value | 0x80);
    into[size++] = (uint8_t)value;
    return size;
}

static size_t
put_field(uint8_t *into, unsigned number, const void *bytes, size_t size)
{
    size_t used = put_varint(into, (uint64_t)number << 3 | LENGTH);

    used += put_varint(into + used, size);
    memcpy(into + used, bytes, size);
    return used + size;
}

/* Names and values here are short, so every length takes one byte. */
static size_t
put_attribute(uint8_t *into, const char *key, const char *text)
{
    uint8_t value[64], entry[96];
    const size_t value_size = put_field(value, VALUE_STRING, text, strlen(text));
    size_t entry_size = put_field(entry, ENTRY_KEY, key, strlen(key));

    entry_size += put_field(entry + entry_size, ENTRY_VALUE, value, value_size);
    return put_field(into, EVENT_ATTRIBUTES, entry, entry_size);
}

/* 19 digits with leading zeros: sorts as text as it does as a number. */
static void
digits(uint64_t number, char ret[20])
{
    for (size_t i = 19; i-- > 0; number /= 10)
        ret[i] = (char)('0' + number % 10);
    ret[19] = '\0'; /* a position is below 2^63, which has 19 digits */
}

size_t
packed_put_frame(uint8_t *into, size_t event_size)
{
    const size_t size = put_varint(into, BATCH_EVENTS << 3 | LENGTH);

    return size + put_varint(into + size, event_size);
}

size_t
packed_put_sequence(uint8_t *into, uint64_t position)
{
    char text[20];

    digits(position, text);
    return put_attribute(into, "sequence", text);
}

size_t
packed_put_tenant_sequence(uint8_t *into, uint64_t number)
{
    char text[20];

    digits(number, text);
    return put_attribute(into, "tenantsequence", text);
}

size_t
packed_put_origin(uint8_t *into, uint64_t position)
{
    char text[21];

    digits(position, text);
    return put_attribute(into, "originsequence", text);
}

size_t
packed_put_tenant(uint8_t *into, const char *tenant_id)
{
    char text[UUID_TEXT + 1];

    (void)snprintf(text, sizeof text, "%s",
                   tenant_id); /* longer ones do not exist: uuid_valid */
    return put_attribute(into, "tenantid", text);
}

void
packed_hash(struct bytes data, uint8_t ret[PACKED_HASH_BYTES])
{
    (void)crypto_generichash(ret, PACKED_HASH_BYTES, data.data, data.size, NULL, 0);
}

void
packed_chain_start(const char *tenant_id, uint8_t ret[PACKED_HASH_BYTES])
{
    packed_hash((struct bytes){(const uint8_t *)tenant_id, strlen(tenant_id)}, ret);
}

void
packed_chain_extend(uint8_t chain[PACKED_HASH_BYTES], struct bytes event)
{
    crypto_generichash_state state;

    /* These fail only for sizes that are out of range. */
    (void)crypto_generichash_init(&state, NULL, 0, PACKED_HASH_BYTES);
    (void)crypto_generichash_update(&state, chain, PACKED_HASH_BYTES);
    (void)crypto_generichash_update(&state, event.data, event.size);
    (void)crypto_generichash_final(&state, chain, PACKED_HASH_BYTES);
}
