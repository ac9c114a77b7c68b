#include "services/registry/people/rules.h"

#include <string.h>

#include "common/base/test.h"

#define A "0190a000-0000-7000-8000-00000000000a"
#define B "0190b000-0000-7000-8000-00000000000b"
#define ME "0190a000-0000-7000-8000-000000000001"
#define OTHER "0190a000-0000-7000-8000-000000000002"

#define assert_field(step, wanted)                                                             \
    do {                                                                                       \
        const struct status field_status_ = (step);                                            \
        assert_int_equal(field_status_.code, CODE_INVALID_ARGUMENT);                           \
        assert_string_equal(field_status_.field, wanted);                                      \
    } while (0)
#define assert_ok(step) assert_int_equal((step).code, CODE_OK)
#define assert_denied(step) assert_int_equal((step).code, CODE_PERMISSION_DENIED)

static const struct person_viewer officer = {.tenant_id = A, .person_id = "", .officer = true};
static const struct person_viewer coach = {.tenant_id = A, .person_id = OTHER};
static const struct person_viewer graduate = {
    .tenant_id = A, .person_id = ME, .learner = true, .graduate = true};
static const struct person_viewer stranger = {.tenant_id = B, .person_id = ""};
static const struct person_viewer their_officer = {
    .tenant_id = B, .person_id = "", .officer = true};

static struct arena arena;
static Registry__V1__Person person;
static Registry__V1__Wishes wishes;
static Registry__V1__Affiliation affiliation;
static Registry__V1__Affiliation *affiliations[21];
static Registry__V1__Degree degree;
static Registry__V1__Degree *degrees[21];

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    registry__v1__person__init(&person);
    registry__v1__wishes__init(&wishes);
    registry__v1__affiliation__init(&affiliation);
    registry__v1__degree__init(&degree);
    person.person_id = ME;
    person.kind = REGISTRY__V1__PERSON_KIND__RECENT_GRADUATE;
    person.display_name = " Åsa Öberg ";
    affiliation.organisation_id = OTHER;
    degree.isced_f = "0713";
    degree.eqf = 7;
    degree.awarded_on = "2026-06-05";
    for (size_t i = 0; i < COUNT_OF(affiliations); i++) {
        affiliations[i] = &affiliation;
        degrees[i] = &degree;
    }
    person.affiliations = affiliations;
    person.n_affiliations = 1;
    person.degrees = degrees;
    person.n_degrees = 1;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static void
a_profile_is_trimmed_and_private_outside_the_pool(void **state)
{
    const char *shared[] = {B};

    (void)state;
    person.visibility = REGISTRY__V1__VISIBILITY__SHARED;
    person.shared_with = shared;
    person.n_shared_with = 1;
    assert_ok(rules_person(&arena, &person));
    assert_string_equal(person.display_name, "Åsa Öberg");
    assert_int_equal(person.visibility, REGISTRY__V1__VISIBILITY__PRIVATE);
    assert_int_equal(person.n_shared_with, 0);
}

static void
in_the_pool_a_visibility_holds_and_is_private_by_itself(void **state)
{
    const char *shared[] = {B};

    (void)state;
    person.talent_pool = true;
    assert_ok(rules_person(&arena, &person));
    assert_int_equal(person.visibility, REGISTRY__V1__VISIBILITY__PRIVATE);
    person.visibility = REGISTRY__V1__VISIBILITY__SHARED;
    assert_field(rules_person(&arena, &person), "shared_with");
    person.shared_with = shared;
    person.n_shared_with = 1;
    assert_ok(rules_person(&arena, &person));
    person.visibility = REGISTRY__V1__VISIBILITY__PUBLIC;
    assert_field(rules_person(&arena, &person), "shared_with");
}

