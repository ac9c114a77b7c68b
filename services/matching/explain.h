#pragma once

/* Why a pair has its score: reasons whose points add up to the parts, exactly.
 *
 * A person's own wishes take off rather than add: one reason carries the deduction and the
 * share that is met, and each wish that is met has one without points.  Nothing here may name a
 * wish that is not met: whoever seeks reads the same reasons as the person.
 *
 * Reasons are facts first (they are stored so) and become sentences of a language later.
 */

#include "matching/v1/explanation.pb-c.h"
#include "services/matching/score.h"

#define EXPLAIN_WORDS_MAX 5 /* words shown of a text */

struct reasons {
    Matching__V1__Reason **items; /* greatest first */
    size_t count;
};

/* For a pair that score_admits.  Everything lives in `arena`; texts are copied.
 * INTERNAL: the reasons do not add up to `score`, which would be our own bug. */
must_use struct status explain_pair(const struct score_context *context,
                                    const struct query *query,
                                    const struct vocabulary *vocabulary,
                                    const struct profile *offer, const struct score *score,
                                    struct arena *arena, struct reasons *ret);

/* Fills the sentences and labels in.  A concept the vocabulary no longer has is said to be so.
 */
must_use struct status explain_tell(const struct reasons *reasons,
                                    const struct vocabulary *vocabulary, enum lang lang,
                                    struct arena *arena);

/* The sums of the parts, in the order of the contract; parts of 0 are left out.  What is taken
 * off stands in deduction_thousandths. */
must_use struct status explain_parts(const struct reasons *reasons, struct arena *arena,
                                     Matching__V1__PartScore ***ret, size_t *ret_count);

/* As stored: without sentences and labels. */
must_use struct status explain_pack(const struct reasons *reasons, struct arena *arena,
                                    const uint8_t **ret, size_t *ret_size);
must_use struct status explain_unpack(const uint8_t *packed, size_t size, struct arena *arena,
                                      struct reasons *ret);
