#pragma once

/* proto3 JSON <-> protobuf-c, by descriptor: no code per message.
 *
 * Out: lowerCamelCase names, 64-bit integers as strings, enums by name, bytes as base64,
 * scalars and lists always present, messages and oneof members only when set. In: both names of
 * a field, integers as numbers or strings (exact), enums by name or number, null for "not set".
 * Refused, with the place as a JSON pointer in status.field: unknown fields, duplicate keys,
 * wrong types, NaN, infinities, numbers out of range, text that is not UTF-8 or holds a NUL,
 * anything after the value, and whatever passes the limits below.
 *
 * A schema is made once and only read afterwards: any thread may use it.
 */

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/status.h"

#define JSON_TEXT_BYTES ((size_t)256 << 10)
#define JSON_DEPTH 32
#define JSON_KEYS 1000
#define JSON_FIELDS_MAX 256 /* fields of one message */

struct json_schema;
struct json_plan;

/* A set of a message's fields, by their index in the descriptor. */
struct json_fields {
    uint64_t bits[JSON_FIELDS_MAX / 64];
};

static inline bool
json_fields_has(const struct json_fields *fields, unsigned index)
{
    return (fields->bits[index / 64] >> (index % 64)) & 1;
}

static inline void
json_fields_add(struct json_fields *fields, unsigned index)
{
    fields->bits[index / 64] |= (uint64_t)1 << (index % 64);
}

/* Plans for these messages (a NULL ends the list) and all they hold.
 * UNIMPLEMENTED: a message has more than JSON_FIELDS_MAX fields or is a google.protobuf type
 * other than Timestamp. */
must_use struct status json_schema_create(const ProtobufCMessageDescriptor *const *roots,
                                          struct arena *arena, struct json_schema **ret);
void json_schema_destroy(struct json_schema **schema);

/* NULL: the message was not among the roots nor inside them. */
const struct json_plan *json_schema_find(const struct json_schema *schema,
                                         const ProtobufCMessageDescriptor *descriptor);

/* The field of either name; -1: none. */
int json_plan_field(const struct json_plan *plan, const char *name, size_t size);
const ProtobufCMessageDescriptor *json_plan_descriptor(const struct json_plan *plan);
/* lowerCamelCase name of the field at `index`; lives as long as the schema. */
const char *json_plan_name(const struct json_plan *plan, unsigned index);

/* Reads one JSON object into a fresh message in `arena`.  The fields in `closed` (may be NULL)
 * are refused because another part of the request sets them.  ret_seen (may be NULL) gets the
 * fields that the text named. INVALID_ARGUMENT with the pointer as field; TOO_LARGE beyond
 * JSON_TEXT_BYTES. */
must_use struct status json_read(const struct json_plan *plan, const char *text, size_t size,
                                 const struct json_fields *closed, struct arena *arena,
                                 ProtobufCMessage **ret, struct json_fields *ret_seen);

/* Sets a singular scalar, enum or string, or appends to a list of these, from bare text as it
 * stands in a path or query: "true", "17", "OPEN".  `name` is what an error calls the field. */
must_use struct status json_set_text(const struct json_plan *plan, unsigned index,
                                     const char *text, const char *name, struct arena *arena,
                                     ProtobufCMessage *message);

/* As json_set_text for a field named by its path, "page_size" or "subject.kind"; messages on
 * the way are made.  A field in `closed` is refused. */
must_use struct status json_set_path(const struct json_plan *plan, const char *path,
                                     const char *text, const struct json_fields *closed,
                                     struct arena *arena, ProtobufCMessage *message);

/* Appends the message as JSON.  RESOURCE_EXHAUSTED when the buffer is full; INTERNAL beyond
 * JSON_DEPTH.  The message's strings must be UTF-8, as wire_unpack leaves them. */
must_use struct status json_write(const struct json_plan *plan, const ProtobufCMessage *message,
                                  struct arena *arena, struct buffer *into);

/* Whether the text is one JSON value of any kind, under the limits above.  INVALID_ARGUMENT
 * with the pointer as field; TOO_LARGE beyond JSON_TEXT_BYTES. */
must_use struct status json_value_check(const char *text, size_t size, struct arena *arena);

/* Appends a value that has passed the check, on one line: without the space between tokens. */
void json_value_write(const char *text, size_t size, struct buffer *into);
