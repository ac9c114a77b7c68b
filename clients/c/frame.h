#pragma once

/* What a server says, checked: nothing of a frame is believed before it has passed. */

#include "clients/c/event.h"
#include "events/v1/stream.pb-c.h"

#define SMV_HEAD_BYTES ((size_t)8 << 10)
#define SMV_BODY_BYTES ((size_t)1 << 20)
#define SMV_EVENTS_MOST 100000
#define SMV_POOL_BYTES ((size_t)64 << 20) /* for what is made of one message */

struct smv_frame {
    const Events__V1__ServerFrame *server;
    const struct samverka_event **events; /* of a batch */
    size_t count;
};

/* Reads a message of one or two frames into the pool.  False: truncated, too large, a count
 * that is not true, positions outside of the batch's range or out of order. */
bool smv_frame_read(const uint8_t *head, size_t head_size, const uint8_t *body,
                    size_t body_size, struct smv_pool *pool, struct smv_frame *ret);

/* The next event's bytes of a packed CloudEventBatch; false: they are not whole. */
bool smv_frame_next_event(const uint8_t **rest, size_t *left, const uint8_t **ret_event,
                          size_t *ret_size);
