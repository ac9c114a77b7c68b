#pragma once

/* Where tenants are kept.  Conventions as in organisations/store.h. */

#include "common/pg/pg_tx.h"
#include "registry/v1/tenants.pb-c.h"

/* ALREADY_EXISTS: the slug is taken, or there is a host tenant;
 * FAILED_PRECONDITION: the home organisation does not exist. */
must_use struct status store_tenant_insert(struct pg_tx *tx,
                                           const Registry__V1__Tenant *tenant);

/* A tenant of another deployment; does nothing when there is a tenant with the id, or when the
 * deployment has `most` already. */
must_use struct status store_tenant_admit(struct pg_tx *tx, const Registry__V1__Tenant *tenant,
                                          uint32_t most);

/* By id or slug.  NOT_FOUND. */
must_use struct status store_tenant_get(struct pg_tx *tx, struct arena *arena,
                                        const char *id_or_slug, Registry__V1__Tenant **ret);

/* By slug, after the one given ("": from the beginning). */
must_use struct status store_tenant_list(struct pg_tx *tx, struct arena *arena,
                                         const char *after_slug, uint32_t limit,
                                         Registry__V1__Tenant ***ret, size_t *ret_count);

/* Stores home_organisation_id.  VERSION_MISMATCH; FAILED_PRECONDITION: there is no such
 * organisation. */
must_use struct status store_tenant_set_home(struct pg_tx *tx, struct arena *arena,
                                             Registry__V1__Tenant *tenant,
                                             uint64_t expected_version);

/* The host tenant's id; "" when there is none. */
must_use struct status store_tenant_host(struct pg_tx *tx, struct arena *arena,
                                         const char **ret);
