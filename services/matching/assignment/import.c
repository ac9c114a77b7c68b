#include "services/matching/assignment/import.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/csv.h"
#include "common/base/utf8.h"
#include "common/base/uuid.h"
#include "matching/v1/assignment.pb-c.h"

#define TITLE_LETTERS_MAX 200
#define COLUMNS 7

struct column {
    const char *name;
    bool required;
};

static const struct column columns[][COLUMNS] = {
    [IMPORT_LIMITS] = {{"code", true},
                       {"kind", true},
                       {"capacity", true},
                       {"title", false},
                       {"parent", false},
                       {"person_id", false}},
    [IMPORT_TOPICS] = {{"code", true},
                       {"title", true},
                       {"capacity", true},
                       {"owner", false},
                       {"least", false},
                       {"optional", false}},
    [IMPORT_STUDENTS] = {{"code", true}, {"person_id", false}},
    [IMPORT_CHOICES] = {{"student", true}, {"choices", true}, {"partner", false}},
    [IMPORT_RANKINGS] = {{"owner", true}, {"student", true}, {"rank", true}},
};

struct reader {
    const struct cohort *cohort;
    struct import_table *table;
    struct arena *arena;
    enum import_part part;
    uint32_t choices_max, line;
    uint32_t place[COLUMNS];         /* of our columns in the table; UINT32_MAX: missing */
    const char *fields[CSV_COLUMNS]; /* of the line */
};

static void
fault(struct reader *reader, const char *column, enum import_fault what, const char *value)
{
    struct import_table *table = reader->table;

    if (table->problem_count < IMPORT_PROBLEMS_MAX)
        table->problems[table->problem_count] =
            (struct import_problem){reader->line, column, value ? value : "", what};
    table->problem_count++;
}

/* A field by our column's number; "" when the table does not have it. */
static const char *
field(const struct reader *reader, size_t column)
{
    return reader->place[column] == UINT32_MAX ? "" : reader->fields[reader->place[column]];
}

static const char *
name(const struct reader *reader, size_t column)
{
    return columns[reader->part][column].name;
}

static bool
read_code(struct reader *reader, size_t column, const char **ret)
{
    *ret = field(reader, column);
    if (cohort_code_valid(*ret))
        return true;
    fault(reader, name(reader, column), IMPORT_BAD_CODE, *ret);
    return false;
}

static bool
read_number(struct reader *reader, size_t column, uint32_t least, uint32_t most, uint32_t *ret)
{
    const char *text = field(reader, column);
    char *end;
    const unsigned long number = strtoul(text, &end, 10);

    if (*text >= '0' && *text <= '9' && *end == '\0' && number >= least && number <= most) {
        *ret = (uint32_t)number;
        return true;
    }
    fault(reader, name(reader, column), IMPORT_BAD_NUMBER,
          arena_printf(reader->arena, "%u-%u", least, most));
    return false;
}

static bool
read_title(struct reader *reader, size_t column, const char *otherwise, const char **ret)
{
    const char *title = field(reader, column);

    *ret = *title ? title : otherwise;
    if (utf8_length(title) <= TITLE_LETTERS_MAX && !strpbrk(title, "\r\n"))
        return true;
    fault(reader, name(reader, column), IMPORT_TOO_LONG, "");
    return false;
}

static bool
read_person(struct reader *reader, size_t column, const char **ret)
{
    *ret = field(reader, column);
    if (!**ret || uuid_valid(*ret))
        return true;
    fault(reader, name(reader, column), IMPORT_BAD_PERSON, *ret);
    return false;
}

static void
read_limit(struct reader *reader)
{
    static const char *const kinds[] = {"supervisor", "company", "campus"};
    struct cohort *rows = &reader->table->rows;
    struct cohort_limit row = {.parent = field(reader, 4)};
    bool right = read_code(reader, 0, &row.code);

    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (strcmp(field(reader, 1), kinds[i]) == 0)
            row.kind = (enum cohort_kind)(i + 1);
    if (!row.kind)
        fault(reader, name(reader, 1), IMPORT_BAD_WORD, "supervisor, company, campus");
    right &= row.kind > 0;
    right &= read_number(reader, 2, 0, COHORT_CAPACITY_MAX, &row.capacity);
    right &= read_title(reader, 3, row.code, &row.title);
    right &= read_person(reader, 5, &row.person_id);
    if (!right)
        return;
    reader->table->line[rows->limit_count] = reader->line;
    rows->limits[rows->limit_count++] = row;
}

