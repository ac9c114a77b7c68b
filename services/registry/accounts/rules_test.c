#include "services/registry/accounts/rules.h"

#include <string.h>

#include "common/base/test.h"

#define OFFICER WIRE__V1__ROLE__PARTNERSHIP_OFFICER
#define OPERATOR WIRE__V1__ROLE__OPERATOR

#define assert_field(step, wanted)                                                             \
    do {                                                                                       \
        const struct status field_status_ = (step);                                            \
        assert_int_equal(field_status_.code, CODE_INVALID_ARGUMENT);                           \
        assert_string_equal(field_status_.field, wanted);                                      \
    } while (0)
#define assert_ok(step) assert_int_equal((step).code, CODE_OK)

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
an_address_is_trimmed_and_folded(void **state)
{
    const char *trimmed, *folded;

    (void)state;
    assert_ok(rules_email(&arena, " Anna.Å@Du.SE ", &trimmed, &folded));
    assert_string_equal(trimmed, "Anna.Å@Du.SE");
    assert_string_equal(folded, "anna.å@du.se");
}

static void
an_address_cannot_be_anything_else(void **state)
{
    static const char *const bad[] = {
        "",          "anna",        "@du.se",         "anna@",       "anna@du",
        "a@b@du.se", "anna@.du.se", "anna@du.se.",    "an na@du.se", "anna@du.se\r\nBcc: x@y.z",
        "a,b@du.se", "<a@du.se>",   "\"anna\"@du.se", "a;b@du.se",   "anna@du.se\x7f",
    };
    const char *trimmed, *folded;
    char long_one[300];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_field(rules_email(&arena, bad[i], &trimmed, &folded), "email");
    memset(long_one, 'a', sizeof long_one);
    memcpy(long_one + 248, "@du.se", 7); /* 254 bytes */
    assert_ok(rules_email(&arena, long_one, &trimmed, &folded));
    memcpy(long_one + 248, "a@du.se", 8);
    assert_field(rules_email(&arena, long_one, &trimmed, &folded), "email");
}

static void
a_password_has_12_to_200_characters(void **state)
{
    char text[202];

    (void)state;
    assert_ok(rules_password(&arena, "åäöåäöåäöåäö"));
    assert_field(rules_password(&arena, "åäöåäöåäöåä"), "password");
    memset(text, 'x', sizeof text);
    text[200] = '\0';
    assert_ok(rules_password(&arena, text));
    text[200] = 'x';
    text[201] = '\0';
    assert_field(rules_password(&arena, text), "password");
}

static void
roles_are_of_people_given_once_and_operators_are_made_by_operators(void **state)
{
    static const Wire__V1__Role never[] = {WIRE__V1__ROLE__ANYONE, WIRE__V1__ROLE__SERVICE,
                                           WIRE__V1__ROLE__SYSTEM, 0, 99};
    const Wire__V1__Role good[] = {OFFICER, WIRE__V1__ROLE__GRADUATE},
                         twice[] = {OFFICER, OFFICER}, operator_role[] = {OPERATOR};

    (void)state;
    assert_ok(rules_roles(&arena, good, 2, false));
    assert_ok(rules_roles(&arena, NULL, 0, false));
    assert_field(rules_roles(&arena, twice, 2, false), "roles[1]");
    for (size_t i = 0; i < COUNT_OF(never); i++)
        assert_field(rules_roles(&arena, &never[i], 1, true), "roles[0]");
    assert_ok(rules_roles(&arena, operator_role, 1, true));
    assert_int_equal(rules_roles(&arena, operator_role, 1, false).code, CODE_PERMISSION_DENIED);
    assert_field(rules_roles(&arena, good, 13, true), "roles");
}

static void
each_fault_names_its_field(void **state)
{
    Registry__V1__CreateAccountRequest request = REGISTRY__V1__CREATE_ACCOUNT_REQUEST__INIT;
    Wire__V1__Role roles[] = {OFFICER};
    struct account_entry entry;

    (void)state;
    assert_field(rules_account(&arena, &request, false, &entry), "email");
    request.email = "Anna@du.se";
    assert_field(rules_account(&arena, &request, false, &entry), "display_name");
    request.display_name = " Anna ";
    assert_field(rules_account(&arena, &request, false, &entry), "language");
    request.language = "sv";
    assert_field(rules_account(&arena, &request, false, &entry), "password");
    request.password = "correct horse battery";
    assert_field(rules_account(&arena, &request, false, &entry), "roles");
    request.roles = roles;
    request.n_roles = 1;
    request.person_id = "x";
    assert_field(rules_account(&arena, &request, false, &entry), "person_id");
    request.person_id = "";
    request.organisation_id = "x";
    assert_field(rules_account(&arena, &request, false, &entry), "organisation_id");
    request.organisation_id = "";
    assert_ok(rules_account(&arena, &request, false, &entry));
    assert_string_equal(entry.display_name, "Anna");
    assert_string_equal(entry.email_folded, "anna@du.se");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_address_is_trimmed_and_folded),
        TEST(an_address_cannot_be_anything_else),
        TEST(a_password_has_12_to_200_characters),
        TEST(roles_are_of_people_given_once_and_operators_are_made_by_operators),
        TEST(each_fault_names_its_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
