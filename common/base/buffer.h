#pragma once

/* A growing run of bytes on the heap with a limit, for text and packed messages.
 *
 * Writers never fail one by one: after the limit or a lack of memory the buffer is `broken`,
 * writes nothing more, and the one check is at the end.  A zeroed buffer has no limit set and
 * is broken at the first write: use buffer_init.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/status.h"

struct buffer {
    uint8_t *data; /* NUL-terminated after every write */
    size_t size;   /* bytes, without the NUL */
    size_t capacity;
    size_t limit_bytes;
    bool broken;
};

void buffer_init(struct buffer *buffer, size_t limit_bytes);
void buffer_fini(struct buffer *buffer);
void buffer_clear(struct buffer *buffer); /* keeps the memory; no longer broken */

/* Goes back to the first `size` bytes, which must have been reached; no longer broken. */
void buffer_truncate(struct buffer *buffer, size_t size);

void buffer_put(struct buffer *buffer, const void *bytes, size_t size);
void buffer_puts(struct buffer *buffer, const char *text);
void buffer_putc(struct buffer *buffer, char character);
printf_like(2, 3) void buffer_printf(struct buffer *buffer, const char *format, ...);
void buffer_vprintf(struct buffer *buffer, const char *format, va_list args);

/* A JSON string with its quotes.  Control characters, U+2028, U+2029 and bidirectional controls
 * are escaped; bytes that are not UTF-8 become U+FFFD. */
void buffer_put_json(struct buffer *buffer, const char *text, size_t size);

/* RESOURCE_EXHAUSTED when the buffer is broken. */
must_use struct status buffer_check(const struct buffer *buffer, struct arena *arena);