static void
read_topic(struct reader *reader)
{
    struct cohort *rows = &reader->table->rows;
    struct cohort_topic row = {.owner = field(reader, 3),
                               .state = MATCHING__V1__TOPIC_STATE__TOPIC_PROPOSED,
                               .reason = ""};
    const char *optional = field(reader, 5);
    bool right = read_code(reader, 0, &row.code);

    if (!*field(reader, 1)) {
        fault(reader, name(reader, 1), IMPORT_MISSING_COLUMN, name(reader, 1));
        right = false;
    }
    right &= read_title(reader, 1, "", &row.title);
    right &= read_number(reader, 2, 0, COHORT_CAPACITY_MAX, &row.capacity);
    if (right && *field(reader, 4))
        right &= read_number(reader, 4, 0, row.capacity, &row.least);
    row.optional = strcmp(optional, "yes") == 0;
    if (*optional && !row.optional && strcmp(optional, "no") != 0) {
        fault(reader, name(reader, 5), IMPORT_BAD_WORD, "yes, no");
        right = false;
    }
    if (*row.owner && !cohort_limit(reader->cohort, row.owner)) {
        fault(reader, name(reader, 3), IMPORT_NO_LIMIT, row.owner);
        right = false;
    }
    if (!right)
        return;
    reader->table->line[rows->topic_count] = reader->line;
    rows->topics[rows->topic_count++] = row;
}

static void
read_student(struct reader *reader)
{
    struct cohort *rows = &reader->table->rows;
    struct cohort_student row = {.choices = "", .partner = "", .pinned = "", .pin_reason = ""};
    bool right = read_code(reader, 0, &row.code);

    right &= read_person(reader, 1, &row.person_id);
    if (!right)
        return;
    reader->table->line[rows->student_count] = reader->line;
    rows->students[rows->student_count++] = row;
}

static bool
listed_before(const char *choices, const char *end, const char *code, size_t size)
{
    const char *rest = choices, *piece;
    size_t length;

    while (rest < end && (length = cohort_next_choice(&rest, &piece)) > 0 && piece < end)
        if (length == size && memcmp(piece, code, size) == 0)
            return true;
    return false;
}

/* Checks a list of choices that is separated by single spaces. */
static bool
check_choices(struct reader *reader, const char *choices)
{
    const char *rest = choices, *piece;
    uint32_t count = 0;
    size_t size;

    while ((size = cohort_next_choice(&rest, &piece)) > 0) {
        const char *code = arena_copy_n(reader->arena, piece, size);
        const struct cohort_topic *topic = code ? cohort_topic(reader->cohort, code) : NULL;

        if (!topic || topic->state != MATCHING__V1__TOPIC_STATE__TOPIC_APPROVED) {
            fault(reader, name(reader, 1), IMPORT_NO_TOPIC, code);
            return false;
        }
        if (listed_before(choices, piece, piece, size)) {
            fault(reader, name(reader, 1), IMPORT_DOUBLE_CODE, code);
            return false;
        }
        if (++count > reader->choices_max) {
            fault(reader, name(reader, 1), IMPORT_TOO_MANY,
                  arena_printf(reader->arena, "%u", reader->choices_max));
            return false;
        }
    }
    return true;
}

/* The list with single spaces between its codes, none at the ends. */
static const char *
tidy(struct arena *arena, const char *text)
{
    char *tidied = arena_copy(arena, text), *into = tidied;

    for (const char *at = text; tidied && *at; at++)
        if (*at != ' ' || (into > tidied && into[-1] != ' '))
            *into++ = *at;
    if (tidied) {
        into -= into > tidied && into[-1] == ' ';
        *into = '\0';
    }
    return tidied ? tidied : "";
}

static void
read_choices(struct reader *reader)
{
    struct cohort *rows = &reader->table->rows;
    struct cohort_student row = {.partner = field(reader, 2),
                                 .choices = tidy(reader->arena, field(reader, 1)),
                                 .person_id = "",
                                 .pinned = "",
                                 .pin_reason = ""};
    bool right = read_code(reader, 0, &row.code);

    if (right && !cohort_student(reader->cohort, row.code)) {
        fault(reader, name(reader, 0), IMPORT_NO_STUDENT, row.code);
        right = false;
    }
    right &= check_choices(reader, row.choices);
    if (*row.partner &&
        (strcmp(row.partner, row.code) == 0 || !cohort_student(reader->cohort, row.partner))) {
        fault(reader, name(reader, 2), IMPORT_NO_STUDENT, row.partner);
        right = false;
    }
    if (!right)
        return;
    reader->table->line[rows->student_count] = reader->line;
    rows->students[rows->student_count++] = row;
}

