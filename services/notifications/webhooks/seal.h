#pragma once

/* The secrets of webhooks: made, shown once, kept sealed, used to sign.
 *
 * A webhook has an HMAC key and an Ed25519 seed of 32 random bytes each.  In the database they
 * stand sealed by XChaCha20-Poly1305 under a key of the deployment, bound to tenant, webhook
 * and number: 4 bytes of key id, 24 of nonce, 64 + 16 of text.  Functions may run on any
 * thread. */

#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/status.h"

#define SEAL_KEYS 4
#define SEAL_SECRET_BYTES 64 /* HMAC key and seed */
#define SEAL_BYTES (4 + 24 + SEAL_SECRET_BYTES + 16)

/* The deployment's keys, in memory that is never swapped or dumped. */
struct seal_ring;

/* `keys`: 64 hexadecimal digits each, up to four with commas between; the first seals, all
 * open.
 * "" gives an empty ring, whose users get FAILED_PRECONDITION.  INVALID_ARGUMENT, field
 * webhook_keys. */
must_use struct status seal_ring_create(const char *keys, struct arena *arena,
                                        struct seal_ring **ret);
void seal_ring_destroy(struct seal_ring **ring);
bool seal_ring_empty(const struct seal_ring *ring);

/* Whose secret it is; the text is bound into the seal. */
struct seal_owner {
    const char *tenant_id, *webhook_id;
};

/* A new secret, sealed; the key that verifies its v1a signatures as "whpk_...". */
must_use struct status seal_create(const struct seal_ring *ring, const struct seal_owner *owner,
                                   struct arena *arena, uint8_t ret_sealed[SEAL_BYTES],
                                   const char **ret_public);
/* The sealed HMAC key as "whsec_...", to be shown once. */
must_use struct status seal_show(const struct seal_ring *ring, const struct seal_owner *owner,
                                 const uint8_t *sealed, size_t size, struct arena *arena,
                                 const char **ret);

/* What is signed: "{id}.{timestamp}.{body}". */
struct seal_message {
    const char *id;
    int64_t timestamp; /* unix seconds */
    const void *body;
    size_t size;
};
/* Appends "v1,... v1a,..." to a list that may hold others already, with spaces between. */
must_use struct status seal_sign(const struct seal_ring *ring, const struct seal_owner *owner,
                                 const uint8_t *sealed, size_t size,
                                 const struct seal_message *message, struct arena *arena,
                                 struct buffer *into);
