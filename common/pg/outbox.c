#include "common/pg/outbox.h"

#include <stdio.h>
#include <string.h>

#include "common/base/uuid.h"
#include "common/pg/pg_link.h"
#include "common/pg/pg_sql.h"
#include "common/wire/contract.h"
#include "io/cloudevents/v1/cloudevents.pb-c.h"

#define EVENT_MAX_BYTES (16 << 10)
#define ATTRIBUTES_MAX 16
#define ROOT_MAX 256
#define TYPE_URL "type.googleapis.com/"
#define SCHEMA_URN "urn:samverka:proto:" /* where nobody knows our address */

typedef Io__Cloudevents__V1__CloudEvent Event;
typedef Io__Cloudevents__V1__CloudEvent__AttributesEntry Entry;
typedef Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue Value;

/* Attributes as protobuf-c wants a map: an array of pointers. */
struct attributes {
    Entry entries[ATTRIBUTES_MAX];
    Value values[ATTRIBUTES_MAX];
    Entry *list[ATTRIBUTES_MAX];
    size_t count;
};

static char source_root[ROOT_MAX] = "/samverka";

const struct pg_statement *const outbox_statements[] = {&SQL_OUTBOX_PUT, NULL};

void
outbox_set_source(const char *root)
{
    size_t size = strlen(root);

    while (size > 0 && root[size - 1] == '/')
        size--;
    (void)snprintf(source_root, sizeof source_root, "%.*s", (int)size, root);
}

/* CloudEvents wants an absolute URI: the gateway serves it below the root, if that is one. */
static struct status
schema_of(struct arena *arena, const struct contract_event *contract, const char **ret)
{
    if (strncmp(source_root, "https://", 8) == 0 || strncmp(source_root, "http://", 7) == 0)
        return need(*ret =
                        arena_printf(arena, "%s/schemas/%s.json", source_root, contract->type));
    return need(*ret = arena_printf(arena, SCHEMA_URN "%s", contract->descriptor->name));
}

static Value *
add(struct attributes *attributes, const char *name)
{
    const size_t i = attributes->count++;
    Value *value = &attributes->values[i];
    Entry *entry = &attributes->entries[i];

    io__cloudevents__v1__cloud_event__cloud_event_attribute_value__init(value);
    io__cloudevents__v1__cloud_event__attributes_entry__init(entry);
    entry->key = name;
    entry->value = value;
    attributes->list[i] = entry;
    return value;
}

/* NULL or "": left out. */
static void
add_text(struct attributes *attributes, const char *name, const char *text)
{
    Value *value;

    if (!text || !*text)
        return;
    value = add(attributes, name);
    value->attr_case =
        IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_STRING;
    value->ce_string = text;
}

static void
add_uri(struct attributes *attributes, const char *name, const char *uri)
{
    Value *value = add(attributes, name);

    value->attr_case =
        IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_URI;
    value->ce_uri = uri;
}

static void
add_time(struct attributes *attributes, struct wall now, Google__Protobuf__Timestamp *timestamp)
{
    Value *value = add(attributes, "time");

    google__protobuf__timestamp__init(timestamp);
    timestamp->seconds = now.unix_ms / 1000;
    timestamp->nanos = (int32_t)(now.unix_ms % 1000) * 1000000;
    value->attr_case =
        IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_TIMESTAMP;
    value->ce_timestamp = timestamp;
}

/* Filter keys and what receivers need to sort, trace and forward without reading the data. */
static void
add_texts(struct attributes *attributes, const struct outbox_event *event,
          const char *tenant_id, bool internal)
{
    const char *audience = internal ? "internal" : event->audience;

    add_text(attributes, "subject", event->subject);
    add_text(attributes, "datacontenttype", "application/protobuf");
    add_text(attributes, "partitionkey",
             event->partition_key ? event->partition_key : event->subject);
    add_text(attributes, "tenantid", tenant_id);
    add_text(attributes, "audience", audience ? audience : tenant_id);
    add_text(attributes, "traceparent", event->traceparent);
    add_text(attributes, "correlationid", event->correlation_id);
    add_text(attributes, "programme", event->programme);
    add_text(attributes, "organisationtype", event->organisation_type);
    add_text(attributes, "nuts", event->nuts);
    add_text(attributes, "nace", event->nace);
    add_text(attributes, "iscedf", event->isced_f);
    add_text(attributes, "esco", event->esco);
}

