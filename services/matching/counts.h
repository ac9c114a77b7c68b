#pragma once

/* How many profiles of one shard have each term, packed so that another shard can read it.
 *
 * Rarity is a matter of all profiles, and each instance numbers its terms by itself: counts
 * cross by what a term stands for, a concept's id or the key of a label's word, a stem or a run
 * of letters.
 *
 * Little-endian: format, live profiles, then how many concepts, words of labels and other keys
 * there are (4 bytes each); then id (16) and count (4) of each concept, and key (8) and count
 * (4) of each word and each other key; those that no profile has are left out.
 */

#include "common/wire/message.h"
#include "services/matching/snapshot.h"

#define COUNTS_BYTES_MAX ((size_t)64 << 20)

/* The counts of a snapshot's own shard.  RESOURCE_EXHAUSTED: they would be too large. */
must_use struct status counts_pack(const struct snapshot *snapshot, struct arena *arena,
                                   struct bytes *ret);

struct count_visit {
    void *context;
    struct status (*concept)(void *context, const struct uid *id, uint32_t with);
    struct status (*word)(void *context, uint64_t key, uint32_t with);
    struct status (*key)(void *context, uint64_t key, uint32_t with);
};

/* Live profiles; INTERNAL: not what counts_pack has made. */
must_use struct status counts_check(struct bytes packed, uint32_t *ret_live);

/* Walks over what counts_check has found good. */
must_use struct status counts_each(struct bytes packed, const struct count_visit *visit);
