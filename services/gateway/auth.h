#pragma once

/* Who asks: a session cookie or a bearer token becomes an identity.
 *
 * Registry knows; what it said is believed for five seconds, in a table of bounded size (the
 * entry that has been used least lately goes).  Credentials are kept only as hashes.
 */

#include "common/base/clock.h"
#include "common/base/status.h"
#include "wire/v1/envelope.pb-c.h"

#define IDENTITY_ID_BYTES 64
#define IDENTITY_NAME_BYTES 256
#define AUTH_FRESH_MS 5000
#define AUTH_ENTRIES 8192
#define CREDENTIAL_HASH_BYTES 32

struct exchange;
struct gateway;

struct identity {
    bool known; /* otherwise anonymous */
    bool by_cookie;
    Wire__V1__Principal__Kind kind;
    uint32_t role_mask;
    char subject_id[IDENTITY_ID_BYTES];
    char tenant_id[IDENTITY_ID_BYTES];
    char person_id[IDENTITY_ID_BYTES];
    char organisation_id[IDENTITY_ID_BYTES];
    char language[8];
    char display_name[IDENTITY_NAME_BYTES];
    uint64_t expires_unix_ms;
    uint8_t credential[CREDENTIAL_HASH_BYTES];
};

/* A principal for a request head; its texts point into the identity. */
struct identity_principal {
    Wire__V1__Principal principal;
    Wire__V1__Role roles[32];
};
void identity_to_principal(const struct identity *identity, struct identity_principal *ret);
bool identity_has_role(const struct identity *identity, Wire__V1__Role role);

struct auth;

must_use struct status auth_create(struct gateway *gateway, struct arena *arena,
                                   struct auth **ret);
void auth_destroy(struct auth **auth);

/* The credential that the request carries; NULL: none.  ret_by_cookie says where it stood.
 * UNAUTHENTICATED: an Authorization header of another kind. */
must_use struct status auth_credential(struct exchange *exchange, const char **ret,
                                       bool *ret_by_cookie);

/* Fills exchange->identity and goes on with `then`, at once or after an rpc; refuses the
 * exchange when the credential is not valid. */
void auth_resolve(struct exchange *exchange, const char *credential, bool by_cookie,
                  void (*then)(struct exchange *exchange));

/* Whether the credential behind a stream is still good: asks registry again when what is known
 * is old, and calls back with false when it is not.  May call back at once. */
void auth_check_again(struct auth *auth, const uint8_t hash[CREDENTIAL_HASH_BYTES],
                      const char *credential, void (*done)(void *context, bool good),
                      void *context);

/* Forgets it at once (sign-out). */
void auth_forget(struct auth *auth, const char *credential);
void auth_hash(const char *credential, uint8_t ret[CREDENTIAL_HASH_BYTES]);

/* The cookie's name, and the value of Set-Cookie for a credential; NULL ends the session. */
const char *auth_cookie_name(const struct gateway *gateway);
must_use struct status auth_set_cookie(struct exchange *exchange, const char *credential,
                                       uint64_t expires_unix_ms, const char **ret);
