#include "services/registry/capabilities/rules.h"

#include "common/base/test.h"

#define TODAY "2026-11-22"
#define ORGANISATION "0190a000-0000-7000-8000-000000000001"
#define OTHER "0190a000-0000-7000-8000-000000000002"

#define assert_field(step, wanted)                                                             \
    do {                                                                                       \
        const struct status field_status_ = (step);                                            \
        assert_int_equal(field_status_.code, CODE_INVALID_ARGUMENT);                           \
        assert_string_equal(field_status_.field, wanted);                                      \
    } while (0)
#define assert_ok(step) assert_int_equal((step).code, CODE_OK)

static struct arena arena;
static Registry__V1__Capability offer;
static Registry__V1__LocalText text;
static Registry__V1__LocalText *texts[] = {&text, &text};

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    registry__v1__capability__init(&offer);
    registry__v1__local_text__init(&text);
    text.lang = "fi";
    text.value = " Laserhitsaus ";
    offer.organisation_id = ORGANISATION;
    offer.kind = REGISTRY__V1__CAPABILITY_KIND__TECHNOLOGY;
    offer.text = texts;
    offer.n_text = 1;
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
    return rules_capability(&arena, TODAY, &offer);
}

static void
a_capability_is_trimmed_and_private_by_itself(void **state)
{
    (void)state;
    assert_ok(check());
    assert_string_equal(text.value, "Laserhitsaus");
    assert_int_equal(offer.visibility, REGISTRY__V1__VISIBILITY__PRIVATE);
}

static void
each_fault_names_its_field(void **state)
{
    Registry__V1__Theme themes[] = {1, 1};
    Registry__V1__FocusArea focus[] = {0};

    (void)state;
    offer.organisation_id = "x";
    assert_field(check(), "organisation_id");
    offer.organisation_id = ORGANISATION;
    offer.kind = 0;
    assert_field(check(), "kind");
    offer.kind = REGISTRY__V1__CAPABILITY_KIND__TECHNOLOGY;
    offer.n_text = 0;
    assert_field(check(), "text");
    offer.n_text = 1;
    offer.benefit = texts;
    offer.n_benefit = 2;
    assert_field(check(), "benefit[1].lang");
    offer.n_benefit = 1;
    offer.themes = themes;
    offer.n_themes = 2;
    assert_field(check(), "themes[1]");
    offer.n_themes = 1;
    offer.focus = focus;
    offer.n_focus = 1;
    assert_field(check(), "focus[0]");
    offer.n_focus = 0;
    offer.nuts = "x";
    assert_field(check(), "nuts");
    offer.nuts = "";
    offer.valid_until = "2026-11-21";
    assert_field(check(), "valid_until");
    offer.valid_until = TODAY;
    assert_ok(check());
}

static void
a_technology_has_a_readiness_of_1_to_9(void **state)
{
    (void)state;
    offer.trl = 9;
    assert_ok(check());
    offer.trl = 10;
    assert_field(check(), "trl");
    offer.trl = 1;
    offer.kind = REGISTRY__V1__CAPABILITY_KIND__EXPERTISE;
    assert_field(check(), "trl");
    offer.trl = 0;
    assert_ok(check());
}

static void
a_contact_sees_the_own_and_what_is_public(void **state)
{
    (void)state;
    offer.visibility = REGISTRY__V1__VISIBILITY__SHARED;
    assert_true(rules_capability_may_see("", &offer));
    assert_true(rules_capability_may_see(ORGANISATION, &offer));
    assert_false(rules_capability_may_see(OTHER, &offer));
    offer.visibility = REGISTRY__V1__VISIBILITY__PUBLIC;
    assert_true(rules_capability_may_see(OTHER, &offer));
    offer.withdrawn = true;
    assert_false(rules_capability_may_see(OTHER, &offer));
}

static void
a_capability_is_withdrawn_once(void **state)
{
    (void)state;
    assert_ok(rules_capability_withdraw(&arena, &offer));
    offer.withdrawn = true;
    assert_int_equal(rules_capability_withdraw(&arena, &offer).code, CODE_FAILED_PRECONDITION);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_capability_is_trimmed_and_private_by_itself),
        TEST(each_fault_names_its_field),
        TEST(a_technology_has_a_readiness_of_1_to_9),
        TEST(a_contact_sees_the_own_and_what_is_public),
        TEST(a_capability_is_withdrawn_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
