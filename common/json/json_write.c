#include "common/json/json_plan.h"

#include <string.h>

struct writer {
    struct buffer *into;
    struct arena *arena;
    unsigned depth;
};

/* buffer_put without the call where there is room; the NUL is put at the end of json_write. */
static inline void
put(struct buffer *into, const char *bytes, size_t size)
{
    if (into->size + size < into->capacity && !into->broken) {
        memcpy(into->data + into->size, bytes, size);
        into->size += size;
    } else {
        buffer_put(into, bytes, size);
    }
}

/* Whether a string needs nothing escaped.  0xe2 leads U+2028, U+2029 and the bidirectional
 * controls, so such a string takes the careful way. */
static bool
plain(const char *text, size_t size)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    const char *const end = text + size;

    for (; end - text >= 8; text += 8) {
        uint64_t word, quote, slash, lead;

        memcpy(&word, text, 8);
        quote = word ^ (ones * '"');
        slash = word ^ (ones * '\\');
        lead = word ^ (ones * 0xe2);
        if ((((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((lead - ones) & ~lead) |
             ((word - ones * 0x20) & ~word)) &
            highs)
            return false;
    }
    for (; text < end; text++)
        if ((uint8_t)*text < 0x20 || *text == '"' || *text == '\\' || (uint8_t)*text == 0xe2)
            return false;
    return true;
}

static void
write_string(struct buffer *into, const char *text)
{
    const size_t size = text ? strlen(text) : 0;

    if (!plain(text, size)) {
        buffer_put_json(into, text, size);
        return;
    }
    put(into, "\"", 1);
    put(into, text, size);
    put(into, "\"", 1);
}

static void
write_uint(struct buffer *into, uint64_t value, bool negative)
{
    char digits[24];
    char *at = digits + sizeof digits;

    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    if (negative)
        *--at = '-';
    put(into, at, (size_t)(digits + sizeof digits - at));
}

static void
write_int(struct buffer *into, int64_t value)
{
    write_uint(into, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0);
}

static void
write_enum(struct buffer *into, const ProtobufCEnumDescriptor *descriptor, int number)
{
    const ProtobufCEnumValue *value;

    /* Enums count from zero without holes nearly everywhere. */
    if (number >= 0 && (unsigned)number < descriptor->n_values &&
        descriptor->values[number].value == number)
        value = &descriptor->values[number];
    else
        value = protobuf_c_enum_descriptor_get_value(descriptor, number);
    if (!value) {
        write_int(into, number); /* of a newer version: a reader keeps it as a number */
        return;
    }
    put(into, "\"", 1);
    put(into, value->name, strlen(value->name));
    put(into, "\"", 1);
}

static void
write_scalar(struct buffer *into, const struct json_field *field, const void *from)
{
    char text[JSON_DOUBLE_SIZE];

    switch (field->kind) {
    case JSON_INT32:
        write_int(into, *(const int32_t *)from);
        return;
    case JSON_UINT32:
        write_uint(into, *(const uint32_t *)from, false);
        return;
    case JSON_INT64:
    case JSON_UINT64:
        put(into, "\"", 1);
        if (field->kind == JSON_INT64)
            write_int(into, *(const int64_t *)from);
        else
            write_uint(into, *(const uint64_t *)from, false);
        put(into, "\"", 1);
        return;
    case JSON_FLOAT:
    case JSON_DOUBLE:
        json_double_write(field->kind == JSON_FLOAT ? (double)*(const float *)from
                                                    : *(const double *)from,
                          field->kind == JSON_FLOAT, text);
        put(into, text, strlen(text));
        return;
    case JSON_BOOL:
        if (*(const protobuf_c_boolean *)from)
            put(into, "true", 4);
        else
            put(into, "false", 5);
        return;
    case JSON_ENUM:
        write_enum(into, field->enumerated, *(const int *)from);
        return;
    case JSON_BYTES:
        put(into, "\"", 1);
        json_base64_write(from, into);
        put(into, "\"", 1);
        return;
    default:
        write_string(into, *(const char *const *)from);
    }
}

static struct status write_message(struct writer *writer, const struct json_plan *plan,
                                   const ProtobufCMessage *message);

static struct status
write_value(struct writer *writer, const struct json_field *field, const void *from)
{
    if (field->kind == JSON_MESSAGE)
        return write_message(writer, field->child, *(const ProtobufCMessage *const *)from);
    write_scalar(writer->into, field, from);
    return OK;
}

static struct status
write_list(struct writer *writer, const struct json_field *field,
           const ProtobufCMessage *message)
{
    const size_t count =
        *(const size_t *)(const void *)((const char *)message + field->quantifier_offset);
    const char *from = *(const char *const *)json_member_const(field, message);

    put(writer->into, "[", 1);
    for (size_t i = 0; i < count; i++, from += field->element_size) {
        if (i > 0)
            put(writer->into, ",", 1);
        TRY(write_value(writer, field, from));
    }
    put(writer->into, "]", 1);
    return OK;
}

static struct status
write_map(struct writer *writer, const struct json_field *field,
          const ProtobufCMessage *message)
{
    const size_t count =
        *(const size_t *)(const void *)((const char *)message + field->quantifier_offset);
    const ProtobufCMessage *const *entries =
        *(const ProtobufCMessage *const *const *)json_member_const(field, message);
    const struct json_field *key = &field->child->fields[0];
    const struct json_field *value = &field->child->fields[1];
    const bool quoted =
        key->kind == JSON_STRING || key->kind == JSON_INT64 || key->kind == JSON_UINT64;

    put(writer->into, "{", 1);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            put(writer->into, ",", 1);
        if (!quoted)
            put(writer->into, "\"", 1);
        write_scalar(writer->into, key, json_member_const(key, entries[i]));
        put(writer->into, quoted ? ":" : "\":", quoted ? 1 : 2);
        TRY(write_value(writer, value, json_member_const(value, entries[i])));
    }
    put(writer->into, "}", 1);
    return OK;
}

