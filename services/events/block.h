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
    uint32_t count;             /* last - position + 1 */
    struct bytes data;          /* empty: nothing in it was wanted */
    struct block_event *events; /* NULL: not found yet */
    size_t memory_bytes;        /* all that this block takes */
    struct block *next;         /* in the list of its one owner */
};

/* A block to be filled, with room for so many bytes and events; NULL: no memory.  Whoever made
 * it writes the bytes to *ret_room, tells of each event, and ends it. */
struct block *block_begin(uint64_t position, size_t bytes, uint32_t events, uint8_t **ret_room);
/* Its next event, with tag and length, which holds `event`; the parts stand in a copy of that
 * which begins at `from`. */
void block_add(struct block *block, struct bytes framed, const uint8_t *event,
               const uint8_t *from, const struct packed_event *parts);
void block_end(struct block *block, size_t bytes);

/* Copies `data` and finds its events.
 * INTERNAL: the bytes are not `count` events.  RESOURCE_EXHAUSTED: no memory. */
must_use struct status block_create(uint64_t position, uint32_t count, struct bytes data,
                                    struct arena *arena, struct block **ret);
/* Copies `data` as it is: for whoever sends whole blocks. */
must_use struct status block_create_closed(uint64_t position, uint32_t count, struct bytes data,
                                           struct arena *arena, struct block **ret);
/* Finds the events of such a block; its one owner.  False: the bytes are not what they should
 * be, or there is no memory. */
bool block_open(struct block *block);
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
