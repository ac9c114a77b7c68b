#include "services/events/block.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct status
index_events(struct block *block, struct arena *arena)
{
    struct bytes rest = block->data;
    struct bytes event;
    bool broken = false;
    uint32_t found = 0;

    while (found < block->count) {
        const uint8_t *start = rest.data;

        if (!packed_next(&rest, &event, &broken))
            break;
        TRY(packed_scan(event, arena, &block->events[found].parts));
        block->events[found].framed =
            (struct bytes){start, (size_t)(event.data + event.size - start)};
        found++;
    }
    if (found != block->count || rest.size)
        return FAIL(arena, INTERNAL, "the block at %" PRIu64 " does not hold %u events",
                    block->position, block->count);
    return OK;
}

static struct block *
allocate(uint64_t position, uint32_t count, size_t size)
{
    struct block *block = calloc(1, sizeof *block);

    if (!block)
        return NULL;
    atomic_init(&block->holders, 1);
    block->position = position;
    block->last = position + count - 1;
    block->count = count;
    block->memory_bytes = sizeof *block;
    if (size) {
        uint8_t *data = malloc(size);

        block->data = (struct bytes){data, size};
        block->events = calloc(count, sizeof *block->events);
        block->memory_bytes += size + count * sizeof *block->events;
        if (!data || !block->events)
            block_release(&block);
    }
    return block;
}

struct status
block_create(uint64_t position, uint32_t count, struct bytes data, struct arena *arena,
             struct block **ret)
{
    scoped(block_release) struct block *block = NULL;

    if (!count || !data.size || count > data.size)
        return FAIL(arena, INTERNAL, "the block at %" PRIu64 " is empty", position);
    TRY(need(block = allocate(position, count, data.size)));
    memcpy((uint8_t *)(uintptr_t)block->data.data, data.data, data.size);
    TRY(index_events(block, arena));
    *ret = take(&block);
    return OK;
}

struct status
block_create_empty(uint64_t position, uint32_t count, struct block **ret)
{
    struct block *block;

    TRY(need(block = allocate(position, count, 0)));
    *ret = block;
    return OK;
}

struct block *
block_hold(struct block *block)
{
    atomic_fetch_add_explicit(&block->holders, 1, memory_order_relaxed);
    return block;
}

void
block_release(struct block **block)
{
    struct block *gone = take(block);

    if (!gone || atomic_fetch_sub_explicit(&gone->holders, 1, memory_order_acq_rel) != 1)
        return;
    free((uint8_t *)(uintptr_t)gone->data.data);
    free(gone->events);
    free(gone);
}

void
block_sent(void *data, void *block)
{
    struct block *held = block;

    (void)data; /* stands in the block */
    block_release(&held);
}
