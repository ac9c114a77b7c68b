#pragma once

/* One search for somebody who asks, from the request to its answer. */

#include "services/matching/find.h"
#include "services/matching/guest.h"
#include "services/matching/rules.h"
#include "services/matching/state.h"

struct call;

struct finding {
    const struct snapshot *snapshot;
    struct held held;
    struct guest_maker *guests; /* of a shard: the subject, and candidates by name */
    struct score_context context;
    struct search search;
    struct uid viewer;
    uint64_t position; /* of the log, that the snapshot covers at least */
    enum lang lang;
    struct found_list found;
};

#define ASK_FIELDS(request)                                                                    \
    ((struct ask_fields){(request)->subject, (request)->wanted, (request)->n_wanted,           \
                         (const char *const *)(request)->person_kinds,                         \
                         (request)->n_person_kinds, (request)->limit, (request)->nuts})

/* Checks the question and holds a snapshot until finding_end; as_of_unix_ms 0: now.  In a shard
 * the subject is read from registry's view, whichever shard has it, so that all judge the same.
 * NOT_FOUND, PERMISSION_DENIED: as rules_may_ask. */
must_use struct status finding_begin(struct call *call, const struct ask_fields *fields,
                                     const char *language, uint64_t as_of_unix_ms,
                                     struct finding *finding);
void finding_end(struct finding *finding);

/* Finds the best in the snapshot, or looks at those named alone. */
must_use struct status finding_search(struct call *call, struct finding *finding);
must_use struct status finding_among(struct call *call, struct finding *finding,
                                     Matching__V1__ProfileRef *const *refs, size_t count);

must_use struct status finding_answer(struct call *call, const struct finding *finding,
                                      Matching__V1__FindMatchesReply *reply);
/* The same, and remembers what is shown, in the call's transaction, so that decisions can refer
 * to it.  Nobody is told: the one who asked sees it. */
must_use struct status finding_remember(struct call *call, const struct finding *finding,
                                        Matching__V1__SuggestMatchesReply *reply);
