#pragma once

/* Where matches are kept, and registry's published views.
 *
 * Every function takes part in the caller's transaction and returns
 *   UNAVAILABLE  Postgres could not be reached or the deadline passed;
 *   ABORTED      the transaction lost a race and may be tried again;
 * besides the codes listed with it.  On failure nothing is written to `ret`.
 * Strings in results live as long as `arena`.
 */

#include "common/pg/pg_tx.h"
#include "common/wire/message.h"
#include "matching/v1/matching.pb-c.h"
#include "services/matching/score.h"
#include "services/matching/shard.h"

extern const struct pg_statement *const *const matching_statements;

/* The views are read in pages; a page that is not full is the last.  `after_id` "" starts. */
#define STORE_PAGE 2000

must_use struct status store_concepts(struct pg_tx *tx, struct arena *arena,
                                      const char *after_id, struct concept_row **ret,
                                      size_t *ret_count);
/* Begins to read all profiles of a kind; the next ones, in no order.  One reading in a
 * transaction. */
must_use struct status store_profiles_open(struct pg_tx *tx, enum kind kind);
must_use struct status store_profiles_next(struct pg_tx *tx, struct arena *arena,
                                           struct profile_row **ret, size_t *ret_count);
/* Those of `ids` that are published; at most STORE_PAGE ids. */
must_use struct status store_profiles_by_id(struct pg_tx *tx, struct arena *arena,
                                            enum kind kind, const char *const *ids,
                                            size_t count, struct profile_row **ret,
                                            size_t *ret_count);

/* A pair to be remembered. */
struct suggestion {
    const char *id; /* of the match, should it be new */
    const struct profile *query, *candidate;
    uint32_t score;
    bool shared; /* the candidate's tenant may see the query */
    const uint8_t *explanation;
    size_t explanation_size;
};

/* What became of it. */
struct remembered {
    const char *id, *query_id, *candidate_id;
    Matching__V1__MatchState state;
    uint64_t version;
};

/* Remembers pairs that matching found; returns those told of for the first time. */
must_use struct status store_suggest_tell(struct pg_tx *tx, struct arena *arena,
                                          const struct suggestion *suggestions, size_t count,
                                          uint64_t position, struct remembered **ret,
                                          size_t *ret_count);
/* Remembers pairs that somebody was shown; returns all of them. */
must_use struct status store_suggest_show(struct pg_tx *tx, struct arena *arena,
                                          const struct suggestion *suggestions, size_t count,
                                          struct remembered **ret, size_t *ret_count);
/* Ends the tenant's open suggestions with these profiles; at most STORE_PAGE ids. */
must_use struct status store_suggest_withdraw(struct pg_tx *tx, const char *const *ids,
                                              size_t count);

/* NOT_FOUND: the tenant neither remembers it nor is the other side of it. */
must_use struct status store_match_get(struct pg_tx *tx, struct arena *arena,
                                       const char *match_id, Matching__V1__Match **ret);

struct match_filter {
    enum kind subject_kind; /* KIND_NONE: any */
    const char *subject_id;
    Matching__V1__MatchState state;
    bool started; /* after_score and after_id are set */
    uint32_t after_score;
    const char *after_id;
    uint32_t limit;
    const char *person_id;       /* "": any */
    const char *organisation_id; /* "": any */
};

/* Best first. */
must_use struct status store_match_list(struct pg_tx *tx, struct arena *arena,
                                        const struct match_filter *filter,
                                        Matching__V1__Match ***ret, size_t *ret_count);

/* Stores state, role, reason, note and decided_by of an open match.
 * VERSION_MISMATCH: it has changed since `expected_version`. */
must_use struct status store_match_decide(struct pg_tx *tx, struct arena *arena,
                                          const Matching__V1__Match *match,
                                          uint64_t expected_version);

/* What is kept of a match besides its message; of one that store_match_get or _list gave. */
struct match_extra {
    const uint8_t *explanation; /* packed */
    size_t explanation_size;
    bool shared; /* the candidate's tenant may see the query */
};
const struct match_extra *store_match_extra(const Matching__V1__Match *match);

/* Up to where in the log suggestions were made; 0: never. */
must_use struct status store_progress(struct pg_tx *tx, struct arena *arena, struct shard shard,
                                      uint64_t *ret);
/* Never moves back. */
must_use struct status store_progress_move(struct pg_tx *tx, struct arena *arena,
                                           struct shard shard, uint64_t position);

/* The counts of one shard (counts.h). */
struct shard_counts {
    uint32_t shard;
    uint64_t version;    /* changes with each write */
    struct bytes packed; /* unchecked */
};

/* Puts the shard's own counts unless those there are of a later position; with `again` also
 * when they are of the same. */
must_use struct status store_counts_put(struct pg_tx *tx, struct shard shard, uint64_t position,
                                        struct bytes packed, bool again);
/* Those of the other shards, by shard; at most SHARDS_MAX.  Without `whole` nothing is packed.
 */
must_use struct status store_counts(struct pg_tx *tx, struct arena *arena, struct shard shard,
                                    bool whole, struct shard_counts ret[SHARDS_MAX],
                                    size_t *ret_count);
