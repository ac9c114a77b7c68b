#pragma once

/* Tenants of other deployments become known to registry before their first event is taken in.
 * For one thread. */

#include "common/service/service.h"

struct federation_admit;

/* An rpc client of its own.  The frame must outlive it. */
must_use struct status federation_admit_create(struct service_frame *frame, struct arena *arena,
                                               struct federation_admit **ret);
void federation_admit_destroy(struct federation_admit **admit);

/* ALREADY_EXISTS: the tenant is one of ours, or of another deployment.  FAILED_PRECONDITION:
 * the deployment has too many.  Others: not now. */
must_use struct status federation_admit_tenant(void *admit, const char *tenant_id,
                                               const char *deployment, struct arena *arena);
