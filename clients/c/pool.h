#pragma once

/* Memory of one message: taken in one direction, given back at once, never beyond a budget, so
 * that no peer decides how much we use. */

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

struct smv_chunk;

struct smv_pool {
    struct smv_chunk *chunks; /* the newest first */
    size_t used, budget;      /* bytes */
};

void smv_pool_init(struct smv_pool *pool, size_t budget);
/* Zeroed; NULL: the budget or memory is used up. */
void *smv_pool_alloc(struct smv_pool *pool, size_t size);
char *smv_pool_copy(struct smv_pool *pool, const char *text);
/* Gives all back, but keeps a chunk for the next message. */
void smv_pool_reset(struct smv_pool *pool);
void smv_pool_fini(struct smv_pool *pool);

/* For protobuf-c; the pool must outlive it. */
ProtobufCAllocator smv_pool_allocator(struct smv_pool *pool);
