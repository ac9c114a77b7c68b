#include "services/registry/organisations/rules.h"

#include "common/base/test.h"

#define A "0190a000-0000-7000-8000-00000000000a"
#define B "0190b000-0000-7000-8000-00000000000b"

#define assert_field(step, wanted)                                                             \
    do {                                                                                       \
        const struct status field_status_ = (step);                                            \
        assert_int_equal(field_status_.code, CODE_INVALID_ARGUMENT);                           \
        assert_string_equal(field_status_.field, wanted);                                      \
    } while (0)
#define assert_ok(step) assert_int_equal((step).code, CODE_OK)

static struct arena arena;
static Registry__V1__Organisation company;
static Registry__V1__LocalText name, other_name;
static Registry__V1__LocalText *names[] = {&name, &other_name};
static Registry__V1__ExternalId ids[2];
static Registry__V1__ExternalId *id_list[21];

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    registry__v1__organisation__init(&company);
    registry__v1__local_text__init(&name);
    registry__v1__local_text__init(&other_name);
    name.lang = "sv";
    name.value = " Dalafrakt AB ";
    other_name.lang = "en";
    other_name.value = "Dala FREIGHT Åre";
    company.names = names;
    company.n_names = 2;
    company.type = REGISTRY__V1__ORGANISATION_TYPE__COMPANY;
    company.country = "SE";
    for (size_t i = 0; i < COUNT_OF(id_list); i++)
        id_list[i] = &ids[i % 2];
    registry__v1__external_id__init(&ids[0]);
    registry__v1__external_id__init(&ids[1]);
    ids[0].scheme = "se-orgnr";
    ids[0].value = "556036-0793";
    ids[1].scheme = "vat";
    ids[1].value = "SE556036079301";
    company.external_ids = id_list;
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
    return rules_organisation(&arena, &company);
}

static void
an_organisation_is_trimmed_and_active_by_itself(void **state)
{
    const char *folded;

    (void)state;
    assert_ok(check());
    assert_string_equal(name.value, "Dalafrakt AB");
    assert_int_equal(company.status, REGISTRY__V1__ORGANISATION_STATUS__ACTIVE);
    assert_ok(rules_organisation_names(&arena, &company, &folded));
    assert_string_equal(folded, "dalafrakt ab\ndala freight åre");
}

static void
each_fault_names_its_field(void **state)
{
    (void)state;
    company.n_names = 0;
    assert_field(check(), "names");
    company.n_names = 2;
    company.type = 0;
    assert_field(check(), "type");
    company.type = 13;
    assert_field(check(), "type");
    company.type = REGISTRY__V1__ORGANISATION_TYPE__COMPANY;
    company.ownership = 4;
    assert_field(check(), "ownership");
    company.ownership = 0;
    company.status = 4;
    assert_field(check(), "status");
    company.status = 0;
    company.country = "Sweden";
    assert_field(check(), "country");
    company.country = "SE";
    company.nuts = "31";
    assert_field(check(), "nuts");
    company.nuts = "";
    company.nace = "49.";
    assert_field(check(), "nace");
    company.nace = "";
    company.website = "dalafrakt.se";
    assert_field(check(), "website");
}

static void
figures_have_a_year_and_fit_the_database(void **state)
{
    (void)state;
    company.headcount = 5;
    assert_field(check(), "headcount_known");
    company.headcount_known = true;
    assert_field(check(), "size_year");
    company.size_year = 1989;
    assert_field(check(), "size_year");
    company.size_year = 2025;
    assert_ok(check());
    company.turnover_eur = (uint64_t)INT64_MAX + 1;
    assert_field(check(), "turnover_eur");
    company.turnover_eur = INT64_MAX;
    company.balance_eur = UINT64_MAX;
    assert_field(check(), "balance_eur");
}

static void
a_valid_check_digit_verifies_the_organisation(void **state)
{
    (void)state;
    company.external_ids = id_list + 1;
    company.n_external_ids = 1;
    assert_ok(check());
    assert_false(company.verified); /* a VAT number is not looked at */
    company.external_ids = id_list;
    company.n_external_ids = 2;
    assert_ok(check());
    assert_true(company.verified);
    assert_true(ids[0].verified);
    assert_false(ids[1].verified);
    company.n_external_ids = 3;
    assert_field(check(), "external_ids[2]");
    company.n_external_ids = 21;
    assert_field(check(), "external_ids");
    company.n_external_ids = 1;
    ids[0].value = "556036-0794";
    assert_field(check(), "external_ids[0]");
}

