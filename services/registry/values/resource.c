#include "services/registry/values/resource.h"

#include <string.h>

#define PATH_SIZE 40

static const void *
member(const ProtobufCMessage *message, size_t offset)
{
    return (const char *)message + offset;
}

static void *
member_of(ProtobufCMessage *message, size_t offset)
{
    return (char *)message + offset;
}

static size_t
scalar_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 4;
    }
}

static bool
same_kind(const ProtobufCFieldDescriptor *a, const ProtobufCFieldDescriptor *b)
{
    return a->type == b->type && a->descriptor == b->descriptor &&
           (a->label == PROTOBUF_C_LABEL_REPEATED) == (b->label == PROTOBUF_C_LABEL_REPEATED);
}

static void
copy_field(const ProtobufCMessage *from, const ProtobufCFieldDescriptor *source,
           ProtobufCMessage *to, const ProtobufCFieldDescriptor *target)
{
    if (source->label == PROTOBUF_C_LABEL_REPEATED) {
        memcpy(member_of(to, target->quantifier_offset),
               member(from, source->quantifier_offset), sizeof(size_t));
        memcpy(member_of(to, target->offset), member(from, source->offset), sizeof(void *));
        return;
    }
    memcpy(member_of(to, target->offset), member(from, source->offset),
           scalar_size(source->type));
}

void
resource_from_request(const ProtobufCMessage *request, ProtobufCMessage *resource)
{
    for (unsigned i = 0; i < request->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *source = &request->descriptor->fields[i];
        const ProtobufCFieldDescriptor *target =
            protobuf_c_message_descriptor_get_field_by_name(resource->descriptor, source->name);

        if (target && same_kind(source, target))
            copy_field(request, source, resource, target);
    }
}

static bool
changeable(const char *name)
{
    return strcmp(name, "expected_version") != 0 && strcmp(name, "update_fields") != 0;
}

struct status
resource_apply(struct arena *arena, const ProtobufCMessage *request, const char *const *names,
               size_t count, ProtobufCMessage *resource)
{
    if (count == 0)
        return FAIL_FIELD(arena, "update_fields", "must name at least one field to change");
    for (size_t i = 0; i < count; i++) {
        const ProtobufCFieldDescriptor *source =
            protobuf_c_message_descriptor_get_field_by_name(request->descriptor, names[i]);
        const ProtobufCFieldDescriptor *target =
            protobuf_c_message_descriptor_get_field_by_name(resource->descriptor, names[i]);
        char *path = arena_printf(arena, "update_fields[%zu]", i);

        TRY(need(path));
        /* The first field of a resource is its id. */
        if (!source || !target || target->id == 1 || !changeable(names[i]) ||
            !same_kind(source, target))
            return FAIL_FIELD(arena, path, "%.*s is not a field that can be changed", PATH_SIZE,
                              names[i]);
        for (size_t j = 0; j < i; j++)
            if (strcmp(names[i], names[j]) == 0)
                return FAIL_FIELD(arena, path, "%.*s is named twice", PATH_SIZE, names[i]);
        copy_field(request, source, resource, target);
    }
    return OK;
}
