#pragma once

/* A batch on its way to the sequencer, from an rpc worker or the stream, and its answer on the
 * way back.
 *
 * The asker and the sequencer hold one share each; the last to let go frees.  The asker may
 * give up at its deadline; the sequencer then still does the work or not, and a repeat finds
 * out.
 */

#include "services/events/build.h"
#include "services/events/line.h"
#include "services/events/store_peer.h"

#define APPEND_SOURCE_BYTES 256 /* not more than an outcome can hold: FRAME_SOURCE_BYTES */

/* Who appends what.  All that is pointed at is copied, except the bytes of a batch that comes
 * with its owner. */
struct append_request {
    const char *tenant_id; /* whose the events become */
    const char *source;
    uint64_t batch_number;
    struct bytes batch;
    const struct texts *types; /* prefixes that the events' types must have; NULL: any */
    /* Owner of the batch's bytes, taken when the job is made; NULL: the bytes are copied. */
    void *owner;
    void (*release)(void *owner);
};

struct append_job {
    struct line_item item;
    atomic_uint holders;
    struct arena arena;
    struct store_append append;  /* its answer too */
    struct store_peer_move peer; /* source not NULL: events of another deployment instead */
    struct build_event *events;
    size_t event_count;
    size_t bytes;
    enum code code; /* of the answer */
    char detail[160];
    void *owner;
    void (*release)(void *owner);
    /* On the sequencer's thread, once, after the answer has been filled in: takes the
     * sequencer's share. */
    void (*answered)(struct append_job *job);
    void *asker; /* for `answered` */
    int done_fd; /* append_job_await: readable when answered; -1: another way */
};

/* Checks the batch and makes a job that somebody waits for by append_job_await.
 * INVALID_ARGUMENT, PERMISSION_DENIED or TOO_LARGE name the event at fault. */
must_use struct status append_job_create(const struct append_request *request,
                                         struct arena *arena, struct append_job **ret);
/* The same without a descriptor: the caller sets `answered`. */
must_use struct status append_job_make(const struct append_request *request,
                                       struct arena *arena, struct append_job **ret);
/* A job that somebody waits for, without events yet: its arena has room for so many. */
must_use struct status append_job_begin(size_t events, struct arena *arena,
                                        struct append_job **ret);
void append_job_release(struct append_job **job);

/* Sequencer: answers and lets go. */
void append_job_answer(struct append_job **job, struct status status);
/* What the answer says, with the job's own text. */
must_use struct status append_job_outcome(const struct append_job *job);

/* Worker: DEADLINE_EXCEEDED when no answer came in time, else the answer's status. */
must_use struct status append_job_await(struct append_job *job, const struct clock *clock,
                                        struct mono deadline, struct arena *arena);
