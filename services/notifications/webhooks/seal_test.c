#include "services/notifications/webhooks/seal.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "common/base/test.h"

#define KEY_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define KEY_B "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

static const struct seal_owner owner = {"tenant", "webhook"};
static struct arena arena;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)4 << 20);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct seal_ring *
ring_of(const char *keys)
{
    struct seal_ring *ring = NULL;

    assert_false(failed(seal_ring_create(keys, &arena, &ring)));
    return ring;
}

static void
make(const struct seal_ring *ring, uint8_t sealed[SEAL_BYTES], const char **ret_public)
{
    assert_false(failed(seal_create(ring, &owner, &arena, sealed, ret_public)));
}

static void
a_secret_is_shown_as_it_was_made_and_no_two_are_alike(void **state)
{
    scoped(seal_ring_destroy) struct seal_ring *ring = ring_of(KEY_A);
    uint8_t one[SEAL_BYTES], two[SEAL_BYTES];
    const char *public_one, *public_two, *first, *again, *second;

    (void)state;
    make(ring, one, &public_one);
    make(ring, two, &public_two);
    assert_false(failed(seal_show(ring, &owner, one, sizeof one, &arena, &first)));
    assert_false(failed(seal_show(ring, &owner, one, sizeof one, &arena, &again)));
    assert_false(failed(seal_show(ring, &owner, two, sizeof two, &arena, &second)));
    assert_string_equal(first, again);
    assert_string_not_equal(first, second);
    assert_string_not_equal(public_one, public_two);
    assert_int_equal(strncmp(first, "whsec_", 6), 0);
    assert_int_equal(strlen(first), 6 + 44);
    assert_int_equal(strlen(public_one), 5 + 44);
}

static void
a_seal_that_was_touched_or_is_anothers_does_not_open(void **state)
{
    scoped(seal_ring_destroy) struct seal_ring *ring = ring_of(KEY_A);
    static const struct seal_owner others[] = {{"tenant2", "webhook"}, {"tenant", "webhook2"}};
    uint8_t sealed[SEAL_BYTES];
    const char *public, *shown;

    (void)state;
    make(ring, sealed, &public);
    for (size_t i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 1;
        assert_true(failed(seal_show(ring, &owner, sealed, sizeof sealed, &arena, &shown)));
        sealed[i] ^= 1;
    }
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_int_equal(
            seal_show(ring, &others[i], sealed, sizeof sealed, &arena, &shown).code,
            CODE_FAILED_PRECONDITION);
    assert_true(failed(seal_show(ring, &owner, sealed, sizeof sealed - 1, &arena, &shown)));
    assert_true(failed(seal_show(ring, &owner, sealed, 0, &arena, &shown)));
}

static void
the_first_key_seals_and_all_open(void **state)
{
    scoped(seal_ring_destroy) struct seal_ring *old = ring_of(KEY_A);
    scoped(seal_ring_destroy) struct seal_ring *both = ring_of(KEY_B "," KEY_A);
    scoped(seal_ring_destroy) struct seal_ring *new = ring_of(KEY_B);
    uint8_t before[SEAL_BYTES], after[SEAL_BYTES];
    const char *public, *one, *two;

    (void)state;
    make(old, before, &public);
    make(both, after, &public);
    assert_false(failed(seal_show(both, &owner, before, sizeof before, &arena, &one)));
    assert_false(failed(seal_show(new, &owner, after, sizeof after, &arena, &two)));
    assert_int_equal(seal_show(new, &owner, before, sizeof before, &arena, &one).code,
                     CODE_FAILED_PRECONDITION);
    assert_int_equal(seal_show(old, &owner, after, sizeof after, &arena, &two).code,
                     CODE_FAILED_PRECONDITION);
}

static void
keys_are_digits_of_the_right_number_and_none_is_said_to_the_user(void **state)
{
    static const char *const bad[] = {
        "00",
        KEY_A "0",
        KEY_A ",",
        "x" KEY_A,
        KEY_A ",," KEY_B,
        KEY_A "," KEY_A "," KEY_A "," KEY_A "," KEY_A,
        "gg112233445566778899aabbccddeeff00112233445566778899aabbccd"
        "deeff"};
    scoped(seal_ring_destroy) struct seal_ring *empty = ring_of("");
    struct seal_ring *ring = NULL;
    uint8_t sealed[SEAL_BYTES];
    const char *public;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (!failed(seal_ring_create(bad[i], &arena, &ring)) && i != 2)
            fail_msg("%s is taken", bad[i]);
        else
            seal_ring_destroy(&ring);
    assert_true(seal_ring_empty(empty));
    assert_int_equal(seal_create(empty, &owner, &arena, sealed, &public).code,
                     CODE_FAILED_PRECONDITION);
}

