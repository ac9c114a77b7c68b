#pragma once

/* Checking a placement against its programme, with all that follows from the verdict. */

#include "common/service/call.h"
#include "services/registry/placements/store.h"

/* Evaluates `row` as it stands (or as it is about to be: `state`), stores the verdict and emits
 * eligibility.evaluated.  The placement's eligibility becomes the verdict's; it is not stored.
 * The verdict has its texts in the caller's language. */
must_use struct status evaluate_placement_as(struct call *call, struct placement_row *row,
                                             Registry__V1__PlacementState state,
                                             Registry__V1__Verdict__Mode mode,
                                             Registry__V1__Verdict **ret);

/* OK for a verdict that allows; else FAILED_PRECONDITION with the rules that do not. */
must_use struct status evaluation_allows(struct arena *arena,
                                         const Registry__V1__Verdict *verdict);

/* Fills the labels of the placements' skills in the caller's language. */
must_use struct status
placement_label(struct call *call, Registry__V1__Placement *const *placements, size_t count);

/* What every event about a placement carries besides its data. */
struct outbox_event placement_event(const struct placement_row *row,
                                    const ProtobufCMessage *data);

/* Tells our own services: its state, and whether matching may still see it. */
must_use struct status placement_moved(struct call *call, const struct placement_row *row);
