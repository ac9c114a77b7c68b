#pragma once

/* Checks rows of the log: are the bytes those that were written, do positions join, does every
 * event carry its place.  Pure: no I/O. */

#include "services/events/store_kept.h"

#define VERIFY_FAULTS_MAX 100 /* of one answer */

struct verify_fault {
    uint64_t position; /* where the block begins, or the first position that is missing */
    const char *reason;
};

/* What is being found; zero but for `arena` and `next` at the start. */
struct verify {
    struct arena *arena; /* of the faults; outlives the rows */
    uint64_t next;       /* the position that must follow */
    uint32_t blocks;
    struct verify_fault faults[VERIFY_FAULTS_MAX];
    size_t fault_count;
};

/* Notes a fault; RESOURCE_EXHAUSTED when there is no memory for its text.  No more than the
 * limit are kept; see verify_is_full. */
must_use printf_like(3, 4) struct status
    verify_note(struct verify *verify, uint64_t position, const char *format, ...);
bool verify_is_full(const struct verify *verify);

/* Checks the row that follows and moves on behind it.  `scratch` may be reset after. */
must_use struct status verify_row(struct verify *verify, const struct store_raw *row,
                                  struct arena *scratch);
/* No row holds the positions from `next` to `last`; moves on behind them. */
must_use struct status verify_gap(struct verify *verify, uint64_t last);
