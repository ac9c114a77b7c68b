#pragma once

/* Which tenant a session acts in.  Pure. */

#include "common/base/arena.h"
#include "common/base/status.h"

/* `wanted` is a tenant's id, or "" for the only one.  INVALID_ARGUMENT names field "tenant".
 * UNAUTHENTICATED: the account is not a member. */
must_use struct status rules_session_tenant(struct arena *arena, const char *wanted,
                                            const char *const *tenant_ids, size_t count,
                                            const char **ret);
