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
        block->memory_bytes += size;
        if (!data)
            block_release(&block);
    }
    return block;
}

static bool
allocate_events(struct block *block, uint32_t count)
{
    block->events = calloc(count, sizeof *block->events);
    block->memory_bytes += count * sizeof *block->events;
    return block->events != NULL;
}

struct block *
block_begin(uint64_t position, size_t bytes, uint32_t events, uint8_t **ret_room)
{
    scoped(block_release) struct block *block = allocate(position, 0, bytes);

    if (!block || !allocate_events(block, events))
        return NULL;
    *ret_room = (uint8_t *)(uintptr_t)block->data.data;
    return take(&block);
}

/* The same part in the block's own bytes. */
static struct bytes
moved(struct bytes part, const uint8_t *from, const uint8_t *to)
{
    return part.data ? (struct bytes){to + (part.data - from), part.size} : part;
}

void
block_add(struct block *block, struct bytes framed, const uint8_t *event, const uint8_t *from,
          const struct packed_event *parts)
{
    struct block_event *into = &block->events[block->count++];

    into->framed = framed;
    into->parts = (struct packed_event){
        .id = moved(parts->id, from, event),
        .source = moved(parts->source, from, event),
        .type = moved(parts->type, from, event),
        .tenant_id = moved(parts->tenant_id, from, event),
        .audience = moved(parts->audience, from, event),
        .subject = moved(parts->subject, from, event),
        .partition_key = moved(parts->partition_key, from, event),
        .programme = moved(parts->programme, from, event),
        .nuts = moved(parts->nuts, from, event),
        .concepts = moved(parts->concepts, from, event),
        .numbered = true,
    };
}

void
block_end(struct block *block, size_t bytes)
{
    block->data.size = bytes;
    block->last = block->position + block->count - 1;
}

struct status
block_create_closed(uint64_t position, uint32_t count, struct bytes data, struct arena *arena,
                    struct block **ret)
{
    struct block *block;

    if (!count || !data.size || count > data.size)
        return FAIL(arena, INTERNAL, "the block at %" PRIu64 " is empty", position);
    TRY(need(block = allocate(position, count, data.size)));
    memcpy((uint8_t *)(uintptr_t)block->data.data, data.data, data.size);
    *ret = block;
    return OK;
}

struct status
block_create(uint64_t position, uint32_t count, struct bytes data, struct arena *arena,
             struct block **ret)
{
    scoped(block_release) struct block *block = NULL;

    TRY(block_create_closed(position, count, data, arena, &block));
    if (!allocate_events(block, count))
        return need(NULL);
    TRY(index_events(block, arena));
    *ret = take(&block);
    return OK;
}

bool
block_open(struct block *block)
{
    if (block->events || !block->data.size)
        return true;
    if (!allocate_events(block, block->count))
        return false;
    if (!failed(index_events(block, NULL)))
        return true;
    free(take(&block->events));
    return false;
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
