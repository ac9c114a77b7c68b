#include "services/matching/assignment/sheet.h"

#include <stdlib.h>
#include <string.h>

/* The contract's numbers are the solver's and one. */
_Static_assert(ASSIGNMENT_OBJECTIVE + 1 == MATCHING__V1__PLACE_BARRIER__OTHER_OBJECTIVE,
               "barriers differ");
_Static_assert(ASSIGNMENT_CLOSED + 1 == MATCHING__V1__PLACE_BARRIER__TOPIC_CLOSED,
               "barriers differ");
_Static_assert(ASSIGNMENT_BY_FILL + 1 == MATCHING__V1__PLACE_BASIS__BY_FILL, "bases differ");
_Static_assert(ASSIGNMENT_LEAST_TOTAL + 1 == MATCHING__V1__ROUND_OBJECTIVE__LEAST_TOTAL,
               "objectives differ");

struct status
sheet_solve(const struct cohort *cohort, const struct cohort_question *question,
            struct arena *arena, struct sheet_solved **ret)
{
    struct sheet_solved *solved = ARENA_NEW(arena, struct sheet_solved);

    TRY(need(solved));
    TRY(cohort_number(cohort, question, arena, &solved->numbered));
    TRY(cohort_hash(&solved->numbered, arena, &solved->hash));
    TRY(cohort_explain(&solved->numbered, arena,
                       assignment_solve(&solved->numbered.instance, arena, &solved->result)));
    TRY(audit_make(&solved->numbered.instance, &solved->result, arena, &solved->audit));
    if (solved->audit.cause_count[ASSIGNMENT_UNKNOWN] > 0)
        return FAIL(arena, INTERNAL, "%llu pairs block without a cause",
                    (unsigned long long)solved->audit.cause_count[ASSIGNMENT_UNKNOWN]);
    *ret = solved;
    return OK;
}

static struct status
add_load(const struct sheet_solved *solved, uint32_t unit, struct arena *arena,
         Matching__V1__UnitLoad **list, size_t *count)
{
    Matching__V1__UnitLoad *load = ARENA_NEW(arena, Matching__V1__UnitLoad);

    if (*count == SHEET_LISTED_MAX)
        return OK;
    TRY(need(load));
    matching__v1__unit_load__init(load);
    load->code = cohort_unit_code(&solved->numbered, unit);
    if (unit >= solved->numbered.instance.topic_count)
        load->title = cohort_unit_title(&solved->numbered, unit);
    load->load = solved->audit.load[unit];
    load->capacity = solved->numbered.instance.units[unit].capacity;
    list[(*count)++] = load;
    return OK;
}

static struct status
add_units(const struct sheet_solved *solved, struct arena *arena, Matching__V1__Sheet *sheet)
{
    const struct assignment_instance *instance = &solved->numbered.instance;
    const char **closed;

    TRY(need(sheet->topics = ARENA_ARRAY(arena, Matching__V1__UnitLoad *, SHEET_LISTED_MAX)));
    TRY(need(sheet->limits = ARENA_ARRAY(arena, Matching__V1__UnitLoad *, SHEET_LISTED_MAX)));
    TRY(need(closed = ARENA_ARRAY(arena, const char *, SHEET_LISTED_MAX)));
    for (uint32_t u = 0; u < instance->topic_count; u++) {
        if (solved->audit.load[u] > 0)
            TRY(add_load(solved, u, arena, sheet->topics, &sheet->n_topics));
        if (solved->result.closed[u] && sheet->n_closed_topics < SHEET_LISTED_MAX)
            closed[sheet->n_closed_topics++] = cohort_unit_code(&solved->numbered, u);
    }
    sheet->closed_topics = closed;
    for (uint32_t u = instance->topic_count; u < instance->unit_count; u++)
        TRY(add_load(solved, u, arena, sheet->limits, &sheet->n_limits));
    return OK;
}

static struct status
add_blocking(const struct sheet_solved *solved, struct arena *arena, Matching__V1__Sheet *sheet)
{
    const struct assignment_audit *audit = &solved->audit;

    sheet->blocking_count = audit->blocking_count;
    TRY(need(sheet->blocking =
                 ARENA_ARRAY(arena, Matching__V1__BlockingPair *, SHEET_LISTED_MAX)));
    for (size_t i = 0; i < audit->blocking_listed && i < SHEET_LISTED_MAX; i++) {
        Matching__V1__BlockingPair *pair = ARENA_NEW(arena, Matching__V1__BlockingPair);

        TRY(need(pair));
        matching__v1__blocking_pair__init(pair);
        pair->student = solved->numbered.cohort->students[audit->blocking[i].student].code;
        pair->topic = cohort_unit_code(&solved->numbered, audit->blocking[i].topic);
        pair->cause = (Matching__V1__PlaceBarrier)(audit->blocking[i].cause + 1);
        sheet->blocking[sheet->n_blocking++] = pair;
    }
    return OK;
}

