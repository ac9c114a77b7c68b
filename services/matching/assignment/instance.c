#include "services/matching/assignment/instance.h"

static struct status
check_units(const struct assignment_instance *instance, struct arena *arena)
{
    uint8_t *level;

    if (instance->unit_count > ASSIGNMENT_UNITS_MAX)
        return FAIL_FIELD(arena, "units", "at most %u", ASSIGNMENT_UNITS_MAX);
    if (instance->topic_count > instance->unit_count)
        return FAIL_FIELD(arena, "topics", "each topic must be a unit");
    TRY(need(level = ARENA_ARRAY(arena, uint8_t, instance->unit_count + 1)));
    for (uint32_t u = 0; u < instance->unit_count; u++) {
        const uint32_t parent = instance->units[u].parent;

        if (parent == ASSIGNMENT_NONE)
            continue;
        if (parent <= u || parent < instance->topic_count || parent >= instance->unit_count)
            return FAIL_FIELD(arena, arena_printf(arena, "units[%u].parent", u),
                              "must be a limit that stands behind it");
        if (level[u] + 1 >= ASSIGNMENT_LEVELS)
            return FAIL_FIELD(arena, arena_printf(arena, "units[%u].parent", u),
                              "at most %d levels", ASSIGNMENT_LEVELS);
        if (level[parent] < level[u] + 1)
            level[parent] = (uint8_t)(level[u] + 1);
    }
    for (uint32_t t = 0; t < instance->topic_count; t++)
        if (instance->topics[t].least > instance->units[t].capacity)
            return FAIL_FIELD(arena, arena_printf(arena, "topics[%u].least", t),
                              "is more than the topic's capacity");
    return OK;
}

/* `seen` has, by topic, one more than the student that listed it last. */
static struct status
check_choices(const struct assignment_instance *instance, uint32_t s, uint32_t *seen,
              struct arena *arena)
{
    const struct assignment_student *student = &instance->students[s];

    if (student->first > instance->choice_count ||
        student->count > instance->choice_count - student->first)
        return FAIL_FIELD(arena, arena_printf(arena, "students[%u].choices", s),
                          "are not in the table of choices");
    for (uint32_t i = 0; i < student->count; i++) {
        const struct assignment_choice *choice = &instance->choices[student->first + i];

        if (choice->topic >= instance->topic_count)
            return FAIL_FIELD(arena, arena_printf(arena, "students[%u].choices[%u]", s, i),
                              "is no topic of this round");
        if (seen[choice->topic] == s + 1)
            return FAIL_FIELD(arena, arena_printf(arena, "students[%u].choices[%u]", s, i),
                              "names a topic twice");
        if (choice->rank >= ASSIGNMENT_RANK_MAX)
            return FAIL_FIELD(arena, arena_printf(arena, "students[%u].choices[%u].rank", s, i),
                              "must be under %u", ASSIGNMENT_RANK_MAX);
        seen[choice->topic] = s + 1;
    }
    return OK;
}

static struct status
check_partner(const struct assignment_instance *instance, uint32_t s, struct arena *arena)
{
    const struct assignment_student *student = &instance->students[s];
    const struct assignment_student *partner;

    if (student->partner == ASSIGNMENT_NONE)
        return OK;
    if (student->partner >= instance->student_count || student->partner == s)
        return FAIL_FIELD(arena, arena_printf(arena, "students[%u].partner", s),
                          "must be another student");
    partner = &instance->students[student->partner];
    if (partner->partner != s)
        return FAIL_FIELD(arena, arena_printf(arena, "students[%u].partner", s),
                          "has another partner or none");
    if (student->pinned != ASSIGNMENT_NONE && partner->pinned != ASSIGNMENT_NONE &&
        student->pinned != partner->pinned)
        return FAIL_FIELD(arena, arena_printf(arena, "students[%u].pinned", s),
                          "contradicts the pin of the partner, who is pinned elsewhere");
    return OK;
}

