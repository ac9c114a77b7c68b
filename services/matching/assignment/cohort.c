#include "services/matching/assignment/cohort.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "matching/v1/assignment.pb-c.h"

static int
by_code(const void *code, const void *row)
{
    return strcmp(code, *(const char *const *)row);
}

static void *
find(void *rows, size_t count, size_t size, const char *code)
{
    return count > 0 ? bsearch(code, rows, count, size, by_code) : NULL;
}

struct cohort_limit *
cohort_limit(const struct cohort *cohort, const char *code)
{
    return find(cohort->limits, cohort->limit_count, sizeof *cohort->limits, code);
}

struct cohort_topic *
cohort_topic(const struct cohort *cohort, const char *code)
{
    return find(cohort->topics, cohort->topic_count, sizeof *cohort->topics, code);
}

struct cohort_student *
cohort_student(const struct cohort *cohort, const char *code)
{
    return find(cohort->students, cohort->student_count, sizeof *cohort->students, code);
}

size_t
cohort_next_choice(const char **choices, const char **ret)
{
    const size_t size = strcspn(*choices, " ");

    *ret = *choices;
    *choices += size;
    *choices += **choices == ' ';
    return size;
}

bool
cohort_code_valid(const char *code)
{
    const size_t size = strlen(code);

    if (size == 0 || size > COHORT_CODE_BYTES)
        return false;
    for (const char *c = code; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7F || strchr(",;\"", *c))
            return false;
    return true;
}

