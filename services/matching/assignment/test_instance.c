#include "services/matching/assignment/test_instance.h"

uint64_t
made_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static uint32_t
below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)(made_random(state) % bound);
}

void
made_empty(struct made *made, uint32_t students, uint32_t units, uint32_t topics,
           uint32_t choices)
{
    *made = (struct made){0};
    arena_init(&made->arena, (size_t)1 << 30);
    made->units = ARENA_ARRAY(&made->arena, struct assignment_unit, units + 1);
    made->topics = ARENA_ARRAY(&made->arena, struct assignment_topic, topics + 1);
    made->students = ARENA_ARRAY(&made->arena, struct assignment_student, students + 1);
    made->choices = ARENA_ARRAY(&made->arena, struct assignment_choice, choices + 1);
    assert_non_null(made->units);
    assert_non_null(made->topics);
    assert_non_null(made->students);
    assert_non_null(made->choices);
    for (uint32_t u = 0; u < units; u++)
        made->units[u] = (struct assignment_unit){ASSIGNMENT_NONE, 1};
    for (uint32_t s = 0; s < students; s++)
        made->students[s] =
            (struct assignment_student){.pinned = ASSIGNMENT_NONE, .partner = ASSIGNMENT_NONE};
    made->instance = (struct assignment_instance){.units = made->units,
                                                  .topics = made->topics,
                                                  .students = made->students,
                                                  .choices = made->choices,
                                                  .unit_count = units,
                                                  .topic_count = topics,
                                                  .student_count = students,
                                                  .choice_count = choices,
                                                  .seed = 1};
}

static void
choose(struct made *made, const struct made_size *size, uint64_t *state)
{
    uint32_t at = 0;

    for (uint32_t s = 0; s < size->students; s++) {
        struct assignment_student *student = &made->students[s];
        const uint32_t wanted = below(state, size->choices + 1);

        student->first = at;
        for (uint32_t i = 0; i < wanted; i++) {
            const uint32_t topic = below(state, size->topics);

            if (assignment_position(&made->instance, s, topic) != ASSIGNMENT_NONE)
                continue;
            made->choices[at++] = (struct assignment_choice){topic, below(state, size->ranks)};
            student->count++;
        }
    }
    made->instance.choice_count = at;
}

void
made_init(struct made *made, const struct made_size *size, uint64_t seed)
{
    const uint32_t levels[ASSIGNMENT_LEVELS + 1] = {size->topics, size->supervisors,
                                                    size->companies, size->campuses, 0};
    uint64_t state = seed * 2654435761u + 17;
    uint32_t at = 0;

    made_empty(made, size->students,
               size->topics + size->supervisors + size->companies + size->campuses,
               size->topics, size->students * size->choices);
    for (size_t level = 0; level < ASSIGNMENT_LEVELS; level++)
        for (uint32_t i = 0; i < levels[level]; i++, at++) {
            const uint32_t above = levels[level + 1];
            uint32_t next = at - i + levels[level];

            made->units[at].capacity = below(&state, (size->capacity << level) + 1);
            if (above > 0 && below(&state, 8) > 0)
                made->units[at].parent = next + below(&state, above);
        }
    choose(made, size, &state);
    made->instance.seed = seed;
}

void
made_fini(struct made *made)
{
    arena_fini(&made->arena);
}

bool
made_fits(const struct made *made, const uint32_t *topic)
{
    for (uint32_t u = 0; u < made->instance.unit_count; u++) {
        uint32_t load = 0;

        for (uint32_t s = 0; s < made->instance.student_count; s++)
            for (uint32_t v = topic[s]; v != ASSIGNMENT_NONE; v = made->units[v].parent)
                load += v == u;
        if (load > made->units[u].capacity)
            return false;
    }
    return true;
}

void
made_solve(struct made *made, struct assignment_result *ret)
{
    const struct status solved = assignment_solve(&made->instance, &made->arena, ret);

    if (failed(solved))
        fail_msg("%s: %s", solved.field ? solved.field : "", solved.detail);
    assert_true(made_fits(made, ret->topic));
    for (uint32_t s = 0; s < made->instance.student_count; s++) {
        const uint32_t topic = ret->topic[s];

        assert_int_equal(topic == ASSIGNMENT_NONE, ret->basis[s] == ASSIGNMENT_WITHOUT);
        if (ret->basis[s] == ASSIGNMENT_BY_CHOICE || ret->basis[s] == ASSIGNMENT_BY_PAIR)
            assert_int_equal(made->choices[made->students[s].first + ret->position[s]].topic,
                             topic);
        if (made->students[s].pinned != ASSIGNMENT_NONE)
            assert_int_equal(topic, made->students[s].pinned);
        if (topic != ASSIGNMENT_NONE)
            assert_false(ret->closed[topic]);
    }
}

static bool
under(const struct made *made, uint32_t topic, uint32_t unit)
{
    for (uint32_t u = topic; u != ASSIGNMENT_NONE; u = made->units[u].parent)
        if (u == unit)
            return true;
    return false;
}

/* The rank of a student at what it has, then its number: none is equal to another's. */
static uint64_t
merit(const struct made *made, const struct assignment_result *result, uint32_t s,
      uint32_t topic)
{
    for (uint32_t i = 0; i < made->students[s].count; i++)
        if (made->choices[made->students[s].first + i].topic == topic)
            return (uint64_t)made->choices[made->students[s].first + i].rank * 1000000 +
                   result->lottery.number[s];
    return UINT64_MAX;
}

/* Whether one unit has room for the claim, or somebody in it with no better one.  The units are
 * asked from the topic upwards; the first without room decides. */
static bool
would_take(const struct made *made, const struct assignment_result *result, uint32_t s,
           uint32_t topic)
{
    for (uint32_t u = topic; u != ASSIGNMENT_NONE; u = made->units[u].parent) {
        uint64_t worst = 0;
        uint32_t load = 0;

        for (uint32_t other = 0; other < made->instance.student_count; other++) {
            if (result->topic[other] == ASSIGNMENT_NONE ||
                !under(made, result->topic[other], u))
                continue;
            load++;
            if (worst < merit(made, result, other, result->topic[other]))
                worst = merit(made, result, other, result->topic[other]);
        }
        if (load >= made->units[u].capacity)
            return load > 0 && worst >= merit(made, result, s, topic);
    }
    return true;
}

uint32_t
made_blocking(const struct made *made, const struct assignment_result *result)
{
    uint32_t count = 0;

    for (uint32_t s = 0; s < made->instance.student_count; s++)
        for (uint32_t i = 0; i < made->students[s].count; i++) {
            const uint32_t topic = made->choices[made->students[s].first + i].topic;

            if (topic == result->topic[s])
                break;
            count += would_take(made, result, s, topic);
        }
    return count;
}
