#include "services/registry/accounts/accounts.h"

#include "registry/v1/accounts.pb-c.h"
#include "services/registry/accounts/password.h"
#include "services/registry/registry.h"
#include "services/registry/room_test.h"

#define GRADUATE WIRE__V1__ROLE__GRADUATE
#define PROFILE_1 "0190a000-0000-7000-8000-0000000000f1"
#define PROFILE_2 "0190a000-0000-7000-8000-0000000000f2"

static struct stage stage;
static struct registry_state registry;

static int
set_up(void **state)
{
    const struct pg_statement *const *const rooms[] = {accounts_statements, NULL};

    (void)state;
    stage_open(&stage, rooms);
    stage_sql(
        "INSERT INTO registry.person (tenant_id, id, kind, display_name, name_sort) VALUES "
        "('" TENANT_A "', '" PROFILE_1 "', 2, 'Åsa', 'åsa'), "
        "('" TENANT_A "', '" PROFILE_2 "', 2, 'Bo', 'bo')");
    assert_ok(password_gate_create(&stage.rpc.arena, 2, &registry.passwords));
    stage.rpc.call.state = &registry;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    password_gate_destroy(&registry.passwords);
    stage_close(&stage);
    return 0;
}

static struct status
create(const char *email, Wire__V1__Role role, const char *person_id,
       Registry__V1__Account **ret)
{
    Registry__V1__CreateAccountRequest request = REGISTRY__V1__CREATE_ACCOUNT_REQUEST__INIT;
    Registry__V1__CreateAccountReply *reply;

    request.email = email;
    request.display_name = "Åsa";
    request.password = "correct horse battery";
    request.language = "sv";
    request.roles = &role;
    request.n_roles = 1;
    request.person_id = person_id;
    TRY(stage_call(&stage, accounts_service, "CreateAccount", &request, &reply));
    *ret = reply->account;
    return OK;
}

static struct status
get(const char *id, Registry__V1__Account **ret)
{
    Registry__V1__GetAccountRequest request = REGISTRY__V1__GET_ACCOUNT_REQUEST__INIT;
    Registry__V1__GetAccountReply *reply;

    request.account_id = id;
    TRY(stage_call(&stage, accounts_service, "GetAccount", &request, &reply));
    *ret = reply->account;
    return OK;
}

static struct status
set_roles(const char *id, uint64_t version, const Wire__V1__Role *roles, size_t count)
{
    Registry__V1__SetAccountRolesRequest request =
        REGISTRY__V1__SET_ACCOUNT_ROLES_REQUEST__INIT;
    Registry__V1__SetAccountRolesReply *reply;
    Wire__V1__Role own[4];

    for (size_t i = 0; i < count; i++)
        own[i] = roles[i];
    request.account_id = id;
    request.expected_version = version;
    request.roles = own;
    request.n_roles = count;
    return stage_call(&stage, accounts_service, "SetAccountRoles", &request, &reply);
}

static void
an_account_has_its_profile_and_is_seen_in_its_tenant_alone(void **state)
{
    Registry__V1__Account *made, *found;

    (void)state;
    assert_ok(create("Asa@du.se", GRADUATE, PROFILE_1, &made));
    assert_string_equal(made->email, "Asa@du.se");
    assert_string_equal(made->person_id, PROFILE_1);
    assert_int_equal(made->roles[0], GRADUATE);
    assert_ok(get(made->account_id, &found));
    assert_int_equal(
        test_number("SELECT count(*) FROM registry.person p JOIN registry.account a "
                    "ON a.id = p.account_id AND a.email = 'Asa@du.se' AND "
                    "a.password_hash LIKE '$argon2id$%'"),
        1);
    stage_act(&stage, OFFICER, TENANT_B);
    assert_code(get(made->account_id, &found), NOT_FOUND);
    assert_code(set_roles(made->account_id, 1, NULL, 0), NOT_FOUND);
}

static void
a_known_address_gets_roles_and_keeps_its_password(void **state)
{
    Registry__V1__Account *first, *second;

    (void)state;
    assert_ok(create("asa@du.se", GRADUATE, "", &first));
    assert_int_equal(test_number("SELECT count(DISTINCT password_hash) FROM registry.account"),
                     2);
    stage_act(&stage, OFFICER, TENANT_B);
    assert_ok(create("ASA@DU.SE", WIRE__V1__ROLE__STUDENT, "", &second));
    assert_string_equal(first->account_id, second->account_id);
    assert_int_equal(second->n_roles, 1);
    assert_int_equal(test_number("SELECT count(*) FROM registry.account WHERE "
                                 "cardinality(tenant_ids) = 2"),
                     1);
}

