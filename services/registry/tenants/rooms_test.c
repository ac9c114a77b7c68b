#include "services/registry/tenants/tenants.h"

#include "registry/v1/tenants.pb-c.h"
#include "services/registry/room_test.h"
#include "services/registry/tenants/store.h"

#define OPERATOR WIRE__V1__ROLE__OPERATOR

static const struct pg_statement INSERT_PERSON = {
    "test_person", "INSERT INTO person (tenant_id, id, kind, display_name, name_sort) "
                   "VALUES ($1::uuid, gen_random_uuid(), 1, 'x', 'x')"};
static const struct pg_statement INSERT_MEMBERSHIP = {
    "test_membership",
    "INSERT INTO membership (tenant_id, account_id, roles) VALUES ($1::uuid, '" ACCOUNT_A
    "', '{13}')"};
static struct stage stage;

static int
set_up(void **state)
{
    static const struct pg_statement *const own[] = {&INSERT_PERSON, &INSERT_MEMBERSHIP, NULL};
    const struct pg_statement *const *const rooms[] = {tenants_statements, own, NULL};

    (void)state;
    stage_open(&stage, rooms);
    stage_act(&stage, OPERATOR, "");
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    stage_close(&stage);
    return 0;
}

static struct status
create(const char *slug, bool host, const char *home, Registry__V1__Tenant **ret)
{
    Registry__V1__CreateTenantRequest request = REGISTRY__V1__CREATE_TENANT_REQUEST__INIT;
    Registry__V1__CreateTenantReply *reply;

    request.slug = slug;
    request.name = "Name";
    request.locale = "fi";
    request.host = host;
    request.home_organisation_id = home;
    TRY(stage_call(&stage, tenants_service, "CreateTenant", &request, &reply));
    *ret = reply->tenant;
    return OK;
}

static struct status
get(const char *id, Registry__V1__Tenant **ret)
{
    Registry__V1__GetTenantRequest request = REGISTRY__V1__GET_TENANT_REQUEST__INIT;
    Registry__V1__GetTenantReply *reply;

    request.tenant_id = id;
    TRY(stage_call(&stage, tenants_service, "GetTenant", &request, &reply));
    *ret = reply->tenant;
    return OK;
}

static void
a_tenant_is_found_by_id_and_slug(void **state)
{
    Registry__V1__Tenant *made, *found;

    (void)state;
    assert_ok(create("uef", true, COMPANY_A, &made));
    assert_ok(get("uef", &found));
    assert_string_equal(found->tenant_id, made->tenant_id);
    assert_ok(get(made->tenant_id, &found));
    assert_string_equal(found->locale, "fi");
    assert_string_equal(found->home_organisation_id, COMPANY_A);
    assert_true(found->host);
    assert_code(get("nobody", &found), NOT_FOUND);
}

static void
a_slug_and_the_host_are_there_once(void **state)
{
    Registry__V1__Tenant *made;

    (void)state;
    assert_ok(create("uef", true, "", &made));
    assert_code(create("uef", false, "", &made), ALREADY_EXISTS);
    assert_code(create("karelia", true, "", &made), ALREADY_EXISTS);
    assert_code(create("savonia", false, NOBODYS, &made), FAILED_PRECONDITION);
}

static void
the_host_is_known_or_nobody(void **state)
{
    Registry__V1__Tenant *made;
    const char *host;

    (void)state;
    stage_begin(&stage, NULL);
    assert_ok(store_tenant_host(&stage.tx, &stage.rpc.arena, &host));
    assert_string_equal(host, "");
    pg_tx_end(&stage.tx);
    assert_ok(create("uef", true, "", &made));
    stage_begin(&stage, NULL);
    assert_ok(store_tenant_host(&stage.tx, &stage.rpc.arena, &host));
    assert_string_equal(host, made->tenant_id);
}

static struct status
set_home(const char *id, uint64_t version, const char *organisation_id)
{
    Registry__V1__SetHomeOrganisationRequest request =
        REGISTRY__V1__SET_HOME_ORGANISATION_REQUEST__INIT;
    Registry__V1__SetHomeOrganisationReply *reply;

    request.tenant_id = id;
    request.expected_version = version;
    request.organisation_id = organisation_id;
    return stage_call(&stage, tenants_service, "SetHomeOrganisation", &request, &reply);
}

static void
a_home_is_set_when_the_organisation_is_known(void **state)
{
    Registry__V1__Tenant *made, *found;

    (void)state;
    assert_ok(create("uef", false, "", &made));
    assert_code(set_home(made->tenant_id, 1, NOBODYS), FAILED_PRECONDITION);
    assert_field(set_home(made->tenant_id, 1, ""), INVALID_ARGUMENT, "organisation_id");
    assert_code(set_home(NOBODYS, 1, COMPANY_A), NOT_FOUND);
    assert_code(set_home(made->tenant_id, 2, COMPANY_A), VERSION_MISMATCH);
    assert_ok(set_home(made->tenant_id, 1, COMPANY_A));
    assert_ok(get("uef", &found));
    assert_string_equal(found->home_organisation_id, COMPANY_A);
    assert_int_equal(found->version, 2);
}

