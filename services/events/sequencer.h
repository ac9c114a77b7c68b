#pragma once

/* The one that numbers: a thread with a Postgres connection of its own.
 *
 * Of all instances one holds the session advisory lock and leads: it moves rows from the outbox
 * and batches of Append into the log, one transaction a round.  The others read the log as it
 * grows. Either way every block is delivered once, in order, to `deliver`.
 *
 * A stopped leader loses its session after 3 s and with it the lock: Postgres ends idle
 * sessions, and a fellow ends one that does not read its answer.  Should it wake up in the
 * middle of a round, its connection is gone; should two ever number at once, the head's check
 * and the primary key on the position let one of them commit.
 */

#include "services/events/append.h"
#include "services/events/roll.h"

struct sequencer;

struct sequencer_config {
    const struct pg_config *pg; /* never through a pooler */
    const struct clock *clock;
    void *bell; /* SUB socket of doorbell_bind, from now on the thread's; NULL: only the poll */
    /* All called on the sequencer's thread. */
    void (*deliver)(void *context, struct block *block); /* takes the block */
    /* The head as this instance knows it: at first contact and whenever blocks were skipped. */
    void (*reached)(void *context, uint64_t head, uint64_t first_kept);
    void (*ring)(void *context); /* a block was committed here: tell the fellow instances */
    void *context;
    struct roll_config roll; /* zero: one partition for ever */
};

/* Starts the thread. */
must_use struct status sequencer_create(const struct sequencer_config *config,
                                        struct arena *arena, struct sequencer **ret);
/* Ends it after the round under way; jobs that wait are answered UNAVAILABLE. */
void sequencer_destroy(struct sequencer **sequencer);

/* Any thread.  UNAVAILABLE "not_leader": another instance leads.  RESOURCE_EXHAUSTED: too many
 * batches wait.  On OK the sequencer has a share of its own in the job. */
must_use struct status sequencer_post(struct sequencer *sequencer, struct append_job *job,
                                      struct arena *arena);

/* Any thread. */
bool sequencer_leads(const struct sequencer *sequencer);
bool sequencer_in_touch(const struct sequencer *sequencer); /* has read the log at least once */
