/* Composing as a job, against a real Postgres, with two instances; registry is played. */

#include "services/matching/composition/composition.h"

#include <string.h>

#include "services/matching/composition/gather.h"
#include "services/matching/composition/store.h"
#include "services/matching/composition/test_facts.h"
#include "services/matching/state.h"
#include "services/matching/test_jobs.h"

#define COMPOSITION "0193a000-0000-7000-8ddd-000000000001"
#define STATE "SELECT state FROM matching.composition"
#define RUNS "SELECT count(*) FROM matching.composition_run"
#define JOBS "SELECT count(*) FROM matching.composition_job"
#define SOLVED_EVENTS                                                                          \
    "SELECT count(*) FROM events.outbox "                                                      \
    "WHERE position('org.samverka.composition.solved.v1'::bytea IN event) > 0"
#define HASHES "SELECT count(DISTINCT inputs_hash || answer_hash) FROM matching.composition_run"

/* What registry answers. */
static struct status gathered, confirmed;
static unsigned gather_count, confirm_count;

struct status
gather_facts(struct call *call, const char *tenant_id,
             Matching__V1__CompositionQuestion *question, Matching__V1__CompositionFacts **ret)
{
    assert_string_equal(tenant_id, TENANT_A);
    gather_count++;
    TRY(gathered);
    *ret = test_facts_alliance(call->arena);
    (*ret)->question = question;
    return OK;
}

struct status
gather_confirm(struct call *call, const char *tenant_id,
               const Matching__V1__CompositionFacts *facts,
               const Matching__V1__CompositionRun *run)
{
    (void)call;
    (void)tenant_id;
    assert_true(facts->n_candidates > 0 && run->n_sets > 0);
    confirm_count++;
    return confirmed;
}

static void
ask(struct test_jobs *jobs)
{
    Matching__V1__CompositionQuestion question = MATCHING__V1__COMPOSITION_QUESTION__INIT;
    const struct pg_scope scope = scope_of(TENANT_A, TEST_MS);
    scoped(pg_tx_end) struct pg_tx tx = {0};

    question.programme_code = "KA";
    question.sets_wanted = 3;
    question.limit_ms = 10000;
    assert_ok(pg_tx_begin(jobs->pg[0], &scope, &jobs->test.arena, &tx));
    assert_ok(composition_store_insert(&tx, &jobs->test.arena, COMPOSITION, &question));
    assert_ok(pg_tx_commit(&tx));
}

static int
set_up(void **state)
{
    static struct test_jobs jobs;
    static struct state service;

    test_jobs_sql("TRUNCATE matching.composition CASCADE");
    test_jobs_sql("TRUNCATE matching.roll, events.outbox");
    gathered = confirmed = OK;
    gather_count = confirm_count = 0;
    test_jobs_begin(&jobs, composition_statements);
    memset(&service, 0, sizeof service);
    atomic_store(&service.position, 42);
    jobs.test.call.state = &service;
    ask(&jobs);
    *state = &jobs;
    return 0;
}

static int
tear_down(void **state)
{
    test_jobs_end(*state);
    return 0;
}

static void
run(struct test_jobs *jobs, unsigned instance)
{
    test_jobs_run(jobs, instance, composition_job_run);
}

/* An instance takes the job, and is not heard of again. */
static struct composition_job
take_and_die(struct test_jobs *jobs, unsigned instance)
{
    const struct pg_scope scope = scope_of(TENANT_A, TEST_MS);
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct composition_job job;

    assert_ok(pg_tx_begin(jobs->pg[instance], &scope, &jobs->test.arena, &tx));
    assert_ok(composition_store_take(&tx, &jobs->test.arena, 60000, &job));
    assert_ok(pg_tx_commit(&tx));
    return job;
}

static void
repeat(struct test_jobs *jobs)
{
    const struct pg_scope scope = scope_of(TENANT_A, TEST_MS);
    scoped(pg_tx_end) struct pg_tx tx = {0};
    Matching__V1__Composition *composition;

    assert_ok(pg_tx_begin(jobs->pg[0], &scope, &jobs->test.arena, &tx));
    assert_ok(composition_store_get(&tx, &jobs->test.arena, COMPOSITION, &composition));
    assert_code(
        composition_store_repeat(&tx, &jobs->test.arena, COMPOSITION, composition->version + 1),
        VERSION_MISMATCH);
    assert_ok(
        composition_store_repeat(&tx, &jobs->test.arena, COMPOSITION, composition->version));
    assert_ok(pg_tx_commit(&tx));
}

