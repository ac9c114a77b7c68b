#include "common/wire/message.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/utf8.h"

enum { VARINT = 0, FIXED64 = 1, LENGTH = 2, FIXED32 = 5 };

#define TAG_BYTES 5 /* what protobuf-c reads of a tag and of a length */
#define LENGTH_BYTES 5
#define VARINT_BYTES 10
#define PATH_BYTES 512

/* A message being walked, and how far. */
struct level {
    const ProtobufCMessageDescriptor *descriptor;
    const uint8_t *start, *at, *end;
    const uint8_t *tag;                    /* where the present field begins */
    const ProtobufCFieldDescriptor *field; /* the present field; NULL: unknown */
    unsigned last;                         /* index of the field found last: order is usual */
};

struct walk {
    struct level levels[WIRE_DEPTH];
    unsigned depth; /* levels in use */
    uint32_t fields;
};

/* Reads a varint of at most max_bytes; false when it is truncated or longer. */
static inline bool
take_varint(const uint8_t **at, const uint8_t *end, unsigned max_bytes, uint64_t *ret)
{
    const uint8_t *byte = *at;
    uint64_t value = 0;

    if (byte < end && *byte < 0x80) {
        *ret = *byte;
        *at = byte + 1;
        return true;
    }
    for (unsigned i = 0; i < max_bytes && byte < end; i++, byte++) {
        if (i == VARINT_BYTES - 1 && *byte > 1)
            return false; /* beyond 64 bits */
        value |= (uint64_t)(*byte & 0x7f) << (7 * i);
        if (*byte < 0x80) {
            *ret = value;
            *at = byte + 1;
            return true;
        }
    }
    return false;
}

static bool
take_bytes(struct level *level, size_t size)
{
    if ((size_t)(level->end - level->at) < size)
        return false;
    level->at += size;
    return true;
}

static int
wire_type_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return FIXED32;
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return FIXED64;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return LENGTH;
    default:
        return VARINT;
    }
}

/* Fields usually come in the order of the descriptor, so the last one and its neighbour are
 * tried before the search. */
static const ProtobufCFieldDescriptor *
find_field(struct level *level, uint32_t number)
{
    const ProtobufCMessageDescriptor *descriptor = level->descriptor;
    const ProtobufCFieldDescriptor *field;

    for (unsigned i = level->last; i < descriptor->n_fields && i < level->last + 2; i++)
        if (descriptor->fields[i].id == number) {
            level->last = i;
            return &descriptor->fields[i];
        }
    field = protobuf_c_message_descriptor_get_field(descriptor, number);
    if (field != NULL)
        level->last = (unsigned)(field - descriptor->fields);
    return field;
}

static const char *
check_packed(int wire_type, const uint8_t *at, const uint8_t *end)
{
    uint64_t ignored;

    if (wire_type == FIXED32)
        return (end - at) % 4 == 0 ? NULL : "is packed with a broken element";
    if (wire_type == FIXED64)
        return (end - at) % 8 == 0 ? NULL : "is packed with a broken element";
    while (at < end)
        if (!take_varint(&at, end, VARINT_BYTES, &ignored))
            return "is packed with a truncated or overlong varint";
    return NULL;
}

/* Goes into a message field; the parent has moved past it already. */
static const char *
enter(struct walk *walk, const ProtobufCMessageDescriptor *descriptor, const uint8_t *start,
      const uint8_t *end)
{
    if (walk->depth == WIRE_DEPTH)
        return "is nested too deeply";
    walk->levels[walk->depth++] =
        (struct level){.descriptor = descriptor, .start = start, .at = start, .end = end};
    return NULL;
}

static const char *
check_length(struct walk *walk, struct level *level)
{
    const ProtobufCFieldDescriptor *field = level->field;
    const uint8_t *start;
    uint64_t size;
    int expected;

    if (!take_varint(&level->at, level->end, LENGTH_BYTES, &size))
        return "has a truncated or overlong length";
    start = level->at;
    if (size > WIRE_MESSAGE_BYTES || !take_bytes(level, (size_t)size))
        return "is truncated";
    if (field == NULL || field->type == PROTOBUF_C_TYPE_BYTES)
        return NULL;
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return utf8_text(start, (size_t)size) ? NULL : "is not UTF-8 text without NUL";
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return enter(walk, field->descriptor, start, level->at);
    expected = wire_type_of(field->type);
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return "has the wrong wire type";
    return check_packed(expected, start, level->at);
}

static const char *
check_field(struct walk *walk, struct level *level)
{
    uint64_t tag, ignored;
    int wire_type;

    level->tag = level->at;
    level->field = NULL;
    if (++walk->fields > WIRE_FIELDS)
        return "has too many fields";
    if (!take_varint(&level->at, level->end, TAG_BYTES, &tag) || tag > UINT32_MAX)
        return "has a truncated or overlong tag";
    if (tag >> 3 == 0)
        return "has a field with the number 0";
    level->field = find_field(level, (uint32_t)(tag >> 3));
    wire_type = (int)(tag & 7);
    if (wire_type == LENGTH)
        return check_length(walk, level);
    if (wire_type != VARINT && wire_type != FIXED32 && wire_type != FIXED64)
        return "has a group or an unknown wire type";
    if (level->field != NULL && wire_type != wire_type_of(level->field->type))
        return "has the wrong wire type";
    if (wire_type == VARINT)
        return take_varint(&level->at, level->end, VARINT_BYTES, &ignored)
                   ? NULL
                   : "has a truncated or overlong varint";
    return take_bytes(level, wire_type == FIXED32 ? 4 : 8) ? NULL : "is truncated";
}

