/* From facts to sets and conflicts, with the composer example of RS-KA. */

#include "services/matching/composition/solve.h"

#include <string.h>

#include "common/base/test.h"
#include "registry/v1/programmes.pb-c.h"
#include "services/matching/composition/test_facts.h"

static struct arena arena;

static int
begin(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)64 << 20);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static Matching__V1__CompositionRun *
solve(const Matching__V1__CompositionFacts *facts)
{
    const struct clock *clock = clock_system();
    Matching__V1__CompositionRun *run = NULL;
    const struct status status =
        solve_facts(&arena, facts, clock, mono_add_ms(clock_mono(clock), 30000), &run);

    if (failed(status))
        fail_msg("%s", status.detail);
    assert_true(run->proven);
    return run;
}

static bool
has(const Matching__V1__CompositionSet *set, const char *name)
{
    for (size_t i = 0; i < set->n_additions; i++)
        if (!strcmp(set->additions[i]->name, name))
            return true;
    return false;
}

static void
the_example_needs_three_with_a_firm_and_a_new_country(void **state)
{
    const Matching__V1__CompositionRun *run = solve(test_facts_alliance(&arena));

    (void)state;
    assert_true(run->ranking_proven);
    assert_int_equal(run->n_sets, 5);
    for (size_t i = 0; i < run->n_sets; i++) {
        const Matching__V1__CompositionSet *set = run->sets[i];

        assert_int_equal(set->n_additions, 3);
        assert_true(set->new_countries >= 1);
        assert_true(has(set, "FI-firm") || has(set, "SE-firm-2") || has(set, "EE-firm"));
        assert_false(has(set, "CA-university"));
        assert_true(i == 0 || set->objective >= run->sets[i - 1]->objective);
    }
    /* What fits the topic best, with every kind of organisation. */
    assert_true(has(run->sets[0], "FI-firm") && has(run->sets[0], "DE-association"));
    assert_int_equal(run->sets[0]->spread, 1000);
    assert_null(run->conflict);
}

static void
a_country_that_is_new_is_worth_something(void **state)
{
    Matching__V1__CompositionFacts *facts = test_facts_alliance(&arena);

    (void)state;
    test_facts_party(facts, "FI-firm")->fit = 0;
    test_facts_party(facts, "DE-authority")->fit = 1000;
    /* Two new countries rather than one, as all firms offer the same. */
    assert_true(has(solve(facts)->sets[0], "EE-firm"));
}

static void
reliability_and_novelty_rank_what_is_equal_otherwise(void **state)
{
    Matching__V1__CompositionFacts *facts = test_facts_alliance(&arena);

    (void)state;
    test_facts_party(facts, "FI-firm")->fit = 0;
    test_facts_remove(facts, "EE-firm");
    test_facts_party(facts, "SE-firm-2")->reliability = 900;
    assert_true(has(solve(facts)->sets[0], "SE-firm-2"));
    test_facts_party(facts, "SE-firm-2")->novelty = 0;
    assert_true(has(solve(facts)->sets[0], "FI-firm"));
}

static void
rules_without_a_way_are_named_and_no_other(void **state)
{
    Matching__V1__CompositionFacts *facts = test_facts_alliance(&arena);
    const Matching__V1__CompositionRun *run;

    (void)state;
    test_facts_remove(facts, "FI-firm");
    test_facts_remove(facts, "SE-firm-2");
    test_facts_remove(facts, "EE-firm");
    run = solve(facts);
    assert_int_equal(run->n_sets, 0);
    assert_non_null(run->conflict);
    assert_true(run->conflict->minimal);
    assert_int_equal(run->conflict->n_rule_ids, 1);
    assert_string_equal(run->conflict->rule_ids[0], "KA-04");
}

static void
what_the_board_breaks_already_is_the_conflict(void **state)
{
    Matching__V1__CompositionFacts *facts = test_facts_alliance(&arena);
    Matching__V1__CompositionRun *run;

    (void)state;
    test_facts_rule(facts, "KA-03")->min = 0;
    test_facts_rule(facts, "KA-03")->max = 1;
    run = solve(facts);
    assert_int_equal(run->n_sets, 0);
    assert_string_equal(run->conflict->rule_ids[0], "KA-03");
    for (int lang = 0; lang < LANG_COUNT; lang++) {
        if (failed(solve_tell(&arena, (enum lang)lang, run)))
            fail();
        assert_non_null(strstr(run->conflict->explanation, "KA-03"));
    }
}

static void
dependent_organisations_are_not_proposed_together(void **state)
{
    Matching__V1__CompositionFacts *facts = test_facts_alliance(&arena);
    const Matching__V1__CompositionRun *run;

    (void)state;
    (void)test_facts_add_rule(&arena, facts, "KA-X1",
                              REGISTRY__V1__COMPOSITION_RULE__KIND__INDEPENDENT);
    test_facts_party(facts, "FI-firm")->owner = 1;
    test_facts_party(facts, "DE-association")->owner = 1;
    test_facts_party(facts, "SE-firm-2")->owner = 2;
    test_facts_party(facts, "SE-firm")->owner = 2;
    run = solve(facts);
    assert_true(run->n_sets > 0);
    for (size_t i = 0; i < run->n_sets; i++) {
        assert_false(has(run->sets[i], "FI-firm") && has(run->sets[i], "DE-association"));
        assert_false(has(run->sets[i], "SE-firm-2"));
    }
}

