#pragma once

/* Where logins are kept.  Conventions as in organisations/store.h. */

#include "common/pg/pg_tx.h"
#include "registry/v1/accounts.pb-c.h"
#include "services/registry/accounts/password.h"
#include "services/registry/accounts/rules.h"

struct account_login {
    const char *id;
    const char *email, *display_name, *password_hash, *language;
    const char **tenant_ids;
    size_t tenant_count;
    bool locked;
    uint32_t failures;
};

/* By the folded address, in any tenant.  *ret_found is false when there is none. */
must_use struct status store_account_find(struct pg_tx *tx, struct arena *arena,
                                          const char *email_folded, struct account_login *ret,
                                          bool *ret_found);

/* Adds the account if its address is free, then the membership in the transaction's tenant, and
 * links the profile.  `id` is the fresh id, used when the account is new.
 * FAILED_PRECONDITION: the profile or organisation does not exist. */
must_use struct status store_account_put(struct pg_tx *tx, struct arena *arena, const char *id,
                                         const struct account_entry *entry,
                                         const char *password_hash,
                                         const char **ret_account_id);

/* The account as the transaction's tenant sees it.  NOT_FOUND. */
must_use struct status store_account_get(struct pg_tx *tx, struct arena *arena,
                                         const char *account_id, Registry__V1__Account **ret);

/* Who has the role in the transaction's tenant, at most 200. */
must_use struct status store_account_holders(struct pg_tx *tx, struct arena *arena,
                                             Wire__V1__Role role, const char ***ret,
                                             size_t *ret_count);

/* No roles end the membership.  VERSION_MISMATCH. */
must_use struct status store_account_set_roles(struct pg_tx *tx, struct arena *arena,
                                               const char *account_id,
                                               const Wire__V1__Role *roles, size_t count,
                                               uint64_t expected_version);

/* After a sign-in: counts a failure, or forgets them. */
must_use struct status store_account_note(struct pg_tx *tx, const char *account_id,
                                          bool success);
