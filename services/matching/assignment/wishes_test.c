/* Pins, pairs, optional topics, those who did not vote; and what is no instance. */

#include "services/matching/assignment/test_instance.h"

#include <string.h>

/* Three topics of one place each under one supervisor of two; students rank all three alike and
 * are ranked by their number. */
static void
make_three(struct made *made, uint32_t students)
{
    made_empty(made, students, 4, 3, students * 3);
    made->units[3].capacity = 2;
    for (uint32_t t = 0; t < 3; t++)
        made->units[t].parent = 3;
    for (uint32_t s = 0; s < students; s++) {
        made->students[s].first = s * 3;
        made->students[s].count = 3;
        for (uint32_t t = 0; t < 3; t++)
            made->choices[s * 3 + t] = (struct assignment_choice){t, s};
    }
}

static void
audit_of(struct made *made, const struct assignment_result *result,
         struct assignment_audit *audit)
{
    assert_false(failed(audit_make(&made->instance, result, &made->arena, audit)));
    assert_int_equal(audit->blocking_count, made_blocking(made, result));
    assert_int_equal(audit->cause_count[ASSIGNMENT_UNKNOWN], 0);
}

static void
reasons_name_the_limit_that_decided(void **state)
{
    struct assignment_result result;
    struct assignment_audit audit;
    struct made made;
    uint32_t unit;

    (void)state;
    make_three(&made, 3);
    made_solve(&made, &result);
    audit_of(&made, &result, &audit);
    assert_int_equal(result.topic[0], 0);
    assert_int_equal(result.topic[1], 1);
    assert_int_equal(result.topic[2], ASSIGNMENT_NONE);
    assert_int_equal(audit_barrier(&audit, 1, 0, &unit), ASSIGNMENT_OUTRANKED);
    assert_int_equal(unit, 0);
    assert_int_equal(audit_barrier(&audit, 2, 2, &unit), ASSIGNMENT_OUTRANKED);
    assert_int_equal(unit, 3); /* the third topic is free, its supervisor is not */
    made.choices[3].rank = 0;  /* the second student is as good as the first now */
    made_solve(&made, &result);
    audit_of(&made, &result, &audit);
    assert_int_equal(audit_barrier(&audit, result.topic[0] == 0 ? 1 : 0, 0, &unit),
                     ASSIGNMENT_LOTTERY);
    made.units[2].capacity = 0;
    made_solve(&made, &result);
    audit_of(&made, &result, &audit);
    assert_int_equal(audit_barrier(&audit, 2, 2, &unit), ASSIGNMENT_NO_ROOM);
    assert_int_equal(unit, 2);
    made_fini(&made);
}

static void
a_pin_holds_and_is_the_cause_of_what_it_upsets(void **state)
{
    struct assignment_result result;
    struct assignment_audit audit;
    struct made made;
    uint32_t unit;

    (void)state;
    make_three(&made, 3);
    made.students[2].pinned = 0;
    for (int objective = ASSIGNMENT_STABLE; objective <= ASSIGNMENT_LEAST_TOTAL; objective++) {
        made.instance.objective = (enum assignment_objective)objective;
        made_solve(&made, &result);
        audit_of(&made, &result, &audit);
        assert_int_equal(result.basis[2], ASSIGNMENT_BY_PIN);
        assert_true(audit.blocking_count > 0);
        assert_int_equal(audit_barrier(&audit, 1, 0, &unit), ASSIGNMENT_OTHER_PIN);
    }
    made.students[2].pinned = 2; /* its third choice; it would not have got any */
    made.instance.objective = ASSIGNMENT_STABLE;
    made_solve(&made, &result);
    audit_of(&made, &result, &audit);
    assert_int_equal(result.topic[0], 0);
    assert_int_equal(result.topic[1], ASSIGNMENT_NONE);
    assert_int_equal(audit.cause_count[ASSIGNMENT_OTHER_PIN], 2);
    made_fini(&made);
}

static void
a_pinned_student_who_could_do_better_is_listed(void **state)
{
    struct assignment_result result;
    struct assignment_audit audit;
    struct made made;

    (void)state;
    make_three(&made, 2);
    made.students[0].pinned = 1;
    made_solve(&made, &result);
    audit_of(&made, &result, &audit);
    assert_int_equal(result.topic[0], 1);
    assert_int_equal(result.topic[1], 0);
    assert_int_equal(audit.blocking_count, 1);
    assert_int_equal(audit.blocking[0].student, 0);
    assert_int_equal(audit.blocking[0].topic, 0);
    assert_int_equal(audit.blocking[0].cause, ASSIGNMENT_OWN_PIN);
    made_fini(&made);
}

