#pragma once

/* Searching for a caller: hits become candidates with reasons, and suggestions to be
 * remembered. */

#include "services/matching/explain.h"
#include "services/matching/search.h"
#include "services/matching/store.h"

/* A hit with everything that is told of it. */
struct found {
    const struct profile *query, *candidate; /* as long as the snapshot is held */
    const struct profile *other;             /* the counterpart of the subject */
    struct score score;
    struct reasons reasons; /* facts; see explain_tell */
};

struct found_list {
    struct found *items;
    size_t count;
};

must_use struct status find_run(const struct snapshot *snapshot, const struct search *search,
                                struct arena *arena, struct found_list *ret);

/* The same of these profiles alone: what the search does not admit and what scores too little
 * is left out, and each counts once. */
must_use struct status find_among(const struct snapshot *snapshot, const struct search *search,
                                  const struct profile *const *profiles, size_t count,
                                  struct arena *arena, struct found_list *ret);

/* What to remember; new ids by `clock`.  Packs the reasons, so it comes before they are told.
 */
must_use struct status find_suggestions(const struct found_list *found,
                                        const struct clock *clock, struct arena *arena,
                                        struct suggestion **ret);

/* Tells the reasons in `lang`.  `known` may be NULL. */
must_use struct status find_candidates(const struct found_list *found,
                                       const struct snapshot *snapshot, enum lang lang,
                                       const struct remembered *known, size_t known_count,
                                       struct arena *arena, Matching__V1__Candidate ***ret);

/* BLAKE2b-256 of what a search was asked, in hexadecimal: the subject at its version, who
 * looks, the filters, the limit and the deployment's boosts. */
must_use struct status find_input_hash(const struct search *search, struct arena *arena,
                                       const char **ret);

/* Why nothing was found, in one sentence. */
const char *find_empty_because(const struct search *search, enum lang lang);
