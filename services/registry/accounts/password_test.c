#include "services/registry/accounts/password.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

#include "common/base/test.h"

static struct arena arena;
static struct password_gate *gate;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    assert_true(sodium_init() >= 0);
    assert_int_equal(password_gate_create(&arena, 1, &gate).code, CODE_OK);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    password_gate_destroy(&gate);
    assert_null(gate);
    password_gate_destroy(&gate);
    arena_fini(&arena);
    return 0;
}

static struct mono
in_ms(int ms)
{
    return mono_add_ms(clock_mono(clock_system()), ms);
}

static bool
fits(const char *hash, const char *password)
{
    bool ret = false;

    assert_int_equal(
        password_verify(gate, clock_system(), in_ms(10000), &arena, hash, password, &ret).code,
        CODE_OK);
    return ret;
}

static void
a_hash_fits_its_password_alone(void **state)
{
    char hash[PASSWORD_HASH_SIZE], again[PASSWORD_HASH_SIZE];

    (void)state;
    assert_int_equal(
        password_hash(gate, clock_system(), in_ms(10000), &arena, "correct horse", hash).code,
        CODE_OK);
    assert_int_equal(
        password_hash(gate, clock_system(), in_ms(10000), &arena, "correct horse", again).code,
        CODE_OK);
    assert_int_equal(strncmp(hash, "$argon2id$", 10), 0);
    assert_string_not_equal(hash, again); /* salted */
    assert_true(fits(hash, "correct horse"));
    assert_true(fits(again, "correct horse"));
    assert_false(fits(hash, "correct horsf"));
    assert_false(fits(hash, ""));
}

static void
nobodys_password_never_fits(void **state)
{
    (void)state;
    assert_false(fits(NULL, "anything"));
    assert_false(fits("not a hash", "anything"));
}

struct rush {
    pthread_t thread;
    enum code code;
};

static void *
hash_in_a_rush(void *argument)
{
    struct rush *rush = argument;
    struct arena own;
    char hash[PASSWORD_HASH_SIZE];

    arena_init(&own, 1 << 20);
    rush->code = password_hash(gate, clock_system(), in_ms(30000), &own, "x", hash).code;
    arena_fini(&own);
    return NULL;
}

static void
one_hashes_one_waits_and_the_others_are_sent_away(void **state)
{
    struct rush rushes[12];
    int done = 0, refused = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rushes); i++)
        assert_int_equal(pthread_create(&rushes[i].thread, NULL, hash_in_a_rush, &rushes[i]),
                         0);
    for (size_t i = 0; i < COUNT_OF(rushes); i++) {
        (void)pthread_join(rushes[i].thread, NULL);
        done += rushes[i].code == CODE_OK;
        refused += rushes[i].code == CODE_RESOURCE_EXHAUSTED;
    }
    assert_int_equal(done + refused, COUNT_OF(rushes));
    assert_true(done >= 2);
    assert_false(fits(NULL, "x")); /* all places are free again */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_hash_fits_its_password_alone),
        TEST(nobodys_password_never_fits),
        TEST(one_hashes_one_waits_and_the_others_are_sent_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