/* The rank that `owner` gives a student; after all who are ranked when it gives none. */
static uint32_t
rank_of(const struct cohort *cohort, const char *owner, const char *student, bool *ret_ranked)
{
    size_t low = 0, high = cohort->ranking_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct cohort_ranking *row = &cohort->rankings[middle];
        int order = strcmp(row->owner, owner);

        if (order == 0)
            order = strcmp(row->student, student);
        if (order == 0) {
            *ret_ranked = true;
            return row->rank;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    /* Whoever ranks anybody has a row beside. */
    *ret_ranked =
        (low < cohort->ranking_count && strcmp(cohort->rankings[low].owner, owner) == 0) ||
        (low > 0 && strcmp(cohort->rankings[low - 1].owner, owner) == 0);
    return ASSIGNMENT_RANK_MAX - 1;
}

/* Numbers: topics that are approved, then limits by kind. */
struct numbering {
    struct cohort_instance *into;
    struct assignment_unit *units;
    struct assignment_topic *topics;
    struct assignment_student *students;
    struct assignment_choice *choices;
    uint32_t *unit_of_topic; /* by row, or ASSIGNMENT_NONE */
    uint32_t *unit_of_limit; /* by row */
};

static struct status
begin(struct numbering *n, const struct cohort *cohort, struct arena *arena)
{
    struct cohort_instance *into = n->into;
    struct assignment_instance *instance = &into->instance;
    size_t choices = 0;

    for (size_t s = 0; s < cohort->student_count; s++) {
        const char *rest = cohort->students[s].choices, *code;

        while (cohort_next_choice(&rest, &code) > 0)
            choices++;
    }
    TRY(need(n->units = ARENA_ARRAY(arena, struct assignment_unit,
                                    cohort->topic_count + cohort->limit_count + 1)));
    TRY(need(n->topics = ARENA_ARRAY(arena, struct assignment_topic, cohort->topic_count + 1)));
    TRY(need(n->students =
                 ARENA_ARRAY(arena, struct assignment_student, cohort->student_count + 1)));
    TRY(need(n->choices = ARENA_ARRAY(arena, struct assignment_choice, choices + 1)));
    TRY(need(n->unit_of_topic = ARENA_ARRAY(arena, uint32_t, cohort->topic_count + 1)));
    TRY(need(n->unit_of_limit = ARENA_ARRAY(arena, uint32_t, cohort->limit_count + 1)));
    TRY(need(into->topic_row = ARENA_ARRAY(arena, uint32_t, cohort->topic_count + 1)));
    TRY(need(into->limit_row = ARENA_ARRAY(arena, uint32_t, cohort->limit_count + 1)));
    instance->units = n->units;
    instance->topics = n->topics;
    instance->students = n->students;
    instance->choices = n->choices;
    return OK;
}

static void
number_units(struct numbering *n, const struct cohort *cohort)
{
    struct assignment_instance *instance = &n->into->instance;
    uint32_t at = 0;

    for (uint32_t t = 0; t < cohort->topic_count; t++) {
        n->unit_of_topic[t] = ASSIGNMENT_NONE;
        if (cohort->topics[t].state != MATCHING__V1__TOPIC_STATE__TOPIC_APPROVED)
            continue;
        n->into->topic_row[at] = t;
        n->unit_of_topic[t] = at++;
    }
    instance->topic_count = at;
    for (enum cohort_kind kind = COHORT_SUPERVISOR; kind <= COHORT_CAMPUS; kind++)
        for (uint32_t l = 0; l < cohort->limit_count; l++)
            if (cohort->limits[l].kind == kind) {
                n->into->limit_row[at - instance->topic_count] = l;
                n->unit_of_limit[l] = at++;
            }
    instance->unit_count = at;
}

static uint32_t
unit_of(const struct numbering *n, const struct cohort *cohort, const char *limit)
{
    const struct cohort_limit *row = *limit ? cohort_limit(cohort, limit) : NULL;

    return row ? n->unit_of_limit[row - cohort->limits] : ASSIGNMENT_NONE;
}

static void
fill_units(struct numbering *n, const struct cohort *cohort)
{
    const struct assignment_instance *instance = &n->into->instance;

    for (uint32_t u = 0; u < instance->topic_count; u++) {
        const struct cohort_topic *row = &cohort->topics[n->into->topic_row[u]];

        n->topics[u] = (struct assignment_topic){row->least, row->optional};
        n->units[u] = (struct assignment_unit){unit_of(n, cohort, row->owner), row->capacity};
    }
    for (uint32_t u = instance->topic_count; u < instance->unit_count; u++) {
        const struct cohort_limit *row =
            &cohort->limits[n->into->limit_row[u - instance->topic_count]];

        n->units[u] = (struct assignment_unit){unit_of(n, cohort, row->parent), row->capacity};
    }
}

static uint32_t
topic_number(const struct numbering *n, const struct cohort *cohort, const char *code)
{
    const struct cohort_topic *row = cohort_topic(cohort, code);

    return row ? n->unit_of_topic[row - cohort->topics] : ASSIGNMENT_NONE;
}

static struct status
fill_choices(struct numbering *n, const struct cohort *cohort, uint32_t s, struct arena *arena)
{
    const struct cohort_student *row = &cohort->students[s];
    struct assignment_instance *instance = &n->into->instance;
    const char *rest = row->choices, *piece;
    size_t size;

    n->students[s].first = instance->choice_count;
    while ((size = cohort_next_choice(&rest, &piece)) > 0) {
        const char *code = arena_copy_n(arena, piece, size);
        bool ranked = false;
        uint32_t topic, rank;

        TRY(need(code));
        topic = topic_number(n, cohort, code);
        if (topic == ASSIGNMENT_NONE)
            return FAIL_FIELD(arena, arena_printf(arena, "students[%s].choices", row->code),
                              "%s is no approved topic of this round", code);
        rank = rank_of(cohort, code, row->code, &ranked);
        if (!ranked)
            rank = rank_of(cohort, cohort->topics[n->into->topic_row[topic]].owner, row->code,
                           &ranked);
        n->choices[instance->choice_count++] = (struct assignment_choice){topic, rank};
    }
    n->students[s].count = instance->choice_count - n->students[s].first;
    return OK;
}

/* Two are a pair when each names the other. */
static uint32_t
partner_of(const struct cohort *cohort, const struct cohort_student *student)
{
    const struct cohort_student *partner =
        *student->partner ? cohort_student(cohort, student->partner) : NULL;

    return partner && partner != student && strcmp(partner->partner, student->code) == 0
               ? (uint32_t)(partner - cohort->students)
               : ASSIGNMENT_NONE;
}

static struct status
fill_students(struct numbering *n, const struct cohort *cohort, struct arena *arena)
{
    for (uint32_t s = 0; s < cohort->student_count; s++) {
        const struct cohort_student *row = &cohort->students[s];

        TRY(fill_choices(n, cohort, s, arena));
        n->students[s].partner = partner_of(cohort, row);
        n->students[s].pinned =
            *row->pinned ? topic_number(n, cohort, row->pinned) : ASSIGNMENT_NONE;
        if (*row->pinned && n->students[s].pinned == ASSIGNMENT_NONE)
            return FAIL_FIELD(arena, arena_printf(arena, "students[%s].pinned", row->code),
                              "%s is no approved topic of this round", row->pinned);
    }
    n->into->instance.student_count = (uint32_t)cohort->student_count;
    return OK;
}

struct status
cohort_number(const struct cohort *cohort, const struct cohort_question *question,
              struct arena *arena, struct cohort_instance *ret)
{
    struct cohort_instance numbered = {.cohort = cohort,
                                       .instance = {.objective = question->objective,
                                                    .seed = question->seed,
                                                    .fill = question->fill}};
    struct numbering n = {.into = &numbered};

    TRY(begin(&n, cohort, arena));
    number_units(&n, cohort);
    fill_units(&n, cohort);
    TRY(fill_students(&n, cohort, arena));
    TRY(cohort_explain(&numbered, arena, assignment_check(&numbered.instance, arena)));
    *ret = numbered;
    return OK;
}

const char *
cohort_unit_code(const struct cohort_instance *numbered, uint32_t unit)
{
    const uint32_t topics = numbered->instance.topic_count;

    return unit < topics ? numbered->cohort->topics[numbered->topic_row[unit]].code
                         : numbered->cohort->limits[numbered->limit_row[unit - topics]].code;
}

const char *
cohort_unit_title(const struct cohort_instance *numbered, uint32_t unit)
{
    const uint32_t topics = numbered->instance.topic_count;

    return unit < topics ? numbered->cohort->topics[numbered->topic_row[unit]].title
                         : numbered->cohort->limits[numbered->limit_row[unit - topics]].title;
}

/* What "students[3]" and the like stand for; NULL: nothing of that kind. */
static const char *
code_at(const struct cohort_instance *numbered, const char *text, const char **ret_end)
{
    static const char *const kinds[] = {"students[", "units[", "topics["};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const size_t size = strlen(kinds[i]);
        unsigned long number;
        char *end;

        if (strncmp(text, kinds[i], size) != 0)
            continue;
        number = strtoul(text + size, &end, 10);
        if (end == text + size || *end != ']' ||
            number >=
                (i == 0 ? numbered->cohort->student_count : numbered->instance.unit_count))
            return NULL;
        *ret_end = end;
        return i == 0 ? numbered->cohort->students[number].code
                      : cohort_unit_code(numbered, (uint32_t)number);
    }
    return NULL;
}

