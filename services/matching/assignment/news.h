#pragma once

/* Whom a step of a round concerns. */

#include "common/service/call.h"
#include "matching/v1/round_events.pb-c.h"

/* A step that concerns some of a round's people only. */
struct news_circle {
    const char *const *students; /* codes */
    size_t student_count;
    const char *const *limits; /* codes: their supervisors */
    size_t limit_count;
};

/* Tells notifications, in the call's transaction, of accounts that take part and of officers.
 * `circle` NULL: everybody of the round. */
must_use struct status news_tell(struct call *call, const char *round_id,
                                 Matching__V1__RoundNews news,
                                 const struct news_circle *circle);
