#pragma once

/* One writer, many readers, no waiting: the current version of something immutable.
 *
 * A reader holds a version as long as it needs it and never waits for the writer; the writer
 * publishes a new one and frees old ones once nobody holds them.  swap_publish, swap_collect
 * and swap_fini belong to the writer's thread, swap_hold and swap_release to any.
 *
 * (Hazard pointers: a reader writes what it reads into a cell of its own and looks again
 * whether it is still current; the writer frees only what stands in no cell.)
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"

#define SWAP_READERS_MAX 128 /* versions held at the same time */
#define SWAP_RETIRED_MAX 256 /* old versions that wait for their readers */

struct swap {
    _Atomic(void *) current;
    _Atomic(void *) held[SWAP_READERS_MAX];
    void *retired[SWAP_RETIRED_MAX]; /* writer only */
    size_t retired_count;
    void (*destroy)(void *version); /* called on the writer's thread */
};

/* A version held by a reader. */
struct held {
    const void *version; /* NULL: nothing is published yet, or all cells are taken */
    _Atomic(void *) *cell;
};

void swap_init(struct swap *swap, void (*destroy)(void *version));
/* No reader may hold anything any more. */
void swap_fini(struct swap *swap);

must_use struct held swap_hold(struct swap *swap);
void swap_release(struct held *held);

/* Takes over `version`.  false: readers hold SWAP_RETIRED_MAX old versions; nothing is
 * published and the caller keeps it. */
must_use bool swap_publish(struct swap *swap, void *version);

/* Frees what nobody holds any more; swap_publish does so too. */
void swap_collect(struct swap *swap);