/* By libsodium's own verifying side, from the texts that a receiver has. */
static bool
verifies(const char *list, const char *secret, const char *public, const char *text,
         size_t size)
{
    unsigned char key[32], mac[32], signature[64];
    size_t read;

    assert_int_equal(strncmp(list, "v1,", 3), 0);
    assert_int_equal(sodium_base642bin(mac, sizeof mac, list + 3, 44, NULL, &read, NULL,
                                       sodium_base64_VARIANT_ORIGINAL),
                     0);
    assert_int_equal(sodium_base642bin(key, sizeof key, secret + 6, 44, NULL, &read, NULL,
                                       sodium_base64_VARIANT_ORIGINAL),
                     0);
    if (crypto_auth_hmacsha256_verify(mac, (const unsigned char *)text, size, key) != 0)
        return false;
    assert_int_equal(strncmp(list + 47, " v1a,", 5), 0);
    assert_int_equal(sodium_base642bin(signature, sizeof signature, list + 52, 88, NULL, &read,
                                       NULL, sodium_base64_VARIANT_ORIGINAL),
                     0);
    assert_int_equal(sodium_base642bin(key, sizeof key, public + 5, 44, NULL, &read, NULL,
                                       sodium_base64_VARIANT_ORIGINAL),
                     0);
    return crypto_sign_verify_detached(signature, (const unsigned char *)text, size, key) == 0;
}

static void
both_signatures_cover_id_time_and_every_byte_of_the_body(void **state)
{
    scoped(seal_ring_destroy) struct seal_ring *ring = ring_of(KEY_A);
    static const char body[] = "{\"a\":\0\"b\"}\xff";
    const struct seal_message message = {"msg_1", 1700000000, body, sizeof body - 1};
    scoped(buffer_fini) struct buffer list = {0};
    uint8_t sealed[SEAL_BYTES];
    const char *public, *secret;
    char text[128];
    size_t size;

    (void)state;
    make(ring, sealed, &public);
    assert_false(failed(seal_show(ring, &owner, sealed, sizeof sealed, &arena, &secret)));
    buffer_init(&list, 4096);
    assert_false(
        failed(seal_sign(ring, &owner, sealed, sizeof sealed, &message, &arena, &list)));
    size = (size_t)snprintf(text, sizeof text, "msg_1.1700000000.");
    memcpy(text + size, body, sizeof body - 1);
    size += sizeof body - 1;
    assert_true(verifies((char *)list.data, secret, public, text, size));
    for (size_t i = 0; i < size; i++) {
        text[i] ^= 1;
        assert_false(verifies((char *)list.data, secret, public, text, size));
        text[i] ^= 1;
    }
    assert_false(verifies((char *)list.data, secret, public, text, size - 1));
}

/* The example of the specification's reference libraries. */
static void
the_symmetric_signature_is_hmac_sha256_of_id_time_and_body(void **state)
{
    static const char secret[] = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    static const char text[] = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
    unsigned char key[24], mac[32];
    char shown[45];
    size_t read;

    (void)state;
    assert_int_equal(sodium_base642bin(key, sizeof key, secret, strlen(secret), NULL, &read,
                                       NULL, sodium_base64_VARIANT_ORIGINAL),
                     0);
    crypto_auth_hmacsha256_state hash;

    crypto_auth_hmacsha256_init(&hash, key, read);
    crypto_auth_hmacsha256_update(&hash, (const unsigned char *)text, strlen(text));
    crypto_auth_hmacsha256_final(&hash, mac);
    sodium_bin2base64(shown, sizeof shown, mac, sizeof mac, sodium_base64_VARIANT_ORIGINAL);
    assert_string_equal(shown, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_shown_as_it_was_made_and_no_two_are_alike),
        cmocka_unit_test(a_seal_that_was_touched_or_is_anothers_does_not_open),
        cmocka_unit_test(the_first_key_seals_and_all_open),
        cmocka_unit_test(keys_are_digits_of_the_right_number_and_none_is_said_to_the_user),
        cmocka_unit_test(both_signatures_cover_id_time_and_every_byte_of_the_body),
        cmocka_unit_test(the_symmetric_signature_is_hmac_sha256_of_id_time_and_body),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
