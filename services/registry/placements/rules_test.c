#include "services/registry/placements/rules.h"

#include <string.h>

#include "common/base/test.h"

#define ONE "0190a000-0000-7000-8000-000000000001"
#define TWO "0190a000-0000-7000-8000-000000000002"
#define THREE "0190a000-0000-7000-8000-000000000003"
#define NEW_YEAR_MS 1767225600000

#define assert_field(step, wanted)                                                             \
    do {                                                                                       \
        const struct status field_status_ = (step);                                            \
        assert_int_equal(field_status_.code, CODE_INVALID_ARGUMENT);                           \
        assert_string_equal(field_status_.field, wanted);                                      \
    } while (0)
#define assert_ok(step) assert_int_equal((step).code, CODE_OK)

static struct arena arena;
static Registry__V1__Placement placement;
static Registry__V1__FundedPeriod project;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    registry__v1__placement__init(&placement);
    registry__v1__funded_period__init(&project);
    placement.title = " Energi i produktionen ";
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct status
check(void)
{
    return rules_placement(&arena, &placement);
}

static void
a_placement_needs_no_more_than_a_title(void **state)
{
    (void)state;
    assert_ok(check());
    assert_string_equal(placement.title, "Energi i produktionen");
    placement.title = "";
    assert_field(check(), "title");
}

static void
each_fault_names_its_field(void **state)
{
    Registry__V1__FocusArea focus[] = {1, 4, 1};
    const char *unlisted[] = {"design", " "};
    const char *heis[] = {ONE, ONE};

    (void)state;
    placement.need_id = "x";
    assert_field(check(), "need_id");
    placement.need_id = "";
    placement.host_organisation_id = "x";
    assert_field(check(), "host_organisation_id");
    placement.host_organisation_id = "";
    placement.hei_organisation_ids = heis;
    placement.n_hei_organisation_ids = 2;
    assert_field(check(), "hei_organisation_ids[1]");
    placement.n_hei_organisation_ids = 1;
    placement.business_coach_id = "x";
    assert_field(check(), "business_coach_id");
    placement.business_coach_id = "";
    placement.focus = focus;
    placement.n_focus = 3;
    assert_field(check(), "focus[2]");
    placement.n_focus = 2;
    placement.unlisted_focus = unlisted;
    placement.n_unlisted_focus = 2;
    assert_field(check(), "unlisted_focus[1]");
    placement.n_unlisted_focus = 1;
    placement.fte_thousandths = 1001;
    assert_field(check(), "fte_thousandths");
    placement.fte_thousandths = 1000;
    placement.nuts = "x";
    assert_field(check(), "nuts");
    placement.nuts = "SE312";
    assert_ok(check());
}

static void
periods_end_after_they_start(void **state)
{
    (void)state;
    placement.start = "2026-01-32";
    assert_field(check(), "start");
    placement.start = placement.end = "2026-01-31";
    assert_field(check(), "end");
    placement.end = "2026-02-01";
    assert_ok(check());
    placement.funded_project = &project;
    assert_field(check(), "funded_project.title");
    project.title = "KTP i Dalarna";
    assert_field(check(), "funded_project.start");
    project.start = "2025-01-01";
    assert_field(check(), "funded_project.end");
    project.end = "2024-12-31";
    assert_field(check(), "funded_project.end");
    project.end = "2028-01-01";
    assert_ok(check());
}

/* Which of the states 1 to 10 allow the step, as digits; "0" is the tenth. */
static void
assert_step_from(enum placement_step step, const char *states)
{
    for (int state = 1; state <= 10; state++) {
        const bool allowed = strchr(states, '0' + state % 10) != NULL;

        placement.state = (Registry__V1__PlacementState)state;
        assert_int_equal(rules_placement_step(&arena, &placement, step).code,
                         allowed ? CODE_OK : CODE_FAILED_PRECONDITION);
    }
}

static void
each_step_has_its_states(void **state)
{
    (void)state;
    assert_step_from(STEP_CHANGE, "12");
    assert_step_from(STEP_ADVERTISE, "2");
    assert_step_from(STEP_APPLY, "3");
    assert_step_from(STEP_SELECT, "3");
    assert_step_from(STEP_SIGN, "4");
    assert_step_from(STEP_START, "5");
    assert_step_from(STEP_REVIEW, "67");
    assert_step_from(STEP_END, "67");
    assert_step_from(STEP_RECORD_OUTCOME, "89");
    assert_step_from(STEP_TERMINATE, "1234567");
}

