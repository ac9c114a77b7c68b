#include "services/matching/swap.h"

#include <string.h>

void
swap_init(struct swap *swap, void (*destroy)(void *version))
{
    memset(swap, 0, sizeof *swap);
    swap->destroy = destroy;
}

void
swap_fini(struct swap *swap)
{
    void *current = atomic_exchange(&swap->current, NULL);

    swap_collect(swap);
    if (current)
        swap->destroy(current);
}

/* A free cell is taken by writing into it what is about to be read; threads start at different
 * cells, so that they seldom meet. */
static _Atomic(void *) *
claim_cell(struct swap *swap, void *version)
{
    static _Thread_local size_t favourite;

    for (size_t i = 0; i < SWAP_READERS_MAX; i++) {
        const size_t at = (favourite + i) % SWAP_READERS_MAX;
        void *expected = NULL;

        if (atomic_compare_exchange_strong(&swap->held[at], &expected, version)) {
            favourite = at;
            return &swap->held[at];
        }
    }
    return NULL;
}

struct held
swap_hold(struct swap *swap)
{
    struct held held = {0};
    void *version = atomic_load(&swap->current);

    if (!version)
        return held;
    held.cell = claim_cell(swap, version);
    if (!held.cell)
        return held;
    /* The writer may have retired it between the load and the claim: then it may be gone. */
    for (;;) {
        void *now = atomic_load(&swap->current);

        if (now == version)
            break;
        version = now;
        if (!version) {
            atomic_store(held.cell, NULL);
            return (struct held){0};
        }
        atomic_store(held.cell, version);
    }
    held.version = version;
    return held;
}

void
swap_release(struct held *held)
{
    if (held->cell)
        atomic_store(held->cell, NULL);
    *held = (struct held){0};
}

static bool
is_held(struct swap *swap, const void *version)
{
    for (size_t i = 0; i < SWAP_READERS_MAX; i++)
        if (atomic_load(&swap->held[i]) == version)
            return true;
    return false;
}

void
swap_collect(struct swap *swap)
{
    size_t kept = 0;

    for (size_t i = 0; i < swap->retired_count; i++) {
        void *version = swap->retired[i];

        if (is_held(swap, version))
            swap->retired[kept++] = version;
        else
            swap->destroy(version);
    }
    swap->retired_count = kept;
}

bool
swap_publish(struct swap *swap, void *version)
{
    void *old;

    swap_collect(swap);
    if (swap->retired_count == SWAP_RETIRED_MAX)
        return false;
    old = atomic_exchange(&swap->current, version);
    if (old)
        swap->retired[swap->retired_count++] = old;
    swap_collect(swap);
    return true;
}
