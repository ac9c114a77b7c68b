#pragma once

/* The pure parts of POST /v1/events beside the events' own: which batch of its source a request
 * is, and where in the request the log's complaints belong. */

#include "services/gateway/ingest_event.h"

enum ingest_mode { INGEST_STRUCTURED, INGEST_BATCH, INGEST_BINARY };

/* By the Content-Type (NULL: none) and whether there are ce- headers.  UNSUPPORTED_MEDIA_TYPE.
 */
must_use struct status ingest_mode_of(const char *content_type, bool has_headers,
                                      struct arena *arena, enum ingest_mode *ret);

/* A batch of a source, as Append wants it. */
struct ingest_batch {
    const char *source;
    uint64_t number;
};

/* With both headers the source counts its batches itself.  Without them every event must have
 * the same source, and the number is made of the sender and the key, or else of the events'
 * ids: so a repeat of the request is known as one.  Such numbers are above 2^62, which no
 * source counts up to.  INVALID_ARGUMENT names the header, or the event ("/1/source"). */
must_use struct status ingest_batch_of(const char *source, const char *number,
                                       const char *sender, const char *key,
                                       const Io__Cloudevents__V1__CloudEventBatch *events,
                                       struct arena *arena, struct ingest_batch *ret);

/* A field of AppendRequest as the place in the request it was made of: "batch.events[3].source"
 * is "/3/source", "/source" or "/ce-source".  Lives in the arena; NULL: no memory. */
const char *ingest_pointer(const char *field, enum ingest_mode mode, struct arena *arena);

/* A ce- header's value as CloudEvents encodes it: perhaps quoted, percent-encoded.
 * INVALID_ARGUMENT. */
must_use struct status ingest_header_value(const char *value, struct arena *arena,
                                           const char **ret);
