#pragma once

/* What the reader and the writer know of a message beforehand.  Inside the json family only. */

#include "common/json/json.h"

enum json_kind {
    JSON_INT32,
    JSON_INT64,
    JSON_UINT32,
    JSON_UINT64,
    JSON_FLOAT,
    JSON_DOUBLE,
    JSON_BOOL,
    JSON_ENUM,
    JSON_STRING,
    JSON_BYTES,
    JSON_MESSAGE,
};

struct json_field {
    const char *camel; /* "organisationId" */
    const char *label; /* "\"organisationId\":" */
    uint16_t camel_size, label_size;
    uint8_t kind; /* enum json_kind */
    uint8_t element_size;
    bool repeated, map, oneof;
    uint32_t offset, quantifier_offset;
    const struct json_plan *child;             /* JSON_MESSAGE */
    const ProtobufCEnumDescriptor *enumerated; /* JSON_ENUM */
    const ProtobufCFieldDescriptor *field;
};

/* One of a field's two names, in an open-addressed table. */
struct json_name {
    const char *text; /* NULL: free */
    uint32_t size;
    uint32_t index;
};

struct json_plan {
    const ProtobufCMessageDescriptor *descriptor;
    bool timestamp; /* google.protobuf.Timestamp: a text */
    unsigned field_count;
    uint32_t name_mask;
    struct json_field *fields;
    struct json_name *names;
    struct json_plan *next;
};

static inline void *
json_member(const struct json_field *field, ProtobufCMessage *message)
{
    return (char *)message + field->offset;
}

static inline const void *
json_member_const(const struct json_field *field, const ProtobufCMessage *message)
{
    return (const char *)message + field->offset;
}

/* Scalars (json_scalar.c).  All texts are slices without quotes. */

struct json_slice {
    const char *at;
    size_t size;
};

/* Whether the slice is a number by the grammar of RFC 8259. */
bool json_number_valid(struct json_slice number);

/* The exact value of a JSON number; false when it is no integer or does not fit. */
bool json_number_int64(struct json_slice number, int64_t *ret);
bool json_number_uint64(struct json_slice number, uint64_t *ret);
/* Finite values only. */
bool json_number_double(struct json_slice number, double *ret);

/* Standard or URL alphabet, with or without padding; NULL in *ret_data is an empty value. */
must_use struct status json_base64_read(struct json_slice text, struct arena *arena,
                                        bool *ret_ok, ProtobufCBinaryData *ret);
void json_base64_write(const ProtobufCBinaryData *data, struct buffer *into);

/* RFC 3339, years 0001 to 9999, any offset; nanoseconds 0..999'999'999. */
bool json_time_read(struct json_slice text, int64_t *ret_seconds, int32_t *ret_nanos);
/* "2026-11-22T05:59:35.123Z" with 0, 3, 6 or 9 decimals; false when the time has no such text.
 */
#define JSON_TIME_SIZE 40
bool json_time_write(int64_t seconds, int32_t nanos, char ret[JSON_TIME_SIZE]);

/* The shortest text that reads back as the same value. */
#define JSON_DOUBLE_SIZE 40
void json_double_write(double value, bool single, char ret[JSON_DOUBLE_SIZE]);
