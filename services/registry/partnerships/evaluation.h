#pragma once

/* Checking a partnership against its programme. */

#include "common/service/call.h"
#include "registry/v1/partnerships.pb-c.h"

/* Evaluates it as it stands, stores the verdict and emits eligibility.evaluated.  Its
 * eligibility becomes the verdict's; it is not stored.  The verdict has its texts in the
 * caller's language. FAILED_PRECONDITION: the programme has no rule set in force. */
must_use struct status partnership_evaluate(struct call *call,
                                            Registry__V1__Partnership *partnership,
                                            const Registry__V1__EvaluatePartnershipRequest *how,
                                            Registry__V1__Verdict **ret);
