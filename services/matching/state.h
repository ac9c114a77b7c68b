#pragma once

/* What one process of matching holds: the index, its current snapshot, how far it has come.
 *
 * The index belongs to the listener's thread; all others read snapshots.
 */

#include "services/matching/exchange.h"
#include "services/matching/index.h"
#include "services/matching/searches/searches.h"
#include "services/matching/swap.h"

#include <stdatomic.h>

struct call;
struct service_frame;

struct matching_settings {
#include "common/base/setting_members.h"
#include "services/matching/settings.def"
#include "common/base/setting_end.h"
};

struct state {
    const struct matching_settings *settings;
    struct shard shard;
    struct score_rules rules;
    struct swap snapshots;
    struct exchange exchange;      /* with the other shards */
    atomic_bool complete;          /* the current snapshot has the counts of all shards */
    atomic_uint_fast64_t position; /* of the log: every change up to here is in the snapshot */
    /* of the listener's thread alone: */
    struct words *words;
    struct index *index;
    struct searches searches;
    uint64_t covered; /* events up to here are in since the views were read */
    /* How many profiles of an event are done: where a second try goes on. */
    uint64_t done_position;
    size_t done_count;
};

/* Hooks of struct service. */
struct status state_create(struct service_frame *frame, struct arena *arena, void **ret);
void state_destroy(void *state);
const char *state_not_ready(void *state);

/* A snapshot for a reader.  NULL before the first: UNAVAILABLE to callers. */
must_use struct status state_hold(struct state *state, struct arena *arena, struct held *ret,
                                  const struct snapshot **ret_snapshot);
/* For one who scores: UNAVAILABLE also as long as the counts of other shards are missing. */
must_use struct status state_hold_complete(struct state *state, struct arena *arena,
                                           struct held *ret,
                                           const struct snapshot **ret_snapshot);

/* Listener's thread: puts an index in place of the one there is, or the changes of the one
 * there is before readers. */
must_use struct status state_publish(struct state *state, uint64_t position);

/* Listener's thread: reads the head of the log, then registry's views, into a fresh index, and
 * publishes it.  Takes as long as there are profiles: each step has a minute, and so has what
 * the caller does afterwards (call->deadline).  UNAVAILABLE: events or Postgres cannot be
 * reached. */
must_use struct status state_load(struct call *call, struct state *state, uint64_t *ret_head,
                                  uint64_t *ret_first_kept);

/* What stands in the views at these keys: fills in the rows, NULL where nothing is published.
 * In the call's transaction or, without one, in one of its own; rows live as long as `arena`.
 */
must_use struct status state_read(struct call *call, struct arena *arena,
                                  struct index_change *keys, size_t count);

/* Listener's thread: reads these profiles again, of those that are of this shard, and takes in
 * what they are now. */
must_use struct status state_refresh(struct call *call, struct state *state,
                                     const struct index_change *keys, size_t count);
