#include "common/json/json_plan.h"

#include <stdlib.h>
#include <string.h>

#define SCHEMA_BYTES ((size_t)8 << 20)
#define PLANS 1024 /* slots of the table by descriptor; a power of two */

struct json_schema {
    struct arena arena;
    struct json_plan *by_descriptor[PLANS];
    size_t count;
};

static uint32_t
hash_bytes(const char *bytes, size_t size)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (uint8_t)bytes[i]) * 16777619u;
    return hash;
}

static size_t
descriptor_slot(const ProtobufCMessageDescriptor *descriptor)
{
    return ((uintptr_t)descriptor >> 5) * 2654435761u % PLANS;
}

static struct json_plan *
find(const struct json_schema *schema, const ProtobufCMessageDescriptor *descriptor)
{
    for (size_t slot = descriptor_slot(descriptor);; slot = (slot + 1) % PLANS) {
        struct json_plan *plan = schema->by_descriptor[slot];

        if (!plan || plan->descriptor == descriptor)
            return plan;
    }
}

/* snake_case -> lowerCamelCase, as protoc does it. */
static char *
camel_case(struct arena *arena, const char *name)
{
    char *camel = arena_alloc(arena, strlen(name) + 1);
    char *at = camel;
    bool upper = false;

    if (!camel)
        return NULL;
    for (; *name; name++) {
        if (*name == '_') {
            upper = true;
            continue;
        }
        *at++ = upper && *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name;
        upper = false;
    }
    *at = '\0';
    return camel;
}

/* protoc gives the entries of `map<K, V> foo_bar` a nested message FooBarEntry{key, value}; the
 * descriptor says no more, and protoc refuses a hand-written message of that name beside it. */
static bool
is_map_entry(const ProtobufCFieldDescriptor *field, const char *camel,
             const ProtobufCMessageDescriptor *parent)
{
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    const size_t camel_size = strlen(camel);
    const char *name;

    if (field->label != PROTOBUF_C_LABEL_REPEATED || entry->n_fields != 2 ||
        strcmp(entry->fields[0].name, "key") != 0 ||
        strcmp(entry->fields[1].name, "value") != 0)
        return false;
    if (strncmp(entry->name, parent->name, strlen(parent->name)) != 0 ||
        entry->name[strlen(parent->name)] != '.')
        return false;
    name = entry->short_name;
    return strlen(name) == camel_size + 5 && strcmp(name + camel_size, "Entry") == 0 &&
           (name[0] | 0x20) == (camel[0] | 0x20) &&
           strncmp(name + 1, camel + 1, camel_size - 1) == 0;
}

static enum json_kind
kind_of(ProtobufCType type, uint8_t *ret_size)
{
    static const struct {
        uint8_t kind, size;
    } kinds[] = {
        [PROTOBUF_C_TYPE_INT32] = {JSON_INT32, 4},
        [PROTOBUF_C_TYPE_SINT32] = {JSON_INT32, 4},
        [PROTOBUF_C_TYPE_SFIXED32] = {JSON_INT32, 4},
        [PROTOBUF_C_TYPE_INT64] = {JSON_INT64, 8},
        [PROTOBUF_C_TYPE_SINT64] = {JSON_INT64, 8},
        [PROTOBUF_C_TYPE_SFIXED64] = {JSON_INT64, 8},
        [PROTOBUF_C_TYPE_UINT32] = {JSON_UINT32, 4},
        [PROTOBUF_C_TYPE_FIXED32] = {JSON_UINT32, 4},
        [PROTOBUF_C_TYPE_UINT64] = {JSON_UINT64, 8},
        [PROTOBUF_C_TYPE_FIXED64] = {JSON_UINT64, 8},
        [PROTOBUF_C_TYPE_FLOAT] = {JSON_FLOAT, sizeof(float)},
        [PROTOBUF_C_TYPE_DOUBLE] = {JSON_DOUBLE, sizeof(double)},
        [PROTOBUF_C_TYPE_BOOL] = {JSON_BOOL, sizeof(protobuf_c_boolean)},
        [PROTOBUF_C_TYPE_ENUM] = {JSON_ENUM, sizeof(int)},
        [PROTOBUF_C_TYPE_STRING] = {JSON_STRING, sizeof(char *)},
        [PROTOBUF_C_TYPE_BYTES] = {JSON_BYTES, sizeof(ProtobufCBinaryData)},
        [PROTOBUF_C_TYPE_MESSAGE] = {JSON_MESSAGE, sizeof(void *)},
    };

    *ret_size = kinds[type].size;
    return kinds[type].kind;
}

static void
add_name(struct json_plan *plan, const char *text, unsigned index)
{
    const size_t size = strlen(text);
    uint32_t slot = hash_bytes(text, size) & plan->name_mask;

    for (; plan->names[slot].text; slot = (slot + 1) & plan->name_mask)
        if (plan->names[slot].size == size && memcmp(plan->names[slot].text, text, size) == 0)
            return; /* a name without underscores is its own camel case */
    plan->names[slot] = (struct json_name){text, (uint32_t)size, index};
}

