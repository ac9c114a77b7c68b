#pragma once

/* What enters the log in a round: rows of the outbox, batches of Append and events of other
 * deployments, checked, each once. */

#include "services/events/append.h"
#include "services/events/recent.h"
#include "services/events/sources.h"

#define INTAKE_JOB_BYTES ((size_t)16 << 20) /* of one round */

/* What a leader remembers from round to round.  After a round that failed it must be cleared,
 * because it may know what was never stored. */
struct intake_memory {
    struct sources *sources;
    struct recent *recent;
};

must_use struct status intake_memory_init(struct intake_memory *memory);
void intake_memory_fini(struct intake_memory *memory);
void intake_memory_clear(struct intake_memory *memory);
/* A block of the log, at the begin of a leadership. */
void intake_memory_learn(struct intake_memory *memory, const struct block *block);

struct intake {
    struct arena *arena;
    struct intake_memory *memory;
    uint64_t head; /* before the round */
    struct build_event *events;
    size_t count;
    const char **tenant_ids; /* of events with a tenant's number; each once */
    size_t tenant_count;
};

must_use struct status intake_begin(struct intake *intake, struct intake_memory *memory,
                                    struct arena *arena, uint64_t head, size_t room);
/* A row that is no event is parked. */
must_use struct status intake_rows(struct intake *intake, struct pg_tx *tx,
                                   const struct store_taken *taken);
/* Answers itself, and clears from `jobs`, those that are known already or refused; the others
 * get their answer's positions.  The caller keeps to INTAKE_JOB_BYTES. */
must_use struct status intake_jobs(struct intake *intake, struct pg_tx *tx,
                                   struct append_job **jobs, size_t job_count);
