#include "services/registry/tenants/rules.h"

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_tenant_is_trimmed),
        TEST(a_slug_is_plain),
        TEST(each_fault_names_its_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
