#pragma once

/* Decisions about saved searches: pure. */

#include "common/base/arena.h"
#include "matching/v1/searches.pb-c.h"
#include "services/matching/profile.h"
#include "services/matching/standing/standing.h"

#define SEARCHES_OF_ACCOUNT_MAX 100
#define SEARCHES_OF_TENANT_MAX 1000
#define SEARCH_NAME_LETTERS_MAX 200
#define SEARCH_HITS_SHOWN 100

/* INVALID_ARGUMENT names the field. */
must_use struct status rules_search(struct arena *arena,
                                    const Matching__V1__SaveSearchRequest *request);

/* RESOURCE_EXHAUSTED: one more would be too many. */
must_use struct status rules_search_room(struct arena *arena, uint64_t of_account,
                                         uint64_t of_tenant);

/* A search in the terms of a vocabulary. false: no profile can satisfy it, because the
 * vocabulary lacks what it asks for. */
bool rules_search_terms(const Matching__V1__Search *search, const char *tenant_id,
                        const struct vocabulary *vocabulary, struct standing_search *ret);

/* A profile as searches see it; `terms` and `tenants` have room for what it has. false: nobody
 * is told of it now, because it is no longer valid or has no capacity left. */
bool rules_search_document(const struct profile *profile, const struct vocabulary *vocabulary,
                           int32_t today, uint32_t *terms, struct uid *tenants,
                           struct standing_document *ret);
