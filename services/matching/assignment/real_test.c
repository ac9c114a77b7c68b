/* Three years of a real student-project allocation, PrefLib 00038 (Mattei and Walsh 2013;
 * Kwanashie, Irving, Manlove and Sng 2014), with optima that others certified.  The data stands
 * beside the checkout, in ../shared/data, or where SAMVERKA_DATA says; without it there is
 * nothing to do. */

#include "services/matching/assignment/test_instance.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "student_project_allocation"
#define LIST_MAX 8

static const char *const years[] = {"00038-00000004", "00038-00000005", "00038-00000006"};

static json_t *reference;

static void
path_of(const char *name, const char *suffix, char *path, size_t size)
{
    const char *data = getenv("SAMVERKA_DATA");

    (void)snprintf(path, size, "%s/" FOLDER "/%s%s", data ? data : SHARED_DATA, name, suffix);
}

static int
find_reference(void **state)
{
    char path[1000];

    (void)state;
    path_of("reference", ".json", path, sizeof path);
    if (access(path, R_OK) != 0)
        return 0;
    reference = json_load_file(path, 0, NULL);
    return reference ? 0 : -1;
}

static int
drop_reference(void **state)
{
    (void)state;
    json_decref(reference);
    return 0;
}

static uint32_t
expected(const json_t *year, const char *name)
{
    const json_t *number = json_object_get(year, name);

    assert_true(json_is_integer(number));
    return (uint32_t)json_integer_value(number);
}

/* "Supervisor 4,3,25 26 27": number, quota, topics. */
static void
read_supervisors(struct made *made, const char *name)
{
    char path[1000], line[1000], *at;
    uint32_t unit = made->instance.topic_count;
    FILE *file;

    path_of(name, ".dat", path, sizeof path);
    assert_non_null(file = fopen(path, "r"));
    assert_non_null(fgets(line, sizeof line, file)); /* the heading */
    while (fgets(line, sizeof line, file) && (at = strchr(line, ','))) {
        made->units[unit].capacity = (uint32_t)strtoul(at + 1, &at, 10);
        for (at++; *at && *at != '\n'; at += strspn(at, " ")) {
            const unsigned long topic = strtoul(at, &at, 10);

            assert_true(topic < made->instance.topic_count);
            made->units[topic].parent = unit;
        }
        unit++;
    }
    assert_int_equal(unit, made->instance.unit_count);
    (void)fclose(file);
}

/* "1: 61,55,59": topics from 1, best first. */
static void
read_students(struct made *made, const char *name)
{
    char path[1000], line[4000], *at;
    uint32_t s = 0, choice = 0;
    FILE *file;

    path_of(name, ".soi", path, sizeof path);
    assert_non_null(file = fopen(path, "r"));
    while (fgets(line, sizeof line, file)) {
        if (line[0] == '#' || !(at = strchr(line, ':')))
            continue;
        assert_true(s < made->instance.student_count);
        made->students[s].first = choice;
        for (at++; *at && *at != '\n'; at += strspn(at, ", "))
            made->choices[choice++].topic = (uint32_t)strtoul(at, &at, 10) - 1;
        made->students[s].count = choice - made->students[s].first;
        s++;
    }
    assert_int_equal(s, made->instance.student_count);
    made->instance.choice_count = choice;
    (void)fclose(file);
}

/* Stands for the data of one year; NULL when there is none. */
static const json_t *
read_year(struct made *made, size_t i)
{
    const json_t *year = json_object_get(reference, years[i]);

    if (!reference) {
        print_message("no " FOLDER " here: skipped\n");
        skip();
    }
    assert_non_null(year);
    made_empty(made, expected(year, "students"),
               expected(year, "projects") + expected(year, "supervisors"),
               expected(year, "projects"), expected(year, "students") * LIST_MAX);
    read_supervisors(made, years[i]);
    read_students(made, years[i]);
    return year;
}

