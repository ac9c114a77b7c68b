#pragma once

/* The search: dynamic programming over what a set already counts, with bounds.
 *
 * Items are taken or left one after another, class by class.  Two partial sets that count the
 * same have the same future, so only the cheapest (as many as sets are wanted) is kept: a
 * label. A label whose cost and lower bound on the rest reach the target is dropped.  When more
 * than `width` labels are left, those with the lowest bounds stay and the least bound of the
 * others is told: the search is then no proof, but how far it is from one is known. (Desrochers
 * and Soumis 1988, labels; Bergman, Cire, van Hoeve and Hooker 2016, decision diagrams of
 * bounded width.)
 */

#include "common/base/clock.h"
#include "services/matching/composition/relax.h"
#include "services/matching/composition/shelf.h"

struct labels_ask {
    const struct pool *pool;
    const struct relax_items *items; /* all of one class stand together */
    const struct relax *relax;
    size_t width;      /* labels kept side by side; 1..LABELS_WIDTH_MAX */
    uint64_t work_max; /* labels looked at */
    const struct clock *clock;
    struct mono deadline;
};

#define LABELS_WIDTH_MAX (1u << 20)

struct labels_answer {
    int64_t lost;  /* scaled: no set costs less than this or than the shelf's target;
                    * RELAX_INFINITE: nothing was left aside */
    uint64_t work; /* labels looked at */
    bool late;     /* the deadline ended it */
};

/* Puts the sets it finds on the shelf.  Uses `arena` for everything; RESOURCE_EXHAUSTED when
 * even the start does not fit (later it only ends the search).  INVALID_ARGUMENT: the rows need
 * more bits than a label has. */
must_use struct status labels_search(const struct labels_ask *ask, struct arena *arena,
                                     struct shelf *shelf, struct labels_answer *ret);
