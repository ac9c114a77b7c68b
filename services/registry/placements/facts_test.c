#include "services/registry/placements/facts.h"

#include "common/base/test.h"
#include "registry/v1/organisations.pb-c.h"

#define HOST "0190a000-0000-7000-8000-000000000001"
#define HEI "0190a000-0000-7000-8000-000000000002"
#define COACH "0190a000-0000-7000-8000-000000000003"
#define ASSOCIATE "0190a000-0000-7000-8000-000000000004"

#define assert_ok(step) assert_int_equal((step).code, CODE_OK)

static struct arena arena;
static Registry__V1__Placement placement;
static struct placement_facts known;
static const char *heis[] = {HEI};

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    registry__v1__placement__init(&placement);
    placement.host_organisation_id = HOST;
    placement.hei_organisation_ids = heis;
    placement.n_hei_organisation_ids = 1;
    placement.academic_coach_id = COACH;
    placement.associate_id = ASSOCIATE;
    known = (struct placement_facts){0};
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct rule_case
case_in(Registry__V1__PlacementState state)
{
    struct rule_case facts;

    assert_ok(facts_case(&arena, &placement, state, &known, &facts));
    return facts;
}

static void
those_who_are_named_are_looked_up(void **state)
{
    const char **organisations, **people;
    size_t organisation_count, person_count;

    (void)state;
    assert_ok(facts_ids(&arena, &placement, &organisations, &organisation_count, &people,
                        &person_count));
    assert_int_equal(organisation_count, 2);
    assert_string_equal(organisations[0], HOST);
    assert_string_equal(organisations[1], HEI);
    assert_int_equal(person_count, 2);
    assert_string_equal(people[0], COACH);
    assert_string_equal(people[1], ASSOCIATE);
}

static void
an_empty_placement_is_a_case_where_nothing_is_given(void **state)
{
    struct rule_case facts;

    (void)state;
    registry__v1__placement__init(&placement);
    facts = case_in(REGISTRY__V1__PLACEMENT_STATE__DRAFTED);
    assert_string_equal(facts.state, "drafted");
    assert_false(facts.parties.given);
    assert_int_equal(facts.persons.count, 0);
    assert_false(facts.fte_thousandths.given);
    assert_false(facts.facts.items[0].values.given);
    assert_int_equal(facts.sign_offs.count, 0);
    assert_false(facts.funded_project_linked);
}

static void
parties_have_their_role_type_and_known_figures(void **state)
{
    const struct party_facts parties[] = {
        {.id = HOST,
         .name = "Dalafrakt",
         .country = "SE",
         .nuts = "SE312",
         .type = REGISTRY__V1__ORGANISATION_TYPE__COMPANY,
         .ownership = REGISTRY__V1__OWNERSHIP__PRIVATE_OWNED,
         .headcount = 0,
         .headcount_known = true,
         .turnover_eur = 7},
        {.id = HEI, .type = REGISTRY__V1__ORGANISATION_TYPE__HEI_UNIVERSITY},
    };
    struct rule_case facts;

    (void)state;
    known.parties = parties;
    known.party_count = 2;
    facts = case_in(REGISTRY__V1__PLACEMENT_STATE__ELIGIBLE_PLACEMENT);
    assert_string_equal(facts.state, "eligible");
    assert_true(facts.parties.given);
    assert_string_equal(facts.parties.items[0].role, "host");
    assert_string_equal(facts.parties.items[0].type, "company");
    assert_string_equal(facts.parties.items[0].ownership, "private");
    assert_true(facts.parties.items[0].headcount.given);
    assert_false(facts.parties.items[0].turnover_eur.given);
    assert_string_equal(facts.parties.items[1].role, "partner");
    assert_string_equal(facts.parties.items[1].type, "hei_university");
    assert_string_equal(facts.parties.items[1].ownership, "");
}

