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
    crm.public_only = true;
    assert_field(check(), "curve_public_key");
    crm.public_only = false;
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
types_to_append_are_never_our_own(void **state)
{
    static const char *const own[] = {"org.samverka.", "org.samverka.need.", "org.samverka",
                                      "org.", "o"};
    const char *types[65] = {"com.example.crm.", "org.samverkat.Deal-made_v1"};
    char long_type[202] = "";

    (void)state;
    crm.append_types = types;
    crm.n_append_types = 2;
    assert_ok(check());
    for (size_t i = 0; i < COUNT_OF(own); i++) {
        types[1] = own[i];
        assert_field(check(), "append_types[1]");
    }
    types[1] = "";
    assert_field(check(), "append_types[1]");
    types[1] = "com.example.*";
    assert_field(check(), "append_types[1]");
    memset(long_type, 'x', 201);
    types[1] = long_type;
    assert_field(check(), "append_types[1]");
    long_type[200] = '\0';
    assert_ok(check());
    for (size_t i = 0; i < COUNT_OF(types); i++)
        types[i] = "com.";
    crm.n_append_types = 64;
    assert_ok(check());
    crm.n_append_types = 65;
    assert_field(check(), "append_types");
}

static void
limits_have_bounds_and_are_there_when_none_are_given(void **state)
{
    Registry__V1__SystemLimits limits = REGISTRY__V1__SYSTEM_LIMITS__INIT;

    (void)state;
    crm.limits = NULL;
    assert_ok(check());
    assert_int_equal(crm.limits->follows, 0);
    crm.limits = &limits;
    limits.follows = SYSTEM_FOLLOWS_MOST;
    limits.events_per_second = SYSTEM_EVENTS_MOST;
    limits.appends_per_second = SYSTEM_APPENDS_MOST;
    assert_ok(check());
    limits.appends_per_second++;
    assert_field(check(), "limits.appends_per_second");
    limits.events_per_second++;
    assert_field(check(), "limits.events_per_second");
    limits.follows++;
    assert_field(check(), "limits.follows");
}

static void
a_revoked_system_does_not_change(void **state)
{
    (void)state;
    assert_ok(rules_system_may_change(&arena, &crm));
    crm.revoked = true;
    assert_int_equal(rules_system_may_change(&arena, &crm).code, CODE_FAILED_PRECONDITION);
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
        TEST(types_to_append_are_never_our_own),
        TEST(limits_have_bounds_and_are_there_when_none_are_given),
        TEST(a_revoked_system_does_not_change),
        TEST(an_expiry_lies_ahead),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
