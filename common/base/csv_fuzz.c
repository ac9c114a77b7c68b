/* The reader's promise: whatever the bytes, it ends; every record has as many fields as the
 * first; lines only grow; and what was read, written with every field quoted, is read the same.
 *
 * The first byte chooses the separator. */

#include "common/base/csv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/utf8.h"

#define MEMORY_BYTES ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
write_quoted(struct buffer *into, const char *const *fields, size_t count, char separator)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_putc(into, separator);
        buffer_putc(into, '"');
        for (const char *c = fields[i]; *c; c++) {
            if (*c == '"')
                buffer_putc(into, '"');
            buffer_putc(into, *c);
        }
        buffer_putc(into, '"');
    }
    buffer_puts(into, "\r\n");
}

static void
expect_the_same(const struct buffer *written, char separator, const char *const *fields,
                size_t count, struct arena *arena)
{
    const char *again[CSV_COLUMNS];
    struct csv csv;
    size_t found;

    csv_init(&csv, (const char *)written->data, written->size, separator);
    if (failed(csv_next(&csv, arena, again, &found)) || found != count)
        abort();
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i], again[i]) != 0)
            abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char separators[] = {0, ',', ';', '\t'};
    const char *fields[CSV_COLUMNS];
    struct arena arena;
    size_t line = 0, count;
    struct csv csv;

    if (size == 0)
        return 0;
    arena_init(&arena, MEMORY_BYTES);
    csv_init(&csv, (const char *)data + 1, size - 1, separators[data[0] % 4]);
    while (!failed(csv_next(&csv, &arena, fields, &count)) && count > 0) {
        struct buffer written;

        if (count != csv.columns || csv.line <= line)
            abort();
        line = csv.line;
        for (size_t i = 0; i < count; i++)
            if (!utf8_valid(fields[i], strlen(fields[i])))
                abort();
        buffer_init(&written, MEMORY_BYTES);
        write_quoted(&written, fields, count, csv.separator);
        expect_the_same(&written, csv.separator, fields, count, &arena);
        buffer_fini(&written);
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return 0;
}
