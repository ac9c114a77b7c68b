#include "services/registry/infrastructure/rules.h"

#include "common/base/test.h"

#define ORGANISATION "0190a000-0000-7000-8000-000000000001"

#define assert_field(step, wanted)                                                             \
    do {                                                                                       \
        const struct status field_status_ = (step);                                            \
        assert_int_equal(field_status_.code, CODE_INVALID_ARGUMENT);                           \
        assert_string_equal(field_status_.field, wanted);                                      \
    } while (0)
#define assert_ok(step) assert_int_equal((step).code, CODE_OK)

static struct arena arena;
static Registry__V1__Equipment microscope;
static Registry__V1__LocalText text;
static Registry__V1__LocalText *texts[] = {&text, &text};

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    registry__v1__equipment__init(&microscope);
    registry__v1__local_text__init(&text);
    text.lang = "en";
    text.value = "Electron microscope";
    microscope.organisation_id = ORGANISATION;
    microscope.type = REGISTRY__V1__EQUIPMENT_TYPE__EQUIPMENT;
    microscope.names = texts;
    microscope.n_names = 1;
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
    return rules_equipment(&arena, &microscope);
}

static void
equipment_needs_an_owner_a_type_and_a_name(void **state)
{
    (void)state;
    assert_ok(check());
    assert_int_equal(microscope.visibility, REGISTRY__V1__VISIBILITY__PRIVATE);
    microscope.organisation_id = "";
    assert_field(check(), "organisation_id");
    microscope.organisation_id = ORGANISATION;
    microscope.type = 3;
    assert_field(check(), "type");
    microscope.type = REGISTRY__V1__EQUIPMENT_TYPE__FACILITY;
    microscope.n_names = 0;
    assert_field(check(), "names");
    microscope.n_names = 2;
    assert_field(check(), "names[1].lang");
}

static void
the_rest_is_checked_where_it_is_given(void **state)
{
    char word[202];

    (void)state;
    for (size_t i = 0; i < sizeof word - 1; i++)
        word[i] = 'x';
    word[sizeof word - 1] = '\0';
    microscope.manufacturer = word;
    assert_field(check(), "manufacturer");
    microscope.manufacturer = "";
    microscope.model = word;
    assert_field(check(), "model");
    microscope.model = "";
    microscope.department = word;
    assert_field(check(), "department");
    microscope.department = " Physics ";
    microscope.access_terms = texts;
    microscope.n_access_terms = 2;
    assert_field(check(), "access_terms[1].lang");
    microscope.n_access_terms = 1;
    microscope.description = texts;
    microscope.n_description = 4;
    assert_field(check(), "description");
    microscope.n_description = 1;
    microscope.nuts = "?";
    assert_field(check(), "nuts");
    microscope.nuts = "FI1D2";
    assert_ok(check());
    assert_string_equal(microscope.department, "Physics");
}

static void
a_week_has_168_hours(void **state)
{
    (void)state;
    microscope.hours_open_per_week = 168;
    assert_ok(check());
    microscope.hours_open_per_week = 169;
    assert_field(check(), "hours_open_per_week");
}

static void
equipment_is_delisted_once(void **state)
{
    (void)state;
    assert_ok(rules_equipment_delist(&arena, &microscope));
    microscope.delisted = true;
    assert_int_equal(rules_equipment_delist(&arena, &microscope).code,
                     CODE_FAILED_PRECONDITION);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(equipment_needs_an_owner_a_type_and_a_name),
        TEST(the_rest_is_checked_where_it_is_given),
        TEST(a_week_has_168_hours),
        TEST(equipment_is_delisted_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
