#pragma once

/* Which part of the profiles an instance indexes.
 *
 * A profile is of shard 1 + h mod count, where h is hash.h's hash (FNV-1a, 64 bits, with its
 * finish) of the 16 bytes of its id: the same on every machine, and evenly spread though ids
 * begin with the time.
 */

#include "services/matching/hash.h"
#include "services/matching/uid.h"

#define SHARDS_MAX 16

struct shard {
    uint32_t number; /* 1..count */
    uint32_t count;  /* 1: everything is here */
};

static inline bool
shard_whole(struct shard shard)
{
    return shard.count == 1;
}

static inline bool
shard_holds(struct shard shard, const struct uid *id)
{
    return shard_whole(shard) ||
           hash_finish(hash_more(HASH_START, id->bytes, sizeof id->bytes)) % shard.count + 1 ==
               shard.number;
}
