#pragma once

/* A batch on its way from an rpc worker to the sequencer and its answer on the way back.
 *
 * Worker and sequencer hold one share each; the last to let go frees.  The worker may give up
 * at its deadline; the sequencer then still does the work or not, and a repeat finds out.
 */

#include "services/events/build.h"
#include "services/events/line.h"

struct append_job {
    struct line_item item;
    atomic_uint holders;
    int done_fd; /* readable when answered */
    struct arena arena;
    struct store_append append; /* first and last are the answer */
    struct build_event *events;
    size_t event_count;
    size_t bytes;
    enum code code; /* of the answer */
    char detail[160];
};

/* Checks and copies the batch.  INVALID_ARGUMENT names the event at fault. */
must_use struct status append_job_create(const char *tenant_id, const char *source,
                                         uint64_t batch_number, struct bytes batch,
                                         struct arena *arena, struct append_job **ret);
void append_job_release(struct append_job **job);

/* Sequencer: answers and lets go. */
void append_job_answer(struct append_job **job, struct status status);

/* Worker: DEADLINE_EXCEEDED when no answer came in time, else the answer's status. */
must_use struct status append_job_await(struct append_job *job, const struct clock *clock,
                                        struct mono deadline, struct arena *arena);
