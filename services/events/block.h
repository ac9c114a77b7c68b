#pragma once

/* A block of the log in memory: consecutive events as one packed CloudEventBatch, never
 * changed, shared by count between the threads and the messages that carry its bytes. */

#include <stdatomic.h>

#include "services/events/packed.h"

#define BLOCK_BYTES                                                                            \
    ((size_t)64 << 10) /* a block is closed when the next event would pass this */

/* Where an event stands in the block's data. */
struct block_event {
    struct bytes framed; /* with tag and length */
    struct packed_event parts;
};

struct block {
    atomic_uint holders;
    uint64_t position; /* of the first event */
    uint64_t last;
    uint32_t count;    /* last - position + 1 */
    struct bytes data; /* empty: nothing in it was wanted */
    struct block_event *events;
    size_t memory_bytes; /* all that this block takes */
    struct block *next;  /* in the list of its one owner */
};

/* Copies `data` and finds its events.
 * INTERNAL: the bytes are not `count` events.  RESOURCE_EXHAUSTED: no memory. */
must_use struct status block_create(uint64_t position, uint32_t count, struct bytes data,
                                    struct arena *arena, struct block **ret);
/* Only the range: none of its events was wanted. */
must_use struct status block_create_empty(uint64_t position, uint32_t count,
                                          struct block **ret);

struct block *block_hold(struct block *block);
void block_release(struct block **block);

/* For zmq_msg_init_data: releases the hold that was taken for the message.  Any thread. */
void block_sent(void *data, void *block);

static inline const struct block_event *
block_event_at(const struct block *block, uint64_t position)
{
    return &block->events[position - block->position];
}
