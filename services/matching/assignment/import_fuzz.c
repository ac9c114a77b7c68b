/* The guard of imported rows: whatever the bytes, a table without problems has rows that may be
 * stored, each by its own code, within every limit, and about things that are there. */

#include "services/matching/assignment/import.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"
#include "common/base/uuid.h"
#include "matching/v1/assignment.pb-c.h"

#define MEMORY_BYTES ((size_t)64 << 20)
#define TITLE_LETTERS_MAX 200
#define APPROVED MATCHING__V1__TOPIC_STATE__TOPIC_APPROVED
#define REJECTED MATCHING__V1__TOPIC_STATE__TOPIC_REJECTED

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cohort_limit limits[] = {
    {"c1", "Company", "", COHORT_COMPANY, 3, ""},
    {"h1", "First", "c1", COHORT_SUPERVISOR, 2, ""},
    {"k1", "Campus", "", COHORT_CAMPUS, 9, ""},
};
static struct cohort_topic topics[] = {
    {"t1", "One", "h1", 1, 0, false, APPROVED, ""},
    {"t2", "Two", "h1", 2, 0, false, APPROVED, ""},
    {"t3", "Three", "", 1, 0, false, REJECTED, "no"},
};
static struct cohort_student students[] = {
    {"s1", "", "t1 t2", "s2", "", ""},
    {"s2", "", "t2", "s1", "", ""},
    {"s3", "", "", "", "", ""},
};
static const struct cohort cohort = {.limits = limits,
                                     .topics = topics,
                                     .students = students,
                                     .limit_count = 3,
                                     .topic_count = 3,
                                     .student_count = 3};

static void
expect(bool right)
{
    if (!right)
        abort();
}

/* Of one table, so few lines that looking at all pairs is no matter. */
static bool
known(const struct import_table *table, const char *code)
{
    bool found = cohort_limit(&cohort, code) != NULL;

    for (size_t i = 0; i < table->rows.limit_count; i++)
        found |= strcmp(table->rows.limits[i].code, code) == 0;
    return found;
}

static void
check_limits(const struct import_table *table)
{
    for (size_t i = 0; i < table->rows.limit_count; i++) {
        const struct cohort_limit *row = &table->rows.limits[i];

        expect(cohort_code_valid(row->code) && row->capacity <= COHORT_CAPACITY_MAX);
        expect(row->kind >= COHORT_SUPERVISOR && row->kind <= COHORT_CAMPUS);
        expect(utf8_length(row->title) <= TITLE_LETTERS_MAX && !strpbrk(row->title, "\r\n"));
        expect(!*row->parent || known(table, row->parent));
        expect(!*row->person_id || uuid_valid(row->person_id));
        for (size_t j = 0; j < i; j++)
            expect(strcmp(row->code, table->rows.limits[j].code) != 0);
    }
}

static void
check_topics(const struct import_table *table)
{
    for (size_t i = 0; i < table->rows.topic_count; i++) {
        const struct cohort_topic *row = &table->rows.topics[i];

        expect(cohort_code_valid(row->code) && row->capacity <= COHORT_CAPACITY_MAX);
        expect(row->least <= row->capacity && *row->title);
        expect(utf8_length(row->title) <= TITLE_LETTERS_MAX && !strpbrk(row->title, "\r\n"));
        expect(!*row->owner || cohort_limit(&cohort, row->owner));
        for (size_t j = 0; j < i; j++)
            expect(strcmp(row->code, table->rows.topics[j].code) != 0);
    }
}

static void
check_choices(const struct cohort_student *row, uint32_t choices_max)
{
    const char *rest = row->choices, *piece;
    uint32_t seen = 0, count = 0;
    size_t size;

    expect(!strstr(row->choices, "  ") && row->choices[0] != ' ');
    while ((size = cohort_next_choice(&rest, &piece)) > 0) {
        expect(size == 2 && piece[0] == 't' && (piece[1] == '1' || piece[1] == '2'));
        expect(!(seen & 1u << (piece[1] - '0')));
        seen |= 1u << (piece[1] - '0');
        count++;
    }
    expect(count <= choices_max);
}

static void
check_students(const struct import_table *table, enum import_part part, uint32_t choices_max)
{
    for (size_t i = 0; i < table->rows.student_count; i++) {
        const struct cohort_student *row = &table->rows.students[i];

        expect(cohort_code_valid(row->code));
        expect(!*row->person_id || uuid_valid(row->person_id));
        if (part == IMPORT_CHOICES) {
            expect(cohort_student(&cohort, row->code) != NULL);
            check_choices(row, choices_max);
            expect(!*row->partner || (cohort_student(&cohort, row->partner) &&
                                      strcmp(row->partner, row->code) != 0));
        }
        for (size_t j = 0; j < i; j++)
            expect(strcmp(row->code, table->rows.students[j].code) != 0);
    }
}

static void
check_rankings(const struct import_table *table)
{
    for (size_t i = 0; i < table->rows.ranking_count; i++) {
        const struct cohort_ranking *row = &table->rows.rankings[i];

        expect(cohort_limit(&cohort, row->owner) || cohort_topic(&cohort, row->owner));
        expect(cohort_student(&cohort, row->student) != NULL);
        expect(row->rank >= 1 && row->rank <= COHORT_STUDENTS_MAX);
        for (size_t j = 0; j < i; j++)
            expect(strcmp(row->owner, table->rows.rankings[j].owner) != 0 ||
                   strcmp(row->student, table->rows.rankings[j].student) != 0);
    }
}

/* The first two bytes choose the part and the round's limit of choices. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum import_part part;
    struct import_table table;
    struct status status;
    struct arena arena;
    const char *csv;

    if (size < 2 || size > 20000)
        return 0;
    part = (enum import_part)(1 + data[0] % IMPORT_RANKINGS);
    arena_init(&arena, MEMORY_BYTES);
    csv = arena_copy_n(&arena, data + 2, size - 2);
    expect(csv != NULL);
    status = import_read(&cohort, part, 1 + data[1] % COHORT_CHOICES_MAX, csv, &arena, &table);
    expect(!failed(status));
    if (table.problem_count == 0) {
        check_limits(&table);
        check_topics(&table);
        check_students(&table, part, 1 + data[1] % COHORT_CHOICES_MAX);
        check_rankings(&table);
    }
    arena_fini(&arena);
    return 0;
}
