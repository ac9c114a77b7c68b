#pragma once

/* What readers hold: layers, and which of their records are dead. Immutable; made and freed on
 * the writer's thread. */

#include "services/matching/standing/layer.h"

#define VERSION_PARTS_MAX 32

/* A bit for each record; held by count. */
struct dead {
    uint32_t references;
    uint32_t searches; /* dead ones */
    uint64_t bits[];
};

struct part {
    struct layer *layer;
    struct dead *dead;
};

struct standing_version {
    struct part parts[VERSION_PARTS_MAX];
    size_t part_count;
};

static inline bool
part_is_dead(const struct part *part, uint32_t place)
{
    return part->dead->bits[place / 64] >> (place % 64) & 1;
}
