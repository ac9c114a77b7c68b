#pragma once

/* Where profiles are kept.  Conventions as in organisations/store.h; a row that is shared with
 * the transaction's tenant is found like its own. */

#include "common/pg/pg_tx.h"
#include "registry/v1/people.pb-c.h"

struct person_row {
    Registry__V1__Person *person;
    const char *tenant_id;
    const char *name_sort; /* the list's sort key */
};

/* The profile has passed rules_person and carries its id.
 * ALREADY_EXISTS: another profile of the tenant has its reference. */
must_use struct status store_person_insert(struct pg_tx *tx, struct arena *arena,
                                           const Registry__V1__Person *person);

/* Stores the whole but reference and account if its version is still expected_version, and sets
 * the next.  VERSION_MISMATCH. */
must_use struct status store_person_update(struct pg_tx *tx, struct arena *arena,
                                           Registry__V1__Person *person,
                                           uint64_t expected_version);

/* NOT_FOUND: it does not exist, or is not the tenant's to see. */
must_use struct status store_person_get(struct pg_tx *tx, struct arena *arena, const char *id,
                                        struct person_row *ret);

/* The tenant's profiles with one of these references, in no order; at most `count`. */
must_use struct status store_person_by_reference(struct pg_tx *tx, struct arena *arena,
                                                 const char *const *references, size_t count,
                                                 struct person_row **ret, size_t *ret_count);

/* Makes the profile the account's own.  ALREADY_EXISTS: the account has one. */
must_use struct status store_person_link(struct pg_tx *tx, struct arena *arena,
                                         const char *account_id, const char *person_id);

/* Empties the profile's row and what its person wrote with applications, and parts it from its
 * login.  NOT_FOUND: the tenant has no such profile. */
must_use struct status store_person_erase(struct pg_tx *tx, struct arena *arena,
                                          const char *id);

struct person_filter {
    const char *after_name, *after_id; /* "" from the beginning */
    const char *name;                  /* folded and escaped for LIKE; may be "" */
    const char *organisation_id;       /* "": any */
    const char *only_pool_or;          /* not NULL: only the pool and this profile ("": none) */
    int kind;                          /* 0: any */
    uint32_t limit;
};

/* By name; at most filter->limit rows. */
must_use struct status store_person_list(struct pg_tx *tx, struct arena *arena,
                                         const struct person_filter *filter,
                                         struct person_row **ret, size_t *ret_count);
