#pragma once

/* What a tenant must be like.  Pure: no I/O, no clock. */

#include "common/base/arena.h"
#include "common/base/status.h"
#include "registry/v1/tenants.pb-c.h"

/* Checks and trims.  INVALID_ARGUMENT names the field. */
must_use struct status rules_tenant(struct arena *arena, Registry__V1__Tenant *tenant);
