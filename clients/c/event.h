#pragma once

#include "clients/c/pool.h"
#include "clients/c/samverka.h"
#include "io/cloudevents/v1/cloudevents.pb-c.h"

#define SMV_EVENT_BYTES ((size_t)64 << 10) /* of one that is read; the log takes 16 KiB */

struct samverka_event {
    const uint8_t *packed; /* in the frame */
    size_t size;
    const Io__Cloudevents__V1__CloudEvent *event; /* in the pool */
};

/* Unpacks one event; what it points at lives as long as the pool and the bytes.  False: the
 * bytes are no event, or one with texts that are not UTF-8, or too large. */
bool smv_event_read(const uint8_t *packed, size_t size, struct smv_pool *pool,
                    struct samverka_event *ret);

/* A number as the log writes it (decimal digits); 0: there is none. */
uint64_t smv_event_number(const struct samverka_event *event, const char *name);
