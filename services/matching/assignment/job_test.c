/* Solving as a job, against a real Postgres, with two instances. */

#include "services/matching/assignment/assignment.h"

#include "services/matching/assignment/store_job.h"
#include "services/matching/test_jobs.h"

#define ROUND "0193a000-0000-7000-8fff-000000000001"
#define STATE "SELECT state FROM matching.round"
#define RUN "SELECT run FROM matching.round"
#define SOLVED_EVENTS                                                                          \
    "SELECT count(*) FROM events.outbox "                                                      \
    "WHERE position('org.samverka.round.solved.v1'::bytea IN event) > 0"
#define TOLD_EVENTS                                                                            \
    "SELECT count(*) FROM events.outbox "                                                      \
    "WHERE position('org.samverka.round.told.v1'::bytea IN event) > 0"
#define PLACES                                                                                 \
    "SELECT ('x' || left(md5(string_agg(student || topic || barriers, ',' "                    \
    "ORDER BY student)), 8))::bit(32)::int FROM matching.round_place"

/* Thirty students want the same ten topics; the round is requested. */
static const char *const scene[] = {
    "TRUNCATE matching.round CASCADE",
    "TRUNCATE matching.roll, events.outbox",
    "INSERT INTO matching.round (tenant_id, id, title, objective, seed, choices_max, fill, "
    "objection_days, state, resume) VALUES ('" TENANT_A "', '" ROUND
    "', 'x', 1, 5, 10, true, 7, "
    "6, 5)",
    "INSERT INTO matching.round_topic (tenant_id, round_id, code, title, owner, capacity, "
    "least, "
    "optional, state) SELECT '" TENANT_A "', '" ROUND "', 't' || n, 'T', '', 2, 0, false, 2 "
    "FROM generate_series(0, 9) n",
    "INSERT INTO matching.round_student (tenant_id, round_id, code, choices) "
    "SELECT '" TENANT_A "', '" ROUND "', 's' || n, "
    "'t' || n % 10 || ' t' || (n + 1) % 10 || ' t' || (n + 3) % 10 FROM generate_series(10, "
    "39) n",
    "INSERT INTO matching.roll VALUES (1, '" TENANT_A "')",
};

static int
set_up(void **state)
{
    static struct test_jobs jobs;

    for (size_t i = 0; i < COUNT_OF(scene); i++)
        test_jobs_sql(scene[i]);
    test_jobs_begin(&jobs, rounds_statements);
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
    test_jobs_run(jobs, instance, rounds_solve);
}

/* An instance takes the round, and is not heard of again. */
static struct store_request
take_and_die(struct test_jobs *jobs, unsigned instance)
{
    const struct pg_scope scope = scope_of(TENANT_A, TEST_MS);
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct store_request request;

    assert_ok(pg_tx_begin(jobs->pg[instance], &scope, &jobs->test.arena, &tx));
    assert_ok(store_take(&tx, &jobs->test.arena, 60000, &request));
    assert_ok(pg_tx_commit(&tx));
    assert_string_equal(request.round_id, ROUND);
    return request;
}

static void
a_round_is_solved_once_and_told_once(void **state)
{
    run(*state, 0);
    assert_int_equal(test_number(STATE), 7);
    assert_int_equal(test_number(RUN), 1);
    assert_int_equal(test_number(SOLVED_EVENTS), 1);
    assert_int_equal(test_number(TOLD_EVENTS), 1);
    assert_int_equal(test_number("SELECT count(*) FROM matching.round_place"), 30);
    assert_int_equal(test_number("SELECT count(*) FROM matching.round_place WHERE topic = ''"),
                     10);
    run(*state, 1);
    assert_int_equal(test_number(RUN), 1);
    assert_int_equal(test_number("SELECT count(*) FROM matching.roll"), 0);
}

static void
another_instance_takes_over_when_the_lease_ends_with_the_same_result(void **state)
{
    struct test_jobs *jobs = *state;
    struct store_request dead;
    int64_t places;

    run(jobs, 0);
    places = test_number(PLACES);
    test_jobs_sql("UPDATE matching.round SET state = 6, resume = 7");
    test_jobs_sql("INSERT INTO matching.roll VALUES (1, '" TENANT_A "')");
    dead = take_and_die(jobs, 0);
    run(jobs, 1); /* it is leased */
    assert_int_equal(test_number(STATE), 6);
    test_jobs_sql("UPDATE matching.round SET lease_until = now() - interval '1 second'");
    run(jobs, 1);
    assert_int_equal(test_number(STATE), 7);
    assert_int_equal(test_number(RUN), 2);
    assert_int_equal(test_number(PLACES), places);
    assert_int_equal(test_number(SOLVED_EVENTS), 2);

    /* The dead one was only slow: what it brings is not wanted any more. */
    {
        const struct pg_scope scope = scope_of(TENANT_A, TEST_MS);
        Matching__V1__Sheet sheet = MATCHING__V1__SHEET__INIT;
        scoped(pg_tx_end) struct pg_tx tx = {0};
        bool stood = true;

        test_jobs_sql("UPDATE matching.round SET state = 6, resume = 7, attempts = 2");
        assert_ok(pg_tx_begin(jobs->pg[0], &scope, &jobs->test.arena, &tx));
        assert_ok(store_solved(&tx, &jobs->test.arena, &dead, MATCHING__V1__ROUND_STATE__SOLVED,
                               &sheet, NULL, 0, &stood));
        assert_false(stood);
        assert_ok(pg_tx_commit(&tx));
        assert_int_equal(test_number(PLACES), places);
    }
}

static void
from_objections_it_leads_back_to_them(void **state)
{
    test_jobs_sql("UPDATE matching.round SET resume = 8");
    run(*state, 0);
    assert_int_equal(test_number(STATE), 8);
    assert_int_equal(test_number(RUN), 1);
}

static void
what_cannot_be_solved_goes_back_with_the_reason(void **state)
{
    test_jobs_sql("UPDATE matching.round_student SET pinned = 't0', pin_reason = 'x' "
                  "WHERE code IN ('s10', 's11', 's12')");
    run(*state, 0);
    assert_int_equal(test_number(STATE), 5);
    assert_int_equal(test_number(RUN), 0);
    assert_int_equal(test_number("SELECT count(*) FROM matching.round WHERE failure LIKE "
                                 "'students[s12].pinned: %units[t0]%'"),
                     1);
    assert_int_equal(test_number(SOLVED_EVENTS), 0);
}

static void
an_attempt_that_never_ends_is_given_up(void **state)
{
    test_jobs_sql("UPDATE matching.round SET attempts = 5");
    run(*state, 0);
    assert_int_equal(test_number(STATE), 5);
    assert_int_equal(test_number("SELECT count(*) FROM matching.round WHERE failure <> ''"), 1);
    run(*state, 0);
    assert_int_equal(test_number("SELECT count(*) FROM matching.roll"), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_round_is_solved_once_and_told_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            another_instance_takes_over_when_the_lease_ends_with_the_same_result, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(from_objections_it_leads_back_to_them, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_solved_goes_back_with_the_reason, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_attempt_that_never_ends_is_given_up, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
