#pragma once

/* The writing side of the index: takes changes in and makes snapshots.
 *
 * One thread; the engine merges on threads of its own.  A profile that is replaced or removed
 * is in no later snapshot, and leaves memory when the last one that has it is freed; its terms
 * leave the index with the next merge of their unit: at the latest when an eighth of that is
 * dead, or when one in a thousand has been withdrawn.
 */

#include "common/wire/message.h"
#include "services/matching/engine/scan.h"
#include "services/matching/snapshot.h"

struct index;

/* A key and what stands there now. */
struct index_change {
    enum kind kind;
    struct uid id;
    const struct profile_row *row; /* NULL: no longer published */
};

/* Takes over `vocabulary` and borrows `words`, which must outlive the index. */
must_use struct status index_create(struct vocabulary *vocabulary, struct words *words,
                                    struct index **ret);
void index_destroy(struct index **index);

/* For an index that holds one shard of the profiles, before anything is put into it: its
 * dictionary may be read beside the writer, and snapshots tell their own counts apart. */
void index_make_shard(struct index *index);

/* The counts of the other shards (counts.h), in place of those before; later snapshots have the
 * sums.  Concepts and words of labels that the vocabulary does not have are left out.  After a
 * failure the counts of the others are incomplete until the next call. */
must_use struct status index_set_others(struct index *index, const struct bytes *packed,
                                        size_t count);

/* Of a shard: any thread may find keys in it while it holds a snapshot; those of the snapshot
 * have numbers below its terms. */
const struct dictionary *index_dictionary(const struct index *index);

/* Takes in changes, each key once.  After a failure some of them may be in: the same changes
 * can be applied again. RESOURCE_EXHAUSTED: no memory, or a limit of the index is reached. */
must_use struct status index_apply(struct index *index, const struct index_change *changes,
                                   size_t count, struct arena *arena);

/* For an index that is new and holds nothing: takes rows of which each has a key of its own,
 * any number of times, then puts all of them in at once; before that they are in no snapshot.
 * Beside the profiles themselves that takes about 48 bytes for each, and some for each term,
 * until it is done.  After a failure only index_destroy is left.  INTERNAL: a row breaks the
 * view's contract. */
must_use struct status index_gather(struct index *index, const struct profile_row *rows,
                                    size_t count, struct arena *arena);
must_use struct status index_fill(struct index *index);

/* A snapshot of what is in now. */
must_use struct status index_snapshot(struct index *index, uint64_t position,
                                      struct snapshot **ret);

/* Merges all that is due or, with `purge`, all that is dead: for tests and for erasure. */
must_use struct status index_settle(struct index *index, bool purge);

/* What a scan needs, for one search at a time: one that was given back, or a new one.  Any
 * thread that holds a snapshot. */
must_use struct status index_take_scratch(struct index *index, struct scan_scratch **ret);
void index_give_scratch(struct index *index, struct scan_scratch **scratch);

/* For snapshot_destroy: gives a version back and lets the index go. */
void index_give_back(struct index **index, struct version **version);
