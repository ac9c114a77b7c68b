#pragma once

/* CloudEvents in JSON (structured mode): the stored protobuf event with its data as JSON, by
 * the contract's descriptors.  Made once, only read afterwards: any thread. */

#include "common/base/buffer.h"
#include "io/cloudevents/v1/cloudevents.pb-c.h"

struct event_json;

must_use struct status event_json_create(struct arena *arena, struct event_json **ret);
void event_json_destroy(struct event_json **events);

/* Whether a content type is JSON: application/json, text/json or anything +json. */
bool event_json_type(const char *content_type);

/* Appends the event, on one line.  Data of an unknown type goes out as data_base64 with its own
 * content type, text that its producer called JSON as the value that it is. RESOURCE_EXHAUSTED:
 * the buffer or the arena is full. */
must_use struct status event_json_write(const struct event_json *events,
                                        const Io__Cloudevents__V1__CloudEvent *event,
                                        struct arena *arena, struct buffer *into);