/* Whether a field appears: scalars and lists always, messages and choices when set. */
static bool
appears(const struct json_field *field, const ProtobufCMessage *message)
{
    if (field->repeated)
        return true;
    if (field->oneof)
        return *(const uint32_t *)(const void *)((const char *)message +
                                                 field->quantifier_offset) == field->field->id;
    return field->kind != JSON_MESSAGE ||
           *(const void *const *)json_member_const(field, message) != NULL;
}

static struct status
write_time(struct writer *writer, const struct json_plan *plan, const ProtobufCMessage *message)
{
    const int64_t *seconds = json_member_const(&plan->fields[0], message);
    const int32_t *nanos = json_member_const(&plan->fields[1], message);
    char text[JSON_TIME_SIZE];

    if (!json_time_write(*seconds, *nanos, text))
        return FAIL(writer->arena, INTERNAL, "a time outside the years 1 to 9999");
    put(writer->into, "\"", 1);
    put(writer->into, text, strlen(text));
    put(writer->into, "\"", 1);
    return OK;
}

static struct status
write_message(struct writer *writer, const struct json_plan *plan,
              const ProtobufCMessage *message)
{
    bool first = true;

    if (!message) { /* a map's value may be absent on the wire: that is the empty message */
        put(writer->into, "{}", 2);
        return OK;
    }
    if (plan->timestamp)
        return write_time(writer, plan, message);
    if (++writer->depth > JSON_DEPTH)
        return FAIL(writer->arena, INTERNAL, "%s nests deeper than %d", plan->descriptor->name,
                    JSON_DEPTH);
    put(writer->into, "{", 1);
    for (unsigned i = 0; i < plan->field_count; i++) {
        const struct json_field *field = &plan->fields[i];

        if (!appears(field, message))
            continue;
        if (!first)
            put(writer->into, ",", 1);
        first = false;
        put(writer->into, field->label, field->label_size);
        if (field->map)
            TRY(write_map(writer, field, message));
        else if (field->repeated)
            TRY(write_list(writer, field, message));
        else
            TRY(write_value(writer, field, json_member_const(field, message)));
    }
    put(writer->into, "}", 1);
    writer->depth--;
    return OK;
}

struct status
json_write(const struct json_plan *plan, const ProtobufCMessage *message, struct arena *arena,
           struct buffer *into)
{
    struct writer writer = {.into = into, .arena = arena};

    TRY(write_message(&writer, plan, message));
    buffer_put(into, "", 0); /* the NUL */
    return buffer_check(into, arena);
}
