#pragma once

/* One answer of the answers of all shards. */

#include "common/base/arena.h"
#include "common/base/status.h"
#include "matching/v1/matching.pb-c.h"

/* Puts answers to one question together: the best by score, then by id, at most `limit`, as one
 * index would have answered.  Lives as long as the answers.
 * ABORTED: they answer different questions, because the profile changed meanwhile
 * (ask again), or because settings that scores depend on differ between the shards. */
must_use struct status merge_answers(Matching__V1__FindMatchesReply *const *answers,
                                     size_t count, size_t limit, struct arena *arena,
                                     Matching__V1__FindMatchesReply *ret);
