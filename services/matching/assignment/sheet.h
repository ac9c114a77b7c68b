#pragma once

/* From a cohort to its sheet and everybody's place, in the contract's words. */

#include "matching/v1/assignment.pb-c.h"
#include "services/matching/assignment/audit.h"
#include "services/matching/assignment/cohort.h"
#include "services/matching/assignment/store_job.h"

#define SHEET_LISTED_MAX 500 /* of each list */

struct sheet_solved {
    struct cohort_instance numbered;
    struct assignment_result result;
    struct assignment_audit audit;
    const char *hash;
};

/* Everything lives in `arena`, and as long as the cohort.  INVALID_ARGUMENT: what was asked for
 * cannot be, in codes.  INTERNAL: a pair blocks without a cause, so this is not published. */
must_use struct status sheet_solve(const struct cohort *cohort,
                                   const struct cohort_question *question, struct arena *arena,
                                   struct sheet_solved **ret);

must_use struct status sheet_make(const struct sheet_solved *solved, struct arena *arena,
                                  Matching__V1__Sheet **ret);

/* By student. */
must_use struct status sheet_places(const struct sheet_solved *solved, struct arena *arena,
                                    struct place_row **ret, size_t *ret_count);

/* The reasons of a place, without texts. */
must_use struct status sheet_reasons(const char *barriers, struct arena *arena,
                                     Matching__V1__PlaceReason ***ret, size_t *ret_count);
