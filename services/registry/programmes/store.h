#pragma once

/* Which rule sets are published: public facts, without a tenant. */

#include "common/pg/pg_tx.h"
#include "services/registry/programmes/rule_set.h"

/* "": there is no host tenant yet. */
must_use struct status store_host_tenant(struct pg_tx *tx, struct arena *arena,
                                         const char **ret_tenant_id);

/* Names ("RS-KTP-SE v1") and checksums of what is published. */
struct published_rule_set {
    const char *name, *checksum;
};
must_use struct status store_published(struct pg_tx *tx, struct arena *arena,
                                       struct published_rule_set **ret, size_t *ret_count);

/* ret_new: this call published it; false when another instance was quicker. */
must_use struct status store_publish(struct pg_tx *tx, const struct rule_set *set,
                                     bool *ret_new);