/* Which element of a repeated field begins at level->tag.  Only for the text of a refusal, so
 * that a good message pays nothing for it; all before the tag has been checked. */
static unsigned
element_index(const struct level *level)
{
    const uint8_t *at = level->start;
    unsigned index = 0;

    while (at < level->tag) {
        uint64_t tag = 0, value = 0;

        if (!take_varint(&at, level->end, TAG_BYTES, &tag))
            break;
        index += tag >> 3 == level->field->id;
        switch (tag & 7) {
        case FIXED32:
            at += 4;
            break;
        case FIXED64:
            at += 8;
            break;
        default:
            if (!take_varint(&at, level->end, VARINT_BYTES, &value))
                return index;
            at += (tag & 7) == LENGTH ? value : 0;
        }
    }
    return index;
}

/* "skills[3].name"; "" when the message itself is at fault. */
static void
name_path(const struct walk *walk, char path[PATH_BYTES])
{
    size_t size = 0;

    path[0] = '\0';
    for (unsigned i = 0; i < walk->depth && size < PATH_BYTES; i++) {
        const struct level *level = &walk->levels[i];
        int wrote;

        if (level->field == NULL)
            break;
        wrote = snprintf(path + size, PATH_BYTES - size, "%s%s", i > 0 ? "." : "",
                         level->field->name);
        size += wrote > 0 ? (size_t)wrote : 0;
        if (level->field->label == PROTOBUF_C_LABEL_REPEATED && size < PATH_BYTES) {
            wrote = snprintf(path + size, PATH_BYTES - size, "[%u]", element_index(level));
            size += wrote > 0 ? (size_t)wrote : 0;
        }
    }
}

static struct status
refuse(const struct walk *walk, const char *fault, struct arena *arena)
{
    char path[PATH_BYTES];
    const char *field;

    name_path(walk, path);
    if (path[0] == '\0')
        return FAIL(arena, INVALID_ARGUMENT, "the message %s", fault);
    field = arena_copy(arena, path);
    return FAIL_FIELD(arena, field, "%s %s", path, fault);
}

struct status
wire_check(const ProtobufCMessageDescriptor *descriptor, struct bytes packed,
           struct arena *arena)
{
    struct walk walk;

    if (packed.size > WIRE_MESSAGE_BYTES)
        return FAIL(arena, TOO_LARGE, "the message has %zu bytes; %zu are allowed", packed.size,
                    WIRE_MESSAGE_BYTES);
    if (packed.size == 0)
        return OK;
    walk.depth = 0;
    walk.fields = 0;
    (void)enter(&walk, descriptor, packed.data, packed.data + packed.size); /* cannot be deep */
    while (walk.depth > 0) {
        struct level *level = &walk.levels[walk.depth - 1];
        const char *fault;

        if (level->at == level->end) {
            walk.depth--;
            continue;
        }
        fault = check_field(&walk, level);
        if (fault != NULL)
            return refuse(&walk, fault, arena);
    }
    return OK;
}

/* An arena, and whether it refused: protobuf-c only says that unpacking failed. */
struct budget {
    struct arena *arena;
    bool exhausted;
};

static void *
budget_alloc(void *data, size_t size)
{
    struct budget *budget = data;
    /* protobuf-c asks for no bytes for an empty string or list and takes NULL for a failure. */
    void *memory = arena_alloc(budget->arena, size > 0 ? size : 1);

    budget->exhausted |= memory == NULL;
    return memory;
}

static void *
arena_alloc_for_protobuf(void *data, size_t size)
{
    return arena_alloc(data, size > 0 ? size : 1);
}

static void
keep(void *data, void *memory)
{
    (void)data;
    (void)memory; /* goes with the arena */
}

ProtobufCAllocator
wire_allocator(struct arena *arena)
{
    return (ProtobufCAllocator){arena_alloc_for_protobuf, keep, arena};
}

static struct status
unpack_checked(const ProtobufCMessageDescriptor *descriptor, struct bytes packed,
               struct arena *arena, ProtobufCMessage **ret)
{
    struct budget budget = {.arena = arena};
    ProtobufCAllocator allocator = {budget_alloc, keep, &budget};
    ProtobufCMessage *message;

    message = protobuf_c_message_unpack(descriptor, &allocator, packed.size, packed.data);
    if (message == NULL && budget.exhausted)
        return FAIL(arena, RESOURCE_EXHAUSTED, "the message needs too much memory");
    if (message == NULL)
        return FAIL(arena, INVALID_ARGUMENT, "the message is no %s", descriptor->name);
    *ret = message;
    return OK;
}

struct status
wire_unpack(const ProtobufCMessageDescriptor *descriptor, struct bytes packed,
            struct arena *arena, ProtobufCMessage **ret)
{
    TRY(wire_check(descriptor, packed, arena));
    return unpack_checked(descriptor, packed, arena, ret);
}

struct status
wire_pack(const ProtobufCMessage *message, struct arena *arena, struct bytes *ret)
{
    const size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *data;

    if (size > WIRE_MESSAGE_BYTES)
        return FAIL(arena, TOO_LARGE, "the message would have %zu bytes; %zu are allowed", size,
                    WIRE_MESSAGE_BYTES);
    TRY(need(data = arena_alloc(arena, size > 0 ? size : 1)));
    *ret = (struct bytes){data, protobuf_c_message_pack(message, data)};
    return OK;
}

struct status
wire_copy(const ProtobufCMessage *message, struct arena *arena, ProtobufCMessage **ret)
{
    struct bytes packed;

    TRY(wire_pack(message, arena, &packed));
    return unpack_checked(message->descriptor, packed, arena, ret);
}
