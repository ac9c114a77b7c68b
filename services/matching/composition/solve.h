#pragma once

/* From the facts of a composition to a run: pure, so that equal facts give an equal answer. */

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/lang.h"
#include "common/base/status.h"
#include "matching/v1/composition.pb-c.h"

#define SOLVE_LIMIT_MS 2000
/* Partial sets looked at; a bound that comes before the clock's, so that a run which ends early
 * ends at the same place again. */
#define SOLVE_WORK_MAX UINT64_C(200000000)

/* Packs what may be larger than a message of the wire. */
must_use struct status solve_pack(struct arena *arena, const ProtobufCMessage *message,
                                  const uint8_t **ret, size_t *ret_size);

/* Solves until `deadline`.  Fills all but number, position and solved_unix_ms. */
must_use struct status solve_facts(struct arena *arena,
                                   const Matching__V1__CompositionFacts *facts,
                                   const struct clock *clock, struct mono deadline,
                                   Matching__V1__CompositionRun **ret);

/* Writes the explanations of a run in a language. */
must_use struct status solve_tell(struct arena *arena, enum lang lang,
                                  Matching__V1__CompositionRun *run);
