#pragma once

/* A file to import: plain, packed by gzip, or a member of a zip.  Read whole, with limits
 * (libzip, zlib). */

#include "common/base/arena.h"
#include "common/base/status.h"

#define SOURCE_BYTES ((size_t)128 << 20)

struct source {
    char *text;
    size_t size;
    const char *name; /* of the file or member */
};

/* `member` is a name in the archive, in any folder: "skills_en.csv", or ".csv" for the first
 * that ends so; a file that is no zip ignores it. NOT_FOUND: no file or member.  TOO_LARGE.
 * INVALID_ARGUMENT: a broken zip or gzip. */
must_use struct status source_read(const char *path, const char *member, struct arena *arena,
                                   struct source *ret);
bool source_is_zip(const char *path);
void source_fini(struct source *source);
