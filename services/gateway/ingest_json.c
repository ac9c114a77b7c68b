#include "services/gateway/ingest_json.h"

#include <string.h>

#include "common/event/event_json.h"
#include "common/json/json_token.h"

#define MEMBERS_MAX 64 /* of one event, null ones included */

/* What is known of an event's text while it is read. */
struct held {
    struct json_slice names[MEMBERS_MAX];
    size_t name_count;
    /* The data, kept until its content type is known. */
    enum json_token token; /* BAD: there is none */
    struct json_slice raw;
};

/* A failure of the event's, at its place in the text. */
static struct status
at_place(struct json_reader *reader, struct status status)
{
    struct status placed;

    if (!failed(status) || !status.field)
        return status;
    reader->path[reader->depth - 1] =
        *status.field ? (struct json_step){JSON_STEP_NAME, status.field, strlen(status.field)}
                      : (struct json_step){0};
    placed = json_refuse(reader, status.detail);
    placed.code = status.code;
    return placed;
}

static struct status
read_base64(struct json_reader *reader, struct ingest_event *event)
{
    ProtobufCBinaryData bytes = {0};
    struct json_slice text;
    enum json_token token;
    bool good = false;

    TRY(json_take_token(reader, true, &token, &text));
    if (token == JSON_TOKEN_NULL)
        return OK;
    if (token == JSON_TOKEN_STRING)
        TRY(json_base64_read(text, reader->arena, &good, &bytes));
    if (!good)
        return json_refuse(reader, "must be base64 text");
    return at_place(reader, ingest_event_data_bytes(event, bytes));
}

static struct status
hold_data(struct json_reader *reader, struct held *held)
{
    switch (json_peek(reader)) {
    case '"':
        held->token = JSON_TOKEN_STRING;
        break;
    case 'n':
        held->token = JSON_TOKEN_NULL;
        break;
    default:
        held->token = JSON_TOKEN_OBJECT; /* or any other value: it is not looked into */
    }
    return json_take_value(reader, &held->raw);
}

static struct status
read_attribute(struct json_reader *reader, const char *name, struct ingest_event *event)
{
    struct json_slice text;
    enum json_token token;
    int64_t number;

    TRY(json_take_token(reader, true, &token, &text));
    switch (token) {
    case JSON_TOKEN_NULL:
        return OK;
    case JSON_TOKEN_STRING:
        return at_place(reader, ingest_event_text(event, name, text.at));
    case JSON_TOKEN_TRUE:
    case JSON_TOKEN_FALSE:
        return at_place(reader, ingest_event_boolean(event, name, token == JSON_TOKEN_TRUE));
    case JSON_TOKEN_NUMBER:
        if (!json_number_int64(text, &number) || number < INT32_MIN || number > INT32_MAX)
            return json_refuse(reader, "must be an integer from -2147483648 to 2147483647");
        return at_place(reader, ingest_event_integer(event, name, (int32_t)number));
    default:
        return json_refuse(reader, "must be a text, an integer, true or false");
    }
}

static struct status
note_name(struct json_reader *reader, struct held *held, struct json_slice name)
{
    for (size_t i = 0; i < held->name_count; i++)
        if (held->names[i].size == name.size &&
            memcmp(held->names[i].at, name.at, name.size) == 0)
            return json_refuse(reader, "this member is here twice");
    if (held->name_count == MEMBERS_MAX)
        return json_refuse(reader, "more than 64 members");
    held->names[held->name_count++] = name;
    return OK;
}

static struct status
read_member(struct json_reader *reader, struct ingest_event *event, struct held *held)
{
    struct json_slice key;
    char *name;

    TRY(json_take_key(reader, &key));
    TRY(note_name(reader, held, key));
    if (key.size == 4 && memcmp(key.at, "data", 4) == 0)
        return hold_data(reader, held);
    if (key.size == 11 && memcmp(key.at, "data_base64", 11) == 0)
        return read_base64(reader, event);
    TRY(need(name = arena_copy_n(reader->arena, key.at, key.size)));
    return read_attribute(reader, name, event);
}

