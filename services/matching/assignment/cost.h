#pragma once

/* Costs that are compared part by part, the first part deciding: (size, total, profile).
 *
 * A profile has one count for each rank.  Several ranks share a limb, each with `bits` bits: a
 * path's counts are at most the number of students, so the sum in a limb compares as the counts
 * would one after the other, and limbs add up like numbers.
 */

#include <stdint.h>

#define COST_PROFILE_LIMBS 8
#define COST_LIMBS (2 + COST_PROFILE_LIMBS)
#define COST_LIMB_BITS 60

struct cost {
    int64_t limb[COST_LIMBS]; /* how many students are without, total, profile */
};

/* How ranks are laid out. */
struct cost_layout {
    uint32_t bits, each; /* of a rank; ranks in a limb */
    uint32_t limbs;      /* in use */
};

/* `ranks` 0: no profile.  Too many ranks for these students: limbs is over COST_LIMBS. */
static inline struct cost_layout
cost_layout(uint32_t students, uint32_t ranks)
{
    struct cost_layout layout = {.bits = 2};

    while ((uint64_t)1 << layout.bits < 2 * (uint64_t)students + 2)
        layout.bits++;
    layout.each = COST_LIMB_BITS / layout.bits;
    layout.limbs = 2 + (ranks + layout.each - 1) / layout.each;
    return layout;
}

/* Counts one more (or fewer) of the `rank`th part of the profile, 0 the one that decides. */
static inline void
cost_count(const struct cost_layout *layout, struct cost *cost, uint32_t rank, int64_t one)
{
    const uint32_t place = layout->each - 1 - rank % layout->each;

    cost->limb[2 + rank / layout->each] += one * ((int64_t)1 << place * layout->bits);
}

static inline int
cost_compare(const struct cost_layout *layout, const struct cost *a, const struct cost *b)
{
    for (uint32_t i = 0; i < layout->limbs; i++)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

static inline void
cost_add(const struct cost_layout *layout, struct cost *a, const struct cost *b, int64_t sign)
{
    for (uint32_t i = 0; i < layout->limbs; i++)
        a->limb[i] += sign * b->limb[i];
}
