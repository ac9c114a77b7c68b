#pragma once

/* Sentences about rounds: texts.def by name. */

#include "common/base/lang.h"
#include "common/base/status.h"
#include "matching/v1/assignment.pb-c.h"
#include "matching/v1/timetable.pb-c.h"
#include "services/matching/assignment/import.h"

/* What is wrong with a line. */
must_use struct status words_problem(struct arena *arena, const struct import_problem *problem,
                                     enum lang lang, const char **ret);
/* What a student has. */
must_use struct status words_place(struct arena *arena, const Matching__V1__Assignment *place,
                                   enum lang lang, const char **ret);
/* Why not a better one. */
must_use struct status words_reason(struct arena *arena,
                                    const Matching__V1__PlaceReason *reason, enum lang lang,
                                    const char **ret);
/* The cause of a blocking pair; lives for ever. */
const char *words_cause(Matching__V1__PlaceBarrier cause, enum lang lang);
/* Why a meeting is not held; "" when it is. */
const char *words_meeting(Matching__V1__MeetingReason reason, enum lang lang);
