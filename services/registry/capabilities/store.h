#pragma once

/* Where capabilities are kept.  Conventions as in organisations/store.h; a row that is shared
 * with the transaction's tenant is found like its own. */

#include "common/pg/pg_tx.h"
#include "registry/v1/capabilities.pb-c.h"

struct capability_row {
    Registry__V1__Capability *capability;
    const char *tenant_id;
};

/* The capability has passed rules_capability and carries its id. */
must_use struct status store_capability_insert(struct pg_tx *tx, struct arena *arena,
                                               const Registry__V1__Capability *capability);
/* VERSION_MISMATCH. */
must_use struct status store_capability_withdraw(struct pg_tx *tx, struct arena *arena,
                                                 Registry__V1__Capability *capability,
                                                 uint64_t expected_version);
/* NOT_FOUND: it does not exist, or is not the tenant's to see. */
must_use struct status store_capability_get(struct pg_tx *tx, struct arena *arena,
                                            const char *id, struct capability_row *ret);

struct capability_filter {
    const char *before_id;       /* "" from the newest */
    const char *organisation_id; /* "": any */
    const char *contact_for;     /* as in rules_capability_may_see */
    uint32_t limit;
};
/* Newest first, withdrawn ones left out; at most filter->limit rows. */
must_use struct status store_capability_list(struct pg_tx *tx, struct arena *arena,
                                             const struct capability_filter *filter,
                                             struct capability_row **ret, size_t *ret_count);