static void
each_fault_names_its_field(void **state)
{
    (void)state;
    person.kind = 0;
    assert_field(rules_person(&arena, &person), "kind");
    person.kind = 7;
    assert_field(rules_person(&arena, &person), "kind");
    person.kind = REGISTRY__V1__PERSON_KIND__RESEARCHER;
    person.display_name = "  ";
    assert_field(rules_person(&arena, &person), "display_name");
    person.display_name = "Åsa";
    affiliation.organisation_id = "x";
    assert_field(rules_person(&arena, &person), "affiliations[0].organisation_id");
    affiliation.organisation_id = OTHER;
    affiliation.valid_from = "2026-02-30";
    assert_field(rules_person(&arena, &person), "affiliations[0].valid_from");
    affiliation.valid_from = affiliation.valid_to = "2026-02-28";
    assert_field(rules_person(&arena, &person), "affiliations[0].valid_to");
    affiliation.valid_to = "2026-03-01";
    degree.isced_f = "7";
    assert_field(rules_person(&arena, &person), "degrees[0].isced_f");
    degree.isced_f = "07";
    degree.eqf = 0;
    assert_field(rules_person(&arena, &person), "degrees[0].eqf");
    degree.eqf = 9;
    assert_field(rules_person(&arena, &person), "degrees[0].eqf");
    degree.eqf = 8;
    degree.awarded_on = "";
    assert_field(rules_person(&arena, &person), "degrees[0].awarded_on");
    degree.awarded_on = "2020-01-01";
    person.available_from = "soon";
    assert_field(rules_person(&arena, &person), "available_from");
    person.available_from = "";
    person.capacity = 1001;
    assert_field(rules_person(&arena, &person), "capacity");
    person.capacity = 0;
    assert_ok(rules_person(&arena, &person));
}

static void
lists_have_limits(void **state)
{
    (void)state;
    person.n_affiliations = 20;
    person.n_degrees = 20;
    assert_ok(rules_person(&arena, &person));
    person.n_affiliations = 21;
    assert_field(rules_person(&arena, &person), "affiliations");
    person.n_affiliations = 0;
    person.n_degrees = 21;
    assert_field(rules_person(&arena, &person), "degrees");
}

static void
a_hidden_profile_is_seen_by_its_person_and_officers_alone(void **state)
{
    (void)state;
    assert_true(rules_person_may_see(&graduate, &person, A));
    assert_true(rules_person_may_see(&officer, &person, A));
    assert_false(rules_person_may_see(&coach, &person, A));
    assert_false(rules_person_may_see(&stranger, &person, A));
    assert_false(rules_person_may_see(&their_officer, &person, A));
    person.visibility = REGISTRY__V1__VISIBILITY__PUBLIC; /* says nothing outside the pool */
    assert_false(rules_person_may_see(&stranger, &person, A));
}

static void
in_the_pool_the_tenant_sees_it_and_others_if_it_is_shared(void **state)
{
    const char *shared[] = {B};

    (void)state;
    person.talent_pool = true;
    person.visibility = REGISTRY__V1__VISIBILITY__PRIVATE;
    assert_true(rules_person_may_see(&coach, &person, A));
    assert_false(rules_person_may_see(&stranger, &person, A));
    person.visibility = REGISTRY__V1__VISIBILITY__SHARED;
    person.shared_with = shared;
    assert_false(rules_person_may_see(&stranger, &person, A));
    person.n_shared_with = 1;
    assert_true(rules_person_may_see(&stranger, &person, A));
    person.visibility = REGISTRY__V1__VISIBILITY__PUBLIC;
    person.n_shared_with = 0;
    assert_true(rules_person_may_see(&their_officer, &person, A));
}

static void
learners_see_staff_but_no_other_learner(void **state)
{
    (void)state;
    person.person_id = OTHER;
    person.talent_pool = true;
    person.visibility = REGISTRY__V1__VISIBILITY__PUBLIC;
    assert_false(rules_person_may_see(&graduate, &person, A));
    person.kind = REGISTRY__V1__PERSON_KIND__RESEARCHER;
    assert_true(rules_person_may_see(&graduate, &person, A));
    person.talent_pool = false;
    assert_false(rules_person_may_see(&graduate, &person, A));
}

static void
an_id_of_another_tenant_is_not_ones_own(void **state)
{
    (void)state;
    assert_false(rules_person_may_see(&graduate, &person, B));
    assert_denied(rules_person_may_change(&arena, &graduate, &person, B));
}