static void
a_required_concept_must_be_offered_by_somebody(void **state)
{
    static const char *required[] = {TEST_FACTS_CONCEPT};
    Matching__V1__CompositionFacts *facts = test_facts_alliance(&arena);
    const Matching__V1__CompositionRun *run;

    (void)state;
    facts->question->required = required;
    facts->question->n_required = COUNT_OF(required);
    run = solve(facts);
    assert_int_equal(run->conflict->n_rule_ids, 0);
    assert_string_equal(run->conflict->concept_ids[0], TEST_FACTS_CONCEPT);
    test_facts_party(facts, "SE-authority")->required = 1;
    run = solve(facts);
    assert_true(run->n_sets > 0);
    for (size_t i = 0; i < run->n_sets; i++)
        assert_true(has(run->sets[i], "SE-authority"));
    test_facts_party(facts, "SE-firm")->required =
        1; /* on board: nobody need be added for it */
    assert_false(has(solve(facts)->sets[0], "SE-authority"));
}

static void
the_cheapest_may_be_others_than_the_best_ranked(void **state)
{
    Matching__V1__CompositionFacts *facts = test_facts_alliance(&arena);
    const Matching__V1__CompositionRun *run;

    (void)state;
    facts->question->goal = MATCHING__V1__COMPOSITION_GOAL__CHEAPEST;
    for (size_t i = 0; i < facts->n_candidates; i++)
        facts->candidates[i]->cost = 100;
    test_facts_party(facts, "EE-firm")->cost = 50;
    test_facts_party(facts, "SE-authority")->cost = 10;
    test_facts_party(facts, "SE-firm-2")->cost = 20;
    run = solve(facts);
    assert_true(has(run->sets[0], "EE-firm") && has(run->sets[0], "SE-authority") &&
                has(run->sets[0], "SE-firm-2"));
}

/* Whether the conflict is of exactly these two rules. */
static bool
conflict_of(const Matching__V1__CompositionRun *run, const char *one, const char *other)
{
    const Matching__V1__CompositionConflict *conflict = run->conflict;

    return conflict && conflict->minimal && conflict->n_rule_ids == 2 &&
           ((!strcmp(conflict->rule_ids[0], one) && !strcmp(conflict->rule_ids[1], other)) ||
            (!strcmp(conflict->rule_ids[0], other) && !strcmp(conflict->rule_ids[1], one)));
}

static void
a_rule_that_keeps_out_the_only_ones_left_is_named_with_the_other(void **state)
{
    Matching__V1__CompositionFacts *facts = test_facts_alliance(&arena);

    (void)state;
    test_facts_add_rule(&arena, facts, "KA-X1",
                        REGISTRY__V1__COMPOSITION_RULE__KIND__INDEPENDENT);
    test_facts_remove(facts, "SE-firm-2");
    test_facts_remove(facts, "EE-firm");
    assert_true(solve(facts)->n_sets > 0);
    test_facts_party(facts, "FI-firm")->owner = 7;
    test_facts_party(facts, "SE-firm")->owner = 7;
    assert_true(conflict_of(solve(facts), "KA-04", "KA-X1"));
}

static void
two_of_one_owner_on_board_are_the_conflict(void **state)
{
    Matching__V1__CompositionFacts *facts = test_facts_alliance(&arena);
    const Matching__V1__CompositionRun *run;

    (void)state;
    test_facts_add_rule(&arena, facts, "KA-X1",
                        REGISTRY__V1__COMPOSITION_RULE__KIND__INDEPENDENT);
    facts->board[0]->owner = facts->board[2]->owner = 3;
    run = solve(facts);
    assert_int_equal(run->n_sets, 0);
    assert_int_equal(run->conflict->n_rule_ids, 1);
    assert_string_equal(run->conflict->rule_ids[0], "KA-X1");
}

static void
equal_facts_have_equal_hashes_and_others_have_not(void **state)
{
    Matching__V1__CompositionFacts *facts = test_facts_alliance(&arena);
    const Matching__V1__CompositionRun *first = solve(facts), *second = solve(facts);

    (void)state;
    assert_string_equal(first->inputs_hash, second->inputs_hash);
    assert_string_equal(first->answer_hash, second->answer_hash);
    test_facts_party(facts, "DE-authority")->fit = 501;
    second = solve(facts);
    assert_string_not_equal(first->inputs_hash, second->inputs_hash);
    test_facts_remove(facts, "FI-firm");
    assert_string_not_equal(first->answer_hash, solve(facts)->answer_hash);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_example_needs_three_with_a_firm_and_a_new_country,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_country_that_is_new_is_worth_something, begin, end),
        cmocka_unit_test_setup_teardown(reliability_and_novelty_rank_what_is_equal_otherwise,
                                        begin, end),
        cmocka_unit_test_setup_teardown(rules_without_a_way_are_named_and_no_other, begin, end),
        cmocka_unit_test_setup_teardown(what_the_board_breaks_already_is_the_conflict, begin,
                                        end),
        cmocka_unit_test_setup_teardown(dependent_organisations_are_not_proposed_together,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_required_concept_must_be_offered_by_somebody, begin,
                                        end),
        cmocka_unit_test_setup_teardown(the_cheapest_may_be_others_than_the_best_ranked, begin,
                                        end),
        cmocka_unit_test_setup_teardown(
            a_rule_that_keeps_out_the_only_ones_left_is_named_with_the_other, begin, end),
        cmocka_unit_test_setup_teardown(two_of_one_owner_on_board_are_the_conflict, begin, end),
        cmocka_unit_test_setup_teardown(equal_facts_have_equal_hashes_and_others_have_not,
                                        begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
