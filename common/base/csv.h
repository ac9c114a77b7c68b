#pragma once

/* CSV as RFC 4180 has it, and a little more: a byte order mark is skipped, lines end in CRLF or
 * LF, quoted fields may hold line ends.  Pure: works on a text in memory, copies nothing it
 * need not.
 *
 * Refused with the line and, where known, the column: a quote inside an unquoted field, text
 * after a closing quote, a quote that is never closed, a carriage return without a line feed, a
 * record with more or fewer fields than the first, text that is not UTF-8 or holds a NUL, a
 * field over 256 KiB, more than 200 columns.
 */

#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/status.h"

#define CSV_COLUMNS 200
#define CSV_FIELD_BYTES ((size_t)256 << 10)

struct csv {
    const char *text, *end, *at;
    char separator;
    size_t line; /* of the record read last, from 1 */
    size_t next_line;
    size_t columns; /* of the first record */
};

/* `separator` is ',', ';' or '\t'; 0 finds out from the first line. */
void csv_init(struct csv *csv, const char *text, size_t size, char separator);

/* The next record: NUL-terminated fields in `arena`; 0 fields at the end.  Empty lines are
 * passed over.  INVALID_ARGUMENT: field "line 17" or "line 17, column 3". */
must_use struct status csv_next(struct csv *csv, struct arena *arena, const char **ret_fields,
                                size_t *ret_count);
