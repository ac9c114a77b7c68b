#pragma once

/* The frames of the stream protocol: what clients may say, checked, and what we answer, packed.
 */

#include "events/v1/stream.pb-c.h"
#include "services/events/rules.h"

#define FRAME_DETAIL_BYTES 240
#define FRAME_SOURCE_BYTES 256
#define FRAME_BYTES 640 /* of any frame that we make */

/* Checks and unpacks.  INVALID_ARGUMENT or RESOURCE_EXHAUSTED: names the field at fault. */
must_use struct status frame_read(struct bytes packed, struct arena *arena,
                                  Events__V1__ClientFrame **ret);

/* Writers return the size. */
size_t frame_put_batch(uint64_t after, uint64_t through, uint32_t count, uint64_t head,
                       uint8_t into[FRAME_BYTES]);
size_t frame_put_heartbeat(uint64_t through, uint64_t head, uint8_t into[FRAME_BYTES]);
/* What came of a batch. */
struct frame_outcome {
    const char *source; /* one of more than FRAME_SOURCE_BYTES is left out */
    uint64_t batch_number;
    struct status status;
    uint64_t first, last;
    uint32_t duplicates;
};
size_t frame_put_outcome(const struct frame_outcome *outcome, uint8_t into[FRAME_BYTES]);
/* The detail of the status is cut where it would be too long; its field stands before it. */
size_t frame_put_ended(struct status status, uint64_t through, uint64_t first_kept,
                       uint8_t into[FRAME_BYTES]);
