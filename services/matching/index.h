#pragma once

/* The writing side of the index: takes changes in, keeps segments few, makes snapshots.
 *
 * One thread.  Each change makes a small segment; segments of like size are merged into one, so
 * that there are few and each profile is moved a logarithmic number of times.  A profile that
 * is replaced or removed is dead at once and leaves memory with the next merge of its segment,
 * at the latest when an eighth of the segment is dead.
 */

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

/* Takes in changes, each key once.  On failure nothing has changed.
 * RESOURCE_EXHAUSTED: no memory, or a limit of the index is reached. */
must_use struct status index_apply(struct index *index, const struct index_change *changes,
                                   size_t count, struct arena *arena);

/* A snapshot of what is in now. */
must_use struct status index_snapshot(const struct index *index, uint64_t position,
                                      struct snapshot **ret);
