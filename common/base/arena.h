#pragma once

/* Memory that goes together: everything of one call.
 *
 * An arena belongs to one thread.  Memory is zeroed and aligned to 16 bytes.  Every function
 * returns NULL when the limit would be passed or the system has no memory; see need().
 */

#include <stdarg.h>
#include <stddef.h>

#include "common/base/attr.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    size_t used_bytes;          /* handed out since the last reset */
    size_t limit_bytes;
};

/* The usual limit of one call. */
#define ARENA_CALL_BYTES ((size_t)16 << 20)

void arena_init(struct arena *arena, size_t limit_bytes);
void arena_fini(struct arena *arena);

/* Forgets everything handed out; keeps the first chunk. */
void arena_reset(struct arena *arena);

must_use void *arena_alloc(struct arena *arena, size_t size);
must_use void *arena_calloc(struct arena *arena, size_t count, size_t size); /* overflow-safe */
must_use char *arena_copy(struct arena *arena, const char *text);
must_use char *arena_copy_n(struct arena *arena, const void *bytes,
                            size_t size); /* adds a NUL */
must_use printf_like(2, 3) char *arena_printf(struct arena *arena, const char *format, ...);
must_use char *arena_vprintf(struct arena *arena, const char *format, va_list args);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_calloc((arena), (count), sizeof(type)))