static void
solve(struct made *made, enum assignment_objective objective, struct assignment_audit *audit)
{
    struct assignment_result *result = ARENA_NEW(&made->arena, struct assignment_result);

    assert_non_null(result);
    made->instance.objective = objective;
    made_solve(made, result);
    assert_false(failed(audit_make(&made->instance, result, &made->arena, audit)));
    assert_int_equal(audit->blocking_count, made_blocking(made, result));
}

static void
check_profile(const json_t *profile, const struct assignment_audit *audit)
{
    assert_true(json_array_size(profile) >= audit->profile_count);
    for (size_t i = 0; i < json_array_size(profile); i++)
        assert_int_equal(i < audit->profile_count ? audit->profile[i] : 0,
                         json_integer_value(json_array_get(profile, i)));
}

static void
the_certified_optima_are_reached(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(years); i++) {
        struct assignment_audit audit;
        struct made made;
        const json_t *year = read_year(&made, i);

        solve(&made, ASSIGNMENT_LEAST_TOTAL, &audit);
        assert_int_equal(audit.placed, expected(year, "max_size"));
        assert_int_equal(audit.rank_sum, expected(year, "min_total_rank_at_max_size"));
        solve(&made, ASSIGNMENT_GENEROUS, &audit);
        assert_int_equal(audit.placed, expected(year, "max_size"));
        check_profile(json_object_get(year, "generous_profile"), &audit);
        solve(&made, ASSIGNMENT_GREEDY, &audit);
        assert_int_equal(audit.placed, expected(year, "max_size"));
        check_profile(json_object_get(year, "greedy_max_profile"), &audit);
        solve(&made, ASSIGNMENT_RANK_MAXIMAL, &audit);
        check_profile(json_object_get(year, "rank_maximal_profile"), &audit);
        made_fini(&made);
    }
}

/* When all supervisors rank alike, the stable assignment is what serial dictatorship gives. */
static void
supervisors_who_agree_make_a_serial_dictatorship(void **state)
{
    static const char *const names[] = {"serial_dictatorship_file_order",
                                        "serial_dictatorship_reverse"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(years) * 2; i++) {
        struct assignment_audit audit;
        struct made made;
        const json_t *year = read_year(&made, i / 2);
        const json_t *told = json_object_get(year, names[i % 2]);

        for (uint32_t s = 0; s < made.instance.student_count; s++)
            for (uint32_t k = 0; k < made.students[s].count; k++)
                made.choices[made.students[s].first + k].rank =
                    i % 2 ? made.instance.student_count - s : s;
        solve(&made, ASSIGNMENT_STABLE, &audit);
        assert_int_equal(audit.blocking_count, 0);
        assert_int_equal(audit.placed, json_integer_value(json_array_get(told, 0)));
        assert_true(fabs((double)audit.rank_sum / audit.placed -
                         json_number_value(json_array_get(told, 1))) < 0.0006);
        if (i % 2 == 0)
            check_profile(json_array_get(told, 2), &audit);
        made_fini(&made);
    }
}

static void
no_pair_blocks_whatever_the_supervisors_rank(void **state)
{
    uint64_t blocking_of_least_total = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(years); i++) {
        struct assignment_audit audit;
        uint64_t random = i;
        struct made made;

        (void)read_year(&made, i);
        for (int round = 0; round < 100; round++) {
            for (uint32_t k = 0; k < made.instance.choice_count; k++)
                made.choices[k].rank = (uint32_t)made_random(&random) % 40;
            made.instance.seed = (uint64_t)round;
            solve(&made, ASSIGNMENT_STABLE, &audit);
            assert_int_equal(audit.blocking_count, 0);
        }
        solve(&made, ASSIGNMENT_LEAST_TOTAL, &audit);
        blocking_of_least_total += audit.blocking_count;
        assert_int_equal(audit.cause_count[ASSIGNMENT_OBJECTIVE], audit.blocking_count);
        made_fini(&made);
    }
    assert_true(blocking_of_least_total > 0); /* the price of another objective, told */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_certified_optima_are_reached),
        cmocka_unit_test(supervisors_who_agree_make_a_serial_dictatorship),
        cmocka_unit_test(no_pair_blocks_whatever_the_supervisors_rank),
    };

    return cmocka_run_group_tests(tests, find_reference, drop_reference);
}
