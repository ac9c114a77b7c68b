#include "common/json/json_token.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "common/base/utf8.h"

static const char *
expectation(enum json_kind kind)
{
    static const char *const texts[] = {
        [JSON_INT32] = "must be an integer from -2147483648 to 2147483647",
        [JSON_INT64] = "must be a 64-bit integer, as a number or a string",
        [JSON_UINT32] = "must be an integer from 0 to 4294967295",
        [JSON_UINT64] = "must be a 64-bit integer of at least 0, as a number or a string",
        [JSON_FLOAT] = "must be a finite number",
        [JSON_DOUBLE] = "must be a finite number",
        [JSON_BOOL] = "must be true or false",
        [JSON_ENUM] = "must be one of the documented names",
        [JSON_STRING] = "must be a string",
        [JSON_BYTES] = "must be base64 text",
        [JSON_MESSAGE] = "must be an object",
    };

    return texts[kind];
}

static bool
set_enum(const struct json_field *field, enum json_token token, struct json_slice text,
         int *into)
{
    const ProtobufCEnumDescriptor *descriptor = field->enumerated;
    int64_t number;

    if (token == JSON_TOKEN_NUMBER) {
        if (!json_number_int64(text, &number) || number < INT32_MIN || number > INT32_MAX)
            return false;
        *into = (int)number;
        return true;
    }
    for (unsigned i = 0; i < descriptor->n_value_names; i++) {
        const char *name = descriptor->values_by_name[i].name;

        if (strncmp(name, text.at, text.size) == 0 && name[text.size] == '\0') {
            *into = descriptor->values[descriptor->values_by_name[i].index].value;
            return true;
        }
    }
    return false;
}

static bool
set_number(enum json_kind kind, struct json_slice text, void *into)
{
    int64_t number;
    uint64_t natural;
    double real;

    switch (kind) {
    case JSON_INT32:
        if (!json_number_int64(text, &number) || number < INT32_MIN || number > INT32_MAX)
            return false;
        *(int32_t *)into = (int32_t)number;
        return true;
    case JSON_UINT32:
        if (!json_number_uint64(text, &natural) || natural > UINT32_MAX)
            return false;
        *(uint32_t *)into = (uint32_t)natural;
        return true;
    case JSON_INT64:
        return json_number_int64(text, into);
    case JSON_UINT64:
        return json_number_uint64(text, into);
    case JSON_FLOAT:
        if (!json_number_double(text, &real) || fabs(real) > (double)FLT_MAX)
            return false;
        *(float *)into = (float)real;
        return true;
    default:
        return json_number_double(text, into);
    }
}

/* One scalar into its place; a STRING token's text is in the arena already. */
static struct status
set_scalar(struct json_reader *reader, const struct json_field *field, enum json_token token,
           struct json_slice text, void *into)
{
    bool fits = false;

    switch (field->kind) {
    case JSON_BOOL:
        fits = token == JSON_TOKEN_TRUE || token == JSON_TOKEN_FALSE;
        if (fits)
            *(protobuf_c_boolean *)into = token == JSON_TOKEN_TRUE;
        break;
    case JSON_STRING:
        fits = token == JSON_TOKEN_STRING;
        if (fits)
            *(const char **)into = text.at;
        break;
    case JSON_BYTES:
        if (token == JSON_TOKEN_STRING)
            TRY(json_base64_read(text, reader->arena, &fits, into));
        break;
    case JSON_ENUM:
        fits = (token == JSON_TOKEN_STRING || token == JSON_TOKEN_NUMBER) &&
               set_enum(field, token, text, into);
        break;
    default:
        fits = (token == JSON_TOKEN_STRING || token == JSON_TOKEN_NUMBER) &&
               set_number(field->kind, text, into);
    }
    return fits ? OK : json_refuse(reader, expectation(field->kind));
}

static struct status read_message(struct json_reader *reader, const struct json_plan *plan,
                                  const struct json_fields *closed, ProtobufCMessage **ret,
                                  struct json_fields *ret_seen);

