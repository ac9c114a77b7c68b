#include "services/events/tail.h"

#include <stdlib.h>

#define SMALLEST_BLOCK_BYTES 256 /* what a block of one event takes at least */

struct status
tail_init(struct tail *tail, size_t limit_bytes)
{
    const size_t room = limit_bytes / SMALLEST_BLOCK_BYTES + 1;
    struct block **ring = calloc(room, sizeof(struct block *));

    TRY(need(ring));
    *tail = (struct tail){.ring = ring, .room = room, .limit_bytes = limit_bytes};
    return OK;
}

static struct block *
at(const struct tail *tail, size_t i)
{
    return tail->ring[(tail->first + i) % tail->room];
}

static void
drop_oldest(struct tail *tail)
{
    struct block *block = at(tail, 0);

    tail->bytes -= block->memory_bytes;
    tail->first = (tail->first + 1) % tail->room;
    tail->count--;
    block_release(&block);
}

void
tail_fini(struct tail *tail)
{
    while (tail->count)
        drop_oldest(tail);
    free(tail->ring);
    *tail = (struct tail){0};
}

void
tail_start(struct tail *tail, uint64_t head)
{
    while (tail->count)
        drop_oldest(tail);
    tail->last = head;
    tail->known = true;
}

void
tail_push(struct tail *tail, struct block *block)
{
    if (!tail->known || block->position != tail->last + 1)
        tail_start(tail, block->position - 1);
    while (tail->count &&
           (tail->count == tail->room || tail->bytes + block->memory_bytes > tail->limit_bytes))
        drop_oldest(tail);
    tail->ring[(tail->first + tail->count) % tail->room] = block;
    tail->count++;
    tail->bytes += block->memory_bytes;
    tail->last = block->last;
}

uint64_t
tail_after(const struct tail *tail)
{
    return tail->count ? at(tail, 0)->position - 1 : tail->last;
}

struct block *
tail_find(const struct tail *tail, uint64_t position)
{
    size_t low = 0, high = tail->count;

    if (!tail->count || position <= tail_after(tail) || position > tail->last)
        return NULL;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;

        if (at(tail, middle)->position <= position)
            low = middle;
        else
            high = middle;
    }
    return at(tail, low);
}
