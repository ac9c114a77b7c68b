#include "common/base/buffer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"

#define FIRST_BYTES ((size_t)256)

void
buffer_init(struct buffer *buffer, size_t limit_bytes)
{
    *buffer = (struct buffer){.limit_bytes = limit_bytes};
}

void
buffer_fini(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){.limit_bytes = buffer->limit_bytes};
}

void
buffer_clear(struct buffer *buffer)
{
    buffer_truncate(buffer, 0);
}

void
buffer_truncate(struct buffer *buffer, size_t size)
{
    assert(size <= buffer->size);
    buffer->size = size;
    buffer->broken = false;
    if (buffer->data)
        buffer->data[size] = '\0';
}

/* Makes room for `more` bytes and the NUL. */
static bool
reserve(struct buffer *buffer, size_t more)
{
    size_t capacity = buffer->capacity ? buffer->capacity : FIRST_BYTES;
    uint8_t *data;

    if (buffer->broken)
        return false;
    if (!buffer->limit_bytes || buffer->limit_bytes == SIZE_MAX ||
        more > buffer->limit_bytes - buffer->size) {
        buffer->broken = true;
        return false;
    }
    if (buffer->size + more < buffer->capacity)
        return true;
    while (capacity <= buffer->size + more)
        capacity = capacity > SIZE_MAX / 2 ? buffer->size + more + 1 : capacity * 2;
    if (capacity > buffer->limit_bytes + 1)
        capacity = buffer->limit_bytes + 1;
    data = realloc(buffer->data, capacity);
    if (!data) {
        buffer->broken = true;
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void
buffer_put(struct buffer *buffer, const void *bytes, size_t size)
{
    if (!reserve(buffer, size))
        return;
    if (size)
        memcpy(buffer->data + buffer->size, bytes, size);
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
}

void
buffer_puts(struct buffer *buffer, const char *text)
{
    buffer_put(buffer, text, strlen(text));
}

void
buffer_putc(struct buffer *buffer, char character)
{
    buffer_put(buffer, &character, 1);
}

void
buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buffer_vprintf(buffer, format, args);
    va_end(args);
}

void
buffer_vprintf(struct buffer *buffer, const char *format, va_list args)
{
    va_list again;
    char small[256];
    int size;

    va_copy(again, args);
    size = vsnprintf(small, sizeof small, format, args);
    if (size < 0) {
        buffer->broken = true;
    } else if ((size_t)size < sizeof small) {
        buffer_put(buffer, small, (size_t)size);
    } else if (reserve(buffer, (size_t)size)) {
        char *end = (char *)buffer->data + buffer->size;

        (void)vsnprintf(end, (size_t)size + 1, format, again); /* measured above */
        buffer->size += (size_t)size;
    }
    va_end(again);
}

/* Code points that a terminal, a browser or a reader's eye could be fooled by. */
static bool
unsafe_point(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point <= 0x9F) || point == 0x61C ||
           point == 0x200E || point == 0x200F || (point >= 0x2028 && point <= 0x202E) ||
           (point >= 0x2066 && point <= 0x2069);
}

static void
put_escaped(struct buffer *buffer, uint32_t point)
{
    static const char shorts[] = "\bb\ff\nn\rr\tt\"\"\\\\";

    for (const char *at = shorts; *at; at += 2)
        if (point == (uint8_t)at[0]) {
            buffer_putc(buffer, '\\');
            buffer_putc(buffer, at[1]);
            return;
        }
    buffer_printf(buffer, "\\u%04x", point);
}

void
buffer_put_json(struct buffer *buffer, const char *text, size_t size)
{
    size_t start = 0; /* of the run that is copied as it stands */
    size_t i = 0;

    buffer_putc(buffer, '"');
    while (i < size) {
        const uint8_t byte = (uint8_t)text[i];
        uint32_t point = byte;
        size_t length = 1;

        if (byte >= 0x80)
            length = utf8_decode(text + i, size - i, &point);
        if (length && point != '"' && point != '\\' && !unsafe_point(point)) {
            i += length;
            continue;
        }
        buffer_put(buffer, text + start, i - start);
        if (length)
            put_escaped(buffer, point);
        else
            buffer_puts(buffer, "\xEF\xBF\xBD");
        i += length ? length : 1;
        start = i;
    }
    buffer_put(buffer, text + start, size - start);
    buffer_putc(buffer, '"');
}

struct status
buffer_check(const struct buffer *buffer, struct arena *arena)
{
    if (!buffer->broken)
        return OK;
    return FAIL(arena, RESOURCE_EXHAUSTED, "the text or message would pass %zu bytes",
                buffer->limit_bytes);
}
