#pragma once

/* A round's cohort as it is kept, by codes, and as the solver's instance, by numbers.
 *
 * Rows are sorted by code (bytes).  Everything lives in the arena it was made in.
 */

#include <stddef.h>

#include "services/matching/assignment/instance.h"

/* Limits of one round. */
#define COHORT_STUDENTS_MAX 5000
#define COHORT_TOPICS_MAX 5000
#define COHORT_LIMITS_MAX 1000
#define COHORT_RANKINGS_MAX 100000
#define COHORT_CHOICES_MAX 30
#define COHORT_CAPACITY_MAX 100000
#define COHORT_CODE_BYTES 60

/* As in the contract's LimitKind: a parent's is greater than its children's. */
enum cohort_kind { COHORT_SUPERVISOR = 1, COHORT_COMPANY, COHORT_CAMPUS };

/* Each row begins with its code. */
struct cohort_limit {
    const char *code, *title, *parent; /* parent: code, or "" */
    enum cohort_kind kind;
    uint32_t capacity;
    const char *person_id; /* of the supervisor's profile, or "" */
};

struct cohort_topic {
    const char *code, *title, *owner; /* owner: code of a limit, or "" */
    uint32_t capacity, least;
    bool optional;
    uint32_t state; /* the contract's TopicState */
    const char *reason;
};

struct cohort_student {
    const char *code, *person_id;
    const char *choices; /* codes, best first, separated by single spaces */
    const char *partner, *pinned, *pin_reason;
};

struct cohort_ranking {
    const char *owner, *student;
    uint32_t rank; /* from 1 */
};

struct cohort {
    struct cohort_limit *limits;
    struct cohort_topic *topics;
    struct cohort_student *students;
    struct cohort_ranking *rankings; /* by owner, then student */
    size_t limit_count, topic_count, student_count, ranking_count;
};

struct cohort_limit *cohort_limit(const struct cohort *cohort, const char *code);
struct cohort_topic *cohort_topic(const struct cohort *cohort, const char *code);
struct cohort_student *cohort_student(const struct cohort *cohort, const char *code);

/* The next of a student's choices: its bytes, not ended by a NUL; 0 after the last. */
size_t cohort_next_choice(const char **choices, const char **ret);

/* 1 to COHORT_CODE_BYTES bytes without white space, comma, semicolon and quote. */
bool cohort_code_valid(const char *code);

/* What a solver is asked for, besides the cohort. */
struct cohort_question {
    enum assignment_objective objective;
    uint64_t seed;
    bool fill;
};

/* An instance, and what its numbers stand for. */
struct cohort_instance {
    struct assignment_instance instance;
    const struct cohort *cohort;
    uint32_t *topic_row; /* by topic: those that are approved */
    uint32_t *limit_row; /* by unit - topic_count */
};

/* INVALID_ARGUMENT, with codes in place of numbers: no such instance, see assignment_check. */
must_use struct status cohort_number(const struct cohort *cohort,
                                     const struct cohort_question *question,
                                     struct arena *arena, struct cohort_instance *ret);

const char *cohort_unit_code(const struct cohort_instance *numbered, uint32_t unit);
const char *cohort_unit_title(const struct cohort_instance *numbered, uint32_t unit);

/* Says codes where a status of the solver says "students[3]", "units[0]" or "topics[2]". */
must_use struct status cohort_explain(const struct cohort_instance *numbered,
                                      struct arena *arena, struct status status);

#define COHORT_ALGORITHM "spa-laminar/1"

/* A hash of everything that the result depends on, as 64 hexadecimal digits.  The order in
 * which rows were read, titles and reasons are no part of it. */
must_use struct status cohort_hash(const struct cohort_instance *numbered, struct arena *arena,
                                   const char **ret);
