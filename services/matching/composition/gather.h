#pragma once

/* Reading what a composition is solved from, and having its answer checked: the two things for
 * which it needs registry. */

#include "common/service/call.h"
#include "matching/v1/composition.pb-c.h"

/* The rule set from registry, the organisations from its views; in transactions of its own.
 * NOT_FOUND: there is no such programme. FAILED_PRECONDITION: an organisation on board is not
 * known. */
must_use struct status gather_facts(struct call *call, const char *tenant_id,
                                    Matching__V1__CompositionQuestion *question,
                                    Matching__V1__CompositionFacts **ret);

/* Has registry's checker confirm that each set, with those on board, passes every rule that it
 * was made for.  INTERNAL: one does not; the composer and the checker disagree. */
must_use struct status gather_confirm(struct call *call, const char *tenant_id,
                                      const Matching__V1__CompositionFacts *facts,
                                      const Matching__V1__CompositionRun *run);
