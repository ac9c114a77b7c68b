#pragma once

/* Where compositions are kept, and what registry publishes for them.
 *
 * Every function takes part in the caller's transaction and returns what pg_tx.h lists, besides
 * the codes named with it.  On failure nothing is written to the outputs.  Results live in
 * `arena`.
 */

#include "common/pg/pg_tx.h"
#include "matching/v1/composition.pb-c.h"

#define COMPOSITION_CANDIDATES_MAX 50000u
#define COMPOSITION_OWNERS_MAX 100000u
#define COMPOSITION_RUNS_MAX 100u

/* Stores a question and puts it into the queue. */
must_use struct status
composition_store_insert(struct pg_tx *tx, struct arena *arena, const char *id,
                         const Matching__V1__CompositionQuestion *question);

/* With its last run.  NOT_FOUND. */
must_use struct status composition_store_get(struct pg_tx *tx, struct arena *arena,
                                             const char *id, Matching__V1__Composition **ret);

/* Puts it into the queue again.  VERSION_MISMATCH: it has another version or is queued. */
must_use struct status composition_store_repeat(struct pg_tx *tx, struct arena *arena,
                                                const char *id, uint64_t expected_version);

must_use struct status composition_store_runs(struct pg_tx *tx, struct arena *arena,
                                              const char *id,
                                              Matching__V1__CompositionRun ***ret,
                                              size_t *ret_count);

/* A job of the transaction's tenant, that this instance has until its lease ends. */
struct composition_job {
    const char *composition_id; /* "": there is none */
    const char *tenant_id;
    uint64_t attempts; /* tells who has it */
};
must_use struct status composition_store_take(struct pg_tx *tx, struct arena *arena,
                                              int64_t lease_ms, struct composition_job *ret);

struct composition_inputs {
    Matching__V1__CompositionQuestion *question; /* NULL: nothing is queued any more */
    Matching__V1__CompositionFacts *facts;       /* NULL: not read yet */
    uint64_t position;
    uint32_t runs;
};
must_use struct status composition_store_inputs(struct pg_tx *tx, struct arena *arena,
                                                const char *id, struct composition_inputs *ret);

/* Those on board, or those who could be added: with what they offer of the question's concepts,
 * and the tenant's history with them.  RESOURCE_EXHAUSTED: more than
 * COMPOSITION_CANDIDATES_MAX. */
must_use struct status
composition_store_parties(struct pg_tx *tx, struct arena *arena,
                          const Matching__V1__CompositionQuestion *question, bool board,
                          Matching__V1__CompositionFacts__Party ***ret, size_t *ret_count);

struct composition_owner {
    const char *parent_id, *child_id;
};
must_use struct status composition_store_owners(struct pg_tx *tx, struct arena *arena,
                                                uint32_t share_thousandths,
                                                struct composition_owner **ret,
                                                size_t *ret_count);

/* Ends a job; `run` NULL: it failed.  `facts` are kept unless there are some already.
 * ABORTED: the lease has ended and another instance has it. */
struct composition_result {
    const Matching__V1__CompositionFacts *facts;
    const Matching__V1__CompositionRun *run;
    uint64_t position;
    Matching__V1__CompositionState state;
    const char *failure;
};
must_use struct status composition_store_done(struct pg_tx *tx, struct arena *arena,
                                              const struct composition_job *job,
                                              const struct composition_result *result);
