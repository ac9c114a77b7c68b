#pragma once

/* Where needs are kept.  Conventions as in organisations/store.h; a row that is shared with the
 * transaction's tenant is found like its own. */

#include "common/pg/pg_tx.h"
#include "services/registry/needs/rules.h"

struct need_row {
    Registry__V1__Need *need;
    const char *tenant_id;
};

/* The need has passed rules_need and carries its id. */
must_use struct status store_need_insert(struct pg_tx *tx, struct arena *arena,
                                         const Registry__V1__Need *need_);

/* Stores what can be changed, and the state.  VERSION_MISMATCH. */
must_use struct status store_need_update(struct pg_tx *tx, struct arena *arena,
                                         Registry__V1__Need *need_, uint64_t expected_version);

/* NOT_FOUND: it does not exist, or is not the tenant's to see. */
must_use struct status store_need_get(struct pg_tx *tx, struct arena *arena, const char *id,
                                      struct need_row *ret);

struct need_filter {
    const char *before_id;       /* "" from the newest */
    const char *organisation_id; /* "": any */
    struct need_viewer viewer;
    int state; /* 0: any */
    uint32_t limit;
};
/* Newest first; at most filter->limit rows. */
must_use struct status store_need_list(struct pg_tx *tx, struct arena *arena,
                                       const struct need_filter *filter, struct need_row **ret,
                                       size_t *ret_count);

/* What an event about an expired need is made of. */
struct need_expired {
    const char *id, *nuts;
    int32_t visibility;
    const char **shared_with;
    size_t shared_with_count;
};
/* Ends at most `most` of the tenant's published needs whose last day is before `today`. */
must_use struct status store_need_expire(struct pg_tx *tx, struct arena *arena,
                                         const char *today, size_t most,
                                         struct need_expired **ret, size_t *ret_count);
