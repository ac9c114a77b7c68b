#include "services/cli/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>
#include <zlib.h>

void
source_fini(struct source *source)
{
    free(source->text);
    *source = (struct source){0};
}

#define MAGIC_MAX 4

static bool
begins_with(const char *path, const unsigned char *magic, size_t size)
{
    unsigned char start[MAGIC_MAX];
    FILE *file = fopen(path, "rb");
    bool begins = false;

    if (!file)
        return false;
    begins = fread(start, 1, size, file) == size && memcmp(start, magic, size) == 0;
    (void)fclose(file);
    return begins;
}

bool
source_is_zip(const char *path)
{
    static const unsigned char magic[] = {'P', 'K', 3, 4};

    return begins_with(path, magic, sizeof magic);
}

static void
close_gzip(gzFile *file)
{
    if (*file)
        (void)gzclose(*file);
}

/* What it unpacks to is not known before, so it is read in pieces, up to the limit. */
static struct status
read_gzip(const char *path, struct arena *arena, struct source *ret)
{
    scoped(close_gzip) gzFile file = gzopen(path, "rb");
    scoped(source_fini) struct source source = {.name = path};
    size_t room = (size_t)1 << 20;
    int got;

    if (!file)
        return FAIL(arena, NOT_FOUND, "%s: %s", path, strerror(errno));
    TRY(need(source.text = malloc(room + 1)));
    while ((got = gzread(file, source.text + source.size, (unsigned)(room - source.size))) >
           0) {
        source.size += (size_t)got;
        if (source.size == SOURCE_BYTES)
            return FAIL(arena, TOO_LARGE, "%s: has more than %zu bytes", path, SOURCE_BYTES);
        if (source.size == room) {
            char *grown;

            room = room * 2 < SOURCE_BYTES ? room * 2 : SOURCE_BYTES;
            TRY(need(grown = realloc(source.text, room + 1)));
            source.text = grown;
        }
    }
    if (got < 0 || gzclose(take(&file)) != Z_OK)
        return FAIL(arena, INVALID_ARGUMENT, "%s: cannot be unpacked", path);
    source.text[source.size] = '\0';
    *ret = source;
    source.text = NULL;
    return OK;
}

static void
close_file(FILE **file)
{
    if (*file)
        (void)fclose(*file);
}

static struct status
read_plain(const char *path, struct arena *arena, struct source *ret)
{
    scoped(close_file) FILE *file = fopen(path, "rb");
    scoped(source_fini) struct source source = {.name = path};
    long size;

    if (!file)
        return FAIL(arena, NOT_FOUND, "%s: %s", path, strerror(errno));
    if (fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 ||
        fseek(file, 0, SEEK_SET) != 0)
        return FAIL(arena, INVALID_ARGUMENT, "%s: cannot be read", path);
    if ((size_t)size > SOURCE_BYTES)
        return FAIL(arena, TOO_LARGE, "%s: has more than %zu bytes", path, SOURCE_BYTES);
    TRY(need(source.text = malloc((size_t)size + 1)));
    source.size = fread(source.text, 1, (size_t)size, file);
    if (source.size != (size_t)size)
        return FAIL(arena, INVALID_ARGUMENT, "%s: cannot be read", path);
    source.text[source.size] = '\0';
    *ret = source;
    source.text = NULL;
    return OK;
}

static void
discard_zip(zip_t **archive)
{
    if (*archive)
        zip_discard(*archive);
}

static void
close_member(zip_file_t **file)
{
    if (*file)
        (void)zip_fclose(*file);
}

/* By the last part of a path in the archive; ".csv" is any name that ends so. */
static bool
is_named(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    const char *last = slash ? slash + 1 : path;
    const size_t last_size = strlen(last), size = strlen(name);

    if (name[0] == '.')
        return last_size > size && strcmp(last + last_size - size, name) == 0;
    return strcmp(last, name) == 0;
}

static struct status
find_member(zip_t *archive, const char *path, const char *member, struct arena *arena,
            zip_stat_t *ret)
{
    const zip_int64_t count = zip_get_num_entries(archive, 0);

    for (zip_int64_t i = 0; i < count; i++) {
        if (zip_stat_index(archive, (zip_uint64_t)i, 0, ret) != 0)
            continue;
        if ((ret->valid & ZIP_STAT_NAME) && (ret->valid & ZIP_STAT_SIZE) &&
            is_named(ret->name, member))
            return OK;
    }
    return FAIL(arena, NOT_FOUND, "%s: has no %s", path, member);
}

static struct status
read_member(const char *path, const char *member, struct arena *arena, struct source *ret)
{
    int error = 0;
    scoped(discard_zip) zip_t *archive = zip_open(path, ZIP_RDONLY, &error);
    scoped(close_member) zip_file_t *file = NULL;
    scoped(source_fini) struct source source = {0};
    zip_stat_t stat;

    if (!archive)
        return FAIL(arena, INVALID_ARGUMENT, "%s: is no zip that can be read", path);
    TRY(find_member(archive, path, member, arena, &stat));
    if (stat.size > SOURCE_BYTES)
        return FAIL(arena, TOO_LARGE, "%s: %s has more than %zu bytes", path, stat.name,
                    SOURCE_BYTES);
    TRY(need(source.name = arena_copy(arena, stat.name)));
    TRY(need(source.text = malloc(stat.size + 1)));
    file = zip_fopen_index(archive, stat.index, 0);
    /* The checksum is looked at when the end is reached. */
    if (!file || zip_fread(file, source.text, stat.size) != (zip_int64_t)stat.size ||
        zip_fread(file, source.text + stat.size, 1) != 0)
        return FAIL(arena, INVALID_ARGUMENT, "%s: %s cannot be unpacked", path, stat.name);
    source.size = stat.size;
    source.text[source.size] = '\0';
    *ret = source;
    source.text = NULL;
    return OK;
}

struct status
source_read(const char *path, const char *member, struct arena *arena, struct source *ret)
{
    if (source_is_zip(path))
        return read_member(path, member, arena, ret);
    if (begins_with(path, (const unsigned char[]){0x1f, 0x8b}, 2))
        return read_gzip(path, arena, ret);
    return read_plain(path, arena, ret);
}
