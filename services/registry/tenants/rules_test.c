#include "services/registry/tenants/rules.h"

#include <string.h>

#include "common/base/test.h"

#define assert_field(step, wanted)                                                             \
    do {                                                                                       \
        const struct status field_status_ = (step);                                            \
        assert_int_equal(field_status_.code, CODE_INVALID_ARGUMENT);                           \
        assert_string_equal(field_status_.field, wanted);                                      \
    } while (0)

static struct arena arena;
static Registry__V1__Tenant tenant;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    registry__v1__tenant__init(&tenant);
    tenant.slug = "hogskolan-dalarna";
    tenant.name = " Högskolan Dalarna ";
    tenant.locale = "sv";
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
a_tenant_is_trimmed(void **state)
{
    (void)state;
    assert_int_equal(rules_tenant(&arena, &tenant).code, CODE_OK);
    assert_string_equal(tenant.name, "Högskolan Dalarna");
}

static void
a_slug_is_plain(void **state)
{
    static const char *const bad[] = {
        "",          "a",
        "-a",        "Dalarna",
        "högskolan", "a b",
        "a_b",       "a123456789012345678901234567890123456789012345678901234567890"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        tenant.slug = bad[i];
        assert_field(rules_tenant(&arena, &tenant), "slug");
    }
    tenant.slug = "a1";
    assert_int_equal(rules_tenant(&arena, &tenant).code, CODE_OK);
}

static void
each_fault_names_its_field(void **state)
{
    (void)state;
    tenant.name = " ";
    assert_field(rules_tenant(&arena, &tenant), "name");
    tenant.name = "x";
    tenant.locale = "de";
    assert_field(rules_tenant(&arena, &tenant), "locale");
    tenant.locale = "fi";
    tenant.home_organisation_id = "x";
    assert_field(rules_tenant(&arena, &tenant), "home_organisation_id");
}

static void
a_remote_tenant_is_named_after_its_deployment_and_id(void **state)
{
    static const char id[] = "0193a000-0000-7000-8000-00000000ab12";
    static const char longest[] =
        "a12345678901234567890123456789012345678901234567890123456789";
    Registry__V1__Tenant *remote;

    (void)state;
    assert_int_equal(rules_tenant_remote(&arena, id, "lund", &remote).code, CODE_OK);
    assert_string_equal(remote->slug, "lund-00000000ab12");
    assert_string_equal(remote->name, "lund (00000000ab12)");
    assert_int_equal(remote->kind, REGISTRY__V1__TENANT_KIND__REMOTE);
    assert_int_equal(rules_tenant(&arena, remote).code, CODE_OK);
    assert_int_equal(rules_tenant_remote(&arena, id, longest, &remote).code, CODE_OK);
    assert_int_equal(strlen(remote->slug), 60);
    assert_int_equal(rules_tenant(&arena, remote).code, CODE_OK);
    assert_field(rules_tenant_remote(&arena, id, "", &remote), "deployment");
    assert_field(rules_tenant_remote(&arena, id, "Lund", &remote), "deployment");
    assert_field(rules_tenant_remote(&arena, id, "-lund", &remote), "deployment");
}

static void
an_id_belongs_to_one_deployment(void **state)
{
    Registry__V1__Tenant found = REGISTRY__V1__TENANT__INIT;

    (void)state;
    tenant.deployment = "lund";
    found.kind = REGISTRY__V1__TENANT_KIND__REMOTE;
    found.deployment = "lund";
    assert_int_equal(rules_tenant_same(&arena, &found, &tenant).code, CODE_OK);
    assert_int_equal(rules_tenant_local(&arena, &found).code, CODE_FAILED_PRECONDITION);
    found.deployment = "uppsala";
    assert_int_equal(rules_tenant_same(&arena, &found, &tenant).code, CODE_ALREADY_EXISTS);
    found.kind = REGISTRY__V1__TENANT_KIND__LOCAL;
    found.deployment = "";
    assert_int_equal(rules_tenant_same(&arena, &found, &tenant).code, CODE_ALREADY_EXISTS);
    assert_int_equal(rules_tenant_local(&arena, &found).code, CODE_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_tenant_is_trimmed),
        TEST(a_slug_is_plain),
        TEST(each_fault_names_its_field),
        TEST(a_remote_tenant_is_named_after_its_deployment_and_id),
        TEST(an_id_belongs_to_one_deployment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
