#include "services/registry/needs/rules.h"

#include "common/base/test.h"

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
static Registry__V1__Need wanted;
static Registry__V1__LocalText text;
static Registry__V1__LocalText *texts[] = {&text, &text};

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    registry__v1__need__init(&wanted);
    registry__v1__local_text__init(&text);
    text.lang = "sv";
    text.value = " Sänka energianvändningen ";
    wanted.organisation_id = ORGANISATION;
    wanted.text = texts;
    wanted.n_text = 1;
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
a_need_is_trimmed_and_private_by_itself(void **state)
{
    (void)state;
    assert_ok(rules_need(&arena, &wanted));
    assert_string_equal(text.value, "Sänka energianvändningen");
    assert_int_equal(wanted.visibility, REGISTRY__V1__VISIBILITY__PRIVATE);
}

static void
each_fault_names_its_field(void **state)
{
    Registry__V1__FocusArea focus[] = {1, 2, 1};
    Registry__V1__Theme themes[] = {3, 9};
    const char *languages[] = {"sv", "Sv"};

    (void)state;
    wanted.organisation_id = "";
    assert_field(rules_need(&arena, &wanted), "organisation_id");
    wanted.organisation_id = ORGANISATION;
    wanted.n_text = 0;
    assert_field(rules_need(&arena, &wanted), "text");
    wanted.n_text = 2;
    assert_field(rules_need(&arena, &wanted), "text[1].lang");
    wanted.n_text = 1;
    wanted.focus = focus;
    wanted.n_focus = 3;
    assert_field(rules_need(&arena, &wanted), "focus[2]");
    wanted.n_focus = 11;
    assert_field(rules_need(&arena, &wanted), "focus");
    wanted.n_focus = 2;
    wanted.themes = themes;
    wanted.n_themes = 2;
    assert_field(rules_need(&arena, &wanted), "themes[1]");
    wanted.n_themes = 1;
    wanted.nuts = "dalarna";
    assert_field(rules_need(&arena, &wanted), "nuts");
    wanted.nuts = "SE312";
    wanted.languages = languages;
    wanted.n_languages = 2;
    assert_field(rules_need(&arena, &wanted), "languages[1]");
    wanted.n_languages = 1;
    wanted.valid_until = "2026-13-01";
    assert_field(rules_need(&arena, &wanted), "valid_until");
    wanted.valid_until = "2026-12-01";
    wanted.visibility = REGISTRY__V1__VISIBILITY__SHARED;
    assert_field(rules_need(&arena, &wanted), "shared_with");
    wanted.visibility = REGISTRY__V1__VISIBILITY__PUBLIC;
    assert_ok(rules_need(&arena, &wanted));
}

static void
a_need_lasts_180_days_or_as_long_as_is_said(void **state)
{
    (void)state;
    assert_ok(rules_need_last_day(&arena, "2026-11-22", &wanted));
    assert_string_equal(wanted.valid_until, "2027-05-21");
    wanted.valid_until = "2026-11-22"; /* its last day may be today */
    assert_ok(rules_need_last_day(&arena, "2026-11-22", &wanted));
    assert_field(rules_need_last_day(&arena, "2026-11-23", &wanted), "valid_until");
}

static void
steps_go_forwards_only(void **state)
{
    static const struct {
        Registry__V1__NeedState state;
        bool change, publish, close;
    } states[] = {
        {REGISTRY__V1__NEED_STATE__NEED_DRAFT, true, true, false},
        {REGISTRY__V1__NEED_STATE__NEED_PUBLISHED, true, false, true},
        {REGISTRY__V1__NEED_STATE__NEED_FULFILLED, false, false, false},
        {REGISTRY__V1__NEED_STATE__NEED_EXPIRED, false, false, false},
        {REGISTRY__V1__NEED_STATE__NEED_WITHDRAWN, false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        wanted.state = states[i].state;
        assert_int_equal(rules_need_step(&arena, &wanted, NEED_STEP_CHANGE).code,
                         states[i].change ? CODE_OK : CODE_FAILED_PRECONDITION);
        assert_int_equal(rules_need_step(&arena, &wanted, NEED_STEP_PUBLISH).code,
                         states[i].publish ? CODE_OK : CODE_FAILED_PRECONDITION);
        assert_int_equal(rules_need_step(&arena, &wanted, NEED_STEP_CLOSE).code,
                         states[i].close ? CODE_OK : CODE_FAILED_PRECONDITION);
    }
}

static void
a_contact_sees_the_own_and_what_is_public(void **state)
{
    const struct need_viewer contact = {.contact_for = OTHER}, all = {.contact_for = ""},
                             own = {.contact_for = ORGANISATION},
                             analyst = {.contact_for = "", .published_only = true};

    (void)state;
    wanted.state = REGISTRY__V1__NEED_STATE__NEED_DRAFT;
    wanted.visibility = REGISTRY__V1__VISIBILITY__PUBLIC;
    assert_true(rules_need_may_see(&all, &wanted));
    assert_true(rules_need_may_see(&own, &wanted));
    assert_false(rules_need_may_see(&contact, &wanted));
    assert_false(rules_need_may_see(&analyst, &wanted));
    wanted.state = REGISTRY__V1__NEED_STATE__NEED_PUBLISHED;
    assert_true(rules_need_may_see(&contact, &wanted));
    assert_true(rules_need_may_see(&analyst, &wanted));
    wanted.visibility = REGISTRY__V1__VISIBILITY__SHARED;
    assert_false(rules_need_may_see(&contact, &wanted));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_need_is_trimmed_and_private_by_itself),     TEST(each_fault_names_its_field),
        TEST(a_need_lasts_180_days_or_as_long_as_is_said), TEST(steps_go_forwards_only),
        TEST(a_contact_sees_the_own_and_what_is_public),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
