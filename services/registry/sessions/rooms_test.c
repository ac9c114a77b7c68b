#include "services/registry/sessions/sessions.h"

#include "registry/v1/accounts.pb-c.h"
#include "registry/v1/sessions.pb-c.h"
#include "registry/v1/systems.pb-c.h"
#include "services/registry/accounts/accounts.h"
#include "services/registry/accounts/password.h"
#include "services/registry/registry.h"
#include "services/registry/room_test.h"
#include "services/registry/systems/systems.h"

#define GRADUATE WIRE__V1__ROLE__GRADUATE
#define SERVICE WIRE__V1__ROLE__SERVICE
#define EMAIL "asa@du.se"
#define PASSWORD "correct horse battery"

static struct stage stage;
static struct registry_state registry = {.session_idle_ms = 60000,
                                         .session_absolute_ms = 3600000};

static struct status
create_account(const char *tenant_id)
{
    Registry__V1__CreateAccountRequest request = REGISTRY__V1__CREATE_ACCOUNT_REQUEST__INIT;
    Registry__V1__CreateAccountReply *reply;
    Wire__V1__Role roles[] = {GRADUATE, WIRE__V1__ROLE__COMPANY_CONTACT};

    request.email = EMAIL;
    request.display_name = "Åsa";
    request.password = PASSWORD;
    request.language = "sv";
    request.roles = roles;
    request.n_roles = 2;
    request.organisation_id = COMPANY_A;
    stage_act(&stage, OFFICER, tenant_id);
    return stage_call(&stage, accounts_service, "CreateAccount", &request, &reply);
}