static struct status
plan_field(struct arena *arena, const ProtobufCMessageDescriptor *parent,
           const ProtobufCFieldDescriptor *field, struct json_field *ret)
{
    char *camel;

    TRY(need(camel = camel_case(arena, field->name)));
    ret->field = field;
    ret->camel = camel;
    ret->camel_size = (uint16_t)strlen(camel);
    TRY(need(ret->label = arena_printf(arena, "\"%s\":", camel)));
    ret->label_size = (uint16_t)(ret->camel_size + 3);
    ret->kind = (uint8_t)kind_of(field->type, &ret->element_size);
    ret->repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    ret->oneof = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    ret->map = ret->kind == JSON_MESSAGE && is_map_entry(field, camel, parent);
    ret->offset = field->offset;
    ret->quantifier_offset = field->quantifier_offset;
    if (ret->kind == JSON_ENUM)
        ret->enumerated = field->descriptor;
    return OK;
}

/* Makes the plan without its children. */
static struct status
plan_message(struct json_schema *schema, const ProtobufCMessageDescriptor *descriptor,
             struct arena *arena, struct json_plan **ret)
{
    struct json_plan *plan;
    uint32_t names = 8;
    size_t slot = descriptor_slot(descriptor);

    if (descriptor->n_fields > JSON_FIELDS_MAX)
        return FAIL(arena, UNIMPLEMENTED, "%s has too many fields", descriptor->name);
    if (strcmp(descriptor->package_name, "google.protobuf") == 0 &&
        strcmp(descriptor->short_name, "Timestamp") != 0)
        return FAIL(arena, UNIMPLEMENTED, "%s has no JSON form here", descriptor->name);
    if (++schema->count > PLANS / 2)
        return FAIL(arena, UNIMPLEMENTED, "more than %d messages", PLANS / 2);
    while (names < descriptor->n_fields * 4)
        names *= 2;
    TRY(need(plan = ARENA_NEW(&schema->arena, struct json_plan)));
    TRY(need(plan->names = ARENA_ARRAY(&schema->arena, struct json_name, names)));
    TRY(need(plan->fields =
                 ARENA_ARRAY(&schema->arena, struct json_field, descriptor->n_fields + 1)));
    plan->descriptor = descriptor;
    plan->timestamp = strcmp(descriptor->name, "google.protobuf.Timestamp") == 0;
    plan->field_count = descriptor->n_fields;
    plan->name_mask = names - 1;
    for (unsigned i = 0; i < plan->field_count; i++) {
        TRY(plan_field(&schema->arena, descriptor, &descriptor->fields[i], &plan->fields[i]));
        add_name(plan, plan->fields[i].camel, i);
    }
    for (unsigned i = 0; i < plan->field_count; i++)
        add_name(plan, descriptor->fields[i].name, i);
    while (schema->by_descriptor[slot])
        slot = (slot + 1) % PLANS;
    schema->by_descriptor[slot] = plan;
    *ret = plan;
    return OK;
}

/* Plans a message and, from a list of those not yet looked into, all that it holds. */
static struct status
plan_all(struct json_schema *schema, const ProtobufCMessageDescriptor *root,
         struct arena *arena)
{
    struct json_plan *open = NULL;

    if (find(schema, root))
        return OK;
    TRY(plan_message(schema, root, arena, &open));
    while (open) {
        struct json_plan *plan = open;

        open = plan->next;
        for (unsigned i = 0; i < plan->field_count; i++) {
            struct json_plan *child;

            if (plan->fields[i].kind != JSON_MESSAGE)
                continue;
            child = find(schema, plan->fields[i].field->descriptor);
            if (!child) {
                TRY(plan_message(schema, plan->fields[i].field->descriptor, arena, &child));
                child->next = open;
                open = child;
            }
            plan->fields[i].child = child;
        }
    }
    return OK;
}

struct status
json_schema_create(const ProtobufCMessageDescriptor *const *roots, struct arena *arena,
                   struct json_schema **ret)
{
    scoped(json_schema_destroy) struct json_schema *schema = calloc(1, sizeof *schema);

    TRY(need(schema));
    arena_init(&schema->arena, SCHEMA_BYTES);
    for (; *roots; roots++)
        TRY(plan_all(schema, *roots, arena));
    *ret = take(&schema);
    return OK;
}

void
json_schema_destroy(struct json_schema **schema)
{
    if (!*schema)
        return;
    arena_fini(&(*schema)->arena);
    free(take(schema));
}

const struct json_plan *
json_schema_find(const struct json_schema *schema, const ProtobufCMessageDescriptor *descriptor)
{
    return find(schema, descriptor);
}

int
json_plan_field(const struct json_plan *plan, const char *name, size_t size)
{
    for (uint32_t slot = hash_bytes(name, size) & plan->name_mask;;
         slot = (slot + 1) & plan->name_mask) {
        const struct json_name *entry = &plan->names[slot];

        if (!entry->text)
            return -1;
        if (entry->size == size && memcmp(entry->text, name, size) == 0)
            return (int)entry->index;
    }
}

const ProtobufCMessageDescriptor *
json_plan_descriptor(const struct json_plan *plan)
{
    return plan->descriptor;
}

const char *
json_plan_name(const struct json_plan *plan, unsigned index)
{
    return plan->fields[index].camel;
}
