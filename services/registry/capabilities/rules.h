#pragma once

/* What a capability must be like, and who sees it.  Pure: no I/O, no clock. */

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/status.h"
#include "registry/v1/capabilities.pb-c.h"

/* Checks and normalises the whole.  INVALID_ARGUMENT names the field. */
must_use struct status rules_capability(struct arena *arena, const char *today,
                                        Registry__V1__Capability *capability);

/* `contact_for` not "": only this organisation's, and public ones. */
bool rules_capability_may_see(const char *contact_for,
                              const Registry__V1__Capability *capability);

/* FAILED_PRECONDITION: it is withdrawn already. */
must_use struct status rules_capability_withdraw(struct arena *arena,
                                                 const Registry__V1__Capability *capability);
