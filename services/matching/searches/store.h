#pragma once

/* Where saved searches and their hits are kept; see services/matching/store.h for how these
 * functions answer. All take part in the transaction of a tenant. */

#include "common/pg/pg_tx.h"
#include "matching/v1/searches.pb-c.h"

#define SEARCHES_PAGE 500

/* A search and whose it is. */
struct search_row {
    Matching__V1__Search *search;
    const char *tenant_id;
};

/* Counts the searches of an account and of the tenant; others that save wait for the end of the
 * transaction. */
must_use struct status store_search_count(struct pg_tx *tx, const char *account_id,
                                          uint64_t *ret_of_account, uint64_t *ret_of_tenant);
must_use struct status store_search_insert(struct pg_tx *tx, const char *account_id,
                                           const Matching__V1__Search *search);
/* `account_id` "": of any. NOT_FOUND. */
must_use struct status store_search_get(struct pg_tx *tx, struct arena *arena, const char *id,
                                        const char *account_id, struct search_row *ret);
/* Newest first; with `account_id` "" every account's, by id after `after_id`. */
must_use struct status store_search_list(struct pg_tx *tx, struct arena *arena,
                                         const char *account_id, const char *after_id,
                                         size_t limit, struct search_row **ret,
                                         size_t *ret_count);
/* NOT_FOUND. */
must_use struct status store_search_remove(struct pg_tx *tx, struct arena *arena,
                                           const char *id, const char *account_id);
/* Newest first. */
must_use struct status store_search_hits(struct pg_tx *tx, struct arena *arena, const char *id,
                                         size_t limit, Matching__V1__Hit ***ret,
                                         size_t *ret_count);

/* A profile, as a hit refers to it. */
struct hit_profile {
    const char *id, *tenant_id;
    int64_t kind;
    uint64_t position;
};

/* A search that is told, and whose it is. */
struct told_search {
    const char *id, *account_id;
};

/* Remembers that the tenant's searches are told of a profile; returns those that were not told
 * before. */
must_use struct status store_search_tell(struct pg_tx *tx, struct arena *arena,
                                         const char *const *search_ids, size_t count,
                                         const struct hit_profile *profile,
                                         struct told_search **ret, size_t *ret_count);
