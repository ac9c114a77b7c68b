#pragma once

/* One state of the index, for readers: a version of the engine, and the counts that rarity
 * comes from.  Immutable; made by the index, read by any thread, freed on the index's thread.
 */

#include "services/matching/engine/version.h"
#include "services/matching/score.h"

#define SNAPSHOT_TENANTS_MAX 1024

struct index;
struct facts_regions;

struct snapshot {
    struct index *index; /* held: it owns what the version is made of */
    struct vocabulary *vocabulary;
    struct version *version;
    const struct facts_regions *regions; /* those below the count */
    uint32_t region_count;
    uint32_t *profiles_with; /* of all shards */
    uint32_t *own_with;      /* of the index's own shard; NULL: the index is whole */
    uint32_t term_count;
    uint32_t live, own_live;
    bool complete;     /* the counts of all shards are in */
    uint64_t position; /* of the log: every change up to here is in */
};

void snapshot_destroy(struct snapshot **snapshot);

/* NULL: it is not published. */
const struct profile *snapshot_find(const struct snapshot *snapshot, enum kind kind,
                                    const struct uid *id);

struct score_statistics snapshot_statistics(const struct snapshot *snapshot);

/* The tenants that live profiles belong to, at most `room`. */
size_t snapshot_tenants(const struct snapshot *snapshot, struct uid *into, size_t room);

/* Calls for each profile of these kinds (bit n: enum kind n; 0: all) until it returns false. */
void snapshot_each(const struct snapshot *snapshot, unsigned kinds,
                   bool (*visit)(void *context, const struct profile *profile), void *context);
