#include "services/matching/assignment/test_instance.h"

#include <string.h>

static const struct made_size small = {.students = 5,
                                       .topics = 4,
                                       .supervisors = 3,
                                       .companies = 2,
                                       .campuses = 1,
                                       .choices = 4,
                                       .capacity = 2,
                                       .ranks = 3};

/* Every assignment of students to topics of their lists, or to none; `topic` by student. */
struct trial {
    struct made *made;
    uint32_t topic[8];
    uint32_t position[8]; /* count of the list: none */
};

static bool
next_trial(struct trial *trial)
{
    for (uint32_t s = 0; s < trial->made->instance.student_count; s++) {
        const struct assignment_student *student = &trial->made->students[s];

        trial->position[s]++;
        if (trial->position[s] <= student->count) {
            trial->topic[s] =
                trial->position[s] == student->count
                    ? ASSIGNMENT_NONE
                    : trial->made->choices[student->first + trial->position[s]].topic;
            return true;
        }
        trial->position[s] = 0;
        trial->topic[s] =
            student->count > 0 ? trial->made->choices[student->first].topic : ASSIGNMENT_NONE;
    }
    return false;
}

static void
first_trial(struct trial *trial, struct made *made)
{
    *trial = (struct trial){.made = made};
    for (uint32_t s = 0; s < made->instance.student_count; s++)
        trial->topic[s] = made->students[s].count > 0
                              ? made->choices[made->students[s].first].topic
                              : ASSIGNMENT_NONE;
}

static void
no_student_could_be_better_off_in_any_stable_assignment(void **state)
{
    uint32_t stable = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        struct assignment_result result, other;
        struct trial trial;
        struct made made;

        made_init(&made, &small, seed);
        made_solve(&made, &result);
        assert_int_equal(made_blocking(&made, &result), 0);
        other = result;
        other.topic = trial.topic;
        first_trial(&trial, &made);
        do {
            if (!made_fits(&made, trial.topic) || made_blocking(&made, &other) > 0)
                continue;
            stable++;
            for (uint32_t s = 0; s < small.students; s++)
                assert_true((result.position[s] == ASSIGNMENT_NONE
                                 ? made.students[s].count
                                 : result.position[s]) <= trial.position[s]);
        } while (next_trial(&trial));
        made_fini(&made);
    }
    assert_true(stable > 3040); /* some instances have several */
}

static void
a_thousand_random_rounds_have_no_blocking_pair(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        const struct made_size size = {.students = 1 + (uint32_t)seed % 90,
                                       .topics = 1 + (uint32_t)seed % 37,
                                       .supervisors = (uint32_t)seed % 11,
                                       .companies = (uint32_t)seed % 5,
                                       .campuses = (uint32_t)seed % 3,
                                       .choices = 1 + (uint32_t)seed % 12,
                                       .capacity = 1 + (uint32_t)seed % 6,
                                       .ranks = 1 + (uint32_t)seed % 50};
        struct assignment_result result;
        struct assignment_audit audit;
        struct made made;

        made_init(&made, &size, seed);
        made.instance.fill = seed % 2 == 0;
        made_solve(&made, &result);
        assert_int_equal(made_blocking(&made, &result), 0);
        assert_false(failed(audit_make(&made.instance, &result, &made.arena, &audit)));
        assert_int_equal(audit.blocking_count, 0);
        made_fini(&made);
    }
}

/* Counts by position; the last: without a place. */
static void
profile_of(const struct made *made, const uint32_t *position, uint32_t *profile)
{
    memset(profile, 0, 9 * sizeof *profile);
    for (uint32_t s = 0; s < made->instance.student_count; s++)
        profile[position[s] >= made->students[s].count ? 8 : position[s]]++;
}

/* Whether profile `a` is better than `b` by the objective. */
static bool
better(enum assignment_objective objective, const uint32_t *a, const uint32_t *b)
{
    uint32_t sum_a = 0, sum_b = 0;

    if (objective != ASSIGNMENT_RANK_MAXIMAL && a[8] != b[8])
        return a[8] < b[8];
    for (uint32_t i = 0; i < 8; i++) {
        const uint32_t k = objective == ASSIGNMENT_GENEROUS ? 7 - i : i;

        sum_a += (k + 1) * a[k];
        sum_b += (k + 1) * b[k];
        if (a[k] != b[k] && objective == ASSIGNMENT_GENEROUS)
            return a[k] < b[k];
        if (a[k] != b[k] && objective != ASSIGNMENT_LEAST_TOTAL)
            return a[k] > b[k];
    }
    return objective == ASSIGNMENT_LEAST_TOTAL && sum_a < sum_b;
}

static void
each_objective_is_the_best_of_all_assignments(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 800; seed++) {
        struct assignment_result result[ASSIGNMENT_LEAST_TOTAL + 1];
        uint32_t reached[ASSIGNMENT_LEAST_TOTAL + 1][9], profile[9];
        struct trial trial;
        struct made made;

        made_init(&made, &small, seed);
        for (int i = ASSIGNMENT_RANK_MAXIMAL; i <= ASSIGNMENT_LEAST_TOTAL; i++) {
            made.instance.objective = (enum assignment_objective)i;
            made_solve(&made, &result[i]);
            profile_of(&made, result[i].position, reached[i]);
        }
        first_trial(&trial, &made);
        do {
            if (!made_fits(&made, trial.topic))
                continue;
            profile_of(&made, trial.position, profile);
            for (int i = ASSIGNMENT_RANK_MAXIMAL; i <= ASSIGNMENT_LEAST_TOTAL; i++)
                assert_false(better((enum assignment_objective)i, profile, reached[i]));
        } while (next_trial(&trial));
        made_fini(&made);
    }
}

static void
the_same_seed_gives_the_same_result_and_another_draws_anew(void **state)
{
    const struct made_size size = {.students = 80,
                                   .topics = 20,
                                   .supervisors = 6,
                                   .choices = 8,
                                   .capacity = 4,
                                   .ranks = 1};
    struct assignment_result first, second, third;
    struct made made;

    (void)state;
    made_init(&made, &size, 7);
    made.instance.fill = true;
    for (int i = ASSIGNMENT_STABLE; i <= ASSIGNMENT_LEAST_TOTAL; i++) {
        made.instance.objective = (enum assignment_objective)i;
        made.instance.seed = 7;
        made_solve(&made, &first);
        made_solve(&made, &second);
        assert_memory_equal(first.topic, second.topic, 80 * sizeof *first.topic);
        made.instance.seed = 8;
        made_solve(&made, &third);
        assert_memory_not_equal(first.topic, third.topic, 80 * sizeof *first.topic);
    }
    made_fini(&made);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_student_could_be_better_off_in_any_stable_assignment),
        cmocka_unit_test(a_thousand_random_rounds_have_no_blocking_pair),
        cmocka_unit_test(each_objective_is_the_best_of_all_assignments),
        cmocka_unit_test(the_same_seed_gives_the_same_result_and_another_draws_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