static struct status
read_time(struct json_reader *reader, enum json_token token, struct json_slice text,
          const struct json_plan *plan, ProtobufCMessage **ret)
{
    ProtobufCMessage *time;
    int64_t seconds;
    int32_t nanos;

    if (token != JSON_TOKEN_STRING || !json_time_read(text, &seconds, &nanos))
        return json_refuse(reader, "must be a time, as in 2026-11-22T05:59:35.123Z");
    TRY(need(time = arena_alloc(reader->arena, plan->descriptor->sizeof_message)));
    plan->descriptor->message_init(time);
    *(int64_t *)json_member(&plan->fields[0], time) = seconds;
    *(int32_t *)json_member(&plan->fields[1], time) = nanos;
    *ret = time;
    return OK;
}

/* One value that is not null. */
static struct status
read_value(struct json_reader *reader, const struct json_field *field, enum json_token token,
           struct json_slice text, void *into)
{
    if (field->kind != JSON_MESSAGE)
        return set_scalar(reader, field, token, text, into);
    if (field->child->timestamp)
        return read_time(reader, token, text, field->child, into);
    if (token != JSON_TOKEN_OBJECT)
        return json_refuse(reader, expectation(JSON_MESSAGE));
    return read_message(reader, field->child, NULL, into, NULL);
}

/* A list under construction. */
struct list {
    char *data;
    size_t count, room;
};

static struct status
list_grow(struct json_reader *reader, struct list *list, size_t element_size)
{
    char *data;

    if (list->count < list->room)
        return OK;
    list->room = list->room ? list->room * 2 : 4;
    TRY(need(data = arena_calloc(reader->arena, list->room, element_size)));
    if (list->count > 0)
        memcpy(data, list->data, list->count * element_size);
    list->data = data;
    return OK;
}

static void
list_finish(const struct json_field *field, const struct list *list, ProtobufCMessage *message)
{
    *(size_t *)((char *)message + field->quantifier_offset) = list->count;
    *(void **)json_member(field, message) = list->count > 0 ? list->data : NULL;
}

static struct status
read_list(struct json_reader *reader, const struct json_field *field, ProtobufCMessage *message)
{
    struct list list = {0};

    TRY(json_open(reader));
    if (!json_accept(reader, ']')) {
        do {
            enum json_token token;
            struct json_slice text;

            reader->path[reader->depth - 1] =
                (struct json_step){JSON_STEP_INDEX, NULL, list.count};
            TRY(list_grow(reader, &list, field->element_size));
            TRY(json_take_token(reader, field->kind == JSON_STRING, &token, &text));
            if (token == JSON_TOKEN_NULL)
                return json_refuse(reader, "a list must not hold null");
            TRY(read_value(reader, field, token, text,
                           list.data + list.count * field->element_size));
            list.count++;
        } while (json_accept(reader, ','));
        if (!json_accept(reader, ']'))
            return json_refuse(reader, "a list goes on with , or ends with ]");
    }
    reader->depth--;
    list_finish(field, &list, message);
    return OK;
}

/* The key of a map entry from the text of a member's name. */
static struct status
set_map_key(struct json_reader *reader, const struct json_field *field, struct json_slice text,
            ProtobufCMessage *entry)
{
    void *into = json_member(field, entry);

    if (field->kind == JSON_STRING) {
        TRY(need(*(char **)into = arena_copy_n(reader->arena, text.at, text.size)));
        return OK;
    }
    if (field->kind == JSON_BOOL) {
        const bool yes = text.size == 4 && memcmp(text.at, "true", 4) == 0;

        if (!yes && !(text.size == 5 && memcmp(text.at, "false", 5) == 0))
            return json_refuse(reader, expectation(JSON_BOOL));
        *(protobuf_c_boolean *)into = yes;
        return OK;
    }
    return set_scalar(reader, field, JSON_TOKEN_STRING, text, into);
}

static bool
same_key(const struct json_field *field, const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    const void *left = json_member_const(field, a), *right = json_member_const(field, b);

    if (field->kind == JSON_STRING)
        return strcmp(*(const char *const *)left, *(const char *const *)right) == 0;
    return memcmp(left, right, field->element_size) == 0;
}

