#pragma once

/* Who follows, as instances tell and people ask.  Failures are those of pg.h. */

#include "common/pg/pg_tx.h"
#include "services/events/group.h"

#define STORE_CENSUS_ROWS 1000 /* of an instance, and of an answer */

struct store_census_row {
    const char *instance; /* of an answer */
    const char *user_id, *consumer;
    const char *const *types; /* of its filter */
    size_t type_count;
    uint64_t position, events_sent, events_per_second, since_unix_ms;
    uint32_t members; /* of an answer */
    bool blocked;
};

/* What one instance serves now replaces what it said before. */
must_use struct status store_census_put(struct pg_tx *tx, const char *instance,
                                        const struct store_census_row *rows, size_t count);

/* `tenant_id`: only its systems'; `user_id`: only this key's; NULL: of all. */
must_use struct status store_census_list(struct pg_tx *tx, const char *tenant_id,
                                         const char *user_id, struct store_census_row **ret,
                                         size_t *ret_count);
/* Events a second that enter the log. */
must_use struct status store_log_rate(struct pg_tx *tx, uint32_t *ret);
/* Whether the key is a system of the tenant. */
must_use struct status store_system_of_tenant(struct pg_tx *tx, const char *tenant_id,
                                              const char *user_id, bool *ret);