static void
what_has_happened_lies_between_its_cause_and_today(void **state)
{
    const struct wall now = {NEW_YEAR_MS};
    const char *date = "";

    (void)state;
    assert_ok(rules_placement_past(&arena, "ended_on", now, "2025-12-01", &date));
    assert_string_equal(date, "2026-01-01");
    date = "2026-01-02";
    assert_field(rules_placement_past(&arena, "ended_on", now, "", &date), "ended_on");
    date = "2025-11-30";
    assert_field(rules_placement_past(&arena, "ended_on", now, "2025-12-01", &date),
                 "ended_on");
    assert_ok(rules_placement_past(&arena, "ended_on", now, "", &date));
    date = "yesterday";
    assert_field(rules_placement_past(&arena, "ended_on", now, "", &date), "ended_on");
}

static void
an_offer_has_an_answer_and_nothing_else_has(void **state)
{
    Registry__V1__RecordOutcomeRequest request = REGISTRY__V1__RECORD_OUTCOME_REQUEST__INIT;

    (void)state;
    for (int outcome = 0; outcome <= 8; outcome++) {
        const bool offered = outcome >= 2 && outcome <= 5;
        const bool known = outcome >= 2 && outcome <= 7;

        request.outcome = (Registry__V1__Outcome)outcome;
        request.offer_answer = REGISTRY__V1__OFFER_ANSWER__ANSWER_ACCEPTED;
        if (offered)
            assert_ok(rules_placement_outcome(&arena, &request));
        else
            assert_field(rules_placement_outcome(&arena, &request),
                         known ? "offer_answer" : "outcome");
        request.offer_answer = 0;
        if (known && !offered)
            assert_ok(rules_placement_outcome(&arena, &request));
        else
            assert_field(rules_placement_outcome(&arena, &request),
                         offered ? "offer_answer" : "outcome");
    }
}

static void
both_coaches_are_at_a_review(void **state)
{
    Registry__V1__RecordReviewRequest request = REGISTRY__V1__RECORD_REVIEW_REQUEST__INIT;
    const char *present[] = {ONE, THREE, TWO, ONE};

    (void)state;
    placement.academic_coach_id = ONE;
    placement.business_coach_id = TWO;
    request.participant_ids = present;
    request.n_participant_ids = 2;
    assert_field(rules_placement_review(&arena, &placement, &request), "participant_ids");
    request.n_participant_ids = 3;
    assert_ok(rules_placement_review(&arena, &placement, &request));
    request.n_participant_ids = 4;
    assert_field(rules_placement_review(&arena, &placement, &request), "participant_ids[3]");
}

static struct status
decide(int from, int to, int reason)
{
    Registry__V1__DecideApplicationRequest request =
        REGISTRY__V1__DECIDE_APPLICATION_REQUEST__INIT;

    request.state = (Registry__V1__ApplicationState)to;
    request.reason = (Registry__V1__ApplicationReason)reason;
    return rules_application_decision(&arena, (Registry__V1__ApplicationState)from, &request);
}

static void
applications_go_forwards_and_a_rejection_has_a_reason(void **state)
{
    enum { SUBMITTED = 1, REVIEW, INTERVIEW, OFFERED, ACCEPTED, REJECTED, WITHDRAWN };

    (void)state;
    assert_ok(decide(SUBMITTED, REVIEW, 0));
    assert_ok(decide(SUBMITTED, OFFERED, 0));
    assert_ok(decide(OFFERED, REJECTED, 1));
    assert_field(decide(SUBMITTED, REJECTED, 0), "reason");
    assert_field(decide(SUBMITTED, REVIEW, 1), "reason");
    assert_field(decide(SUBMITTED, SUBMITTED, 0), "state");
    assert_field(decide(OFFERED, ACCEPTED, 0), "state");
    assert_field(decide(SUBMITTED, WITHDRAWN, 0), "state");
    assert_field(decide(SUBMITTED, 8, 0), "state");
    assert_int_equal(decide(INTERVIEW, REVIEW, 0).code, CODE_FAILED_PRECONDITION);
    assert_int_equal(decide(INTERVIEW, INTERVIEW, 0).code, CODE_FAILED_PRECONDITION);
    for (int over = ACCEPTED; over <= WITHDRAWN; over++)
        assert_int_equal(decide(over, REJECTED, 1).code, CODE_FAILED_PRECONDITION);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_placement_needs_no_more_than_a_title),
        TEST(each_fault_names_its_field),
        TEST(periods_end_after_they_start),
        TEST(each_step_has_its_states),
        TEST(what_has_happened_lies_between_its_cause_and_today),
        TEST(an_offer_has_an_answer_and_nothing_else_has),
        TEST(both_coaches_are_at_a_review),
        TEST(applications_go_forwards_and_a_rejection_has_a_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
