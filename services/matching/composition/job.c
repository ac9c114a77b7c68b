/* Solving what is queued.  A job is leased, not held: an instance that dies leaves it to the
 * next one when the lease ends, and one that was only slow finds at the end that it has it no
 * more. */

#include <stdatomic.h>

#include "services/matching/composition/composition.h"
#include "services/matching/composition/gather.h"
#include "services/matching/composition/solve.h"
#include "services/matching/composition/store.h"
#include "services/matching/roll.h"
#include "services/matching/state.h"

#define JOBS_MAX 10 /* of one tenant in a row */
#define ATTEMPTS_MAX 5
#define JOB_ARENA_BYTES ((size_t)192 << 20)
#define LEASE_MS 29000 /* within the 30 s of a timer */

static struct status
take_job(struct call *call, const char *tenant_id, struct composition_job *ret)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct composition_job job;

    TRY(call_begin(call, tenant_id, false, &tx));
    TRY(composition_store_take(&tx, call->arena, LEASE_MS, &job));
    TRY(call_commit(call));
    job.tenant_id = tenant_id;
    *ret = job;
    return OK;
}

static struct status
read_inputs(struct call *call, const struct composition_job *job,
            struct composition_inputs *ret)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    TRY(call_begin(call, job->tenant_id, true, &tx));
    return composition_store_inputs(&tx, call->arena, job->composition_id, ret);
}

static Matching__V1__CompositionState
state_of(const Matching__V1__CompositionRun *run)
{
    return run->n_sets || run->proven ? MATCHING__V1__COMPOSITION_STATE__COMPOSITION_SOLVED
                                      : MATCHING__V1__COMPOSITION_STATE__COMPOSITION_UNSOLVED;
}

static struct status
emit_solved(struct call *call, const struct composition_job *job,
            const Matching__V1__CompositionRun *run, const char *programme)
{
    Matching__V1__CompositionSolved event = MATCHING__V1__COMPOSITION_SOLVED__INIT;

    event.composition_id = job->composition_id;
    event.run = run->number;
    event.sets = (uint32_t)run->n_sets;
    event.proven = run->proven;
    event.inputs_hash = run->inputs_hash;
    event.answer_hash = run->answer_hash;
    return call_emit(call, (struct outbox_event){.data = &event.base,
                                                 .subject = job->composition_id,
                                                 .programme = programme});
}

static struct status
keep(struct call *call, const struct composition_job *job,
     const struct composition_result *result)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    TRY(call_begin(call, job->tenant_id, false, &tx));
    TRY(composition_store_done(&tx, call->arena, job, result));
    if (result->run)
        TRY(emit_solved(call, job, result->run, result->facts->question->programme_code));
    return call_commit(call);
}

static struct status
solve(struct call *call, const struct composition_job *job, struct composition_inputs *inputs,
      struct composition_result *ret)
{
    struct state *state = call->state;
    struct composition_result result = {
        .facts = inputs->facts, .position = inputs->position, .failure = ""};
    Matching__V1__CompositionFacts *facts = inputs->facts;
    Matching__V1__CompositionRun *run;

    if (!facts) {
        result.position = atomic_load(&state->position);
        TRY(gather_facts(call, job->tenant_id, inputs->question, &facts));
        result.facts = facts;
    }
    TRY(solve_facts(call->arena, facts, call->clock,
                    mono_add_ms(clock_mono(call->clock), inputs->question->limit_ms), &run));
    TRY(gather_confirm(call, job->tenant_id, facts, run));
    run->number = inputs->runs + 1;
    run->position = result.position;
    run->solved_unix_ms = (uint64_t)clock_wall(call->clock).unix_ms;
    result.run = run;
    result.state = state_of(run);
    *ret = result;
    return OK;
}

/* Whether another try could do better. */
static bool
passing(struct status status)
{
    return status.code == CODE_UNAVAILABLE || status.code == CODE_ABORTED ||
           status.code == CODE_DEADLINE_EXCEEDED || status.code == CODE_RESOURCE_EXHAUSTED;
}

static struct status
do_job(struct call *call, const struct composition_job *job)
{
    struct composition_result result = {
        .state = MATCHING__V1__COMPOSITION_STATE__COMPOSITION_FAILED};
    struct composition_inputs inputs;
    struct status solved;

    TRY(read_inputs(call, job, &inputs));
    if (!inputs.question)
        return keep(call, job, &(struct composition_result){.failure = ""});
    solved = solve(call, job, &inputs, &result);
    if (!failed(solved))
        return keep(call, job, &result);
    log_warn("composition not solved", KV("composition_id", job->composition_id),
             KV("reason", solved.detail), KV("attempts", job->attempts));
    if (passing(solved) && job->attempts < ATTEMPTS_MAX)
        return OK; /* the lease ends and somebody tries again */
    result.failure = solved.code == CODE_INTERNAL ? "internal error" : solved.detail;
    return keep(call, job, &result);
}

/* Runs one of the tenant's jobs with memory of its own; *ret_any: there was one. */
static struct status
next_job(struct call *call, const char *tenant_id, bool *ret_any)
{
    scoped(arena_fini) struct arena memory = {0};
    struct arena *const outer = call->arena;
    struct composition_job job;
    struct status status;

    arena_init(&memory, JOB_ARENA_BYTES);
    call->arena = &memory;
    status = take_job(call, tenant_id, &job);
    *ret_any = !failed(status) && *job.composition_id;
    if (*ret_any)
        status = do_job(call, &job);
    call->arena = outer;
    if (failed(status)) /* its texts go with the memory */
        return FAIL(outer, UNAVAILABLE, "composition: %s", status.detail);
    return OK;
}

static struct status
read_tenants(struct call *call, const char ***ret, size_t *ret_count)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    TRY(call_begin(call, NULL, true, &tx));
    return roll_list(&tx, ROLL_COMPOSITIONS, "", call->arena, ret, ret_count);
}

struct status
composition_job_run(struct call *call)
{
    const char **tenants;
    size_t count;

    TRY(read_tenants(call, &tenants, &count));
    for (size_t i = 0; i < count; i++) {
        bool any = true;

        for (int n = 0; n < JOBS_MAX && any; n++) {
            /* What there is no time for is not begun: the next run has it. */
            if (mono_left_ms(call->deadline, clock_mono(call->clock)) < LEASE_MS)
                return OK;
            TRY(next_job(call, tenants[i], &any));
        }
    }
    return OK;
}
