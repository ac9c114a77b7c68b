#include "services/registry/systems/rules.h"

#include "common/base/test.h"

#define NOW_MS 1767225600000

#define assert_field(step, wanted)                                                             \
    do {                                                                                       \
        const struct status field_status_ = (step);                                            \
        assert_int_equal(field_status_.code, CODE_INVALID_ARGUMENT);                           \
        assert_string_equal(field_status_.field, wanted);                                      \
    } while (0)
#define assert_ok(step) assert_int_equal((step).code, CODE_OK)

static struct arena arena;
static Registry__V1__System crm;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    registry__v1__system__init(&crm);
    crm.name = " CRM ";
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
    return rules_system(&arena, (struct wall){NOW_MS}, &crm);
}

static void
a_system_has_a_name_and_perhaps_a_key(void **state)
{
    (void)state;
    assert_ok(check());
    assert_string_equal(crm.name, "CRM");
    crm.curve_public_key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    assert_ok(check());
    crm.curve_public_key = "short";
    assert_field(check(), "curve_public_key");
    crm.curve_public_key = "";
    crm.name = "";
    assert_field(check(), "name");
}

static void
types_are_beginnings_of_event_types(void **state)
{
    const char *types[51] = {"org.samverka.placement.", "org.samverka.need.published.v1"};

    (void)state;
    crm.types = types;
    crm.n_types = 2;
    assert_ok(check());
    types[1] = "";
    assert_field(check(), "types[1]");
    types[1] = "org.samverka.*";
    assert_field(check(), "types[1]");
    types[1] = "Org.Samverka";
    assert_field(check(), "types[1]");
    for (size_t i = 0; i < COUNT_OF(types); i++)
        types[i] = "org";
    crm.n_types = 51;
    assert_field(check(), "types");
}

static void
an_expiry_lies_ahead(void **state)
{
    (void)state;
    crm.expires_unix_ms = NOW_MS + 1;
    assert_ok(check());
    crm.expires_unix_ms = NOW_MS;
    assert_field(check(), "expires_unix_ms");
    crm.expires_unix_ms = UINT64_MAX;
    assert_field(check(), "expires_unix_ms");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_system_has_a_name_and_perhaps_a_key),
        TEST(types_are_beginnings_of_event_types),
        TEST(an_expiry_lies_ahead),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
