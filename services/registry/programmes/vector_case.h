#pragma once

/* Cases of test vectors, from JSON made for patching (RFC 7396): lists stand as objects, so
 * that a vector names only what it changes, and null takes a fact away.  For tests alone.
 *
 *     {"period": {"start": "2024-01-15", "end": "2026-01-15"}, "fte": 1000,
 *      "parties": {"d": {"role": "host", "type": "company"}},
 *      "persons": {"academic_coach": {"id": "p1", "affiliations": ["hda"]}},
 *      "facts": {"focus": ["market"]}, "texts": ["strategic_rationale"],
 *      "sign_offs": {"strategic_rationale": {"coach": true}},
 *      "relations": [["owns", "parent", "child", 1000]], "aids": [["d", "2023-01-01", 100]],
 *      "budget": [["funder", "", "grant", 300, "SEK"]], "observations": {"x": [9, 12]}, ...}
 */

#include <jansson.h>

#include "services/registry/programmes/case.h"

/* The case lives in `arena` and in `json`.  Anything unexpected ends the test. */
struct rule_case vector_case(const json_t *json, struct arena *arena);

/* A new object: `base` with `patch` applied. */
json_t *vector_patched(const json_t *base, const json_t *patch);
