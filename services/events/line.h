#pragma once

/* A bounded line between threads: many may push, one takes all.
 *
 * Lock-free: items hang in a chain that the taker swaps out and turns round.  The descriptor
 * becomes readable when something waits; line_take clears it.
 */

#include <stdatomic.h>
#include <stdbool.h>

#include "common/base/status.h"

struct line_item {
    struct line_item *next;
};

struct line {
    _Atomic(struct line_item *) newest;
    atomic_uint waiting;
    unsigned limit;
    int fd; /* eventfd; -1 when not made */
};

must_use struct status line_init(struct line *line, unsigned limit, struct arena *arena);
void line_fini(struct line *line); /* the line must be empty */

/* False when `limit` items wait; the item then stays the caller's. */
bool line_push(struct line *line, struct line_item *item);

/* All that wait, oldest first; NULL: none. */
struct line_item *line_take(struct line *line);

/* Makes the descriptor readable without an item. */
void line_wake(struct line *line);
