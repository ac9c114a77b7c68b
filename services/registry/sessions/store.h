#pragma once

/* Where sessions are kept.  Conventions as in organisations/store.h; the transaction's tenant
 * is the credential's. */

#include "common/pg/pg_tx.h"
#include "registry/v1/sessions.pb-c.h"
#include "services/registry/sessions/credential.h"

/* The tenant's id for an id or slug; "" when there is none. */
must_use struct status store_session_tenant(struct pg_tx *tx, struct arena *arena,
                                            const char *id_or_slug, const char **ret);

/* Adds a session and forgets the account's that are over. */
must_use struct status store_session_insert(struct pg_tx *tx, struct arena *arena,
                                            const char *id, const struct credential *credential,
                                            const char *account_id, uint64_t lifetime_ms,
                                            uint64_t *ret_expires_unix_ms);

/* Fills the reply.  UNAUTHENTICATED: there is no such session or token, or it is over. */
must_use struct status store_session_resolve(struct pg_tx *tx, struct arena *arena,
                                             const struct credential *credential,
                                             uint64_t idle_ms,
                                             Registry__V1__ResolveCredentialReply *reply);

must_use struct status store_session_remove(struct pg_tx *tx,
                                            const struct credential *credential);
/* NOT_FOUND: the account has no such session in this tenant. */
must_use struct status store_session_revoke(struct pg_tx *tx, struct arena *arena,
                                            const char *id, const char *account_id);
must_use struct status store_session_list(struct pg_tx *tx, struct arena *arena,
                                          const char *account_id, Registry__V1__Session ***ret,
                                          size_t *ret_count);