static struct status
read_map_entry(struct json_reader *reader, const struct json_field *field, struct list *list)
{
    const struct json_plan *plan = field->child;
    ProtobufCMessage *entry;
    struct json_slice key, text;
    enum json_token token;

    TRY(json_take_key(reader, &key));
    TRY(list_grow(reader, list, sizeof entry));
    TRY(need(entry = arena_alloc(reader->arena, plan->descriptor->sizeof_message)));
    plan->descriptor->message_init(entry);
    TRY(set_map_key(reader, &plan->fields[0], key, entry));
    for (size_t i = 0; i < list->count; i++)
        if (same_key(&plan->fields[0], entry, ((ProtobufCMessage **)(void *)list->data)[i]))
            return json_refuse(reader, "this member is here twice");
    TRY(json_take_token(reader, plan->fields[1].kind == JSON_STRING, &token, &text));
    if (token == JSON_TOKEN_NULL)
        return json_refuse(reader, "a map must not hold null");
    TRY(read_value(reader, &plan->fields[1], token, text,
                   json_member(&plan->fields[1], entry)));
    ((ProtobufCMessage **)(void *)list->data)[list->count++] = entry;
    return OK;
}

static struct status
read_map(struct json_reader *reader, const struct json_field *field, ProtobufCMessage *message)
{
    struct list list = {0};

    TRY(json_open(reader));
    if (!json_accept(reader, '}')) {
        do {
            TRY(read_map_entry(reader, field, &list));
        } while (json_accept(reader, ','));
        if (!json_accept(reader, '}'))
            return json_refuse(reader, "an object goes on with , or ends with }");
    }
    reader->depth--;
    list_finish(field, &list, message);
    return OK;
}

/* Takes a member's name and colon and finds its field: usually the one after the last, written
 * as the writer writes it; otherwise by a look into the table. */
static struct status
take_field(struct json_reader *reader, const struct json_plan *plan, unsigned guess,
           unsigned *ret)
{
    const struct json_field *field = &plan->fields[guess]; /* has one more than field_count */
    struct json_slice key;
    int index;

    if (guess < plan->field_count && reader->end - reader->at >= field->label_size &&
        memcmp(reader->at, field->label, field->label_size) == 0) {
        reader->path[reader->depth - 1] =
            (struct json_step){JSON_STEP_NAME, field->camel, field->camel_size};
        if (++reader->keys > JSON_KEYS)
            return json_refuse(reader, "more than 1000 members");
        reader->at += field->label_size;
        *ret = guess;
        return OK;
    }
    TRY(json_take_key(reader, &key));
    index = json_plan_field(plan, key.at, key.size);
    if (index < 0)
        return json_refuse(reader, "there is no such field");
    *ret = (unsigned)index;
    return OK;
}

static struct status
read_member(struct json_reader *reader, const struct json_field *field,
            ProtobufCMessage *message)
{
    uint32_t *const choice = (void *)((char *)message + field->quantifier_offset);
    struct json_slice text;
    enum json_token token;

    TRY(json_take_token(reader, field->kind == JSON_STRING && !field->repeated, &token, &text));
    if (token == JSON_TOKEN_NULL)
        return OK;
    if (field->map)
        return token == JSON_TOKEN_OBJECT ? read_map(reader, field, message)
                                          : json_refuse(reader, expectation(JSON_MESSAGE));
    if (field->repeated)
        return token == JSON_TOKEN_ARRAY ? read_list(reader, field, message)
                                         : json_refuse(reader, "must be a list");
    if (field->oneof) {
        if (*choice != 0)
            return json_refuse(reader, "another member of the same choice is set already");
        *choice = field->field->id;
    }
    return read_value(reader, field, token, text, json_member(field, message));
}

/* The members of a message whose opening bracket is taken. */
static struct status
read_message(struct json_reader *reader, const struct json_plan *plan,
             const struct json_fields *closed, ProtobufCMessage **ret,
             struct json_fields *ret_seen)
{
    struct json_fields seen = {0};
    ProtobufCMessage *message;
    unsigned guess = 0;

    TRY(json_open(reader));
    TRY(need(message = arena_alloc(reader->arena, plan->descriptor->sizeof_message)));
    plan->descriptor->message_init(message);
    if (!json_accept(reader, '}')) {
        do {
            unsigned index;

            TRY(take_field(reader, plan, guess, &index));
            if (json_fields_has(&seen, index))
                return json_refuse(reader, "this field is here twice");
            if (closed && json_fields_has(closed, index))
                return json_refuse(reader, "is set by the path, the query or a header");
            json_fields_add(&seen, index);
            TRY(read_member(reader, &plan->fields[index], message));
            guess = index + 1;
        } while (json_accept(reader, ','));
        if (!json_accept(reader, '}'))
            return json_refuse(reader, "an object goes on with , or ends with }");
    }
    reader->depth--;
    *ret = message;
    if (ret_seen)
        *ret_seen = seen;
    return OK;
}

