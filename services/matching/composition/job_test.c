/* Composing as a job, against a real Postgres, with two instances; registry is played. */

#include "services/matching/composition/composition.h"

#include <string.h>

#include "common/pg/outbox.h"
#include "common/pg/pg_test.h"
#include "common/service/rpc_test.h"
#include "services/matching/composition/gather.h"
#include "services/matching/composition/store.h"
#include "services/matching/composition/test_facts.h"
#include "services/matching/state.h"
#include "services/matching/store.h"

#define COMPOSITION "0193a000-0000-7000-8ddd-000000000001"
#define STATE "SELECT state FROM matching.composition"
#define RUNS "SELECT count(*) FROM matching.composition_run"
#define JOBS "SELECT count(*) FROM matching.composition_job"
#define SOLVED_EVENTS                                                                          \
    "SELECT count(*) FROM events.outbox "                                                      \
    "WHERE position('org.samverka.composition.solved.v1'::bytea IN event) > 0"
#define HASHES "SELECT count(DISTINCT inputs_hash || answer_hash) FROM matching.composition_run"

struct stage {
    struct rpc_test test;
    struct pg *pg[2];
    struct state state;
};

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
sql(const char *statement)
{
    test_run("postgres", NULL, statement);
}

static void
ask(struct stage *stage)
{
    Matching__V1__CompositionQuestion question = MATCHING__V1__COMPOSITION_QUESTION__INIT;
    const struct pg_scope scope = scope_of(TENANT_A, TEST_MS);
    scoped(pg_tx_end) struct pg_tx tx = {0};

    question.programme_code = "KA";
    question.sets_wanted = 3;
    question.limit_ms = 10000;
    assert_ok(pg_tx_begin(stage->pg[0], &scope, &stage->test.arena, &tx));
    assert_ok(composition_store_insert(&tx, &stage->test.arena, COMPOSITION, &question));
    assert_ok(pg_tx_commit(&tx));
}

static int
set_up(void **state)
{
    static struct stage stage;

    memset(&stage, 0, sizeof stage);
    log_init("matching", "test", LOG_ERROR_LEVEL);
    sql("TRUNCATE matching.composition CASCADE");
    sql("TRUNCATE matching.roll, events.outbox");
    gathered = confirmed = OK;
    gather_count = confirm_count = 0;
    rpc_test_init(&stage.test, WIRE__V1__ROLE__SERVICE);
    stage.test.call.clock = clock_system();
    stage.test.call.arena = &stage.test.arena;
    stage.test.call.state = &stage.state;
    atomic_store(&stage.state.position, 42);
    for (size_t i = 0; i < COUNT_OF(stage.pg); i++) {
        const struct pg_statement *const *const lists[] = {
            matching_statements, composition_statements, outbox_statements, NULL};

        stage.pg[i] = test_pg("app_matching", lists);
        assert_ok(pg_connect(stage.pg[i], in_ms(TEST_MS), &stage.test.arena));
    }
    ask(&stage);
    *state = &stage;
    return 0;
}

static int
tear_down(void **state)
{
    struct stage *stage = *state;

    for (size_t i = 0; i < COUNT_OF(stage->pg); i++)
        pg_destroy(&stage->pg[i]);
    rpc_test_fini(&stage->test);
    return 0;
}

static void
run(struct stage *stage, unsigned instance)
{
    stage->test.call.pg = stage->pg[instance];
    stage->test.call.tx = NULL;
    stage->test.call.tenant_id = "";
    stage->test.call.deadline = in_ms(30000);
    assert_ok(composition_job_run(&stage->test.call));
}

/* An instance takes the job, and is not heard of again. */
static struct composition_job
take_and_die(struct stage *stage, unsigned instance)
{
    const struct pg_scope scope = scope_of(TENANT_A, TEST_MS);
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct composition_job job;

    assert_ok(pg_tx_begin(stage->pg[instance], &scope, &stage->test.arena, &tx));
    assert_ok(composition_store_take(&tx, &stage->test.arena, 60000, &job));
    assert_ok(pg_tx_commit(&tx));
    return job;
}

static void
repeat(struct stage *stage)
{
    const struct pg_scope scope = scope_of(TENANT_A, TEST_MS);
    scoped(pg_tx_end) struct pg_tx tx = {0};
    Matching__V1__Composition *composition;

    assert_ok(pg_tx_begin(stage->pg[0], &scope, &stage->test.arena, &tx));
    assert_ok(composition_store_get(&tx, &stage->test.arena, COMPOSITION, &composition));
    assert_code(composition_store_repeat(&tx, &stage->test.arena, COMPOSITION,
                                         composition->version + 1),
                VERSION_MISMATCH);
    assert_ok(
        composition_store_repeat(&tx, &stage->test.arena, COMPOSITION, composition->version));
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
    struct stage *stage = *state;
    const struct composition_job dead = take_and_die(stage, 0);
    const struct composition_result late = {
        .state = MATCHING__V1__COMPOSITION_STATE__COMPOSITION_FAILED, .failure = "late"};

    assert_string_equal(dead.composition_id, COMPOSITION);
    run(stage, 1); /* it is leased */
    assert_int_equal(test_number(STATE), 1);
    sql("UPDATE matching.composition_job SET due_at = now() - interval '1 second'");
    run(stage, 1);
    assert_int_equal(test_number(STATE), 2);
    assert_int_equal(test_number(RUNS), 1);
    {
        /* The first was only slow: what it brings is not taken. */
        const struct pg_scope scope = scope_of(TENANT_A, TEST_MS);
        scoped(pg_tx_end) struct pg_tx tx = {0};

        assert_ok(pg_tx_begin(stage->pg[0], &scope, &stage->test.arena, &tx));
        assert_code(composition_store_done(&tx, &stage->test.arena, &dead, &late), ABORTED);
    }
    assert_int_equal(test_number(STATE), 2);
}

static void
solved_again_it_gives_the_same_from_what_was_stored(void **state)
{
    struct stage *stage = *state;

    run(stage, 0);
    repeat(stage);
    assert_int_equal(test_number(STATE), 1);
    run(stage, 1);
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
        sql("UPDATE matching.composition_job SET due_at = now()");
    }
    run(*state, 0);
    assert_int_equal(test_number(STATE), 4);
    assert_int_equal(test_number(JOBS), 0);
}

static void
another_tenant_sees_nothing(void **state)
{
    struct stage *stage = *state;
    const struct pg_scope scope = scope_of(TENANT_B, TEST_MS);
    scoped(pg_tx_end) struct pg_tx tx = {0};
    Matching__V1__Composition *composition;
    Matching__V1__CompositionRun **runs;
    size_t count;

    run(stage, 0);
    assert_ok(pg_tx_begin(stage->pg[0], &scope, &stage->test.arena, &tx));
    assert_code(composition_store_get(&tx, &stage->test.arena, COMPOSITION, &composition),
                NOT_FOUND);
    assert_ok(composition_store_runs(&tx, &stage->test.arena, COMPOSITION, &runs, &count));
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
