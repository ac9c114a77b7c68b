#pragma once

/* What may be done to a round, and when.  Pure. */

#include "common/base/arena.h"
#include "common/base/status.h"
#include "matching/v1/assignment.pb-c.h"
#include "services/matching/assignment/cohort.h"

#define RULES_TITLE_LETTERS_MAX 200
#define RULES_REASON_LETTERS_MAX 500
#define RULES_TEXT_LETTERS_MAX 2000
#define RULES_TRIES_MAX 100

/* The round that is asked for, without id.  INVALID_ARGUMENT names the field. */
must_use struct status rules_round(struct arena *arena,
                                   const Matching__V1__CreateRoundRequest *request,
                                   Matching__V1__Round *ret);

enum round_act {
    ACT_IMPORT_UNITS, /* limits and topics */
    ACT_IMPORT_STUDENTS,
    ACT_CHECK_TOPICS,
    ACT_CHOOSE,
    ACT_RANK,
    ACT_PIN,
    ACT_SOLVE,
    ACT_TRY,
    ACT_READ_OWN, /* a student the own place */
    ACT_OBJECT,
    ACT_AMEND,
};

/* FAILED_PRECONDITION: not in this state. */
must_use struct status rules_act(struct arena *arena, const Matching__V1__Round *round,
                                 enum round_act act);
/* The act by which a part is imported. */
enum round_act rules_import_act(Matching__V1__CohortPart part);

/* FAILED_PRECONDITION: the state does not follow on the round's. */
must_use struct status rules_move(struct arena *arena, const Matching__V1__Round *round,
                                  Matching__V1__RoundState to);
/* Ranking opens when topics are checked: none is proposed, some are approved. */
must_use struct status rules_topics_checked(struct arena *arena, const struct cohort *cohort);

/* A text of 1 to `most` characters. */
must_use struct status rules_text(struct arena *arena, const char *field, const char *text,
                                  size_t most);
must_use struct status rules_code(struct arena *arena, const char *field, const char *code);

/* Choices joined by spaces: approved topics, none twice, at most `most`. */
must_use struct status rules_choices(struct arena *arena, const struct cohort *units,
                                     const char *const *codes, size_t count, uint32_t most,
                                     const char **ret);
/* The rows of a ranking: students of the cohort, none twice. */
must_use struct status rules_bands(struct arena *arena, const struct cohort *cohort,
                                   const Matching__V1__RankStudentsRequest *request,
                                   struct cohort_ranking **ret, size_t *ret_count);
/* Whether one more student fits `topic` and the limits above it, when others have the topics
 * `held`.  FAILED_PRECONDITION names what is full; INVALID_ARGUMENT: no approved topic. */
must_use struct status rules_room(struct arena *arena, const struct cohort *units,
                                  const char *topic, const char *const *held, size_t count);
/* What stands above a topic (the code of its owner) or a limit; "": nothing. */
const char *rules_above(const struct cohort *units, const char *code);
/* Changes the cohort's rows as a what-if says. */
must_use struct status rules_try(struct arena *arena, struct cohort *cohort,
                                 const Matching__V1__TryRoundRequest *request);