static void
people_have_their_role_affiliations_and_degree(void **state)
{
    const char *affiliations[] = {HEI};
    const struct person_facts persons[] = {
        {.id = ASSOCIATE, .degree_eqf = 7, .degree_on = "2025-06-05"},
        {.id = COACH, .affiliations = affiliations, .affiliation_count = 1, .degree_on = ""},
    };
    struct rule_case facts;

    (void)state;
    known.persons = persons;
    known.person_count = 1; /* the coach has gone */
    facts = case_in(REGISTRY__V1__PLACEMENT_STATE__STARTED);
    assert_int_equal(facts.persons.count, 1);
    assert_string_equal(facts.persons.items[0].role, "associate");
    assert_true(facts.persons.items[0].degree_eqf.given);
    known.person_count = 2;
    facts = case_in(REGISTRY__V1__PLACEMENT_STATE__STARTED);
    assert_int_equal(facts.persons.count, 2);
    assert_string_equal(facts.persons.items[0].role, "academic_coach");
    assert_string_equal(facts.persons.items[0].affiliations.items[0], HEI);
    assert_false(facts.persons.items[0].degree_eqf.given);
}

static void
focus_is_in_words_listed_and_unlisted(void **state)
{
    Registry__V1__FocusArea focus[] = {REGISTRY__V1__FOCUS_AREA__ENERGY_EFFICIENCY};
    const char *unlisted[] = {"design"};
    struct rule_case facts;

    (void)state;
    placement.focus = focus;
    placement.n_focus = 1;
    placement.unlisted_focus = unlisted;
    placement.n_unlisted_focus = 1;
    facts = case_in(REGISTRY__V1__PLACEMENT_STATE__DRAFTED);
    assert_string_equal(facts.facts.items[0].name, "focus");
    assert_int_equal(facts.facts.items[0].values.count, 2);
    assert_string_equal(facts.facts.items[0].values.items[0], "energy_efficiency");
    assert_string_equal(facts.facts.items[0].values.items[1], "design");
}

static void
a_rationale_is_present_and_signed_apart(void **state)
{
    struct rule_case facts = case_in(REGISTRY__V1__PLACEMENT_STATE__DRAFTED);

    (void)state;
    assert_int_equal(facts.texts.count, 0);
    placement.strategic_rationale = "Because";
    facts = case_in(REGISTRY__V1__PLACEMENT_STATE__DRAFTED);
    assert_int_equal(facts.texts.count, 1);
    assert_int_equal(facts.sign_offs.count, 0);
    placement.rationale_approved = true;
    facts = case_in(REGISTRY__V1__PLACEMENT_STATE__DRAFTED);
    assert_int_equal(facts.sign_offs.count, 1);
    assert_int_equal(facts.sign_offs.items[0].granted, RULE_YES);
}

static void
periods_figures_and_the_indicator_go_over(void **state)
{
    Registry__V1__FundedPeriod project = REGISTRY__V1__FUNDED_PERIOD__INIT;
    struct rule_date start, end;
    struct rule_case facts;

    (void)state;
    project.start = "2015-09-01";
    project.end = "2019-07-01";
    placement.funded_project = &project;
    placement.start = "2016-01-01";
    placement.fte_thousandths = 1000;
    known.offered = 9;
    known.ended = 12;
    facts = case_in(REGISTRY__V1__PLACEMENT_STATE__DRAFTED);
    assert_true(rule_date_parse("2016-01-01", &start));
    assert_true(rule_date_parse("2019-07-01", &end));
    assert_memory_equal(&facts.period.start, &start, sizeof start);
    assert_memory_equal(&facts.funded_project.end, &end, sizeof end);
    assert_true(facts.funded_project_linked);
    assert_int_equal(facts.fte_thousandths.value, 1000);
    assert_string_equal(facts.observations.items[0].indicator, "ktp_offered");
    assert_int_equal(facts.observations.items[0].numerator, 9);
    assert_int_equal(facts.observations.items[0].denominator, 12);
    assert_ok(rule_case_check(&facts, &arena));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(those_who_are_named_are_looked_up),
        TEST(an_empty_placement_is_a_case_where_nothing_is_given),
        TEST(parties_have_their_role_type_and_known_figures),
        TEST(people_have_their_role_affiliations_and_degree),
        TEST(focus_is_in_words_listed_and_unlisted),
        TEST(a_rationale_is_present_and_signed_apart),
        TEST(periods_figures_and_the_indicator_go_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
