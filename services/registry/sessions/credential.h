#pragma once

/* The opaque credential that a person's session or a system's token is.
 *
 *     "sess_" or "sys_", then base64url of 16 bytes of tenant and 32 random bytes
 *
 * It names its tenant, so that the row behind it is read under that tenant's row-level
 * security; the database keeps only a BLAKE2b-256 of it.  Pure but for the random bytes
 * (libsodium).
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/status.h"
#include "common/base/uuid.h"

#define CREDENTIAL_HASH_BYTES 32

enum credential_kind { CREDENTIAL_SESSION, CREDENTIAL_SYSTEM };

struct credential {
    enum credential_kind kind;
    char tenant_id[UUID_SIZE];
    uint8_t hash[CREDENTIAL_HASH_BYTES];
};

/* A fresh credential; `ret_text` lives in the arena and is shown once. */
must_use struct status credential_create(struct arena *arena, enum credential_kind kind,
                                         const char *tenant_id, const char **ret_text,
                                         struct credential *ret);

/* UNAUTHENTICATED: it has not the form of a credential. */
must_use struct status credential_parse(struct arena *arena, const char *text,
                                        struct credential *ret);