struct status
json_read(const struct json_plan *plan, const char *text, size_t size,
          const struct json_fields *closed, struct arena *arena, ProtobufCMessage **ret,
          struct json_fields *ret_seen)
{
    struct json_reader reader = {.at = text, .end = text + size, .arena = arena};
    ProtobufCMessage *message;

    if (size > JSON_TEXT_BYTES)
        return FAIL(arena, TOO_LARGE, "the body is larger than %zu bytes", JSON_TEXT_BYTES);
    if (!json_accept(&reader, '{'))
        return json_refuse(&reader, "the body must be a JSON object");
    TRY(read_message(&reader, plan, closed, &message, ret_seen));
    if (json_peek(&reader) != '\0' || reader.at != reader.end)
        return json_refuse(&reader, "something follows the JSON object");
    *ret = message;
    return OK;
}

struct status
json_set_text(const struct json_plan *plan, unsigned index, const char *text, const char *name,
              struct arena *arena, ProtobufCMessage *message)
{
    const struct json_field *field = &plan->fields[index];
    struct json_reader reader = {.arena = arena};
    struct json_slice slice = {text, strlen(text)};
    struct list list = {0};
    enum json_token token = JSON_TOKEN_STRING;
    void *into = json_member(field, message);

    if (!utf8_text(text, slice.size))
        return FAIL_FIELD(arena, name, "is not UTF-8");
    if (field->kind == JSON_MESSAGE)
        return FAIL_FIELD(arena, name, "cannot be given here");
    if (field->kind == JSON_BOOL)
        token = strcmp(text, "true") == 0    ? JSON_TOKEN_TRUE
                : strcmp(text, "false") == 0 ? JSON_TOKEN_FALSE
                                             : JSON_TOKEN_BAD;
    if (field->repeated) {
        list.count = *(size_t *)(void *)((char *)message + field->quantifier_offset);
        list.data = *(void **)into;
        list.room = list.count;
        TRY(list_grow(&reader, &list, field->element_size));
        into = list.data + list.count * field->element_size;
    }
    if (field->kind == JSON_STRING)
        TRY(need(slice.at = arena_copy_n(arena, text, slice.size)));
    if (failed(set_scalar(&reader, field, token, slice, into)))
        return FAIL_FIELD(arena, name, "%s", expectation(field->kind));
    if (field->repeated) {
        list.count++;
        list_finish(field, &list, message);
    } else if (field->oneof) {
        *(uint32_t *)(void *)((char *)message + field->quantifier_offset) = field->field->id;
    }
    return OK;
}

/* The singular message in a field, made when it is not there. */
static struct status
enter_message(const struct json_field *field, struct arena *arena, ProtobufCMessage *parent,
              ProtobufCMessage **ret)
{
    ProtobufCMessage **place = json_member(field, parent);

    if (!*place) {
        TRY(need(*place = arena_alloc(arena, field->child->descriptor->sizeof_message)));
        field->child->descriptor->message_init(*place);
    }
    *ret = *place;
    return OK;
}

struct status
json_set_path(const struct json_plan *plan, const char *path, const char *text,
              const struct json_fields *closed, struct arena *arena, ProtobufCMessage *message)
{
    const char *at = path;

    for (;;) {
        const size_t size = strcspn(at, ".");
        const int index = json_plan_field(plan, at, size);
        const struct json_field *field = index < 0 ? NULL : &plan->fields[index];

        if (!field)
            return FAIL_FIELD(arena, path, "there is no such field");
        if (closed && json_fields_has(closed, (unsigned)index))
            return FAIL_FIELD(arena, path, "is set by the path or a header");
        if (at[size] == '\0')
            return json_set_text(plan, (unsigned)index, text, path, arena, message);
        if (field->kind != JSON_MESSAGE || field->repeated || field->oneof ||
            field->child->timestamp)
            return FAIL_FIELD(arena, path, "cannot be given here");
        TRY(enter_message(field, arena, message, &message));
        plan = field->child;
        closed = NULL;
        at += size + 1;
    }
}
