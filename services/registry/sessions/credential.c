#include "services/registry/sessions/credential.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define TENANT_BYTES 16
#define SECRET_BYTES 32
#define RAW_BYTES (TENANT_BYTES + SECRET_BYTES)
#define ENCODED_SIZE 65 /* sodium_base64_ENCODED_LEN(48, URLSAFE_NO_PADDING) */
#define UUID_DIGITS 32

static const char *const prefixes[] = {
    [CREDENTIAL_SESSION] = "sess_",
    [CREDENTIAL_SYSTEM] = "sys_",
};

static bool
tenant_bytes(const char *tenant_id, uint8_t ret[TENANT_BYTES])
{
    size_t length = 0;

    return sodium_hex2bin(ret, TENANT_BYTES, tenant_id, strlen(tenant_id), "-", &length,
                          NULL) == 0 &&
           length == TENANT_BYTES;
}

static void
tenant_text(const uint8_t bytes[TENANT_BYTES], char ret[UUID_SIZE])
{
    char hex[UUID_DIGITS + 1];

    sodium_bin2hex(hex, sizeof hex, bytes, TENANT_BYTES);
    (void)snprintf(ret, UUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
                   hex + 16, hex + 20);
}

static void
hash_of(const char *text, uint8_t ret[CREDENTIAL_HASH_BYTES])
{
    (void)crypto_generichash(ret, CREDENTIAL_HASH_BYTES, (const uint8_t *)text, strlen(text),
                             NULL, 0); /* cannot fail with these sizes */
}

struct status
credential_create(struct arena *arena, enum credential_kind kind, const char *tenant_id,
                  const char **ret_text, struct credential *ret)
{
    uint8_t raw[RAW_BYTES];
    char encoded[ENCODED_SIZE];
    struct credential credential = {.kind = kind};
    char *text;

    if (!tenant_bytes(tenant_id, raw))
        return FAIL(arena, INTERNAL, "a credential was asked for without a tenant");
    randombytes_buf(raw + TENANT_BYTES, SECRET_BYTES);
    (void)sodium_bin2base64(encoded, sizeof encoded, raw, sizeof raw,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    text = arena_printf(arena, "%s%s", prefixes[kind], encoded);
    sodium_memzero(raw, sizeof raw);
    sodium_memzero(encoded, sizeof encoded);
    TRY(need(text));
    memcpy(credential.tenant_id, tenant_id, UUID_SIZE);
    hash_of(text, credential.hash);
    *ret_text = text;
    *ret = credential;
    return OK;
}

struct status
credential_parse(struct arena *arena, const char *text, struct credential *ret)
{
    struct credential credential = {0};
    uint8_t raw[RAW_BYTES];

    for (size_t kind = 0; kind < COUNT_OF(prefixes); kind++) {
        const size_t prefix = strlen(prefixes[kind]);
        size_t length = 0;

        if (strncmp(text, prefixes[kind], prefix) != 0)
            continue;
        if (sodium_base642bin(raw, sizeof raw, text + prefix, strlen(text + prefix), NULL,
                              &length, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
            length != sizeof raw)
            break;
        credential.kind = (enum credential_kind)kind;
        tenant_text(raw, credential.tenant_id);
        hash_of(text, credential.hash);
        *ret = credential;
        return OK;
    }
    return FAIL(arena, UNAUTHENTICATED, "the credential is not valid");
}
