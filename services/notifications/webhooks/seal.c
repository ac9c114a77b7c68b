#include "services/notifications/webhooks/seal.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define KEY_BYTES crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define ID_BYTES 4
#define HMAC_BYTES 32
#define KEY_DIGITS (2 * KEY_BYTES)
#define OWNER_BYTES 160

_Static_assert(SEAL_BYTES == ID_BYTES + NONCE_BYTES + SEAL_SECRET_BYTES +
                                 crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "the parts of a sealed secret");
_Static_assert(SEAL_SECRET_BYTES == HMAC_BYTES + crypto_sign_SEEDBYTES,
               "an HMAC key and a seed");

struct seal_ring {
    size_t count;
    struct {
        unsigned char id[ID_BYTES]; /* of the key's own hash: nobody has to number them */
        unsigned char key[KEY_BYTES];
    } keys[SEAL_KEYS];
};

static struct status
add_key(struct seal_ring *ring, const char *digits, size_t size, struct arena *arena)
{
    size_t read = 0;

    if (ring->count == SEAL_KEYS)
        return FAIL_FIELD(arena, "webhook_keys", "at most %d keys", SEAL_KEYS);
    if (size != KEY_DIGITS ||
        sodium_hex2bin(ring->keys[ring->count].key, KEY_BYTES, digits, size, NULL, &read,
                       NULL) != 0 ||
        read != KEY_BYTES)
        return FAIL_FIELD(arena, "webhook_keys",
                          "must be %d hexadecimal digits, or several such "
                          "keys with commas between",
                          (int)KEY_DIGITS);
    crypto_generichash(ring->keys[ring->count].id, ID_BYTES, ring->keys[ring->count].key,
                       KEY_BYTES, (const unsigned char *)"webhook key", 11);
    ring->count++;
    return OK;
}

struct status
seal_ring_create(const char *keys, struct arena *arena, struct seal_ring **ret)
{
    scoped(seal_ring_destroy) struct seal_ring *ring = NULL;

    if (sodium_init() < 0)
        return FAIL(arena, INTERNAL, "libsodium does not start");
    TRY(need(ring = sodium_malloc(sizeof *ring)));
    memset(ring, 0, sizeof *ring);
    while (*keys) {
        const size_t size = strcspn(keys, ",");

        TRY(add_key(ring, keys, size, arena));
        keys += size + (keys[size] == ',');
    }
    if (sodium_mprotect_readonly(ring) != 0)
        return FAIL(arena, INTERNAL, "the keys' memory cannot be protected");
    *ret = take(&ring);
    return OK;
}

void
seal_ring_destroy(struct seal_ring **ring)
{
    if (*ring)
        sodium_free(*ring);
    *ring = NULL;
}

bool
seal_ring_empty(const struct seal_ring *ring)
{
    return ring->count == 0;
}

static size_t
owner_text(const struct seal_owner *owner, char ret[OWNER_BYTES])
{
    return (size_t)snprintf(ret, OWNER_BYTES, "webhook/%.64s/%.64s", owner->tenant_id,
                            owner->webhook_id);
}

static struct status
open(const struct seal_ring *ring, const struct seal_owner *owner, const uint8_t *sealed,
     size_t size, struct arena *arena, unsigned char ret[SEAL_SECRET_BYTES])
{
    char text[OWNER_BYTES];
    const size_t text_size = owner_text(owner, text);

    if (size != SEAL_BYTES)
        return FAIL(arena, INTERNAL, "a sealed secret of %zu bytes", size);
    for (size_t i = 0; i < ring->count; i++) {
        if (memcmp(ring->keys[i].id, sealed, ID_BYTES) != 0)
            continue;
        if (crypto_aead_xchacha20poly1305_ietf_decrypt(
                ret, NULL, NULL, sealed + ID_BYTES + NONCE_BYTES, size - ID_BYTES - NONCE_BYTES,
                (const unsigned char *)text, text_size, sealed + ID_BYTES,
                ring->keys[i].key) == 0)
            return OK;
    }
    return FAIL(arena, FAILED_PRECONDITION,
                "none of webhook_keys opens the secret of webhook %s", owner->webhook_id);
}

