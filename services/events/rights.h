#pragma once

/* Which keys may follow and what they see: our own services and operators everything, the
 * systems that registry has published what stands there. */

#include "common/wire/zap.h"
#include "services/events/store.h"

#define RIGHTS_DOMAIN "stream" /* of the ZAP handler */

/* The systems as last read; immutable.  Made by one thread, handed to another. */
struct rights_table {
    struct arena arena;
    struct store_system *systems; /* by id */
    size_t count;
};

/* Reads the table.  The result is the caller's. */
must_use struct status rights_read(struct pg_tx *tx, struct rights_table **ret);
void rights_destroy(struct rights_table **table);
bool rights_equal(const struct rights_table *a,
                  const struct rights_table *b); /* NULL: differs */

/* What the holder of this User-Id may see; NULL: nothing.  `table` may be NULL.  The result
 * lives as long as the table. */
const struct rights *rights_find(const struct rights_table *table, const char *user_id,
                                 struct wall now);

/* Our own services and operators, by the keys in the folder; a missing key is left out. */
#define RIGHTS_OWN_MAX 8
must_use struct status rights_own_peers(const char *key_folder, struct arena *arena,
                                        struct zap_peer ret[RIGHTS_OWN_MAX], size_t *ret_count);

/* Lets exactly these connect to the stream. */
must_use struct status rights_admit(struct zap *zap, const struct zap_peer *own,
                                    size_t own_count, const struct rights_table *table);
