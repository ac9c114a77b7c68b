#pragma once

/* Where equipment is kept.  Conventions as in organisations/store.h; a row that is shared with
 * the transaction's tenant is found like its own. */

#include "common/pg/pg_tx.h"
#include "registry/v1/infrastructure.pb-c.h"

struct equipment_row {
    Registry__V1__Equipment *equipment;
    const char *tenant_id;
    const char *name_sort; /* the list's sort key */
};

/* The equipment has passed rules_equipment and carries its id. */
must_use struct status store_equipment_insert(struct pg_tx *tx, struct arena *arena,
                                              const Registry__V1__Equipment *equipment);
/* VERSION_MISMATCH. */
must_use struct status store_equipment_delist(struct pg_tx *tx, struct arena *arena,
                                              Registry__V1__Equipment *equipment,
                                              uint64_t expected_version);
/* NOT_FOUND: it does not exist, or is not the tenant's to see. */
must_use struct status store_equipment_get(struct pg_tx *tx, struct arena *arena,
                                           const char *id, struct equipment_row *ret);

struct equipment_filter {
    const char *after_name, *after_id; /* "" from the beginning */
    const char *organisation_id;       /* "": any */
    uint32_t limit;
};
/* By name, delisted ones left out; at most filter->limit rows. */
must_use struct status store_equipment_list(struct pg_tx *tx, struct arena *arena,
                                            const struct equipment_filter *filter,
                                            struct equipment_row **ret, size_t *ret_count);