struct status
sheet_make(const struct sheet_solved *solved, struct arena *arena, Matching__V1__Sheet **ret)
{
    const struct assignment_audit *audit = &solved->audit;
    Matching__V1__Sheet *sheet = ARENA_NEW(arena, Matching__V1__Sheet);

    TRY(need(sheet));
    matching__v1__sheet__init(sheet);
    sheet->input_hash = solved->hash;
    sheet->algorithm = COHORT_ALGORITHM;
    sheet->objective = (Matching__V1__RoundObjective)(solved->numbered.instance.objective + 1);
    sheet->seed = solved->numbered.instance.seed;
    sheet->students = solved->numbered.instance.student_count;
    sheet->voters = audit->voters;
    sheet->placed = audit->placed;
    sheet->filled = audit->filled;
    sheet->without_place = audit->without;
    sheet->rank_profile = audit->profile;
    sheet->n_rank_profile = audit->profile_count;
    sheet->rank_sum = audit->rank_sum;
    sheet->short_topics = audit->short_topics;
    TRY(add_blocking(solved, arena, sheet));
    TRY(add_units(solved, arena, sheet));
    *ret = sheet;
    return OK;
}

/* "1 topic limit;" for each topic that the student prefers. */
static struct status
barriers_of(const struct sheet_solved *solved, uint32_t student, struct arena *arena,
            const char **ret)
{
    const struct assignment_instance *instance = &solved->numbered.instance;
    const uint32_t preferred = audit_preferred(&solved->audit, student);
    const char *text = "";

    for (uint32_t i = 0; i < preferred; i++) {
        const uint32_t topic = instance->choices[instance->students[student].first + i].topic;
        uint32_t unit;
        const enum assignment_barrier barrier =
            audit_barrier(&solved->audit, student, i, &unit);

        TRY(need(text = arena_printf(arena, "%s%d %s %s;", text, (int)barrier + 1,
                                     cohort_unit_code(&solved->numbered, topic),
                                     unit == ASSIGNMENT_NONE
                                         ? ""
                                         : cohort_unit_code(&solved->numbered, unit))));
    }
    *ret = text;
    return OK;
}

struct status
sheet_places(const struct sheet_solved *solved, struct arena *arena, struct place_row **ret,
             size_t *ret_count)
{
    const uint32_t count = solved->numbered.instance.student_count;
    struct place_row *places = ARENA_ARRAY(arena, struct place_row, (size_t)count + 1);

    TRY(need(places));
    for (uint32_t s = 0; s < count; s++) {
        const uint32_t topic = solved->result.topic[s];
        const uint32_t position = solved->result.position[s];

        places[s] = (struct place_row){
            .student = solved->numbered.cohort->students[s].code,
            .topic = topic == ASSIGNMENT_NONE ? "" : cohort_unit_code(&solved->numbered, topic),
            .choice = position == ASSIGNMENT_NONE ? 0 : position + 1,
            .basis = solved->result.basis[s] + 1};
        TRY(barriers_of(solved, s, arena, &places[s].barriers));
    }
    *ret = places;
    *ret_count = count;
    return OK;
}

/* One of them, up to its semicolon. */
static struct status
read_reason(const char *text, size_t size, uint32_t choice, struct arena *arena,
            Matching__V1__PlaceReason **ret)
{
    Matching__V1__PlaceReason *reason = ARENA_NEW(arena, Matching__V1__PlaceReason);
    char *rest = arena_copy_n(arena, text, size), *topic, *limit;

    TRY(need(reason));
    TRY(need(rest));
    matching__v1__place_reason__init(reason);
    reason->choice = choice;
    reason->barrier = (Matching__V1__PlaceBarrier)strtoul(rest, &topic, 10);
    topic += *topic == ' ';
    limit = topic + strcspn(topic, " ");
    if (*limit)
        *limit++ = '\0';
    reason->topic = topic;
    reason->limit = limit;
    if (reason->barrier < MATCHING__V1__PLACE_BARRIER__OUTRANKED ||
        reason->barrier > MATCHING__V1__PLACE_BARRIER__OTHER_OBJECTIVE)
        return FAIL(arena, INTERNAL, "a stored barrier is %d", (int)reason->barrier);
    *ret = reason;
    return OK;
}

struct status
sheet_reasons(const char *barriers, struct arena *arena, Matching__V1__PlaceReason ***ret,
              size_t *ret_count)
{
    Matching__V1__PlaceReason **list =
        ARENA_ARRAY(arena, Matching__V1__PlaceReason *, COHORT_CHOICES_MAX);
    size_t count = 0;

    TRY(need(list));
    for (const char *at = barriers; *at && count < COHORT_CHOICES_MAX; at++) {
        const size_t size = strcspn(at, ";");

        TRY(read_reason(at, size, (uint32_t)count + 1, arena, &list[count]));
        count++;
        at += size;
        if (!*at)
            break;
    }
    *ret = list;
    *ret_count = count;
    return OK;
}