/* Text with a content type that is not JSON is the string's own; anything else is JSON as it
 * stands, with the producer's spelling of numbers. */
static struct status
settle_data(struct json_reader *reader, const struct held *held, struct ingest_event *event)
{
    struct json_reader string = {.at = held->raw.at, .arena = reader->arena};
    struct json_slice text;
    char *json;

    if (held->token == JSON_TOKEN_BAD || held->token == JSON_TOKEN_NULL)
        return OK;
    if (held->token == JSON_TOKEN_STRING && event->content_type &&
        !event_json_type(event->content_type)) {
        string.end = string.at + held->raw.size;
        TRY(json_take_string(&string, true, &text));
        return at_place(reader, ingest_event_data_text(event, text.at));
    }
    TRY(need(json = arena_copy_n(reader->arena, held->raw.at, held->raw.size)));
    return at_place(reader, ingest_event_data_json(event, json));
}

/* An event whose opening bracket is taken. */
static struct status
read_event(struct json_reader *reader, Io__Cloudevents__V1__CloudEvent **ret)
{
    struct held held = {.token = JSON_TOKEN_BAD};
    struct ingest_event event;

    TRY(json_open(reader));
    reader->keys = 0; /* counted for each event */
    TRY(ingest_event_begin(reader->arena, &event));
    if (!json_accept(reader, '}')) {
        do {
            TRY(read_member(reader, &event, &held));
        } while (json_accept(reader, ','));
        if (!json_accept(reader, '}'))
            return json_refuse(reader, "an object goes on with , or ends with }");
    }
    TRY(settle_data(reader, &held, &event));
    TRY(at_place(reader, ingest_event_finish(&event, ret)));
    reader->depth--;
    return OK;
}

static struct status
take_event(struct json_reader *reader, Io__Cloudevents__V1__CloudEventBatch *batch)
{
    if (batch->n_events == INGEST_BATCH_EVENTS)
        return json_refuse(reader, "a batch has at most 1000 events");
    if (!json_accept(reader, '{'))
        return json_refuse(reader, "an event must be an object");
    TRY(read_event(reader, &batch->events[batch->n_events]));
    batch->n_events++;
    return OK;
}

static struct status
read_batch(struct json_reader *reader, Io__Cloudevents__V1__CloudEventBatch *batch)
{
    if (!json_accept(reader, '['))
        return json_refuse(reader, "a batch must be a list");
    TRY(json_open(reader));
    if (json_accept(reader, ']'))
        return json_refuse(reader, "a batch must have an event");
    do {
        reader->path[0] = (struct json_step){JSON_STEP_INDEX, NULL, batch->n_events};
        TRY(take_event(reader, batch));
    } while (json_accept(reader, ','));
    if (!json_accept(reader, ']'))
        return json_refuse(reader, "a list goes on with , or ends with ]");
    reader->depth--;
    return OK;
}

struct status
ingest_json_read(const char *text, size_t size, bool batch, struct arena *arena,
                 Io__Cloudevents__V1__CloudEventBatch *ret)
{
    struct json_reader reader = {.at = text, .end = text + size, .arena = arena};
    Io__Cloudevents__V1__CloudEventBatch made = IO__CLOUDEVENTS__V1__CLOUD_EVENT_BATCH__INIT;

    if (size > JSON_TEXT_BYTES)
        return FAIL(arena, TOO_LARGE, "the body is larger than %zu bytes", JSON_TEXT_BYTES);
    TRY(need(made.events = ARENA_ARRAY(arena, Io__Cloudevents__V1__CloudEvent *,
                                       batch ? INGEST_BATCH_EVENTS : 1)));
    TRY(batch ? read_batch(&reader, &made) : take_event(&reader, &made));
    if (json_peek(&reader) != '\0' || reader.at != reader.end)
        return json_refuse(&reader, "something follows the value");
    *ret = made;
    return OK;
}
