#include "common/base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Under the address sanitizer, memory that is not handed out is forbidden: a text that outlives
 * its call, or is written past its end, stops the test. */
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define FORBID(at, size) ASAN_POISON_MEMORY_REGION((at), (size))
#define ALLOW(at, size) ASAN_UNPOISON_MEMORY_REGION((at), (size))
#else
#define FORBID(at, size) ((void)(at), (void)(size))
#define ALLOW(at, size) ((void)(at), (void)(size))
#endif

#define ALIGNMENT ((size_t)16)
#define FIRST_BYTES ((size_t)16 << 10)
#define LARGEST_BYTES ((size_t)1 << 20)
/* A larger first chunk is given back at a reset, so that one big call does not keep its memory.
 */
#define KEEP_BYTES ((size_t)64 << 10)

struct arena_chunk {
    struct arena_chunk *older;
    size_t used_bytes;
    size_t size_bytes;
    _Alignas(16) uint8_t data[];
};

void
arena_init(struct arena *arena, size_t limit_bytes)
{
    *arena = (struct arena){.limit_bytes = limit_bytes};
}

static void
chunk_free(struct arena_chunk *chunk)
{
    ALLOW(chunk->data, chunk->size_bytes);
    free(chunk);
}

void
arena_fini(struct arena *arena)
{
    while (arena->chunks) {
        struct arena_chunk *older = arena->chunks->older;

        chunk_free(arena->chunks);
        arena->chunks = older;
    }
    arena->used_bytes = 0;
}

void
arena_reset(struct arena *arena)
{
    struct arena_chunk *first = arena->chunks;

    arena->used_bytes = 0;
    if (!first)
        return;
    while (first->older) {
        struct arena_chunk *older = first->older;

        chunk_free(first);
        first = older;
    }
    arena->chunks = first;
    if (first->size_bytes > KEEP_BYTES) {
        arena_fini(arena);
        return;
    }
    ALLOW(first->data, first->size_bytes);
    memset(first->data, 0, first->used_bytes);
    first->used_bytes = 0;
    FORBID(first->data, first->size_bytes);
}

/* Puts a chunk with room for `size` in front; each is twice as large as the one before. */
static struct arena_chunk *
grow(struct arena *arena, size_t size)
{
    size_t room = arena->chunks ? arena->chunks->size_bytes * 2 : FIRST_BYTES;
    struct arena_chunk *chunk;

    if (room > LARGEST_BYTES)
        room = LARGEST_BYTES;
    if (room < size)
        room = size;
    chunk = calloc(1, sizeof *chunk + room);
    if (!chunk)
        return NULL;
    chunk->size_bytes = room;
    chunk->older = arena->chunks;
    arena->chunks = chunk;
    FORBID(chunk->data, room);
    return chunk;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
    struct arena_chunk *chunk = arena->chunks;
    size_t rounded;
    uint8_t *memory;

    if (size > arena->limit_bytes)
        return NULL; /* also keeps the rounding from overflowing */
    rounded = size ? (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
    if (rounded < size || rounded > arena->limit_bytes - arena->used_bytes)
        return NULL;
    if (!chunk || chunk->size_bytes - chunk->used_bytes < rounded)
        chunk = grow(arena, rounded);
    if (!chunk)
        return NULL;
    memory = chunk->data + chunk->used_bytes;
    chunk->used_bytes += rounded;
    arena->used_bytes += rounded;
    ALLOW(memory, size);
    return memory;
}

void *
arena_calloc(struct arena *arena, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    return arena_alloc(arena, total);
}

char *
arena_copy(struct arena *arena, const char *text)
{
    return arena_copy_n(arena, text, strlen(text));
}

char *
arena_copy_n(struct arena *arena, const void *bytes, size_t size)
{
    char *copy = size < SIZE_MAX ? arena_alloc(arena, size + 1) : NULL;

    if (copy && size)
        memcpy(copy, bytes, size); /* the NUL stands there already */
    return copy;
}

char *
arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

char *
arena_vprintf(struct arena *arena, const char *format, va_list args)
{
    char small[256];
    va_list again;
    int size;
    char *text;

    va_copy(again, args);
    size = vsnprintf(small, sizeof small, format, args);
    text = size < 0 ? NULL : arena_alloc(arena, (size_t)size + 1);
    if (text && (size_t)size < sizeof small)
        memcpy(text, small, (size_t)size + 1);
    else if (text)
        (void)vsnprintf(text, (size_t)size + 1, format, again); /* measured above */
    va_end(again);
    return text;
}
