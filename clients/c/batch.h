#pragma once

/* A packed CloudEventBatch that is being made. */

#include "clients/c/samverka.h"

#define SMV_BATCH_EVENTS 1000               /* what the log takes at once */
#define SMV_BATCH_BYTES ((size_t)900 << 10) /* with its head it fits a frame of 1 MiB */

struct smv_batch {
    uint8_t *data;
    size_t size, room, count;
};

/* Adds an event.  FULL: it does not fit any more; INVALID: it never will. */
enum samverka_code smv_batch_add(struct smv_batch *batch, const char *source,
                                 const struct samverka_new_event *event,
                                 struct samverka_error *error);
void smv_batch_clear(struct smv_batch *batch);