static void
strangers_do_not_see_account_reference_and_other_tenants(void **state)
{
    const char *shared[] = {B};

    (void)state;
    person.account_id = OTHER;
    person.reference = "r1";
    person.shared_with = shared;
    person.n_shared_with = 1;
    person.wishes = &wishes;
    rules_person_redact(&officer, A, &person);
    rules_person_redact(&graduate, A, &person);
    assert_string_equal(person.reference, "r1");
    assert_ptr_equal(person.wishes, &wishes);
    rules_person_redact(&stranger, A, &person);
    assert_string_equal(person.reference, "");
    assert_string_equal(person.account_id, "");
    assert_int_equal(person.n_shared_with, 0);
    assert_null(person.wishes);
}

static void
each_fault_of_a_wish_names_its_field(void **state)
{
    Registry__V1__FocusArea focus[] = {REGISTRY__V1__FOCUS_AREA__PROCESS,
                                       REGISTRY__V1__FOCUS_AREA__PROCESS};
    Registry__V1__Theme themes[] = {99};
    Registry__V1__Skill skill = REGISTRY__V1__SKILL__INIT;
    Registry__V1__Skill *skills[21];
    const char *nuts[9] = {"SE31", "SE31"};

    (void)state;
    person.wishes = &wishes;
    for (size_t i = 0; i < COUNT_OF(skills); i++)
        skills[i] = &skill;
    wishes.concepts = skills;
    wishes.n_concepts = 21;
    assert_field(rules_person(&arena, &person), "wishes.concepts");
    wishes.n_concepts = 1;
    skill.concept_id = "welding";
    assert_field(rules_person(&arena, &person), "wishes.concepts[0].concept_id");
    skill.concept_id = OTHER;
    skill.weight = 1001;
    assert_field(rules_person(&arena, &person), "wishes.concepts[0].weight");
    skill.weight = 0;
    wishes.nuts = nuts;
    wishes.n_nuts = 9;
    assert_field(rules_person(&arena, &person), "wishes.nuts");
    wishes.n_nuts = 2;
    assert_field(rules_person(&arena, &person), "wishes.nuts[1]");
    nuts[1] = "Dalarna";
    assert_field(rules_person(&arena, &person), "wishes.nuts[1]");
    nuts[1] = "";
    assert_field(rules_person(&arena, &person), "wishes.nuts[1]");
    nuts[1] = "FI1D";
    wishes.focus = focus;
    wishes.n_focus = 2;
    assert_field(rules_person(&arena, &person), "wishes.focus[1]");
    wishes.n_focus = 1;
    wishes.themes = themes;
    wishes.n_themes = 1;
    assert_field(rules_person(&arena, &person), "wishes.themes[0]");
    wishes.n_themes = 0;
    assert_ok(rules_person(&arena, &person));
    assert_int_equal(skill.weight, 1000);
}

static void
wishes_with_nothing_in_them_are_none(void **state)
{
    (void)state;
    person.wishes = &wishes;
    assert_ok(rules_person(&arena, &person));
    assert_null(person.wishes);
}

static void
the_person_and_officers_change_a_profile(void **state)
{
    (void)state;
    assert_ok(rules_person_may_change(&arena, &graduate, &person, A));
    assert_ok(rules_person_may_change(&arena, &officer, &person, A));
    assert_denied(rules_person_may_change(&arena, &coach, &person, A));
    assert_denied(rules_person_may_change(&arena, &their_officer, &person, A));
}

static void
only_learners_themselves_join_the_pool_and_officers_decide_for_staff(void **state)
{
    static const Registry__V1__PersonKind staff[] = {
        REGISTRY__V1__PERSON_KIND__RESEARCHER, REGISTRY__V1__PERSON_KIND__BUSINESS_ADVISER,
        REGISTRY__V1__PERSON_KIND__COMPANY_STAFF, REGISTRY__V1__PERSON_KIND__UNIVERSITY_STAFF};

    (void)state;
    assert_ok(rules_person_may_pool(&arena, &graduate, &person, A));
    assert_denied(rules_person_may_pool(&arena, &officer, &person, A));
    person.kind = REGISTRY__V1__PERSON_KIND__CURRENT_STUDENT;
    assert_denied(rules_person_may_pool(&arena, &officer, &person, A));
    for (size_t i = 0; i < COUNT_OF(staff); i++) {
        person.kind = staff[i];
        assert_ok(rules_person_may_pool(&arena, &officer, &person, A));
        assert_denied(rules_person_may_pool(&arena, &their_officer, &person, A));
        assert_denied(rules_person_may_pool(&arena, &coach, &person, A));
    }
    assert_ok(rules_person_may_pool(
        &arena, &coach, &(Registry__V1__Person){.person_id = OTHER, .kind = staff[0]}, A));
}

