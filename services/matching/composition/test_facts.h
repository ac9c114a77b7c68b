#pragma once

/* The composer example of RS-KA, for tests: a Swedish and a Finnish university and a Swedish
 * firm on board, and who could join. */

#include "common/base/arena.h"
#include "matching/v1/composition.pb-c.h"

#define TEST_FACTS_CONCEPT "0193a000-0000-7000-8ccc-0000000000c1"

/* Everything lives in `arena`. */
Matching__V1__CompositionFacts *test_facts_alliance(struct arena *arena);

/* "FI-firm" stands for the id of a candidate in test_facts.c. */
Matching__V1__CompositionFacts__Party *
test_facts_party(const Matching__V1__CompositionFacts *facts, const char *name);

/* Takes a candidate out. */
void test_facts_remove(Matching__V1__CompositionFacts *facts, const char *name);

Matching__V1__CompositionFacts__Rule *
test_facts_rule(const Matching__V1__CompositionFacts *facts, const char *rule_id);

/* Adds a rule of a kind; types may be changed after. */
Matching__V1__CompositionFacts__Rule *test_facts_add_rule(struct arena *arena,
                                                          Matching__V1__CompositionFacts *facts,
                                                          const char *rule_id, int kind);
