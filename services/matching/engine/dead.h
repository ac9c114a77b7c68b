#pragma once

/* Which places of a unit are dead: a set of bits that is copied page by page, so that each
 * version has its own at the price of what changed since the last one.
 *
 * Made, changed and dropped by the writer's thread; read by any.  Held by count, on the
 * writer's thread alone.
 */

#include "common/base/status.h"

#include <stddef.h>
#include <stdint.h>

#define DEAD_PAGE_WORDS 64u /* of 64 places each */

struct dead_page {
    uint32_t references;
    uint64_t words[DEAD_PAGE_WORDS];
};

struct dead {
    uint32_t references;
    uint32_t page_count;
    struct dead_page *pages[]; /* NULL: nobody is dead */
};

/* NULL: there is no memory. */
must_use struct dead *dead_create(uint32_t places);
void dead_hold(struct dead *dead);
void dead_drop(struct dead *dead);

/* Sets a place in *dead, which is replaced by a copy when others hold it too. */
must_use struct status dead_set(struct dead **dead, uint32_t place);

/* The 64 places of a block. */
static inline uint64_t
dead_word(const struct dead *dead, uint32_t block)
{
    const struct dead_page *page = dead->pages[block / DEAD_PAGE_WORDS];

    return page ? page->words[block % DEAD_PAGE_WORDS] : 0;
}

static inline bool
dead_has(const struct dead *dead, uint32_t place)
{
    return dead_word(dead, place / 64) >> (place % 64) & 1;
}
