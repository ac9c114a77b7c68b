#pragma once

/* What the shards of one index tell each other: how many of their profiles have each term.
 *
 * Each shard keeps its counts in a row of Postgres, written again when they have changed, and
 * adds those of the others to its own in every snapshot.  A change of a profile reaches the
 * weights of the other shards within some seconds (EXCHANGE_EVERY_MS twice, a heartbeat of the
 * log, and for large counts the time that EXCHANGE_BYTES_PER_MS gives); until then a term's
 * rarity there lacks this one profile.  While the log is quiet all shards have the same sums,
 * so scores agree to the last point.  Before the counts of every shard are there none answers.
 *
 * A timer reads and writes on a worker; the listener takes in what it has read.  An instance
 * that holds all profiles does none of it.
 */

#include "common/base/clock.h"
#include "common/wire/message.h"
#include "services/matching/shard.h"

#include <stdatomic.h>

struct call;
struct state;

#define EXCHANGE_EVERY_MS 500
#define EXCHANGE_BYTES_PER_MS 4096u /* written, and read, in the long run */
#define EXCHANGE_MISSING "the counts of other shards are not there yet"

/* The counts of all other shards as they were read; one block of memory. */
struct others {
    struct bytes packed[SHARDS_MAX];
    size_t count;
};

struct exchange {
    _Atomic(struct others *) fresh;    /* from the timer to the listener */
    atomic_uint_fast64_t own_changes;  /* counted by the listener, after each is published */
    struct others *current;            /* the listener's */
    bool unpublished;                  /* the listener's: readers do not have them yet */
    uint64_t written_changes;          /* the timer's */
    bool written;                      /* the timer's: since the start */
    struct mono next_write, next_read; /* the timer's */
    uint64_t versions[SHARDS_MAX];     /* the timer's: of the rows read, by shard */
};

void exchange_fini(struct exchange *exchange);

/* The timer. */
struct status exchange_run(struct call *call);

/* Listener's thread: gives the index what was read since the last time; *ret_taken: the next
 * snapshot differs. */
must_use struct status exchange_take(struct state *state, bool *ret_taken);