static void
learners_make_one_profile_of_their_kind(void **state)
{
    struct person_viewer viewer = {.tenant_id = A, .person_id = "", .learner = true};

    (void)state;
    assert_field(rules_person_own(&arena, &viewer, &person), "kind");
    person.kind = REGISTRY__V1__PERSON_KIND__CURRENT_STUDENT;
    assert_ok(rules_person_own(&arena, &viewer, &person));
    viewer.graduate = true;
    assert_field(rules_person_own(&arena, &viewer, &person), "kind");
    person.kind = REGISTRY__V1__PERSON_KIND__RECENT_GRADUATE;
    person.reference = "r1";
    assert_field(rules_person_own(&arena, &viewer, &person), "reference");
    person.reference = "";
    viewer.person_id = ME;
    assert_int_equal(rules_person_own(&arena, &viewer, &person).code, CODE_ALREADY_EXISTS);
}

static void
a_profile_stays_on_its_side(void **state)
{
    (void)state;
    assert_ok(rules_person_kind(&arena, REGISTRY__V1__PERSON_KIND__CURRENT_STUDENT,
                                REGISTRY__V1__PERSON_KIND__RECENT_GRADUATE));
    assert_ok(rules_person_kind(&arena, REGISTRY__V1__PERSON_KIND__RESEARCHER,
                                REGISTRY__V1__PERSON_KIND__COMPANY_STAFF));
    assert_field(rules_person_kind(&arena, REGISTRY__V1__PERSON_KIND__RECENT_GRADUATE,
                                   REGISTRY__V1__PERSON_KIND__RESEARCHER),
                 "kind");
    assert_field(rules_person_kind(&arena, REGISTRY__V1__PERSON_KIND__RESEARCHER,
                                   REGISTRY__V1__PERSON_KIND__CURRENT_STUDENT),
                 "kind");
}

static void
a_visibility_needs_the_pool(void **state)
{
    Registry__V1__SetTalentPoolRequest request = REGISTRY__V1__SET_TALENT_POOL_REQUEST__INIT;
    const char *shared[] = {B};

    (void)state;
    assert_ok(rules_person_pool(&arena, &request));
    request.visibility = REGISTRY__V1__VISIBILITY__PUBLIC;
    assert_field(rules_person_pool(&arena, &request), "visibility");
    request.talent_pool = true;
    assert_ok(rules_person_pool(&arena, &request));
    request.talent_pool = false;
    request.visibility = REGISTRY__V1__VISIBILITY__PRIVATE;
    assert_ok(rules_person_pool(&arena, &request));
    request.shared_with = shared;
    request.n_shared_with = 1;
    assert_field(rules_person_pool(&arena, &request), "shared_with");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_profile_is_trimmed_and_private_outside_the_pool),
        TEST(in_the_pool_a_visibility_holds_and_is_private_by_itself),
        TEST(each_fault_names_its_field),
        TEST(lists_have_limits),
        TEST(a_hidden_profile_is_seen_by_its_person_and_officers_alone),
        TEST(in_the_pool_the_tenant_sees_it_and_others_if_it_is_shared),
        TEST(learners_see_staff_but_no_other_learner),
        TEST(an_id_of_another_tenant_is_not_ones_own),
        TEST(strangers_do_not_see_account_reference_and_other_tenants),
        TEST(each_fault_of_a_wish_names_its_field),
        TEST(wishes_with_nothing_in_them_are_none),
        TEST(the_person_and_officers_change_a_profile),
        TEST(only_learners_themselves_join_the_pool_and_officers_decide_for_staff),
        TEST(learners_make_one_profile_of_their_kind),
        TEST(a_profile_stays_on_its_side),
        TEST(a_visibility_needs_the_pool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
