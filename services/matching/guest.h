#pragma once

/* A profile that is not in the index, made for one request: in a shard, the subject of a search
 * and whatever else may belong to another shard.
 *
 * Made of a row of registry's view as the index makes its own, in the terms of a snapshot;
 * terms that the snapshot does not have get numbers behind its own, which nothing there meets.
 * It belongs to whoever made it, on any thread, and must go before the snapshot is let go.
 */

#include "services/matching/snapshot.h"

struct guest_maker; /* of one request: what several guests share */

/* Of a shard's snapshot, which is borrowed and held. */
must_use struct status guest_maker_create(const struct snapshot *snapshot, struct arena *arena,
                                          struct guest_maker **ret);
/* And all its guests. */
void guest_maker_destroy(struct guest_maker **maker);

/* Lives as long as the maker; at most GUESTS_MAX. */
#define GUESTS_MAX 600
must_use struct status guest_make(struct guest_maker *maker, const struct profile_row *row,
                                  struct arena *arena, const struct profile **ret);