static void
a_composition_is_solved_once_and_told_once(void **state)
{
    run(*state, 0);
    assert_int_equal(test_number(STATE), 2);
    assert_int_equal(test_number(RUNS), 1);
    assert_int_equal(test_number(JOBS), 0);
    assert_int_equal(test_number("SELECT count(*) FROM matching.roll"), 0);
    assert_int_equal(test_number(SOLVED_EVENTS), 1);
    assert_int_equal(test_number("SELECT position FROM matching.composition"), 42);
    assert_int_equal(confirm_count, 1);
    run(*state, 1);
    assert_int_equal(test_number(RUNS), 1);
}

static void
another_instance_takes_over_when_the_lease_ends(void **state)
{
    struct test_jobs *jobs = *state;
    const struct composition_job dead = take_and_die(jobs, 0);
    const struct composition_result late = {
        .state = MATCHING__V1__COMPOSITION_STATE__COMPOSITION_FAILED, .failure = "late"};

    assert_string_equal(dead.composition_id, COMPOSITION);
    run(jobs, 1); /* it is leased */
    assert_int_equal(test_number(STATE), 1);
    test_jobs_sql("UPDATE matching.composition_job SET due_at = now() - interval '1 second'");
    run(jobs, 1);
    assert_int_equal(test_number(STATE), 2);
    assert_int_equal(test_number(RUNS), 1);
    {
        /* The first was only slow: what it brings is not taken. */
        const struct pg_scope scope = scope_of(TENANT_A, TEST_MS);
        scoped(pg_tx_end) struct pg_tx tx = {0};

        assert_ok(pg_tx_begin(jobs->pg[0], &scope, &jobs->test.arena, &tx));
        assert_code(composition_store_done(&tx, &jobs->test.arena, &dead, &late), ABORTED);
    }
    assert_int_equal(test_number(STATE), 2);
}

static void
solved_again_it_gives_the_same_from_what_was_stored(void **state)
{
    struct test_jobs *jobs = *state;

    run(jobs, 0);
    repeat(jobs);
    assert_int_equal(test_number(STATE), 1);
    run(jobs, 1);
    assert_int_equal(test_number(STATE), 2);
    assert_int_equal(test_number(RUNS), 2);
    assert_int_equal(test_number(HASHES), 1);
    assert_int_equal(gather_count, 1);
    assert_int_equal(test_number(SOLVED_EVENTS), 2);
}

static void
what_cannot_be_solved_says_why(void **state)
{
    gathered = FAIL(NULL, FAILED_PRECONDITION, "an organisation on board is not known");
    run(*state, 0);
    assert_int_equal(test_number(STATE), 4);
    assert_int_equal(test_number(JOBS), 0);
    assert_int_equal(test_number("SELECT (length(failure) > 0)::int FROM matching.composition"),
                     1);
}

static void
a_set_that_the_checker_does_not_confirm_is_not_told(void **state)
{
    confirmed = FAIL(NULL, INTERNAL, "the checker does not confirm a set");
    run(*state, 0);
    assert_int_equal(test_number(STATE), 4);
    assert_int_equal(test_number(RUNS), 0);
    assert_int_equal(test_number(SOLVED_EVENTS), 0);
}

static void
while_registry_is_away_it_is_tried_again_five_times(void **state)
{
    gathered = FAIL(NULL, UNAVAILABLE, "registry");
    for (int i = 0; i < 4; i++) {
        run(*state, 0);
        assert_int_equal(test_number(STATE), 1);
        run(*state, 1); /* it is not due */
        assert_int_equal(gather_count, i + 1);
        test_jobs_sql("UPDATE matching.composition_job SET due_at = now()");
    }
    run(*state, 0);
    assert_int_equal(test_number(STATE), 4);
    assert_int_equal(test_number(JOBS), 0);
}

static void
another_tenant_sees_nothing(void **state)
{
    struct test_jobs *jobs = *state;
    const struct pg_scope scope = scope_of(TENANT_B, TEST_MS);
    scoped(pg_tx_end) struct pg_tx tx = {0};
    Matching__V1__Composition *composition;
    Matching__V1__CompositionRun **runs;
    size_t count;

    run(jobs, 0);
    assert_ok(pg_tx_begin(jobs->pg[0], &scope, &jobs->test.arena, &tx));
    assert_code(composition_store_get(&tx, &jobs->test.arena, COMPOSITION, &composition),
                NOT_FOUND);
    assert_ok(composition_store_runs(&tx, &jobs->test.arena, COMPOSITION, &runs, &count));
    assert_int_equal(count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_composition_is_solved_once_and_told_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(another_instance_takes_over_when_the_lease_ends, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(solved_again_it_gives_the_same_from_what_was_stored,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_solved_says_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_set_that_the_checker_does_not_confirm_is_not_told,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(while_registry_is_away_it_is_tried_again_five_times,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_tenant_sees_nothing, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
