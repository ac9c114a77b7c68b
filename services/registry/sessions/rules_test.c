#include "services/registry/sessions/rules.h"

#include <sodium.h>
#include <string.h>

#include "common/base/test.h"
#include "services/registry/sessions/credential.h"

#define A "0190a000-0000-7000-8000-00000000000a"
#define B "0190b000-0000-7000-8000-00000000000b"

static struct arena arena;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    assert_true(sodium_init() >= 0);
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
a_session_acts_in_the_wanted_or_the_only_tenant(void **state)
{
    const char *both[] = {A, B};
    const char *tenant;

    (void)state;
    assert_int_equal(rules_session_tenant(&arena, "", both, 1, &tenant).code, CODE_OK);
    assert_string_equal(tenant, A);
    assert_int_equal(rules_session_tenant(&arena, B, both, 2, &tenant).code, CODE_OK);
    assert_string_equal(tenant, B);
    assert_string_equal(rules_session_tenant(&arena, "", both, 2, &tenant).field, "tenant");
    assert_int_equal(rules_session_tenant(&arena, B, both, 1, &tenant).code,
                     CODE_UNAUTHENTICATED);
    assert_int_equal(rules_session_tenant(&arena, "", both, 0, &tenant).code,
                     CODE_UNAUTHENTICATED);
}

static void
a_credential_survives_its_text(void **state)
{
    static const enum credential_kind kinds[] = {CREDENTIAL_SESSION, CREDENTIAL_SYSTEM};
    struct credential made, read;
    const char *text;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        assert_int_equal(credential_create(&arena, kinds[i], A, &text, &made).code, CODE_OK);
        assert_int_equal(credential_parse(&arena, text, &read).code, CODE_OK);
        assert_int_equal(read.kind, kinds[i]);
        assert_string_equal(read.tenant_id, A);
        assert_memory_equal(read.hash, made.hash, sizeof made.hash);
    }
}

static void
no_two_credentials_are_alike_and_the_text_does_not_show_the_hash(void **state)
{
    struct credential first, second;
    const char *one, *two;

    (void)state;
    assert_int_equal(credential_create(&arena, CREDENTIAL_SESSION, A, &one, &first).code,
                     CODE_OK);
    assert_int_equal(credential_create(&arena, CREDENTIAL_SESSION, A, &two, &second).code,
                     CODE_OK);
    assert_string_not_equal(one, two);
    assert_memory_not_equal(first.hash, second.hash, sizeof first.hash);
    assert_int_equal(strncmp(one, "sess_", 5), 0);
    assert_int_equal(strlen(one), 5 + 64);
}

static void
anything_else_is_no_credential(void **state)
{
    static const char *const bad[] = {
        "",
        "sess_",
        "sys_",
        "bearer",
        "sess_AAAA",
        "sess_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA!",
        "sess_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "SESS_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    struct credential read, changed;
    const char *text;
    char *other;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(credential_parse(&arena, bad[i], &read).code, CODE_UNAUTHENTICATED);
    assert_int_equal(credential_create(&arena, CREDENTIAL_SESSION, A, &text, &read).code,
                     CODE_OK);
    assert_non_null(other = arena_copy(&arena, text));
    other[60] = other[60] == 'A' ? 'B' : 'A';
    assert_int_equal(credential_parse(&arena, other, &changed).code, CODE_OK);
    assert_memory_not_equal(changed.hash, read.hash, sizeof read.hash);
    assert_int_equal(credential_create(&arena, CREDENTIAL_SESSION, "", &text, &read).code,
                     CODE_INTERNAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_acts_in_the_wanted_or_the_only_tenant),
        TEST(a_credential_survives_its_text),
        TEST(no_two_credentials_are_alike_and_the_text_does_not_show_the_hash),
        TEST(anything_else_is_no_credential),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