static void
read_ranking(struct reader *reader)
{
    struct cohort *rows = &reader->table->rows;
    struct cohort_ranking row;
    bool right = read_code(reader, 0, &row.owner);

    right &= read_code(reader, 1, &row.student);
    right &= read_number(reader, 2, 1, COHORT_STUDENTS_MAX, &row.rank);
    if (right && !cohort_limit(reader->cohort, row.owner) &&
        !cohort_topic(reader->cohort, row.owner)) {
        fault(reader, name(reader, 0), IMPORT_NO_LIMIT, row.owner);
        right = false;
    }
    if (right && !cohort_student(reader->cohort, row.student)) {
        fault(reader, name(reader, 1), IMPORT_NO_STUDENT, row.student);
        right = false;
    }
    if (!right)
        return;
    reader->table->line[rows->ranking_count] = reader->line;
    rows->rankings[rows->ranking_count++] = row;
}

/* Which of our columns stand where. */
static bool
read_heading(struct reader *reader, size_t count)
{
    const size_t before = reader->table->problem_count;

    for (size_t c = 0; c < COLUMNS; c++)
        reader->place[c] = UINT32_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t c = 0;

        while (c < COLUMNS && columns[reader->part][c].name &&
               strcmp(columns[reader->part][c].name, reader->fields[i]) != 0)
            c++;
        if (c == COLUMNS || !columns[reader->part][c].name || reader->place[c] != UINT32_MAX)
            fault(reader, reader->fields[i], IMPORT_UNKNOWN_COLUMN, reader->fields[i]);
        else
            reader->place[c] = (uint32_t)i;
    }
    for (size_t c = 0; c < COLUMNS && columns[reader->part][c].name; c++)
        if (columns[reader->part][c].required && reader->place[c] == UINT32_MAX)
            fault(reader, name(reader, c), IMPORT_MISSING_COLUMN, name(reader, c));
    return reader->table->problem_count == before;
}

static void
read_line(struct reader *reader)
{
    switch (reader->part) {
    case IMPORT_LIMITS:
        read_limit(reader);
        break;
    case IMPORT_TOPICS:
        read_topic(reader);
        break;
    case IMPORT_STUDENTS:
        read_student(reader);
        break;
    case IMPORT_CHOICES:
        read_choices(reader);
        break;
    case IMPORT_RANKINGS:
        read_ranking(reader);
        break;
    }
}

static struct status
make_table(struct reader *reader, size_t lines)
{
    struct import_table *table = reader->table;

    TRY(need(table->line = ARENA_ARRAY(reader->arena, uint32_t, lines + 1)));
    TRY(need(table->problems =
                 ARENA_ARRAY(reader->arena, struct import_problem, IMPORT_PROBLEMS_MAX)));
    switch (reader->part) {
    case IMPORT_LIMITS:
        return need(table->rows.limits =
                        ARENA_ARRAY(reader->arena, struct cohort_limit, lines + 1));
    case IMPORT_TOPICS:
        return need(table->rows.topics =
                        ARENA_ARRAY(reader->arena, struct cohort_topic, lines + 1));
    case IMPORT_RANKINGS:
        return need(table->rows.rankings =
                        ARENA_ARRAY(reader->arena, struct cohort_ranking, lines + 1));
    case IMPORT_STUDENTS:
    case IMPORT_CHOICES:
        break;
    }
    return need(table->rows.students =
                    ARENA_ARRAY(reader->arena, struct cohort_student, lines + 1));
}

/* Lines that a table has at most. */
static size_t
count_lines(const char *csv)
{
    size_t lines = 1;

    for (const char *at = csv; *at; at++)
        lines += *at == '\n';
    return lines;
}

struct status
import_read(const struct cohort *cohort, enum import_part part, uint32_t choices_max,
            const char *csv, struct arena *arena, struct import_table *ret)
{
    struct import_table table = {0};
    struct reader reader = {.cohort = cohort,
                            .table = &table,
                            .arena = arena,
                            .part = part,
                            .choices_max = choices_max};
    const size_t lines = count_lines(csv);
    bool heading = true;
    struct csv text;
    size_t count;

    TRY(make_table(&reader, lines));
    if (lines > IMPORT_LINES_MAX)
        fault(&reader, "", IMPORT_TOO_MANY, arena_printf(arena, "%d", IMPORT_LINES_MAX));
    csv_init(&text, csv, strlen(csv), 0);
    while (lines <= IMPORT_LINES_MAX) {
        const struct status read = csv_next(&text, arena, reader.fields, &count);

        reader.line = (uint32_t)text.line;
        if (read.code == CODE_INVALID_ARGUMENT)
            fault(&reader, "", IMPORT_BAD_TABLE, read.detail);
        else
            TRY(read);
        if (failed(read) || count == 0)
            break;
        if (!heading)
            read_line(&reader);
        else if (!read_heading(&reader, count))
            break;
        heading = false;
    }
    if (heading && table.problem_count == 0)
        fault(&reader, "", IMPORT_BAD_TABLE, "the table is empty");
    TRY(import_compare(&table, cohort, part, arena));
    *ret = table;
    return OK;
}
