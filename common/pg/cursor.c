#include "common/pg/cursor.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A cursor is base64url of: version, tag, sort key, NUL, id.  The tag is over tenant, listing
 * and all of it, each with its NUL, so that no two sets of parts have the same bytes. */
#define VERSION 1
#define TAG_BYTES crypto_auth_BYTES
#define HEAD_BYTES (1 + TAG_BYTES)
#define CURSOR_TEXT_MAX 4096
#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

static unsigned char secret[CURSOR_SECRET_BYTES];
static bool secret_set;

void
cursor_set_secret(const unsigned char given[CURSOR_SECRET_BYTES])
{
    memcpy(secret, given, sizeof secret);
    secret_set = true;
}

static void
update_text(crypto_auth_hmacsha512256_state *state, const char *text)
{
    crypto_auth_hmacsha512256_update(state, (const unsigned char *)text, strlen(text) + 1);
}

static void
tag(const char *tenant_id, const char *listing, const char *sort_key, const char *id,
    unsigned char ret[TAG_BYTES])
{
    crypto_auth_hmacsha512256_state state;

    crypto_auth_hmacsha512256_init(&state, secret, sizeof secret);
    update_text(&state, tenant_id ? tenant_id : "");
    update_text(&state, listing);
    update_text(&state, sort_key);
    update_text(&state, id);
    crypto_auth_hmacsha512256_final(&state, ret);
}

struct status
cursor_make(struct arena *arena, const char *tenant_id, const char *listing,
            const char *sort_key, const char *id, const char **ret)
{
    const size_t size = HEAD_BYTES + strlen(sort_key) + 1 + strlen(id);
    const size_t text_size = sodium_base64_ENCODED_LEN(size, BASE64);
    unsigned char *bytes = arena_alloc(arena, size + 1);
    char *text = arena_alloc(arena, text_size);

    TRY(need(bytes));
    TRY(need(text));
    if (!secret_set)
        return FAIL(arena, INTERNAL, "no cursor secret is set");
    if (text_size > CURSOR_TEXT_MAX)
        return FAIL(arena, INTERNAL, "a cursor would be longer than %d", CURSOR_TEXT_MAX);
    bytes[0] = VERSION;
    tag(tenant_id, listing, sort_key, id, bytes + 1);
    memcpy(bytes + HEAD_BYTES, sort_key, strlen(sort_key) + 1);
    memcpy(bytes + HEAD_BYTES + strlen(sort_key) + 1, id, strlen(id));
    *ret = sodium_bin2base64(text, text_size, bytes, size, BASE64);
    return OK;
}

static struct status
not_ours(struct arena *arena)
{
    return FAIL_FIELD(arena, "page_token", "is not one this list has given out");
}

struct status
cursor_read(struct arena *arena, const char *tenant_id, const char *listing, const char *cursor,
            const char **ret_sort_key, const char **ret_id)
{
    const size_t length = strlen(cursor);
    unsigned char expected[TAG_BYTES];
    const char *sort_key;
    const char *id;
    unsigned char *bytes;
    size_t size = 0;

    if (!length) {
        *ret_sort_key = *ret_id = "";
        return OK;
    }
    if (!secret_set)
        return FAIL(arena, INTERNAL, "no cursor secret is set");
    if (length > CURSOR_TEXT_MAX)
        return not_ours(arena);
    TRY(need(bytes = arena_alloc(arena, length + 2))); /* zeroed: both texts end */
    if (sodium_base642bin(bytes, length, cursor, length, NULL, &size, NULL, BASE64) != 0)
        return not_ours(arena);
    if (size <= HEAD_BYTES || bytes[0] != VERSION)
        return not_ours(arena);
    sort_key = (const char *)bytes + HEAD_BYTES;
    if (!memchr(sort_key, '\0', size - HEAD_BYTES))
        return not_ours(arena);
    id = sort_key + strlen(sort_key) + 1;
    if (memchr(id, '\0', size - (size_t)(id - (const char *)bytes)))
        return not_ours(arena);
    tag(tenant_id, listing, sort_key, id, expected);
    if (sodium_memcmp(expected, bytes + 1, TAG_BYTES) != 0)
        return not_ours(arena);
    *ret_sort_key = sort_key;
    *ret_id = id;
    return OK;
}
