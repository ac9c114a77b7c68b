#pragma once

/* What may be asked of the composer; pure. */

#include "common/base/arena.h"
#include "common/base/status.h"
#include "matching/v1/composition.pb-c.h"

#define QUESTION_BOARD_MAX 60
#define QUESTION_EXCLUDED_MAX 500
#define QUESTION_CANDIDATES_MAX 5000
#define QUESTION_CONCEPTS_MAX 12
#define QUESTION_SWITCHES_MAX 20
#define QUESTION_SETS 5
#define QUESTION_SETS_MAX 20
#define QUESTION_LIMIT_MS 2000
#define QUESTION_LIMIT_MS_LEAST 100
#define QUESTION_LIMIT_MS_MAX 20000

/* Fills in what was left open.  INVALID_ARGUMENT names the field. */
must_use struct status rules_question(struct arena *arena,
                                      Matching__V1__CompositionQuestion *question);
