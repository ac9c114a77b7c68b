#pragma once

/* The handlers that stand in other files than the door. */

#include "common/service/call.h"
#include "registry/v1/placements.pb-c.h"

#define HANDLER(handler, Name)                                                                 \
    struct status handler(struct call *call, const Registry__V1__##Name##Request *request,     \
                          Registry__V1__##Name##Reply *reply)

/* evaluation.c */
HANDLER(evaluate_placement, EvaluatePlacement);
HANDLER(list_verdicts, ListVerdicts);
/* steps.c */
HANDLER(approve_rationale, ApproveRationale);
HANDLER(advertise_placement, AdvertisePlacement);
HANDLER(sign_contract, SignContract);
HANDLER(start_placement, StartPlacement);
HANDLER(record_review, RecordReview);
HANDLER(end_placement, EndPlacement);
HANDLER(record_outcome, RecordOutcome);
HANDLER(terminate_placement, TerminatePlacement);
/* applications.c */
HANDLER(apply_to_placement, ApplyToPlacement);
HANDLER(list_applications, ListApplications);
HANDLER(decide_application, DecideApplication);
HANDLER(answer_offer, AnswerOffer);

#undef HANDLER