static struct status
check_students(const struct assignment_instance *instance, struct arena *arena)
{
    uint32_t *seen;

    if (instance->student_count > ASSIGNMENT_STUDENTS_MAX)
        return FAIL_FIELD(arena, "students", "at most %u", ASSIGNMENT_STUDENTS_MAX);
    if (instance->choice_count > ASSIGNMENT_CHOICES_MAX)
        return FAIL_FIELD(arena, "choices", "at most %u", ASSIGNMENT_CHOICES_MAX);
    TRY(need(seen = ARENA_ARRAY(arena, uint32_t, instance->topic_count + 1)));
    for (uint32_t s = 0; s < instance->student_count; s++) {
        const uint32_t pinned = instance->students[s].pinned;

        TRY(check_choices(instance, s, seen, arena));
        if (pinned != ASSIGNMENT_NONE && pinned >= instance->topic_count)
            return FAIL_FIELD(arena, arena_printf(arena, "students[%u].pinned", s),
                              "is no topic of this round");
        TRY(check_partner(instance, s, arena));
    }
    return OK;
}

static struct status
check_pins(const struct assignment_instance *instance, struct arena *arena)
{
    uint32_t *load;

    TRY(need(load = ARENA_ARRAY(arena, uint32_t, instance->unit_count + 1)));
    for (uint32_t s = 0; s < instance->student_count; s++) {
        const uint32_t pinned = instance->students[s].pinned;
        uint32_t full;

        if (pinned == ASSIGNMENT_NONE)
            continue;
        full = assignment_full(instance, load, pinned);
        if (full != ASSIGNMENT_NONE)
            return FAIL_FIELD(arena, arena_printf(arena, "students[%u].pinned", s),
                              "more students are pinned there than units[%u] has room for (%u)",
                              full, instance->units[full].capacity);
        assignment_load(instance, load, pinned);
    }
    return OK;
}

struct status
assignment_check(const struct assignment_instance *instance, struct arena *arena)
{
    if ((int)instance->objective < 0 || instance->objective > ASSIGNMENT_LEAST_TOTAL)
        return FAIL_FIELD(arena, "objective", "is not an objective");
    TRY(check_units(instance, arena));
    TRY(check_students(instance, arena));
    return check_pins(instance, arena);
}

/* SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014). */
static uint64_t
draw(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

struct status
assignment_draw(const struct assignment_instance *instance, struct arena *arena,
                struct assignment_lottery *ret)
{
    const uint32_t count = instance->student_count;
    struct assignment_lottery lottery;
    uint64_t state = instance->seed;

    TRY(need(lottery.number = ARENA_ARRAY(arena, uint32_t, count + 1)));
    TRY(need(lottery.order = ARENA_ARRAY(arena, uint32_t, count + 1)));
    for (uint32_t i = 0; i < count; i++) {
        /* Fisher and Yates; the bias of the multiplication is under 2^-32. */
        const uint32_t j = (uint32_t)((draw(&state) >> 32) * (i + 1) >> 32);

        lottery.order[i] = lottery.order[j];
        lottery.order[j] = i;
    }
    for (uint32_t i = 0; i < count; i++)
        lottery.number[lottery.order[i]] = i;
    *ret = lottery;
    return OK;
}

uint32_t
assignment_position(const struct assignment_instance *instance, uint32_t student,
                    uint32_t topic)
{
    const struct assignment_student *row = &instance->students[student];

    for (uint32_t i = 0; i < row->count; i++)
        if (instance->choices[row->first + i].topic == topic)
            return i;
    return ASSIGNMENT_NONE;
}

uint32_t
assignment_full(const struct assignment_instance *instance, const uint32_t *load,
                uint32_t topic)
{
    for (uint32_t u = topic; u != ASSIGNMENT_NONE; u = instance->units[u].parent)
        if (load[u] >= instance->units[u].capacity)
            return u;
    return ASSIGNMENT_NONE;
}

void
assignment_load(const struct assignment_instance *instance, uint32_t *load, uint32_t topic)
{
    for (uint32_t u = topic; u != ASSIGNMENT_NONE; u = instance->units[u].parent)
        load[u]++;
}