static const char *
with_codes(const struct cohort_instance *numbered, struct arena *arena, const char *text)
{
    const char *told = "", *from = text;

    for (const char *at = text; told && *at; at++) {
        const char *end = at, *code = code_at(numbered, at, &end);

        if (!code)
            continue;
        told = arena_printf(arena, "%s%.*s%s", told, (int)(strchr(at, '[') + 1 - from), from,
                            code);
        from = at = end;
    }
    return told ? arena_printf(arena, "%s%s", told, from) : text;
}

struct status
cohort_explain(const struct cohort_instance *numbered, struct arena *arena,
               struct status status)
{
    if (status.detail)
        status.detail = with_codes(numbered, arena, status.detail);
    if (status.field)
        status.field = with_codes(numbered, arena, status.field);
    return status;
}

/* The canonical form: each number in eight bytes, each text with its NUL, rows by code. */

static void
put_number(crypto_generichash_state *hash, uint64_t number)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < sizeof bytes; i++, number >>= 8)
        bytes[i] = (uint8_t)number;
    (void)crypto_generichash_update(hash, bytes, sizeof bytes);
}

static void
put_text(crypto_generichash_state *hash, const char *text)
{
    (void)crypto_generichash_update(hash, (const uint8_t *)text, strlen(text) + 1);
}

static void
put_unit(crypto_generichash_state *hash, const struct cohort_instance *numbered, uint32_t u)
{
    const struct assignment_unit *unit = &numbered->instance.units[u];

    put_text(hash, cohort_unit_code(numbered, u));
    put_text(hash,
             unit->parent == ASSIGNMENT_NONE ? "" : cohort_unit_code(numbered, unit->parent));
    put_number(hash, unit->capacity);
    if (u >= numbered->instance.topic_count)
        return;
    put_number(hash, numbered->instance.topics[u].least);
    put_number(hash, numbered->instance.topics[u].optional);
}

static void
put_student(crypto_generichash_state *hash, const struct cohort_instance *numbered, uint32_t s)
{
    const struct assignment_student *student = &numbered->instance.students[s];

    put_text(hash, numbered->cohort->students[s].code);
    put_number(hash, student->partner);
    put_number(hash, student->pinned);
    put_number(hash, student->count);
    for (uint32_t i = 0; i < student->count; i++) {
        put_number(hash, numbered->instance.choices[student->first + i].topic);
        put_number(hash, numbered->instance.choices[student->first + i].rank);
    }
}

struct status
cohort_hash(const struct cohort_instance *numbered, struct arena *arena, const char **ret)
{
    const struct assignment_instance *instance = &numbered->instance;
    uint8_t digest[crypto_generichash_BYTES];
    const size_t size = 2 * sizeof digest + 1;
    crypto_generichash_state hash;
    char *text;

    (void)crypto_generichash_init(&hash, NULL, 0, sizeof digest);
    put_text(&hash, COHORT_ALGORITHM);
    put_number(&hash, instance->objective);
    put_number(&hash, instance->seed);
    put_number(&hash, instance->fill);
    put_number(&hash, instance->topic_count);
    put_number(&hash, instance->unit_count);
    put_number(&hash, instance->student_count);
    for (uint32_t u = 0; u < instance->unit_count; u++)
        put_unit(&hash, numbered, u);
    for (uint32_t s = 0; s < instance->student_count; s++)
        put_student(&hash, numbered, s);
    (void)crypto_generichash_final(&hash, digest, sizeof digest);
    TRY(need(text = arena_alloc(arena, size)));
    *ret = sodium_bin2hex(text, size, digest, sizeof digest);
    return OK;
}
