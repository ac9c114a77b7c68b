#include "services/matching/engine/bulk.h"

#include <stdint.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define PAD 64u /* bytes that vectors may read beyond the end */

bool
bulk_create(struct bulk *bulk, size_t count, size_t size)
{
    const size_t most = SIZE_MAX / 2;
    size_t bytes;
    void *memory;

    if (size > 0 && count > most / size)
        return false;
    bytes = count * size + PAD;
    if (bytes >= HUGE_PAGE)
        bytes = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    if (bytes >= HUGE_PAGE)
        (void)madvise(memory, bytes, MADV_HUGEPAGE); /* a wish */
    *bulk = (struct bulk){memory, bytes};
    return true;
}

void
bulk_clear(struct bulk *bulk)
{
    if (bulk->memory)
        (void)munmap(bulk->memory, bulk->size); /* cannot fail for what mmap gave */
    *bulk = (struct bulk){0};
}
