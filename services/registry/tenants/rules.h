#pragma once

/* What a tenant must be like.  Pure: no I/O, no clock. */

#include "common/base/arena.h"
#include "common/base/status.h"
#include "registry/v1/tenants.pb-c.h"

#define TENANT_REMOTE_MOST 1000u /* of one other deployment */

/* Checks and trims.  INVALID_ARGUMENT names the field. */
must_use struct status rules_tenant(struct arena *arena, Registry__V1__Tenant *tenant);

/* A tenant of another deployment, of which only its id there and the deployment's name are
 * known: the slug and the name are made of these.  INVALID_ARGUMENT: deployment. */
must_use struct status rules_tenant_remote(struct arena *arena, const char *tenant_id,
                                           const char *deployment, Registry__V1__Tenant **ret);
/* ALREADY_EXISTS: who has the id is a local tenant, or one of another deployment. */
must_use struct status rules_tenant_same(struct arena *arena, const Registry__V1__Tenant *found,
                                         const Registry__V1__Tenant *wanted);
/* FAILED_PRECONDITION: it is a tenant of another deployment. */
must_use struct status rules_tenant_local(struct arena *arena,
                                          const Registry__V1__Tenant *tenant);