static int
set_up(void **state)
{
    const struct pg_statement *const *const rooms[] = {sessions_statements, accounts_statements,
                                                       systems_statements, NULL};

    (void)state;
    stage_open(&stage, rooms);
    assert_ok(password_gate_create(&stage.rpc.arena, 2, &registry.passwords));
    stage.rpc.call.state = &registry;
    assert_ok(create_account(TENANT_A));
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
sign_in(const char *email, const char *password, const char *tenant,
        Registry__V1__SignInReply **ret)
{
    Registry__V1__SignInRequest request = REGISTRY__V1__SIGN_IN_REQUEST__INIT;

    request.email = email;
    request.password = password;
    request.tenant = tenant;
    stage_act(&stage, WIRE__V1__ROLE__ANYONE, "");
    return stage_call(&stage, sessions_service, "SignIn", &request, ret);
}

static struct status
resolve(const char *credential, Registry__V1__ResolveCredentialReply **ret)
{
    Registry__V1__ResolveCredentialRequest request =
        REGISTRY__V1__RESOLVE_CREDENTIAL_REQUEST__INIT;

    request.credential = credential;
    stage_act(&stage, SERVICE, "");
    return stage_call(&stage, sessions_service, "ResolveCredential", &request, ret);
}

static void
a_sign_in_makes_a_credential_that_says_who_one_is(void **state)
{
    Registry__V1__ResolveCredentialReply *who;
    Registry__V1__SignInReply *session;

    (void)state;
    assert_ok(sign_in(" ASA@du.se", PASSWORD, "", &session));
    assert_string_equal(session->display_name, "Åsa");
    assert_string_equal(session->language, "sv");
    assert_true(session->expires_unix_ms > 0);
    assert_ok(resolve(session->credential, &who));
    assert_int_equal(who->principal->kind, WIRE__V1__PRINCIPAL__KIND__PERSON);
    assert_string_equal(who->principal->tenant_id, TENANT_A);
    assert_string_equal(who->principal->organisation_id, COMPANY_A);
    assert_int_equal(who->principal->n_roles, 2);
    assert_int_equal(test_number("SELECT count(*) FROM registry.session WHERE "
                                 "length(credential_hash) = 32"),
                     1);
}

static void
nothing_tells_which_part_of_a_sign_in_was_wrong(void **state)
{
    struct status wrong, unknown, elsewhere, nowhere;
    Registry__V1__SignInReply *session;

    (void)state;
    wrong = sign_in(EMAIL, "wrong horse battery", "", &session);
    unknown = sign_in("nobody@du.se", PASSWORD, "", &session);
    elsewhere = sign_in(EMAIL, PASSWORD, "tenant-b", &session);
    nowhere = sign_in(EMAIL, PASSWORD, "tenant-z", &session);
    assert_code(wrong, UNAUTHENTICATED);
    assert_string_equal(wrong.detail, unknown.detail);
    assert_string_equal(wrong.detail, elsewhere.detail);
    assert_string_equal(wrong.detail, nowhere.detail);
}

static void
after_five_failures_even_the_right_password_waits(void **state)
{
    Registry__V1__SignInReply *session;

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_code(sign_in(EMAIL, "wrong horse battery", "", &session), UNAUTHENTICATED);
    assert_ok(sign_in(EMAIL, PASSWORD, "", &session)); /* forgets them */
    for (int i = 0; i < 5; i++)
        assert_code(sign_in(EMAIL, "wrong horse battery", "", &session), UNAUTHENTICATED);
    assert_code(sign_in(EMAIL, PASSWORD, "", &session), UNAUTHENTICATED);
    stage_sql("UPDATE registry.account SET locked_until = now() WHERE email = '" EMAIL "'");
    assert_ok(sign_in(EMAIL, PASSWORD, "", &session));
}

static void
with_two_tenants_one_is_to_be_named(void **state)
{
    Registry__V1__SignInReply *session;

    (void)state;
    assert_ok(create_account(TENANT_B));
    assert_field(sign_in(EMAIL, PASSWORD, "", &session), INVALID_ARGUMENT, "tenant");
    assert_ok(sign_in(EMAIL, PASSWORD, "tenant-b", &session));
    assert_string_equal(session->principal->tenant_id, TENANT_B);
    assert_ok(sign_in(EMAIL, PASSWORD, TENANT_A, &session));
    assert_string_equal(session->principal->tenant_id, TENANT_A);
}

static void
a_session_ends_unused_or_old(void **state)
{
    Registry__V1__ResolveCredentialReply *who;
    Registry__V1__SignInReply *session;

    (void)state;
    assert_ok(sign_in(EMAIL, PASSWORD, "", &session));
    stage_sql("UPDATE registry.session SET last_used_at = now() - interval '59 seconds'");
    assert_ok(resolve(session->credential, &who));
    stage_sql("UPDATE registry.session SET last_used_at = now() - interval '61 seconds'");
    assert_code(resolve(session->credential, &who), UNAUTHENTICATED);
    stage_sql("UPDATE registry.session SET last_used_at = now(), expires_at = now()");
    assert_code(resolve(session->credential, &who), UNAUTHENTICATED);
}

static void
a_use_is_noted_at_most_once_a_minute(void **state)
{
    Registry__V1__ResolveCredentialReply *who;
    Registry__V1__SignInReply *session;

    (void)state;
    registry.session_idle_ms = 600000;
    assert_ok(sign_in(EMAIL, PASSWORD, "", &session));
    stage_sql("UPDATE registry.session SET last_used_at = now() - interval '50 seconds'");
    assert_ok(resolve(session->credential, &who));
    assert_int_equal(test_number("SELECT count(*) FROM registry.session WHERE last_used_at < "
                                 "now() - interval '40 seconds'"),
                     1);
    stage_sql("UPDATE registry.session SET last_used_at = now() - interval '70 seconds'");
    assert_ok(resolve(session->credential, &who));
    assert_int_equal(test_number("SELECT count(*) FROM registry.session WHERE last_used_at < "
                                 "now() - interval '40 seconds'"),
                     0);
    registry.session_idle_ms = 60000;
}

static void
a_sign_out_ends_the_session_and_may_be_repeated(void **state)
{
    Registry__V1__SignOutRequest request = REGISTRY__V1__SIGN_OUT_REQUEST__INIT;
    Registry__V1__ResolveCredentialReply *who;
    Registry__V1__SignOutReply *reply;
    Registry__V1__SignInReply *session;

    (void)state;
    assert_ok(sign_in(EMAIL, PASSWORD, "", &session));
    request.credential = session->credential;
    stage_act(&stage, SERVICE, "");
    assert_ok(stage_call(&stage, sessions_service, "SignOut", &request, &reply));
    assert_ok(stage_call(&stage, sessions_service, "SignOut", &request, &reply));
    assert_code(resolve(session->credential, &who), UNAUTHENTICATED);
}

static void
one_lists_and_revokes_the_own_sessions_alone(void **state)
{
    Registry__V1__ListSessionsRequest ask = REGISTRY__V1__LIST_SESSIONS_REQUEST__INIT;
    Registry__V1__RevokeSessionRequest revoke = REGISTRY__V1__REVOKE_SESSION_REQUEST__INIT;
    Registry__V1__ResolveCredentialReply *who;
    Registry__V1__RevokeSessionReply *revoked;
    Registry__V1__ListSessionsReply *sessions;
    Registry__V1__SignInReply *session;
    const char *me;

    (void)state;
    assert_ok(sign_in(EMAIL, PASSWORD, "", &session));
    me = session->principal->subject_id;
    stage_act(&stage, GRADUATE, TENANT_A); /* somebody else */
    assert_ok(stage_call(&stage, sessions_service, "ListSessions", &ask, &sessions));
    assert_int_equal(sessions->n_sessions, 0);
    stage.rpc.principal.subject_id = me;
    assert_ok(stage_call(&stage, sessions_service, "ListSessions", &ask, &sessions));
    assert_int_equal(sessions->n_sessions, 1);
    revoke.session_id = sessions->sessions[0]->session_id;
    stage.rpc.principal.subject_id = ACCOUNT_A;
    assert_code(stage_call(&stage, sessions_service, "RevokeSession", &revoke, &revoked),
                NOT_FOUND);
    stage.rpc.principal.subject_id = me;
    stage.rpc.principal.tenant_id = TENANT_B;
    assert_code(stage_call(&stage, sessions_service, "RevokeSession", &revoke, &revoked),
                NOT_FOUND);
    stage.rpc.principal.tenant_id = TENANT_A;
    assert_ok(stage_call(&stage, sessions_service, "RevokeSession", &revoke, &revoked));
    assert_code(resolve(session->credential, &who), UNAUTHENTICATED);
}

static void
a_systems_token_works_until_it_is_revoked(void **state)
{
    Registry__V1__EnrolSystemRequest enrol = REGISTRY__V1__ENROL_SYSTEM_REQUEST__INIT;
    Registry__V1__RevokeSystemRequest revoke = REGISTRY__V1__REVOKE_SYSTEM_REQUEST__INIT;
    Registry__V1__ResolveCredentialReply *who;
    Registry__V1__RevokeSystemReply *revoked;
    Registry__V1__EnrolSystemReply *system;

    (void)state;
    stage_act(&stage, OFFICER, TENANT_A);
    enrol.name = "crm";
    assert_ok(stage_call(&stage, systems_service, "EnrolSystem", &enrol, &system));
    assert_ok(resolve(system->bearer_token, &who));
    assert_int_equal(who->principal->kind, WIRE__V1__PRINCIPAL__KIND__SYSTEM);
    assert_string_equal(who->principal->tenant_id, TENANT_A);
    assert_int_equal(who->principal->roles[0], WIRE__V1__ROLE__SYSTEM);
    stage_act(&stage, OFFICER, TENANT_A);
    revoke.system_id = system->system->system_id;
    revoke.expected_version = 1;
    assert_ok(stage_call(&stage, systems_service, "RevokeSystem", &revoke, &revoked));
    assert_code(resolve(system->bearer_token, &who), UNAUTHENTICATED);
}

static void
a_credential_without_a_row_is_refused(void **state)
{
    Registry__V1__ResolveCredentialReply *who;
    Registry__V1__SignInReply *session;
    char *text;

    (void)state;
    assert_code(resolve("", &who), UNAUTHENTICATED);
    assert_ok(sign_in(EMAIL, PASSWORD, "", &session));
    assert_non_null(text = arena_copy(&stage.rpc.arena, session->credential));
    text[10] = text[10] == 'A' ? 'B' : 'A'; /* another tenant */
    assert_code(resolve(text, &who), UNAUTHENTICATED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sign_in_makes_a_credential_that_says_who_one_is),
        TEST(nothing_tells_which_part_of_a_sign_in_was_wrong),
        TEST(after_five_failures_even_the_right_password_waits),
        TEST(with_two_tenants_one_is_to_be_named),
        TEST(a_session_ends_unused_or_old),
        TEST(a_use_is_noted_at_most_once_a_minute),
        TEST(a_sign_out_ends_the_session_and_may_be_repeated),
        TEST(one_lists_and_revokes_the_own_sessions_alone),
        TEST(a_systems_token_works_until_it_is_revoked),
        TEST(a_credential_without_a_row_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
