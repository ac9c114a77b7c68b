#pragma once

/* Fields of education, level, focus and themes as terms of the index, so that a scan bounds
 * what they add as narrowly as it bounds concepts.
 *
 * Terms are buckets of hashes: two traits in one bucket raise a bound, and never lower one.
 * Nearness counts by nested increments, as concepts do: a field of the same two digits has one
 * term in common, of the same four three.
 */

#include "services/matching/score.h"

#define TRAIT_TERMS 4096u /* terms are numbers below */
#define TRAITS_MAX (PROFILE_TAGS_MAX + 3 * PROFILE_FIELDS_MAX + 8)

/* Of a side that offers: rising, each once; how many. */
size_t traits_offered(const struct profile *offer, uint32_t into[TRAITS_MAX]);

/* Of a side that seeks, with what each is worth: together never less than the points of fields,
 * level and focus. */
size_t traits_sought(const struct profile *seeker, struct query_term into[TRAITS_MAX]);
