#pragma once

/* Tells matching which rows of published_profiles have changed. */

#include "common/service/call.h"

enum profile_change { PROFILE_CHANGED, PROFILE_WITHDRAWN };

/* One event for every 250 ids, because an event has at most 16 KiB.  `kind` as in
 * profiles.proto: "person", "need", "capability", "infrastructure", "placement". */
must_use struct status profiles_tell(struct call *call, enum profile_change change,
                                     const char *kind, const char *const *ids, size_t count);