static void
the_size_class_follows_the_recommendation(void **state)
{
    static const struct {
        uint32_t headcount;
        uint64_t turnover, balance; /* million euros */
        Registry__V1__SizeClass wanted;
    } cases[] = {
        {0, 0, 0, REGISTRY__V1__SIZE_CLASS__MICRO},
        {9, 2, 2, REGISTRY__V1__SIZE_CLASS__MICRO},
        {9, 3, 2, REGISTRY__V1__SIZE_CLASS__MICRO}, /* one of the two is enough */
        {9, 3, 3, REGISTRY__V1__SIZE_CLASS__SMALL},
        {10, 1, 1, REGISTRY__V1__SIZE_CLASS__SMALL},
        {49, 10, 11, REGISTRY__V1__SIZE_CLASS__SMALL},
        {49, 11, 11, REGISTRY__V1__SIZE_CLASS__MEDIUM},
        {50, 1, 1, REGISTRY__V1__SIZE_CLASS__MEDIUM},
        {249, 50, 44, REGISTRY__V1__SIZE_CLASS__MEDIUM},
        {249, 51, 43, REGISTRY__V1__SIZE_CLASS__MEDIUM},
        {249, 51, 44, REGISTRY__V1__SIZE_CLASS__LARGE},
        {250, 0, 0, REGISTRY__V1__SIZE_CLASS__LARGE},
    };

    (void)state;
    assert_int_equal(rules_organisation_size_class(&company),
                     REGISTRY__V1__SIZE_CLASS__SIZE_CLASS_UNSPECIFIED);
    company.headcount_known = true;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        company.headcount = cases[i].headcount;
        company.turnover_eur = cases[i].turnover * 1000000;
        company.balance_eur = cases[i].balance * 1000000;
        assert_int_equal(rules_organisation_size_class(&company), cases[i].wanted);
    }
}

static void
the_maker_corrects_until_it_is_verified_then_the_host(void **state)
{
    (void)state;
    assert_ok(rules_organisation_may_change(&arena, false, A, A, false));
    assert_int_equal(rules_organisation_may_change(&arena, false, A, B, false).code,
                     CODE_PERMISSION_DENIED);
    assert_int_equal(rules_organisation_may_change(&arena, true, A, A, false).code,
                     CODE_PERMISSION_DENIED);
    assert_ok(rules_organisation_may_change(&arena, true, A, B, true));
    assert_ok(rules_organisation_may_change(&arena, false, A, B, true));
}

static void
a_relation_joins_two_with_a_source(void **state)
{
    Registry__V1__RelateOrganisationsRequest request =
        REGISTRY__V1__RELATE_ORGANISATIONS_REQUEST__INIT;

    (void)state;
    request.parent_id = A;
    assert_field(rules_organisation_relation(&arena, &request), "child_id");
    request.child_id = A;
    assert_field(rules_organisation_relation(&arena, &request), "child_id");
    request.child_id = B;
    assert_field(rules_organisation_relation(&arena, &request), "kind");
    request.kind = REGISTRY__V1__RELATION_KIND__OWNS;
    assert_field(rules_organisation_relation(&arena, &request), "share_thousandths");
    request.share_thousandths = 1001;
    assert_field(rules_organisation_relation(&arena, &request), "share_thousandths");
    request.share_thousandths = 1000;
    assert_field(rules_organisation_relation(&arena, &request), "source");
    request.source = "annual report";
    assert_ok(rules_organisation_relation(&arena, &request));
    request.valid_from = request.valid_to = "2026-01-01";
    assert_field(rules_organisation_relation(&arena, &request), "valid_to");
}

static void
every_type_has_a_word(void **state)
{
    (void)state;
    assert_string_equal(
        rules_organisation_type_word(REGISTRY__V1__ORGANISATION_TYPE__HEI_UNIVERSITY),
        "hei_university");
    assert_string_equal(
        rules_organisation_type_word(REGISTRY__V1__ORGANISATION_TYPE__OTHER_ORGANISATION),
        "other");
    assert_string_equal(rules_organisation_type_word(0), "");
    assert_string_equal(rules_organisation_type_word(99), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_organisation_is_trimmed_and_active_by_itself),
        TEST(each_fault_names_its_field),
        TEST(figures_have_a_year_and_fit_the_database),
        TEST(a_valid_check_digit_verifies_the_organisation),
        TEST(the_size_class_follows_the_recommendation),
        TEST(the_maker_corrects_until_it_is_verified_then_the_host),
        TEST(a_relation_joins_two_with_a_source),
        TEST(every_type_has_a_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
