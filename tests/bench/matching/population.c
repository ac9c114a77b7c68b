#include "tests/bench/matching/population.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/bench/bench.h"

static const char *
map(const char *folder, const char *name, size_t *ret_size)
{
    char path[4096];
    struct stat stat;
    void *memory;
    int file;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &stat) != 0)
        bench_die(path, "cannot be read");
    memory = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    if (memory == MAP_FAILED)
        bench_die(path, "cannot be mapped");
    (void)close(file);
    *ret_size = (size_t)stat.st_size;
    return memory;
}

static const void *
column(const char **at, size_t count, size_t size)
{
    const void *here = *at;

    *at += (count * size + 7) / 8 * 8;
    return here;
}

void
population_open(const char *folder, struct population *ret)
{
    size_t size;
    const char *at = map(folder, "people.bin", &size);
    const uint64_t *header = (const void *)at;

    *ret = (struct population){.count = header[0], .posting_count = header[1]};
    at += 64;
    ret->first = column(&at, ret->count + 1, sizeof *ret->first);
    ret->day = column(&at, ret->count, sizeof *ret->day);
    ret->cluster = column(&at, ret->count, sizeof *ret->cluster);
    ret->region = column(&at, ret->count, 1);
    ret->languages = column(&at, ret->count, 1);
    ret->year = column(&at, ret->count, 1);
    ret->terms = column(&at, ret->posting_count, sizeof *ret->terms);
    ret->queries = (const void *)map(folder, "queries.bin", &size);
    ret->query_count = size / sizeof *ret->queries;
}
