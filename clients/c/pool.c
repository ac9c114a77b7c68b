#include "clients/c/pool.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)64 << 10)
#define ALIGNMENT ((size_t)16)

struct smv_chunk {
    struct smv_chunk *next;
    size_t size, used;
    _Alignas(16) unsigned char data[];
};

void
smv_pool_init(struct smv_pool *pool, size_t budget)
{
    *pool = (struct smv_pool){.budget = budget};
}

static struct smv_chunk *
add_chunk(struct smv_pool *pool, size_t size)
{
    const size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;
    struct smv_chunk *chunk = malloc(sizeof *chunk + room);

    if (!chunk)
        return NULL;
    *chunk = (struct smv_chunk){.next = pool->chunks, .size = room};
    pool->chunks = chunk;
    return chunk;
}

void *
smv_pool_alloc(struct smv_pool *pool, size_t size)
{
    struct smv_chunk *chunk = pool->chunks;
    void *memory;

    if (size > pool->budget)
        return NULL;
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (size > pool->budget - pool->used)
        return NULL;
    if (!chunk || size > chunk->size - chunk->used)
        chunk = add_chunk(pool, size);
    if (!chunk)
        return NULL;
    memory = chunk->data + chunk->used;
    chunk->used += size;
    pool->used += size;
    return memset(memory, 0, size);
}

char *
smv_pool_copy(struct smv_pool *pool, const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = smv_pool_alloc(pool, size);

    return copy ? memcpy(copy, text, size) : NULL;
}

void
smv_pool_reset(struct smv_pool *pool)
{
    struct smv_chunk *kept = NULL;

    while (pool->chunks) {
        struct smv_chunk *chunk = pool->chunks;

        pool->chunks = chunk->next;
        if (chunk->size == CHUNK_BYTES && !kept)
            kept = chunk;
        else
            free(chunk);
    }
    if (kept) {
        kept->next = NULL;
        kept->used = 0;
    }
    pool->chunks = kept;
    pool->used = 0;
}

void
smv_pool_fini(struct smv_pool *pool)
{
    smv_pool_reset(pool);
    free(pool->chunks);
    pool->chunks = NULL;
}

static void *
take_memory(void *pool, size_t size)
{
    return smv_pool_alloc(pool, size);
}

/* All of it goes together. */
static void
leave_memory(void *pool, void *memory)
{
    (void)pool;
    (void)memory;
}

ProtobufCAllocator
smv_pool_allocator(struct smv_pool *pool)
{
    return (ProtobufCAllocator){take_memory, leave_memory, pool};
}
