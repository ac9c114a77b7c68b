#include "services/matching/assignment/import.h"

#include <stdlib.h>
#include <string.h>

/* A row by what must be different in each. */
struct key {
    const char *code, *second; /* a ranking's student, or "" */
    uint32_t line, row;
};

static int
by_key(const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    const int order = strcmp(a->code, b->code);

    if (order != 0)
        return order;
    if (strcmp(a->second, b->second) != 0)
        return strcmp(a->second, b->second);
    return a->line < b->line ? -1 : 1;
}

static int
code_of_key(const void *code, const void *key)
{
    return strcmp(code, ((const struct key *)key)->code);
}

struct comparison {
    struct import_table *table;
    const struct cohort *cohort;
    struct key *keys; /* sorted */
    size_t count;
};

static void
fault(struct comparison *comparison, uint32_t line, const char *column, enum import_fault what,
      const char *value)
{
    struct import_table *table = comparison->table;

    if (table->problem_count < IMPORT_PROBLEMS_MAX)
        table->problems[table->problem_count] =
            (struct import_problem){line, column, value ? value : "", what};
    table->problem_count++;
}

static void
make_keys(struct comparison *comparison)
{
    const struct import_table *table = comparison->table;
    const struct cohort *rows = &table->rows;
    struct key *keys = comparison->keys;
    size_t at = 0;

    for (size_t i = 0; i < rows->limit_count; i++)
        keys[at++] = (struct key){rows->limits[i].code, "", table->line[i], (uint32_t)i};
    for (size_t i = 0; i < rows->topic_count; i++)
        keys[at++] = (struct key){rows->topics[i].code, "", table->line[i], (uint32_t)i};
    for (size_t i = 0; i < rows->student_count; i++)
        keys[at++] = (struct key){rows->students[i].code, "", table->line[i], (uint32_t)i};
    for (size_t i = 0; i < rows->ranking_count; i++)
        keys[at++] = (struct key){rows->rankings[i].owner, rows->rankings[i].student,
                                  table->line[i], (uint32_t)i};
    qsort(keys, at, sizeof *keys, by_key);
    comparison->count = at;
}

static const struct key *
key_of(const struct comparison *comparison, const char *code)
{
    return comparison->count > 0 ? bsearch(code, comparison->keys, comparison->count,
                                           sizeof *comparison->keys, code_of_key)
                                 : NULL;
}

/* Limits by code as they will be: the table's rows before the cohort's. */
static const struct cohort_limit *
limit_to_be(const struct comparison *comparison, const char *code)
{
    const struct key *key = key_of(comparison, code);

    return key ? &comparison->table->rows.limits[key->row]
               : cohort_limit(comparison->cohort, code);
}

/* Limits that stay as they are may lie under one that changes. */
static bool
holds_what_stays(const struct comparison *comparison, const struct cohort_limit *limit)
{
    for (size_t i = 0; i < comparison->cohort->limit_count; i++) {
        const struct cohort_limit *child = &comparison->cohort->limits[i];

        if (strcmp(child->parent, limit->code) == 0 && child->kind >= limit->kind &&
            !key_of(comparison, child->code))
            return false;
    }
    return true;
}

static void
check_parents(struct comparison *comparison)
{
    const struct cohort *rows = &comparison->table->rows;

    for (size_t i = 0; i < rows->limit_count; i++) {
        const struct cohort_limit *limit = &rows->limits[i], *parent;

        if (!*limit->parent)
            continue;
        parent = limit_to_be(comparison, limit->parent);
        if (!parent)
            fault(comparison, comparison->table->line[i], "parent", IMPORT_NO_LIMIT,
                  limit->parent);
        else if (parent->kind <= limit->kind)
            fault(comparison, comparison->table->line[i], "parent", IMPORT_BAD_PARENT,
                  limit->parent);
    }
    for (size_t i = 0; i < rows->limit_count; i++)
        if (!holds_what_stays(comparison, &rows->limits[i]))
            fault(comparison, comparison->table->line[i], "kind", IMPORT_BAD_PARENT,
                  rows->limits[i].code);
}

/* How many rows of the part there will be, and may be. */
static void
check_count(struct comparison *comparison, enum import_part part, struct arena *arena)
{
    static const size_t most[] = {[IMPORT_LIMITS] = COHORT_LIMITS_MAX,
                                  [IMPORT_TOPICS] = COHORT_TOPICS_MAX,
                                  [IMPORT_STUDENTS] = COHORT_STUDENTS_MAX,
                                  [IMPORT_CHOICES] = COHORT_STUDENTS_MAX,
                                  [IMPORT_RANKINGS] = COHORT_RANKINGS_MAX};
    const struct cohort *cohort = comparison->cohort;
    size_t stay = 0;

    switch (part) {
    case IMPORT_LIMITS:
        stay = cohort->limit_count;
        break;
    case IMPORT_TOPICS:
        stay = cohort->topic_count;
        break;
    case IMPORT_STUDENTS:
        stay = cohort->student_count;
        break;
    case IMPORT_CHOICES:
        return;
    case IMPORT_RANKINGS: /* an owner's ranking replaces the one before */
        for (size_t i = 0; i < cohort->ranking_count; i++)
            stay += key_of(comparison, cohort->rankings[i].owner) == NULL;
        comparison->table->added = (uint32_t)comparison->count;
        break;
    }
    if (stay + comparison->table->added > most[part])
        fault(comparison, 0, "", IMPORT_TOO_MANY, arena_printf(arena, "%zu", most[part]));
}

static bool
known(const struct comparison *comparison, enum import_part part, const char *code)
{
    switch (part) {
    case IMPORT_LIMITS:
        return cohort_limit(comparison->cohort, code) != NULL;
    case IMPORT_TOPICS:
        return cohort_topic(comparison->cohort, code) != NULL;
    case IMPORT_STUDENTS:
    case IMPORT_CHOICES:
        return cohort_student(comparison->cohort, code) != NULL;
    case IMPORT_RANKINGS:
        break;
    }
    return false;
}

/* A ranking is looked up by one code: those of limits and topics must differ. */
static bool
taken(const struct comparison *comparison, enum import_part part, const char *code)
{
    return (part == IMPORT_LIMITS && cohort_topic(comparison->cohort, code)) ||
           (part == IMPORT_TOPICS && cohort_limit(comparison->cohort, code));
}

struct status
import_compare(struct import_table *table, const struct cohort *cohort, enum import_part part,
               struct arena *arena)
{
    struct comparison comparison = {.table = table, .cohort = cohort};
    const size_t count = table->rows.limit_count + table->rows.topic_count +
                         table->rows.student_count + table->rows.ranking_count;

    TRY(need(comparison.keys = ARENA_ARRAY(arena, struct key, count + 1)));
    make_keys(&comparison);
    for (size_t i = 0; i < comparison.count; i++) {
        const struct key *key = &comparison.keys[i];
        const struct key *before = i > 0 ? key - 1 : NULL;

        if (taken(&comparison, part, key->code) ||
            (before && strcmp(before->code, key->code) == 0 &&
             strcmp(before->second, key->second) == 0))
            fault(&comparison, key->line, part == IMPORT_RANKINGS ? "student" : "code",
                  IMPORT_DOUBLE_CODE, *key->second ? key->second : key->code);
        table->added += !known(&comparison, part, key->code);
    }
    if (part == IMPORT_LIMITS)
        check_parents(&comparison);
    check_count(&comparison, part, arena);
    return OK;
}