static char *
base64(struct arena *arena, const char *prefix, const void *bytes, size_t size)
{
    const size_t room = sodium_base64_ENCODED_LEN(size, sodium_base64_VARIANT_ORIGINAL);
    const size_t before = strlen(prefix);
    char *text = arena_alloc(arena, before + room);

    if (!text)
        return NULL;
    memcpy(text, prefix, before);
    sodium_bin2base64(text + before, room, bytes, size, sodium_base64_VARIANT_ORIGINAL);
    return text;
}

struct status
seal_create(const struct seal_ring *ring, const struct seal_owner *owner, struct arena *arena,
            uint8_t ret_sealed[SEAL_BYTES], const char **ret_public)
{
    unsigned char secret[SEAL_SECRET_BYTES], pair[crypto_sign_SECRETKEYBYTES];
    unsigned char public[crypto_sign_PUBLICKEYBYTES];
    char text[OWNER_BYTES];
    const size_t text_size = owner_text(owner, text);

    if (ring->count == 0)
        return FAIL(arena, FAILED_PRECONDITION,
                    "this deployment has no webhook_keys, so it can keep no webhook's secret");
    randombytes_buf(secret, sizeof secret);
    crypto_sign_seed_keypair(public, pair, secret + HMAC_BYTES);
    memcpy(ret_sealed, ring->keys[0].id, ID_BYTES);
    randombytes_buf(ret_sealed + ID_BYTES, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        ret_sealed + ID_BYTES + NONCE_BYTES, NULL, secret, sizeof secret,
        (const unsigned char *)text, text_size, NULL, ret_sealed + ID_BYTES, ring->keys[0].key);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(pair, sizeof pair);
    return need(*ret_public = base64(arena, "whpk_", public, sizeof public));
}

struct status
seal_show(const struct seal_ring *ring, const struct seal_owner *owner, const uint8_t *sealed,
          size_t size, struct arena *arena, const char **ret)
{
    unsigned char secret[SEAL_SECRET_BYTES];

    TRY(open(ring, owner, sealed, size, arena, secret));
    *ret = base64(arena, "whsec_", secret, HMAC_BYTES);
    sodium_memzero(secret, sizeof secret);
    return need(*ret);
}

/* The signed text in one piece: Ed25519 reads it twice. */
struct bytes_of_text {
    char *text;
    size_t size;
};

static struct status
signed_text(const struct seal_message *message, struct arena *arena, struct bytes_of_text *ret)
{
    char *head = arena_printf(arena, "%s.%" PRId64 ".", message->id, message->timestamp);
    size_t size;

    TRY(need(head));
    size = strlen(head);
    TRY(need(ret->text = arena_alloc(arena, size + message->size + 1)));
    memcpy(ret->text, head, size);
    if (message->size)
        memcpy(ret->text + size, message->body, message->size);
    ret->size = size + message->size;
    return OK;
}

static struct status
put(struct buffer *into, const char *prefix, const void *bytes, size_t size,
    struct arena *arena)
{
    char *text = base64(arena, prefix, bytes, size);

    TRY(need(text));
    if (into->size)
        buffer_putc(into, ' ');
    buffer_puts(into, text);
    return OK;
}

struct status
seal_sign(const struct seal_ring *ring, const struct seal_owner *owner, const uint8_t *sealed,
          size_t size, const struct seal_message *message, struct arena *arena,
          struct buffer *into)
{
    unsigned char secret[SEAL_SECRET_BYTES], pair[crypto_sign_SECRETKEYBYTES];
    unsigned char public[crypto_sign_PUBLICKEYBYTES], mac[crypto_auth_hmacsha256_BYTES];
    unsigned char signature[crypto_sign_BYTES];
    struct bytes_of_text text;

    TRY(signed_text(message, arena, &text));
    TRY(open(ring, owner, sealed, size, arena, secret));
    crypto_auth_hmacsha256(mac, (const unsigned char *)text.text, text.size, secret);
    crypto_sign_seed_keypair(public, pair, secret + HMAC_BYTES);
    crypto_sign_detached(signature, NULL, (const unsigned char *)text.text, text.size, pair);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(pair, sizeof pair);
    TRY(put(into, "v1,", mac, sizeof mac, arena));
    TRY(put(into, "v1a,", signature, sizeof signature, arena));
    return buffer_check(into, arena);
}
