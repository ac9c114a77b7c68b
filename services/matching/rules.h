#pragma once

/* Decisions of matching: pure, without I/O, clock or log. */

#include "matching/v1/matching.pb-c.h"
#include "services/matching/score.h"
#include "services/matching/shard.h"
#include "wire/v1/envelope.pb-c.h"

#define RULES_LIMIT_DEFAULT 20
#define RULES_LIMIT_MAX 100
#define RULES_NOTE_LETTERS_MAX 2000
#define RULES_PERSON_KINDS_MAX 8

/* Reads the settings `boosts` and `rural_nuts`.  INVALID_ARGUMENT names the setting. */
must_use struct status rules_boosts(struct arena *arena, const char *boosts,
                                    const char *rural_nuts, struct score_rules *into);

/* Reads the setting `shard`.  INVALID_ARGUMENT names it. */
must_use struct status rules_shard(struct arena *arena, const char *text, struct shard *ret);

/* The time that a search judges by: its own, or that of one who asks several shards at the same
 * time (0: none).  INVALID_ARGUMENT: more than a day away. */
must_use struct status rules_as_of(struct arena *arena, uint64_t given_unix_ms, struct wall now,
                                   struct wall *ret);

/* What somebody asks for, checked. */
struct ask {
    enum kind kind;
    struct uid id;
    unsigned kinds; /* bits; 0: all that fit */
    const char *const *person_kinds;
    size_t person_kind_count;
    size_t limit;
    const char *nuts;
};

/* FindMatchesRequest and SuggestMatchesRequest have the same fields. */
struct ask_fields {
    const Matching__V1__ProfileRef *subject;
    const Matching__V1__ProfileKind *wanted;
    size_t wanted_count;
    const char *const *person_kinds;
    size_t person_kind_count;
    uint32_t limit;
    const char *nuts;
};

/* INVALID_ARGUMENT names the field. */
must_use struct status rules_ask(struct arena *arena, const struct ask_fields *fields,
                                 struct ask *ret);
must_use struct status rules_subject(struct arena *arena,
                                     const Matching__V1__ProfileRef *subject,
                                     enum kind *ret_kind, struct uid *ret_id);

/* Officers, leads and systems ask for every profile their tenant may see; a company for its
 * own, a person for the own profile. NOT_FOUND: it is not published, or not for this tenant's
 * eyes.  PERMISSION_DENIED. */
must_use struct status rules_may_ask(struct arena *arena, const Wire__V1__Principal *principal,
                                     const struct profile *subject);

/* Whose matches a principal sees in lists: "" for all of the tenant's. */
void rules_list_scope(const Wire__V1__Principal *principal, const char **ret_person_id,
                      const char **ret_organisation_id);

/* NOT_FOUND: the match is not the principal's to see. */
must_use struct status rules_may_see(struct arena *arena, const Wire__V1__Principal *principal,
                                     const Matching__V1__Match *match);

/* Notes are for those who run the tenant's partnerships and whoever wrote them. */
bool rules_may_read_note(const Wire__V1__Principal *principal,
                         const Matching__V1__Match *match);

/* Decide an open match: fill state, role or reason, note and decided_by of `match` in.
 * INVALID_ARGUMENT, PRECONDITION_REQUIRED (no expected version), PERMISSION_DENIED,
 * VERSION_MISMATCH, FAILED_PRECONDITION (it is decided or withdrawn already). */
must_use struct status rules_accept(struct arena *arena, const Wire__V1__Principal *principal,
                                    const Matching__V1__AcceptMatchRequest *request,
                                    Matching__V1__Match *match);
must_use struct status rules_decline(struct arena *arena, const Wire__V1__Principal *principal,
                                     const Matching__V1__DeclineMatchRequest *request,
                                     Matching__V1__Match *match);
