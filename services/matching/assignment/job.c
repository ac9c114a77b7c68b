/* Solving as a job: lease a round, read its cohort, solve, store.  Nothing is kept between the
 * steps but the lease: an instance that dies leaves a round that another takes when the lease
 * ends, and the same input gives the same result.  A result is stored only while the lease's
 * attempt is the last one. */

#include "services/matching/assignment/assignment.h"

#include "common/base/metric.h"
#include "matching/v1/round_events.pb-c.h"
#include "services/matching/assignment/news.h"
#include "services/matching/assignment/sheet.h"
#include "services/matching/assignment/store.h"
#include "services/matching/roll.h"

#define LEASE_MS 60000
#define ATTEMPTS_MAX 5
#define ROUNDS_MOST 20 /* of one tenant in a row, so that others get their turn */
#define SOLVE_BYTES ((size_t)256 << 20)
#define LEFT_MS 5000 /* what is not begun with less time left waits for the next run */

static struct metric solvings =
    METRIC("round_solvings_total", METRIC_COUNTER, "attempts to solve a round", "result", NULL);

static struct status
take_request(struct call *call, const char *tenant_id, struct store_request *ret)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct store_request request;

    TRY(call_begin(call, tenant_id, false, &tx));
    TRY(store_take(&tx, call->arena, LEASE_MS, &request));
    if (!request.round_id)
        TRY(store_roll_tie(&tx));
    TRY(call_commit(call));
    *ret = request;
    return OK;
}

static struct status
read_cohort(struct call *call, const char *tenant_id, const struct store_request *request,
            struct arena *arena, Matching__V1__Round **ret_round, struct cohort *ret)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    TRY(call_begin(call, tenant_id, true, &tx));
    TRY(store_round_get(&tx, arena, request->round_id, STORE_LOOK, ret_round));
    return store_cohort(&tx, arena, request->round_id, ret);
}

static struct status
store_result(struct call *call, const char *tenant_id, const struct store_request *request,
             const struct sheet_solved *solved, const Matching__V1__Round *round,
             struct arena *arena)
{
    Matching__V1__RoundSolved event = MATCHING__V1__ROUND_SOLVED__INIT;
    scoped(pg_tx_end) struct pg_tx tx = {0};
    Matching__V1__Sheet *sheet;
    struct place_row *places;
    size_t count;
    bool stood;

    TRY(sheet_make(solved, arena, &sheet));
    TRY(sheet_places(solved, arena, &places, &count));
    TRY(call_begin(call, tenant_id, false, &tx));
    TRY(store_solved(&tx, arena, request,
                     request->resume == MATCHING__V1__ROUND_STATE__OBJECTIONS
                         ? MATCHING__V1__ROUND_STATE__OBJECTIONS
                         : MATCHING__V1__ROUND_STATE__SOLVED,
                     sheet, places, count, &stood));
    if (!stood)
        return OK; /* nothing was written */
    event.round_id = request->round_id;
    event.run = round->run + 1;
    event.objective = sheet->objective;
    event.input_hash = sheet->input_hash;
    event.students = sheet->students;
    event.placed = sheet->placed;
    event.blocking_count = sheet->blocking_count;
    TRY(call_emit(call,
                  (struct outbox_event){.data = &event.base, .subject = request->round_id}));
    TRY(news_tell(call, request->round_id,
                  request->resume == MATCHING__V1__ROUND_STATE__OBJECTIONS
                      ? MATCHING__V1__ROUND_NEWS__NEWS_CHANGED
                      : MATCHING__V1__ROUND_NEWS__NEWS_SOLVED,
                  NULL));
    return call_commit(call);
}

static struct status
solve(struct call *call, const char *tenant_id, const struct store_request *request,
      struct arena *arena)
{
    Matching__V1__Round *round;
    struct sheet_solved *solved;
    struct cohort cohort;

    TRY(read_cohort(call, tenant_id, request, arena, &round, &cohort));
    TRY(sheet_solve(&cohort,
                    &(struct cohort_question){
                        .objective = (enum assignment_objective)(round->objective - 1),
                        .seed = round->seed,
                        .fill = round->fill},
                    arena, &solved));
    return store_result(call, tenant_id, request, solved, round, arena);
}

/* What a person can do something about; the rest is ours, and in the log. */
static struct status
note_failure(struct call *call, const char *tenant_id, const struct store_request *request,
             struct status why)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    const char *told = "the round could not be solved; the operators' log says why";

    if (why.code == CODE_INVALID_ARGUMENT)
        TRY(need(told = arena_printf(call->arena, "%s: %s", why.field, why.detail)));
    TRY(call_begin(call, tenant_id, false, &tx));
    TRY(store_failed(&tx, request, told));
    return call_commit(call);
}

static struct status
solve_next(struct call *call, const char *tenant_id, bool *ret_more)
{
    scoped(arena_fini) struct arena arena = {0};
    struct store_request request;
    struct status solved;

    TRY(take_request(call, tenant_id, &request));
    *ret_more = request.round_id != NULL;
    if (!request.round_id)
        return OK;
    arena_init(&arena, SOLVE_BYTES);
    if (request.attempt > ATTEMPTS_MAX)
        solved =
            FAIL(call->arena, INTERNAL, "%d attempts did not come to an end", ATTEMPTS_MAX);
    else
        solved = solve(call, tenant_id, &request, &arena);
    metric_add(&solvings, failed(solved) ? "failed" : "solved", NULL, 1);
    if (!failed(solved))
        return OK;
    log_warn("round not solved", KV("round_id", request.round_id),
             KV("attempt", request.attempt), KV("code", code_name(solved.code)),
             KV("reason", solved.code == CODE_INVALID_ARGUMENT ? "not solvable as it stands"
                                                               : solved.detail));
    if (code_retry(solved.code) != RETRY_NEVER && request.attempt <= ATTEMPTS_MAX)
        return OK; /* again when the lease ends */
    return note_failure(call, tenant_id, &request, solved);
}

struct status
rounds_solve(struct call *call)
{
    const char **tenants;
    size_t count;

    {
        scoped(pg_tx_end) struct pg_tx tx = {0};

        TRY(call_begin(call, NULL, true, &tx));
        TRY(roll_list(&tx, ROLL_ROUNDS, "", call->arena, &tenants, &count));
    }
    for (size_t i = 0; i < count; i++) {
        bool more = true;

        for (int n = 0; n < ROUNDS_MOST && more; n++) {
            if (mono_left_ms(call->deadline, clock_mono(call->clock)) < LEFT_MS)
                return OK;
            TRY(solve_next(call, tenants[i], &more));
        }
    }
    return OK;
}
