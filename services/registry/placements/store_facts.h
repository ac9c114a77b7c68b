#pragma once

/* What the rule engine wants to know besides the placement.  Conventions as in store.h. */

#include "common/pg/pg_tx.h"
#include "registry/v1/placements.pb-c.h"

struct party_facts {
    const char *id, *name, *country, *nuts;
    int32_t type, ownership; /* numbers of the contract's enums */
    int64_t headcount, turnover_eur, balance_eur;
    bool headcount_known, turnover_known, balance_known, competitive_market;
};

struct person_facts {
    const char *id;
    const char **affiliations; /* organisation ids that hold today */
    size_t affiliation_count;
    int64_t degree_eqf; /* 0: no degree */
    const char *degree_on;
};

must_use struct status store_fact_parties(struct pg_tx *tx, struct arena *arena,
                                          const char *const *ids, size_t count,
                                          struct party_facts **ret, size_t *ret_count);
must_use struct status store_fact_persons(struct pg_tx *tx, struct arena *arena,
                                          const char *const *ids, size_t count,
                                          struct person_facts **ret, size_t *ret_count);
/* Placements of the tenant with an offer, of those that ended. */
must_use struct status store_fact_outcomes(struct pg_tx *tx, struct arena *arena,
                                           int64_t *ret_offered, int64_t *ret_ended);