static void
an_account_has_one_profile_of_a_tenant(void **state)
{
    Registry__V1__Account *made;

    (void)state;
    assert_ok(create("asa@du.se", GRADUATE, PROFILE_1, &made));
    assert_ok(create("asa@du.se", GRADUATE, PROFILE_2, &made));
    assert_string_equal(made->person_id, PROFILE_2);
    assert_int_equal(test_number("SELECT count(*) FROM registry.person WHERE account_id IS NOT "
                                 "NULL"),
                     1);
    assert_code(create("bo@du.se", GRADUATE, NOBODYS, &made), FAILED_PRECONDITION);
}

static void
only_operators_make_and_change_operators(void **state)
{
    Registry__V1__Account *made;
    const Wire__V1__Role officer = OFFICER;

    (void)state;
    assert_code(create("op@du.se", WIRE__V1__ROLE__OPERATOR, "", &made), PERMISSION_DENIED);
    stage_act(&stage, WIRE__V1__ROLE__OPERATOR, TENANT_A);
    assert_ok(create("op@du.se", WIRE__V1__ROLE__OPERATOR, "", &made));
    stage_act(&stage, OFFICER, TENANT_A);
    assert_code(set_roles(made->account_id, made->version, &officer, 1), PERMISSION_DENIED);
}

static void
without_roles_an_account_leaves_the_tenant(void **state)
{
    Registry__V1__Account *made, *found;
    const Wire__V1__Role student = WIRE__V1__ROLE__STUDENT;

    (void)state;
    assert_ok(create("asa@du.se", GRADUATE, PROFILE_1, &made));
    assert_code(set_roles(made->account_id, 9, &student, 1), VERSION_MISMATCH);
    assert_ok(set_roles(made->account_id, 1, &student, 1));
    assert_ok(get(made->account_id, &found));
    assert_int_equal(found->roles[0], student);
    assert_code(set_roles(made->account_id, 1, NULL, 0), VERSION_MISMATCH);
    assert_int_equal(test_number("SELECT count(*) FROM registry.person WHERE account_id IS NOT "
                                 "NULL"),
                     1);
    assert_ok(set_roles(made->account_id, 2, NULL, 0));
    assert_code(get(made->account_id, &found), NOT_FOUND);
    assert_int_equal(test_number("SELECT count(*) FROM registry.person WHERE account_id IS NOT "
                                 "NULL"),
                     0);
    assert_int_equal(test_number("SELECT count(*) FROM registry.account WHERE email = "
                                 "'asa@du.se' AND tenant_ids = '{}'"),
                     1);
}

static void
services_read_where_messages_go(void **state)
{
    Registry__V1__GetContactRequest request = REGISTRY__V1__GET_CONTACT_REQUEST__INIT;
    Registry__V1__GetContactReply *reply;

    (void)state;
    stage_act(&stage, WIRE__V1__ROLE__SERVICE, TENANT_A);
    request.account_id = ACCOUNT_A;
    assert_ok(stage_call(&stage, accounts_service, "GetContact", &request, &reply));
    assert_string_equal(reply->email, "a@example.org");
    assert_string_equal(reply->language, "sv");
    stage_act(&stage, WIRE__V1__ROLE__SERVICE, TENANT_B);
    assert_code(stage_call(&stage, accounts_service, "GetContact", &request, &reply),
                NOT_FOUND);
}

static void
who_has_a_role_is_told_by_tenant(void **state)
{
    Registry__V1__ListRoleHoldersRequest request =
        REGISTRY__V1__LIST_ROLE_HOLDERS_REQUEST__INIT;
    Registry__V1__ListRoleHoldersReply *reply;
    Registry__V1__Account *officer, *graduate;

    (void)state;
    assert_ok(create("officer@du.se", WIRE__V1__ROLE__PARTNERSHIP_OFFICER, "", &officer));
    assert_ok(create("graduate@du.se", GRADUATE, "", &graduate));
    request.role = WIRE__V1__ROLE__PARTNERSHIP_OFFICER;
    stage_act(&stage, WIRE__V1__ROLE__SERVICE, TENANT_A);
    assert_ok(stage_call(&stage, accounts_service, "ListRoleHolders", &request, &reply));
    assert_int_equal(reply->n_account_ids, 1);
    assert_string_equal(reply->account_ids[0], officer->account_id);
    stage_act(&stage, WIRE__V1__ROLE__SERVICE, TENANT_B);
    assert_ok(stage_call(&stage, accounts_service, "ListRoleHolders", &request, &reply));
    assert_int_equal(reply->n_account_ids, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_account_has_its_profile_and_is_seen_in_its_tenant_alone),
        TEST(a_known_address_gets_roles_and_keeps_its_password),
        TEST(an_account_has_one_profile_of_a_tenant),
        TEST(only_operators_make_and_change_operators),
        TEST(without_roles_an_account_leaves_the_tenant),
        TEST(services_read_where_messages_go),
        TEST(who_has_a_role_is_told_by_tenant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
