#pragma once

/* Events of ours as packed CloudEvents of exactly BENCH_EVENT_BYTES, made once and stamped
 * afterwards, so that making them costs a measurement next to nothing. */

#include "common/wire/message.h"
#include "tests/bench/events/run.h"

#define EVENT_FRAME_BYTES 3 /* tag and length in a batch */
#define EVENT_SOURCE_BYTES 48
#define EVENT_TENANT "0193a000-0000-7000-8000-00000000be4c"

struct event {
    uint8_t bytes[BENCH_EVENT_BYTES];
    size_t id_at, due_at;
    char source[EVENT_SOURCE_BYTES];
};

/* `with_tenant`: as a service of ours writes it into the outbox; otherwise the log gives it. */
void event_make(const struct bench_publisher *publisher, bool with_tenant, struct event *ret);
/* An id that no other event has, the time, and data that no other event has. */
void event_stamp(struct event *event, uint64_t number, uint64_t due_ns);
/* Writes a stamped event as an item of a batch; BENCH_EVENT_BYTES + EVENT_FRAME_BYTES. */
void event_put(const struct event *event, uint8_t *into);

/* Takes the next event of a batch; false at the end.  Dies of a batch that is none. */
bool event_next(struct bytes *batch, struct bytes *ret);
/* The time that an event carries. */
uint64_t event_due(struct bytes event);