static struct status
pack_data(struct arena *arena, const ProtobufCMessage *data, Google__Protobuf__Any *ret)
{
    const size_t size = protobuf_c_message_get_packed_size(data);
    uint8_t *bytes;

    if (size > EVENT_MAX_BYTES)
        return FAIL(arena, TOO_LARGE, "an event of %zu bytes; at most %d", size,
                    EVENT_MAX_BYTES);
    TRY(need(bytes = arena_alloc(arena, size + 1)));
    google__protobuf__any__init(ret);
    TRY(need(ret->type_url = arena_printf(arena, TYPE_URL "%s", data->descriptor->name)));
    ret->value.data = bytes;
    ret->value.len = protobuf_c_message_pack(data, bytes);
    return OK;
}

static struct status
pack_event(struct arena *arena, const Event *event, uint8_t **ret, size_t *ret_size)
{
    const size_t size = protobuf_c_message_get_packed_size(&event->base);

    if (size > EVENT_MAX_BYTES)
        return FAIL(arena, TOO_LARGE, "an event of %zu bytes; at most %d", size,
                    EVENT_MAX_BYTES);
    TRY(need(*ret = arena_alloc(arena, size + 1)));
    *ret_size = protobuf_c_message_pack(&event->base, *ret);
    return OK;
}

/* The whole envelope, from its parts to its bytes. */
static struct status
make(struct pg_tx *tx, const struct outbox_event *from, const struct contract_event *contract,
     const char *tenant_id, uint8_t **ret, size_t *ret_size)
{
    Google__Protobuf__Timestamp timestamp;
    Google__Protobuf__Any data;
    struct attributes attributes = {.count = 0};
    Event event = IO__CLOUDEVENTS__V1__CLOUD_EVENT__INIT;
    char id[UUID_SIZE];
    const char *schema;

    uuid_v7(tx->pg->clock, id);
    TRY(pack_data(tx->arena, from->data, &data));
    TRY(schema_of(tx->arena, contract, &schema));
    TRY(need(event.source = arena_printf(tx->arena, "%s/tenants/%s", source_root, tenant_id)));
    event.id = id;
    event.spec_version = "1.0";
    event.type = contract->type;
    add_time(&attributes, clock_wall(tx->pg->clock), &timestamp);
    add_uri(&attributes, "dataschema", schema);
    add_texts(&attributes, from, tenant_id, contract->internal);
    event.n_attributes = attributes.count;
    event.attributes = attributes.list;
    event.data_case = IO__CLOUDEVENTS__V1__CLOUD_EVENT__DATA_PROTO_DATA;
    event.proto_data = &data;
    return pack_event(tx->arena, &event, ret, ret_size);
}

struct status
outbox_put(struct pg_tx *tx, const struct outbox_event *event)
{
    const struct contract_event *contract = contract_find_event(event->data->descriptor);
    const char *tenant_id = event->tenant_id ? event->tenant_id : tx->scope.tenant_id;
    uint8_t *bytes = NULL;
    size_t size = 0;

    if (!contract)
        return FAIL(tx->arena, INTERNAL, "%s is no event", event->data->descriptor->name);
    if (!tenant_id || !*tenant_id)
        return FAIL(tx->arena, INTERNAL, "an event without a tenant");
    if (!event->subject || !*event->subject)
        return FAIL(tx->arena, INTERNAL, "an event without a subject");
    TRY(make(tx, event, contract, tenant_id, &bytes, &size));
    TRY(pg_defer(
        tx, &SQL_OUTBOX_PUT,
        PG_IN(pg_text(tenant_id), pg_bool(contract->internal), pg_bytes(bytes, size))));
    tx->wrote_outbox = true;
    return OK;
}
