#pragma once

/* One state of the index, for readers: segments, who is dead in them, and the counts that
 * rarity comes from.  Immutable; made by the index, read by any thread, freed on the index's
 * thread.
 */

#include "services/matching/score.h"
#include "services/matching/segment.h"

#define SNAPSHOT_SEGMENTS_MAX 40
#define SNAPSHOT_TENANTS_MAX 1024

struct snapshot_segment {
    struct segment *segment;
    uint64_t *dead; /* a bit for each profile */
    uint32_t dead_count;
};

struct snapshot {
    struct vocabulary *vocabulary;
    struct snapshot_segment segments[SNAPSHOT_SEGMENTS_MAX];
    size_t segment_count;
    uint32_t *profiles_with;
    uint32_t term_count;
    uint32_t live;
    uint64_t position; /* of the log: every change up to here is in */
};

void snapshot_destroy(struct snapshot **snapshot);

static inline bool
snapshot_is_dead(const struct snapshot_segment *at, uint32_t place)
{
    return at->dead[place / 64] >> (place % 64) & 1;
}

/* NULL: it is not published. */
const struct profile *snapshot_find(const struct snapshot *snapshot, enum kind kind,
                                    const struct uid *id);

struct score_statistics snapshot_statistics(const struct snapshot *snapshot);

/* The tenants that live profiles belong to, at most `room`. */
size_t snapshot_tenants(const struct snapshot *snapshot, struct uid *into, size_t room);
