#pragma once

/* Events in JSON, as application/cloudevents+json and -batch+json, become packed ones.
 *
 * Pure.  Refused, with the place as a JSON pointer in status.field ("/3/time"): all that
 * common/json refuses, all that ingest_event.h refuses, an empty batch, more than
 * INGEST_BATCH_EVENTS.  An attribute that is null is one that is not there.
 */

#include "services/gateway/ingest_event.h"

/* One event, or with `batch` a list of them.  TOO_LARGE: an event, or the text beyond
 * JSON_TEXT_BYTES.  The batch lives in the arena. */
must_use struct status ingest_json_read(const char *text, size_t size, bool batch,
                                        struct arena *arena,
                                        Io__Cloudevents__V1__CloudEventBatch *ret);
