#include "services/notifications/webhooks/content.h"

#include <jansson.h>
#include <sodium.h>
#include <string.h>

#define NAME_BYTES 64
#define STRUCTURED "content-type: application/cloudevents+json; charset=UTF-8\n"

static void
json_release(json_t **json)
{
    json_decref(*json);
    *json = NULL;
}

static struct status
keep(const struct buffer *from, struct arena *arena, struct content *ret)
{
    TRY(buffer_check(from, arena));
    TRY(need(ret->body = (const uint8_t *)arena_copy_n(arena, from->data, from->size)));
    ret->size = from->size;
    return OK;
}

/* CloudEvents HTTP binding, 3.1.3.2: space, double quote, percent and all beyond visible ASCII.
 */
static void
put_header(struct buffer *into, const char *prefix, const char *name, const char *value)
{
    buffer_printf(into, "%s%s: ", prefix, name);
    for (const unsigned char *c = (const unsigned char *)value; *c; c++)
        if (*c <= ' ' || *c > '~' || *c == '"' || *c == '%')
            buffer_printf(into, "%%%02X", *c);
        else
            buffer_putc(into, (char)*c);
    buffer_putc(into, '\n');
}

/* A media type, which is not encoded; without anything that ends a header. */
static void
put_type(struct buffer *into, const char *type)
{
    for (const char *c = type; *c; c++)
        if (*c < ' ' || *c > '~')
            type = "application/octet-stream";
    buffer_printf(into, "content-type: %s\n", type);
}

/* Names of attributes are small letters and digits; what else an event came with would break
 * out of its header, and stays in the structured form. */
static bool
is_name(const char *name)
{
    const size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");

    return size > 0 && size <= NAME_BYTES && !name[size];
}

static void
put_attributes(json_t *event, struct buffer *into)
{
    const char *name;
    json_t *value;

    json_object_foreach(event, name, value)
    {
        char number[32];

        if (!is_name(name) || strcmp(name, "data") == 0)
            continue;
        if (strcmp(name, "datacontenttype") == 0 && json_is_string(value))
            put_type(into, json_string_value(value));
        else if (json_is_string(value))
            put_header(into, "ce-", name, json_string_value(value));
        else if (json_is_boolean(value))
            put_header(into, "ce-", name, json_is_true(value) ? "true" : "false");
        else if (json_is_integer(value)) {
            (void)snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT,
                           json_integer_value(value));
            put_header(into, "ce-", name, number);
        }
    }
}

static int
add_text(const char *text, size_t size, void *buffer)
{
    buffer_put(buffer, text, size);
    return 0;
}

static struct status
put_base64(const char *text, struct arena *arena, struct buffer *into)
{
    const size_t room = strlen(text) / 4 * 3 + 3;
    unsigned char *bytes = arena_alloc(arena, room);
    size_t size;

    TRY(need(bytes));
    if (sodium_base642bin(bytes, room, text, strlen(text), NULL, &size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return FAIL(arena, INTERNAL, "an event's data_base64 is not base64");
    buffer_put(into, bytes, size);
    return OK;
}

static struct status
put_data(json_t *event, struct arena *arena, struct buffer *into)
{
    const char *type = json_string_value(json_object_get(event, "datacontenttype"));
    const char *base64 = json_string_value(json_object_get(event, "data_base64"));
    json_t *data = json_object_get(event, "data");

    if (base64)
        return put_base64(base64, arena, into);
    if (json_is_string(data) && !(type && strstr(type, "json")))
        buffer_puts(into, json_string_value(data));
    else if (data &&
             json_dump_callback(data, add_text, into,
                                JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17)))
        return FAIL(arena, RESOURCE_EXHAUSTED, "no memory for an event's data");
    return OK;
}

/* From the JSON form, so that both say the same. */
static struct status
make_binary(const struct buffer *text, struct arena *arena, struct content *ret)
{
    scoped(json_release) json_t *event = NULL;
    scoped(buffer_fini) struct buffer headers = {0}, body = {0};

    buffer_init(&headers, CONTENT_BYTES);
    buffer_init(&body, CONTENT_BYTES);
    event = json_loadb((const char *)text->data, text->size, 0, NULL);
    if (!event)
        return FAIL(arena, INTERNAL, "an event's JSON cannot be read");
    put_attributes(event, &headers);
    TRY(put_data(event, arena, &body));
    TRY(buffer_check(&headers, arena));
    TRY(need(ret->headers = arena_copy_n(arena, headers.data, headers.size)));
    return keep(&body, arena, ret);
}

struct status
content_make(const struct event_json *events, const Io__Cloudevents__V1__CloudEvent *event,
             Notifications__V1__WebhookMode mode, struct arena *arena, struct content *ret)
{
    scoped(buffer_fini) struct buffer text = {0};

    buffer_init(&text, CONTENT_BYTES);
    TRY(event_json_write(events, event, arena, &text));
    if (mode == NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_BINARY)
        return make_binary(&text, arena, ret);
    ret->headers = mode == NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_BATCH ? "" : STRUCTURED;
    return keep(&text, arena, ret);
}

typedef Io__Cloudevents__V1__CloudEvent__AttributesEntry Entry;
typedef Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue Value;

static struct status
add_attribute(struct arena *arena, const char *name, const char *text,
              Io__Cloudevents__V1__CloudEvent *event)
{
    Entry *entry = ARENA_NEW(arena, Entry);
    Value *value = ARENA_NEW(arena, Value);

    TRY(need(entry));
    TRY(need(value));
    io__cloudevents__v1__cloud_event__attributes_entry__init(entry);
    io__cloudevents__v1__cloud_event__cloud_event_attribute_value__init(value);
    value->attr_case =
        IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_STRING;
    value->ce_string = text;
    entry->key = name;
    entry->value = value;
    event->attributes[event->n_attributes++] = entry;
    return OK;
}

struct status
content_ping(struct arena *arena, const char *id, const char *source, const char *type,
             const char *subject, const char *time, Io__Cloudevents__V1__CloudEvent *ret)
{
    io__cloudevents__v1__cloud_event__init(ret);
    TRY(need(ret->attributes = ARENA_ARRAY(arena, Entry *, 2)));
    ret->id = id;
    ret->source = source;
    ret->spec_version = "1.0";
    ret->type = type;
    TRY(add_attribute(arena, "subject", subject, ret));
    return add_attribute(arena, "time", time, ret);
}
