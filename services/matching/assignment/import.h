#pragma once

/* Tables that a coordinator brings, as rows of a cohort.  Pure.
 *
 * Every wrong line is told; a table with any is not to be stored.  Rows are checked against
 * each other and against the cohort as it is.
 */

#include "services/matching/assignment/cohort.h"

#define IMPORT_BYTES_MAX 900000
#define IMPORT_LINES_MAX 20000
#define IMPORT_PROBLEMS_MAX 200 /* told; all are counted */

/* As the contract's CohortPart. */
enum import_part {
    IMPORT_LIMITS = 1,
    IMPORT_TOPICS,
    IMPORT_STUDENTS,
    IMPORT_CHOICES,
    IMPORT_RANKINGS
};

/* What is wrong; texts.def has the words: import_<name>. */
enum import_fault {
    IMPORT_BAD_TABLE,      /* value: why it is no CSV */
    IMPORT_MISSING_COLUMN, /* column */
    IMPORT_UNKNOWN_COLUMN, /* column */
    IMPORT_BAD_CODE,
    IMPORT_DOUBLE_CODE,
    IMPORT_BAD_NUMBER, /* value: the range */
    IMPORT_BAD_WORD,   /* value: the words that may stand there */
    IMPORT_BAD_PERSON,
    IMPORT_TOO_LONG,
    IMPORT_NO_LIMIT,   /* value: the code */
    IMPORT_NO_TOPIC,   /* value: the code */
    IMPORT_NO_STUDENT, /* value: the code */
    IMPORT_BAD_PARENT, /* value: the parent, which is of no higher kind */
    IMPORT_TOO_MANY,   /* value: how many there may be */
    IMPORT_FAULTS
};

struct import_problem {
    uint32_t line;
    const char *column, *value; /* or "" */
    enum import_fault fault;
};

/* What a table says; the rows of its part alone, in the order of its lines. */
struct import_table {
    struct cohort rows;
    uint32_t *line; /* by row */
    uint32_t added; /* that the cohort does not have */
    struct import_problem *problems;
    size_t problem_count; /* may be more than IMPORT_PROBLEMS_MAX */
};

/* `choices_max` is the round's.  RESOURCE_EXHAUSTED alone; what is wrong with the table is in
 * `ret`. */
must_use struct status import_read(const struct cohort *cohort, enum import_part part,
                                   uint32_t choices_max, const char *csv, struct arena *arena,
                                   struct import_table *ret);

/* import.c's other half: rows against each other and the cohort.  Adds to the table's problems.
 */
must_use struct status import_compare(struct import_table *table, const struct cohort *cohort,
                                      enum import_part part, struct arena *arena);
