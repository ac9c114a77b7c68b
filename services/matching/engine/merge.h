#pragma once

/* Making one base of some units, beside the writer. */

#include "services/matching/engine/base_build.h"
#include "services/matching/engine/version.h"

#include <pthread.h>

struct merge {
    struct unit units[VERSION_UNITS_MAX]; /* held; as they were when it was planned */
    uint32_t first, count;                /* which of the engine's they are */
    uint32_t term_limit, class_count;
    bool with_items;
    struct base *made; /* NULL: nobody was alive, or it failed */
    struct status done;
    atomic_bool ready, stop;
    pthread_t thread;
    bool started;
};

/* Does the work on the calling thread. */
void merge_run(struct merge *merge);
/* Does it on a thread of its own. */
must_use struct status merge_start(struct merge *merge);
/* Waits for the thread. */
void merge_join(struct merge *merge);
