/* Student-project allocation at size: how long the student-optimal stable assignment takes.
 *
 *     matching_spa [students topics supervisors choices rounds]     (100000 20000 4000 20 7)
 *
 * No supervisors: hospitals and residents, told as matching.hr.seconds.
 * Popular topics are listed more often; each supervisor has a quota of nine tenths of the
 * students there are for each; ranks are drawn for each supervisor and student.  Prints one
 * line of JSON: the seconds of the middle round, of all, and what was found; exits 1 when a
 * pair blocks.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/clock.h"
#include "services/matching/assignment/audit.h"

#define ROUNDS_MAX 99

struct size {
    uint32_t students, topics, supervisors, choices, rounds;
};

static uint64_t
mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

static double
uniform(uint64_t *state)
{
    return (double)(mix(*state += 0x9E3779B97F4A7C15u) >> 11) * 0x1p-53;
}

/* A topic by popularity: `sums` grows by 1 / sqrt(place). */
static uint32_t
draw_topic(const double *sums, uint32_t topics, uint64_t *state)
{
    const double at = uniform(state) * sums[topics - 1];
    uint32_t low = 0, high = topics - 1;

    while (low < high) {
        const uint32_t middle = (low + high) / 2;

        if (sums[middle] > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static struct status
make(const struct size *size, struct arena *arena, struct assignment_instance *ret)
{
    const uint32_t units = size->topics + size->supervisors;
    struct assignment_unit *unit = ARENA_ARRAY(arena, struct assignment_unit, units);
    struct assignment_topic *topic = ARENA_ARRAY(arena, struct assignment_topic, size->topics);
    struct assignment_student *student =
        ARENA_ARRAY(arena, struct assignment_student, size->students);
    struct assignment_choice *choice =
        arena_calloc(arena, (size_t)size->students * size->choices, sizeof *choice);
    double *sums = ARENA_ARRAY(arena, double, size->topics);
    uint64_t state = 1;

    TRY(need(unit));
    TRY(need(topic));
    TRY(need(student));
    TRY(need(choice));
    TRY(need(sums));
    *ret = (struct assignment_instance){.units = unit,
                                        .topics = topic,
                                        .students = student,
                                        .choices = choice,
                                        .unit_count = units,
                                        .topic_count = size->topics,
                                        .student_count = size->students,
                                        .choice_count = size->students * size->choices,
                                        .seed = 1};
    for (uint32_t t = 0; t < size->topics; t++) {
        sums[t] = (t > 0 ? sums[t - 1] : 0) + 1 / sqrt(1.0 + t);
        unit[t].parent =
            size->supervisors ? size->topics + t % size->supervisors : ASSIGNMENT_NONE;
        unit[t].capacity = size->students / size->topics;
    }
    for (uint32_t l = 0; l < size->supervisors; l++)
        unit[size->topics + l] = (struct assignment_unit){
            ASSIGNMENT_NONE, size->students * 9 / (size->supervisors * 10)};
    for (uint32_t s = 0; s < size->students; s++) {
        student[s] = (struct assignment_student){
            .first = s * size->choices, .pinned = ASSIGNMENT_NONE, .partner = ASSIGNMENT_NONE};
        while (student[s].count < size->choices) {
            const uint32_t t = draw_topic(sums, size->topics, &state);
            const uint64_t side = size->supervisors ? unit[t].parent : t;

            if (assignment_position(ret, s, t) == ASSIGNMENT_NONE)
                choice[student[s].first + student[s].count++] =
                    (struct assignment_choice){t, (uint32_t)(mix(side << 32 | s) >> 33)};
        }
    }
    return OK;
}

static int
by_size(const void *a, const void *b)
{
    return *(const double *)a < *(const double *)b ? -1 : 1;
}

static struct status
measure(const struct size *size, double *seconds, struct arena *arena)
{
    struct assignment_instance instance;
    struct assignment_result result = {0};
    struct assignment_audit audit;

    TRY(make(size, arena, &instance));
    for (uint32_t i = 0; i < size->rounds; i++) {
        scoped(arena_fini) struct arena own = {0};
        struct timespec begin, end;

        arena_init(&own, (size_t)1 << 30);
        (void)clock_gettime(CLOCK_MONOTONIC, &begin);
        TRY(assignment_solve(&instance, &own, &result));
        (void)clock_gettime(CLOCK_MONOTONIC, &end);
        seconds[i] =
            (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
    }
    TRY(assignment_solve(&instance, arena, &result));
    TRY(audit_make(&instance, &result, arena, &audit));
    qsort(seconds, size->rounds, sizeof *seconds, by_size);
    printf("{\"matching.%s.seconds\": %.4f, \"least\": %.4f, \"most\": %.4f, \"rounds\": %u, "
           "\"students\": %u, \"topics\": %u, \"supervisors\": %u, \"choices\": %u, "
           "\"placed\": %u, \"blocking_pairs\": %llu}\n",
           size->supervisors ? "spa" : "hr", seconds[size->rounds / 2], seconds[0],
           seconds[size->rounds - 1], size->rounds, size->students, size->topics,
           size->supervisors, instance.choice_count, audit.placed,
           (unsigned long long)audit.blocking_count);
    return audit.blocking_count == 0 ? OK : FAIL(arena, INTERNAL, "pairs block");
}

int
main(int argc, char **argv)
{
    struct size size = {100000, 20000, 4000, 20, 7};
    uint32_t *const fields[] = {&size.students, &size.topics, &size.supervisors, &size.choices,
                                &size.rounds};
    scoped(arena_fini) struct arena arena = {0};
    double seconds[ROUNDS_MAX] = {0};
    struct status status;

    for (int i = 1; i < argc && i <= 5; i++)
        *fields[i - 1] = (uint32_t)strtoul(argv[i], NULL, 10);
    if (size.students == 0 || size.topics == 0 || size.topics < size.choices ||
        size.rounds == 0 || size.rounds > ROUNDS_MAX) {
        fprintf(stderr, "spa: no such size\n");
        return 2;
    }
    arena_init(&arena, (size_t)2 << 30);
    status = measure(&size, seconds, &arena);
    if (failed(status))
        fprintf(stderr, "spa: %s\n", status.detail);
    return failed(status);
}