static void
a_pair_gets_the_best_topic_that_takes_both(void **state)
{
    struct assignment_result result;
    struct assignment_audit audit;
    struct made made;

    (void)state;
    make_three(&made, 4);
    made.units[1].capacity = 2;
    made.units[3].capacity = 4;
    made.students[0].partner = 2;
    made.students[2].partner = 0;
    made_solve(&made, &result);
    audit_of(&made, &result, &audit);
    assert_int_equal(result.topic[0], 1);
    assert_int_equal(result.topic[2], 1);
    assert_int_equal(result.basis[0], ASSIGNMENT_BY_PAIR);
    assert_int_equal(result.topic[1], 0);
    assert_int_equal(result.topic[3], 2);
    assert_int_equal(audit.blocking_count,
                     1); /* the first would have been taken at the first */
    assert_int_equal(audit.blocking[0].cause, ASSIGNMENT_OWN_PAIR);
    made.units[1].capacity = 1; /* no topic has room for both */
    made_solve(&made, &result);
    audit_of(&made, &result, &audit);
    assert_int_equal(result.basis[0], ASSIGNMENT_BY_CHOICE);
    assert_int_equal(result.topic[0], 0);
    assert_int_equal(audit.blocking_count, 0);
    made_fini(&made);
}

static void
pins_pairs_and_optional_topics_are_all_that_upsets_a_stable_round(void **state)
{
    uint32_t together = 0, closed = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++) {
        const struct made_size size = {.students = 60,
                                       .topics = 25,
                                       .supervisors = 8,
                                       .companies = 3,
                                       .choices = 20,
                                       .capacity = 8,
                                       .ranks = 30};
        struct assignment_result result;
        struct assignment_audit audit;
        uint64_t random = seed;
        struct made made;

        made_init(&made, &size, seed);
        for (uint32_t s = 0; s < 12; s += 2) {
            made.students[s].partner = s + 1;
            made.students[s + 1].partner = s;
        }
        for (uint32_t s = 20; s < 23; s++) {
            const uint32_t topic = (uint32_t)made_random(&random) % 25;

            made.students[s].pinned = topic;
            if (failed(assignment_check(&made.instance, &made.arena)))
                made.students[s].pinned = ASSIGNMENT_NONE;
        }
        for (uint32_t t = 0; t < 25; t += 3)
            if (made.units[t].capacity >= 2)
                made.topics[t] = (struct assignment_topic){2, t % 2 == 0};
        made_solve(&made, &result);
        audit_of(&made, &result, &audit);
        assert_int_equal(audit.cause_count[ASSIGNMENT_OBJECTIVE], 0);
        for (uint32_t i = 0; i < audit.blocking_listed; i++)
            if (audit.blocking[i].cause == ASSIGNMENT_OWN_PAIR)
                assert_true(audit.blocking[i].student < 12);
        for (uint32_t t = 0; t < 25; t++) {
            closed += result.closed[t];
            if (made.topics[t].optional && made.topics[t].least > audit.load[t] &&
                audit.load[t] > 0)
                assert_true(made.students[20].pinned == t || made.students[21].pinned == t ||
                            made.students[22].pinned == t);
        }
        for (uint32_t s = 0; s < 12; s++)
            if (result.basis[s] == ASSIGNMENT_BY_PAIR) {
                assert_int_equal(result.topic[s], result.topic[s ^ 1]);
                together++;
            }
        made_fini(&made);
    }
    assert_true(together > 400);
    assert_true(closed > 20);
}

static void
an_optional_topic_with_too_few_does_not_run(void **state)
{
    struct assignment_result result;
    struct assignment_audit audit;
    struct made made;

    (void)state;
    make_three(&made, 3);
    made.units[0].capacity = made.units[1].capacity = 2;
    made.units[3].capacity = 3;
    made.topics[0] = (struct assignment_topic){.least = 2, .optional = true};
    made.topics[1] = (struct assignment_topic){.least = 2, .optional = true};
    made_solve(&made, &result);
    audit_of(&made, &result, &audit);
    assert_true(result.closed[1]);
    assert_int_equal(result.topic[2], 2);
    assert_int_equal(audit.blocking_count, 1);
    assert_int_equal(audit.blocking[0].cause, ASSIGNMENT_CLOSED);
    made.topics[1].optional = false; /* now it is only told */
    made_solve(&made, &result);
    audit_of(&made, &result, &audit);
    assert_int_equal(result.topic[2], 1);
    assert_int_equal(audit.short_topics, 1);
    made_fini(&made);
}

