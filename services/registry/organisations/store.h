#pragma once

/* Where organisations are kept.
 *
 * Every function takes part in the caller's transaction and returns what pg_tx.h lists, besides
 * the codes named with it.  On failure nothing is written to the outputs.  Results live in
 * `arena`.
 */

#include "common/pg/pg_tx.h"
#include "registry/v1/organisations.pb-c.h"

struct organisation_row {
    Registry__V1__Organisation *organisation;
    const char *created_by_tenant;
    const char *name_sort; /* the list's sort key */
};

/* The organisation has passed rules_organisation and carries its id.
 * ALREADY_EXISTS: another organisation has one of its external ids. */
must_use struct status
store_organisation_insert(struct pg_tx *tx, struct arena *arena, const char *tenant_id,
                          const Registry__V1__Organisation *organisation);

/* Stores the whole if its version is still expected_version, and sets the next.
 * VERSION_MISMATCH; ALREADY_EXISTS as above. */
must_use struct status store_organisation_update(struct pg_tx *tx, struct arena *arena,
                                                 Registry__V1__Organisation *organisation,
                                                 uint64_t expected_version);

/* NOT_FOUND. */
must_use struct status store_organisation_get(struct pg_tx *tx, struct arena *arena,
                                              const char *id, struct organisation_row *ret);

/* An organisation with one of the external ids, or else of the same country, type and first
 * name. *ret_id is NULL when there is none. */
must_use struct status
store_organisation_find_known(struct pg_tx *tx, struct arena *arena,
                              const Registry__V1__Organisation *organisation,
                              const char **ret_id);

/* Whether all of the ids are organisations'; else *ret_missing is the place of the first that
 * is not. */
must_use struct status store_organisation_known(struct pg_tx *tx, struct arena *arena,
                                                const char *const *ids, size_t count,
                                                bool *ret_all, size_t *ret_missing);

struct organisation_filter {
    const char *after_name, *after_id; /* "" from the beginning */
    const char *name;                  /* folded and escaped for LIKE; the texts may be "" */
    const char *country, *nuts_prefix;
    const char *scheme, *value;
    int type; /* 0: any */
    uint32_t limit;
};

/* By name; at most filter->limit rows. */
must_use struct status store_organisation_list(struct pg_tx *tx, struct arena *arena,
                                               const struct organisation_filter *filter,
                                               struct organisation_row **ret,
                                               size_t *ret_count);

/* FAILED_PRECONDITION: one of the two does not exist; ALREADY_EXISTS: they are so related. */
must_use struct status
store_organisation_relate(struct pg_tx *tx, struct arena *arena, const char *tenant_id,
                          const Registry__V1__OrganisationRelation *relation);
must_use struct status store_organisation_relations(struct pg_tx *tx, struct arena *arena,
                                                    const char *id,
                                                    Registry__V1__OrganisationRelation ***ret,
                                                    size_t *ret_count);

must_use struct status store_tenant_is_host(struct pg_tx *tx, struct arena *arena,
                                            const char *tenant_id, bool *ret);
