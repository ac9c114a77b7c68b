#pragma once

/* An event that another system hands in over HTTP, put together from its attributes.
 *
 * Pure: the same attributes in the same order give the same bytes, so a repeat is known as one.
 * Everything lives in the arena.  Failures name the attribute as their field, bare ("time");
 * the reader of the request says where it stood.
 */

#include "common/wire/message.h"
#include "io/cloudevents/v1/cloudevents.pb-c.h"

#define INGEST_BATCH_EVENTS 1000
#define INGEST_EVENT_BYTES ((size_t)16 << 10) /* packed, as the log limits it */
/* Of one event; with those that the log adds it stays below the log's own limit. */
#define INGEST_ATTRIBUTES 50
#define INGEST_NAME_BYTES 40  /* twice what CloudEvents recommends */
#define INGEST_TEXT_BYTES 512 /* of id, source, type and subject */

enum ingest_data { INGEST_DATA_NONE, INGEST_DATA_TEXT, INGEST_DATA_JSON, INGEST_DATA_BYTES };

struct ingest_event {
    struct arena *arena;
    Io__Cloudevents__V1__CloudEvent *event;
    bool has_version;
    enum ingest_data data;
    const char *content_type; /* NULL: not said */
};

must_use struct status ingest_event_begin(struct arena *arena, struct ingest_event *ret);

/* An attribute as text, of its type: `time` becomes a time, `dataschema` a URI.  The text ends
 * in a NUL, is UTF-8 and must live in the arena. INVALID_ARGUMENT: a bad name or value, a
 * second one, one that is the log's to give. */
must_use struct status ingest_event_text(struct ingest_event *event, const char *name,
                                         const char *text);
must_use struct status ingest_event_integer(struct ingest_event *event, const char *name,
                                            int32_t value);
must_use struct status ingest_event_boolean(struct ingest_event *event, const char *name,
                                            bool value);

/* The data; which of them fits is said by the content type when the event is finished. */
must_use struct status ingest_event_data_text(struct ingest_event *event, const char *text);
must_use struct status ingest_event_data_json(struct ingest_event *event, const char *text);
must_use struct status ingest_event_data_bytes(struct ingest_event *event,
                                               ProtobufCBinaryData bytes);

/* INVALID_ARGUMENT: an attribute that every event has is missing, or the data is not of its
 * content type.  TOO_LARGE: more than INGEST_EVENT_BYTES. */
must_use struct status ingest_event_finish(struct ingest_event *event,
                                           Io__Cloudevents__V1__CloudEvent **ret);
