#include "services/registry/values/resource.h"

#include "common/base/test.h"
#include "registry/v1/organisations.pb-c.h"
#include "services/registry/values/columns.h"

static struct arena arena;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
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
a_create_request_becomes_a_resource(void **state)
{
    Registry__V1__CreateOrganisationRequest request =
        REGISTRY__V1__CREATE_ORGANISATION_REQUEST__INIT;
    Registry__V1__Organisation organisation = REGISTRY__V1__ORGANISATION__INIT;
    Registry__V1__LocalText name = REGISTRY__V1__LOCAL_TEXT__INIT;
    Registry__V1__LocalText *names[] = {&name};

    (void)state;
    request.names = names;
    request.n_names = 1;
    request.type = REGISTRY__V1__ORGANISATION_TYPE__COMPANY;
    request.country = "SE";
    request.headcount = 12;
    request.headcount_known = true;
    request.turnover_eur = UINT64_C(1) << 40;
    resource_from_request(&request.base, &organisation.base);
    assert_int_equal(organisation.n_names, 1);
    assert_ptr_equal(organisation.names[0], &name);
    assert_int_equal(organisation.type, REGISTRY__V1__ORGANISATION_TYPE__COMPANY);
    assert_string_equal(organisation.country, "SE");
    assert_int_equal(organisation.headcount, 12);
    assert_true(organisation.headcount_known);
    assert_true(organisation.turnover_eur == UINT64_C(1) << 40);
    assert_string_equal(organisation.organisation_id, "");
    assert_int_equal(organisation.version, 0);
}

static Registry__V1__UpdateOrganisationRequest update;
static Registry__V1__Organisation stored;

static struct status
apply(const char **names, size_t count)
{
    registry__v1__update_organisation_request__init(&update);
    registry__v1__organisation__init(&stored);
    update.organisation_id = "new";
    update.country = "FI";
    update.nuts = "";
    stored.organisation_id = "old";
    stored.country = "SE";
    stored.nuts = "SE312";
    stored.website = "https://du.se";
    stored.version = 7;
    return resource_apply(&arena, &update.base, names, count, &stored.base);
}

static void
an_update_changes_what_it_names_and_nothing_else(void **state)
{
    const char *fields[] = {"country", "nuts", "names"};

    (void)state;
    assert_int_equal(apply(fields, 3).code, CODE_OK);
    assert_string_equal(stored.country, "FI");
    assert_string_equal(stored.nuts, "");
    assert_int_equal(stored.n_names, 0);
    assert_string_equal(stored.website, "https://du.se");
    assert_string_equal(stored.organisation_id, "old");
}

static void
an_update_cannot_name_what_is_not_its_to_change(void **state)
{
    static const char *const bad[] = {"organisation_id", "version",  "expected_version",
                                      "update_fields",   "verified", "size_class",
                                      "no_such_field",   "",         "Country"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const char *fields[] = {"country", bad[i]};
        const struct status status = apply(fields, 2);

        assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
        assert_string_equal(status.field, "update_fields[1]");
    }
}

static void
an_update_names_something_and_each_thing_once(void **state)
{
    const char *twice[] = {"country", "country"};

    (void)state;
    assert_string_equal(apply(NULL, 0).field, "update_fields");
    assert_string_equal(apply(twice, 2).field, "update_fields[1]");
}

static void
texts_survive_their_columns(void **state)
{
    Registry__V1__LocalText own = REGISTRY__V1__LOCAL_TEXT__INIT, other = own;
    Registry__V1__LocalText *list[] = {&own, &other}, **read;
    struct text_columns columns;
    size_t count;

    (void)state;
    own.lang = "sv";
    own.value = "behov";
    other.lang = "en";
    other.value = "need";
    other.translated = true;
    assert_int_equal(text_columns_make(&arena, list, 2, &columns).code, CODE_OK);
    assert_int_equal(text_columns_read(&arena, &columns, &read, &count).code, CODE_OK);
    assert_int_equal(count, 2);
    assert_string_equal(read[0]->value, "behov");
    assert_false(read[0]->translated);
    assert_string_equal(read[1]->lang, "en");
    assert_true(read[1]->translated);
    columns.values_count = 1;
    assert_int_equal(text_columns_read(&arena, &columns, &read, &count).code, CODE_INTERNAL);
}

static void
skills_and_enums_survive_their_columns(void **state)
{
    Registry__V1__Skill skill = REGISTRY__V1__SKILL__INIT;
    Registry__V1__Skill *list[] = {&skill}, **read;
    struct skill_columns columns;
    const int numbers[] = {4, 1};
    int64_t *column;
    size_t count;
    int *back;

    (void)state;
    skill.concept_id = "c";
    skill.weight = 700;
    assert_int_equal(skill_columns_make(&arena, list, 1, &columns).code, CODE_OK);
    assert_int_equal(skill_columns_read(&arena, &columns, &read, &count).code, CODE_OK);
    assert_int_equal(count, 1);
    assert_string_equal(read[0]->concept_id, "c");
    assert_int_equal(read[0]->weight, 700);
    columns.weights_count = 0;
    assert_int_equal(skill_columns_read(&arena, &columns, &read, &count).code, CODE_INTERNAL);
    assert_int_equal(enum_column_make(&arena, numbers, 2, &column).code, CODE_OK);
    assert_int_equal(enum_column_read(&arena, column, 2, &back).code, CODE_OK);
    assert_memory_equal(back, numbers, sizeof numbers);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_create_request_becomes_a_resource),
        TEST(an_update_changes_what_it_names_and_nothing_else),
        TEST(an_update_cannot_name_what_is_not_its_to_change),
        TEST(an_update_names_something_and_each_thing_once),
        TEST(texts_survive_their_columns),
        TEST(skills_and_enums_survive_their_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