static void
who_did_not_vote_gets_what_no_voter_preferred(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        const struct made_size size = {.students = 40,
                                       .topics = 12,
                                       .supervisors = 4,
                                       .companies = 2,
                                       .choices = 3,
                                       .capacity = 6,
                                       .ranks = 4};
        struct assignment_result result;
        struct assignment_audit audit;
        struct made made;
        uint32_t room = 0;

        made_init(&made, &size, seed);
        for (int objective = 0; objective <= ASSIGNMENT_LEAST_TOTAL; objective++) {
            made.instance.objective = (enum assignment_objective)objective;
            made.instance.fill = true;
            made_solve(&made, &result);
            audit_of(&made, &result, &audit);
            room = 0;
            for (uint32_t t = 0; t < 12; t++)
                room += assignment_full(&made.instance, audit.load, t) == ASSIGNMENT_NONE;
            assert_true(audit.without == 0 || room == 0);
            for (uint32_t s = 0; s < 40; s++) {
                const bool voter = made.students[s].count > 0;
                uint32_t unit;

                if (!voter)
                    assert_true(result.basis[s] == ASSIGNMENT_BY_FILL ||
                                result.basis[s] == ASSIGNMENT_WITHOUT);
                for (uint32_t i = 0; objective == 0 && i < audit_preferred(&audit, s); i++)
                    assert_true(audit_barrier(&audit, s, i, &unit) < ASSIGNMENT_CLOSED);
            }
        }
        made_fini(&made);
    }
}

static void
refused(struct made *made, const char *field)
{
    const struct status status = assignment_check(&made->instance, &made->arena);

    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, field);
}

static void
what_is_no_instance_is_refused_by_name(void **state)
{
    struct made made;

    (void)state;
    make_three(&made, 3);
    made.choices[4].topic = 3;
    refused(&made, "students[1].choices[1]"); /* no topic */
    made.choices[4].topic = 0;
    refused(&made, "students[1].choices[1]"); /* twice */
    made.choices[4].topic = 1;
    made.students[2].count = 4;
    refused(&made, "students[2].choices");
    made.students[2].count = 3;
    made.units[3].parent = 3;
    refused(&made, "units[3].parent");
    made.units[3].parent = ASSIGNMENT_NONE;
    made.units[0].parent = 1;
    refused(&made, "units[0].parent");
    made.units[0].parent = 3;
    made.topics[2].least = 2;
    refused(&made, "topics[2].least");
    made.topics[2].least = 0;
    made.students[0].partner = 1;
    refused(&made, "students[0].partner");
    made.students[1].partner = 0;
    made.students[0].pinned = 0;
    made.students[1].pinned = 1;
    refused(&made, "students[0].pinned"); /* a pair pinned apart */
    made.students[1].pinned = ASSIGNMENT_NONE;
    made.students[2].pinned = 0;
    refused(&made, "students[2].pinned"); /* more pins than places */
    made.students[2].pinned = 3;
    refused(&made, "students[2].pinned"); /* no topic */
    made.students[2].pinned = ASSIGNMENT_NONE;
    made.instance.objective = (enum assignment_objective)9;
    refused(&made, "objective");
    made_fini(&made);
}

static void
a_list_too_long_for_a_profile_is_refused_but_not_for_a_total(void **state)
{
    struct assignment_result result;
    struct status status;
    struct made made;

    (void)state;
    made_empty(&made, 1, 300, 300, 300);
    made.students[0].count = 300;
    for (uint32_t t = 0; t < 300; t++)
        made.choices[t].topic = t;
    made.instance.objective = ASSIGNMENT_GENEROUS;
    status = assignment_solve(&made.instance, &made.arena, &result);
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, "objective");
    made.instance.objective = ASSIGNMENT_LEAST_TOTAL;
    made_solve(&made, &result);
    assert_int_equal(result.topic[0], 0);
    made_fini(&made);
}

static void
nobody_and_nothing_is_a_round_too(void **state)
{
    struct assignment_result result;
    struct assignment_audit audit;
    struct made made;

    (void)state;
    made_empty(&made, 0, 0, 0, 0);
    for (int objective = 0; objective <= ASSIGNMENT_LEAST_TOTAL; objective++) {
        made.instance.objective = (enum assignment_objective)objective;
        made_solve(&made, &result);
        audit_of(&made, &result, &audit);
        assert_int_equal(audit.placed, 0);
    }
    made_fini(&made);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons_name_the_limit_that_decided),
        cmocka_unit_test(a_pin_holds_and_is_the_cause_of_what_it_upsets),
        cmocka_unit_test(a_pinned_student_who_could_do_better_is_listed),
        cmocka_unit_test(a_pair_gets_the_best_topic_that_takes_both),
        cmocka_unit_test(pins_pairs_and_optional_topics_are_all_that_upsets_a_stable_round),
        cmocka_unit_test(an_optional_topic_with_too_few_does_not_run),
        cmocka_unit_test(who_did_not_vote_gets_what_no_voter_preferred),
        cmocka_unit_test(what_is_no_instance_is_refused_by_name),
        cmocka_unit_test(a_list_too_long_for_a_profile_is_refused_but_not_for_a_total),
        cmocka_unit_test(nobody_and_nothing_is_a_round_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
