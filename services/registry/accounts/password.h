#pragma once

/* Passwords: argon2id (RFC 9106) by libsodium, at most a few hashed side by side, because each
 * takes 64 MiB and a tenth of a second. */

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/status.h"

#define PASSWORD_HASH_SIZE 128

struct password_gate;

/* Shared by all workers; `side_by_side` hash at once, as many again may wait. */
must_use struct status password_gate_create(struct arena *arena, uint32_t side_by_side,
                                            struct password_gate **ret);
void password_gate_destroy(struct password_gate **gate);

/* RESOURCE_EXHAUSTED: too many wait already, or the deadline passed while waiting. */
must_use struct status password_hash(struct password_gate *gate, const struct clock *clock,
                                     struct mono deadline, struct arena *arena,
                                     const char *password, char ret[PASSWORD_HASH_SIZE]);

/* Compares with `hash`, or with a hash of nothing when it is NULL, so that an unknown account
 * takes the same time as a wrong password.  *ret_fits is false for a NULL hash. */
must_use struct status password_verify(struct password_gate *gate, const struct clock *clock,
                                       struct mono deadline, struct arena *arena,
                                       const char *hash, const char *password, bool *ret_fits);