static void
a_list_is_by_slug_and_pages_without_gaps(void **state)
{
    static const char *const order[] = {"karelia", "tenant-a", "tenant-b"};
    Registry__V1__ListTenantsRequest request = REGISTRY__V1__LIST_TENANTS_REQUEST__INIT;
    Registry__V1__ListTenantsReply *page;
    Registry__V1__Tenant *made;
    size_t seen = 0;

    (void)state;
    assert_ok(create("karelia", false, "", &made));
    request.page_size = 2;
    do {
        assert_ok(stage_call(&stage, tenants_service, "ListTenants", &request, &page));
        for (size_t i = 0; i < page->n_tenants; i++)
            assert_string_equal(page->tenants[i]->slug, order[seen++]);
        request.page_token = page->next_page_token;
    } while (*request.page_token);
    assert_int_equal(seen, COUNT_OF(order));
}

#define REMOTE "0193a000-0000-7000-8000-0000000000aa"

static struct status
admit(const char *id, const char *deployment, Registry__V1__Tenant **ret)
{
    Registry__V1__AdmitRemoteTenantRequest request =
        REGISTRY__V1__ADMIT_REMOTE_TENANT_REQUEST__INIT;
    Registry__V1__AdmitRemoteTenantReply *reply;

    stage_act(&stage, WIRE__V1__ROLE__SERVICE, "");
    request.tenant_id = id;
    request.deployment = deployment;
    TRY(stage_call(&stage, tenants_service, "AdmitRemoteTenant", &request, &reply));
    *ret = reply->tenant;
    return OK;
}

static void
a_tenant_of_another_deployment_is_admitted_once(void **state)
{
    Registry__V1__Tenant *made, *again;

    (void)state;
    assert_ok(admit(REMOTE, "lund", &made));
    assert_int_equal(made->kind, REGISTRY__V1__TENANT_KIND__REMOTE);
    assert_string_equal(made->deployment, "lund");
    assert_ok(admit(REMOTE, "lund", &again));
    assert_string_equal(again->slug, made->slug);
    assert_code(admit(REMOTE, "uppsala", &again), ALREADY_EXISTS);
    assert_code(admit(TENANT_A, "lund", &again), ALREADY_EXISTS);
    assert_field(admit("x", "lund", &again), INVALID_ARGUMENT, "tenant_id");
    assert_field(admit(REMOTE, "", &again), INVALID_ARGUMENT, "deployment");
    assert_ok(get(made->slug, &again));
    assert_int_equal(again->kind, REGISTRY__V1__TENANT_KIND__REMOTE);
    assert_ok(get(TENANT_A, &again));
    assert_int_equal(again->kind, REGISTRY__V1__TENANT_KIND__LOCAL);
}

static void
a_deployment_has_so_many_tenants_here_and_no_more(void **state)
{
    Registry__V1__Tenant *made;

    (void)state;
    stage_sql("INSERT INTO registry.tenant (id, slug, name, locale, kind, deployment) "
              "SELECT gen_random_uuid(), 'lund-' || n, 'x', 'en', 2, 'lund' "
              "FROM generate_series(1, 1000) n");
    assert_code(admit(REMOTE, "lund", &made), FAILED_PRECONDITION);
    assert_ok(admit(REMOTE, "uppsala", &made));
}

static void
a_remote_tenant_owns_nothing_here(void **state)
{
    Registry__V1__Tenant *made;

    (void)state;
    assert_ok(admit(REMOTE, "lund", &made));
    stage_act(&stage, OPERATOR, "");
    assert_code(set_home(REMOTE, 1, COMPANY_A), FAILED_PRECONDITION);
    stage_begin(&stage, REMOTE);
    assert_code(pg_query(&stage.tx, &INSERT_PERSON, PG_IN(pg_text(REMOTE)), NULL),
                FAILED_PRECONDITION);
    pg_tx_end(&stage.tx);
    stage_begin(&stage, REMOTE);
    assert_code(pg_query(&stage.tx, &INSERT_MEMBERSHIP, PG_IN(pg_text(REMOTE)), NULL),
                FAILED_PRECONDITION);
    pg_tx_end(&stage.tx);
    stage_begin(&stage, TENANT_A);
    assert_ok(pg_query(&stage.tx, &INSERT_PERSON, PG_IN(pg_text(TENANT_A)), NULL));
    pg_tx_end(&stage.tx);
}

static void
every_table_of_tenants_refuses_remote_ones(void **state)
{
    (void)state;
    assert_int_equal(
        test_number("SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
                    "WHERE c.relnamespace = 'registry'::regnamespace AND c.relkind = 'r' "
                    "AND a.attname IN ('tenant_id', 'created_by_tenant') "
                    "AND c.relname <> 'idempotency' AND NOT EXISTS (SELECT FROM pg_trigger t "
                    "WHERE t.tgrelid = c.oid "
                    "AND t.tgname = c.relname || '_local')"),
        0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_tenant_is_found_by_id_and_slug),
        TEST(a_slug_and_the_host_are_there_once),
        TEST(the_host_is_known_or_nobody),
        TEST(a_home_is_set_when_the_organisation_is_known),
        TEST(a_list_is_by_slug_and_pages_without_gaps),
        TEST(a_tenant_of_another_deployment_is_admitted_once),
        TEST(a_deployment_has_so_many_tenants_here_and_no_more),
        TEST(a_remote_tenant_owns_nothing_here),
        TEST(every_table_of_tenants_refuses_remote_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
