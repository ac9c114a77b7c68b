#pragma once

/* Handlers of Rounds that stand beside handlers.c, and what they share. */

#include "common/service/call.h"
#include "services/matching/assignment/rules.h"
#include "services/matching/assignment/sheet.h"
#include "services/matching/assignment/store.h"

/* A partnership officer or a programme director. */
bool round_officer(const struct call *call);
/* INVALID_ARGUMENT: no id; NOT_FOUND. */
must_use struct status round_find(struct call *call, const char *round_id, enum store_hold hold,
                                  Matching__V1__Round **ret);
/* The student that a request is about: by code, for officers, or the caller.
 * PERMISSION_DENIED: somebody else's code. */
must_use struct status round_student(struct call *call, const char *round_id, const char *code,
                                     struct cohort_student *ret);
/* What the round's own objective and seed ask for. */
struct cohort_question round_question(const Matching__V1__Round *round);
/* 0 becomes `usual`; INVALID_ARGUMENT over `most`. */
must_use struct status round_page_size(struct call *call, uint32_t page_size, uint32_t usual,
                                       uint32_t most, uint32_t *ret);

/* amendments.c */
struct status amend_assignment(struct call *call,
                               const Matching__V1__AmendAssignmentRequest *request,
                               Matching__V1__AmendAssignmentReply *reply);
struct status list_amendments(struct call *call,
                              const Matching__V1__ListAmendmentsRequest *request,
                              Matching__V1__ListAmendmentsReply *reply);
/* PRECONDITION_REQUIRED, VERSION_MISMATCH. */
must_use struct status round_version(struct call *call, const Matching__V1__Round *round,
                                     uint64_t expected_version);

/* wishes.c */
struct status import_cohort(struct call *call, const Matching__V1__ImportCohortRequest *request,
                            Matching__V1__ImportCohortReply *reply);
struct status check_topics(struct call *call, const Matching__V1__CheckTopicsRequest *request,
                           Matching__V1__CheckTopicsReply *reply);
struct status list_topics(struct call *call, const Matching__V1__ListTopicsRequest *request,
                          Matching__V1__ListTopicsReply *reply);
struct status set_choices(struct call *call, const Matching__V1__SetChoicesRequest *request,
                          Matching__V1__SetChoicesReply *reply);
struct status get_choices(struct call *call, const Matching__V1__GetChoicesRequest *request,
                          Matching__V1__GetChoicesReply *reply);
struct status rank_students(struct call *call, const Matching__V1__RankStudentsRequest *request,
                            Matching__V1__RankStudentsReply *reply);
struct status pin_student(struct call *call, const Matching__V1__PinStudentRequest *request,
                          Matching__V1__PinStudentReply *reply);
/* Pins, or unpins with an empty topic, if the round can still be solved then. */
must_use struct status round_pin(struct call *call, const Matching__V1__Round *round,
                                 const char *field, const char *student, const char *topic,
                                 const char *reason);

/* results.c */
struct status try_round(struct call *call, const Matching__V1__TryRoundRequest *request,
                        Matching__V1__TryRoundReply *reply);
struct status get_sheet(struct call *call, const Matching__V1__GetSheetRequest *request,
                        Matching__V1__GetSheetReply *reply);
struct status list_assignments(struct call *call,
                               const Matching__V1__ListAssignmentsRequest *request,
                               Matching__V1__ListAssignmentsReply *reply);
struct status get_assignment(struct call *call,
                             const Matching__V1__GetAssignmentRequest *request,
                             Matching__V1__GetAssignmentReply *reply);
struct status raise_objection(struct call *call,
                              const Matching__V1__RaiseObjectionRequest *request,
                              Matching__V1__RaiseObjectionReply *reply);
struct status list_objections(struct call *call,
                              const Matching__V1__ListObjectionsRequest *request,
                              Matching__V1__ListObjectionsReply *reply);
struct status decide_objection(struct call *call,
                               const Matching__V1__DecideObjectionRequest *request,
                               Matching__V1__DecideObjectionReply *reply);
