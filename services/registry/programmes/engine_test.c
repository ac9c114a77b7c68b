/* What holds for every rule set: verdicts, waivers, overrides, hashes, limits.  What single
 * rules say is in vectors/. */

#include "services/registry/programmes/programmes.h"

#include <string.h>

#include "common/base/test.h"
#include "common/wire/message.h"

static struct arena arena;
static struct programmes *programmes;

/* A set of three rules, one of each kind that the overall verdict looks at. */
static const char document[] =
    "{\"rule_set\": \"RS-T\", \"version\": 3,"
    "\"programme\": {\"code\": \"T\", \"name\": {\"sv\": \"t\", \"fi\": \"t\", \"en\": \"t\"},"
    "  \"description\": {\"sv\": \"t\", \"fi\": \"t\", \"en\": \"t\"}},"
    "\"states\": [\"one\", \"two\"],"
    "\"labels\": {\"one\": {\"sv\": \"1\", \"fi\": \"1\", \"en\": \"1\"},"
    "  \"two\": {\"sv\": \"2\", \"fi\": \"2\", \"en\": \"2\"},"
    "  \"reach\": {\"sv\": \"r\", \"fi\": \"r\", \"en\": \"r\"},"
    "  \"depth\": {\"sv\": \"d\", \"fi\": \"d\", \"en\": \"d\"}},"
    "\"rules\": ["
#define RULE(id, severity, more, fact, param)                                                  \
    "{\"id\": \"" id "\", \"severity\": \"" severity "\", \"origin\": \"seed\"," more          \
    " \"title\": {\"sv\": \"t\", \"fi\": \"t\", \"en\": \"t\"},"                               \
    " \"sources\": [{\"reference\": \"S\", \"note\": \"n\"}],"                                 \
    " \"checks\": [{\"constraint\": \"measure\", \"parameters\": {\"fact\": \"" fact           \
    "\", \"min\": " param "},"                                                                 \
    " \"pass\": {\"sv\": \"p\", \"fi\": \"p\", \"en\": \"p\"},"                                \
    " \"fail\": {\"sv\": \"f\", \"fi\": \"f\", \"en\": \"f\"},"                                \
    " \"remedy\": {\"raise\": {\"sv\": \"+{add}\", \"fi\": \"+{add}\", \"en\": "               \
    "\"+{add}\"}}}]}"
    RULE(
        "T-1", "HARD", "\"waivable_by\": [\"funder\"],", "reach",
        "{\"value\": 10, \"assumed\": true, \"overridable\": true}") "," RULE("T-2", "HARD",
                                                                              "\"applies_"
                                                                              "from\": "
                                                                              "\"two\",",
                                                                              "depth",
                                                                              "5") "," RULE("T-"
                                                                                            "3",
                                                                                            "SO"
                                                                                            "F"
                                                                                            "T",
                                                                                            "",
                                                                                            "de"
                                                                                            "pt"
                                                                                            "h",
                                                                                            "7") "]}";

static struct rule_set set;
static struct rule_measure measures[2];
static struct rule_waiver waiver;
static struct rule_override override;
static const struct rule_date today = {2024, 6, 1};

static struct rule_case
a_case(const char *state, int64_t reach, int64_t depth)
{
    struct rule_case facts = {.state = state};

    measures[0] = (struct rule_measure){"reach", reach};
    measures[1] = (struct rule_measure){"depth", depth};
    facts.measures.items = measures;
    facts.measures.count = 2;
    return facts;
}

static struct rule_verdict
evaluate(const struct rule_case *facts, enum rule_mode mode)
{
    struct rule_verdict verdict;
    const struct status status = rule_evaluate(&set, facts, mode, today, &arena, &verdict);

    if (failed(status))
        fail_msg("%s", status.detail);
    return verdict;
}

static void
put_waiver(struct rule_case *facts, const char *by, struct rule_date expires)
{
    waiver = (struct rule_waiver){"T-1", by, "a small country", expires};
    facts->waivers.items = &waiver;
    facts->waivers.count = 1;
}

static void
put_override(struct rule_case *facts, const char *rule, const char *param, const char *value)
{
    override = (struct rule_override){rule, param, value};
    facts->overrides.items = &override;
    facts->overrides.count = 1;
}

static void
a_soft_failure_never_blocks(void **unused)
{
    const struct rule_case facts = a_case("two", 10, 5);
    const struct rule_verdict verdict = evaluate(&facts, RULE_SUBMISSION);

    (void)unused;
    assert_int_equal(verdict.results[2].outcome, RULE_FAIL);
    assert_int_equal(verdict.overall, RULE_ELIGIBLE);
}

static void
a_hard_failure_decides_over_what_is_unknown(void **unused)
{
    struct rule_case facts = a_case("two", 9, 5);
    struct rule_verdict verdict;

    (void)unused;
    facts.measures.count = 1;
    verdict = evaluate(&facts, RULE_DRAFT);
    assert_int_equal(verdict.results[0].outcome, RULE_FAIL);
    assert_int_equal(verdict.results[1].outcome, RULE_UNKNOWN);
    assert_int_equal(verdict.overall, RULE_INELIGIBLE);
    measures[0].value = 10;
    verdict = evaluate(&facts, RULE_DRAFT);
    assert_int_equal(verdict.overall, RULE_INCOMPLETE);
    verdict = evaluate(&facts, RULE_SUBMISSION);
    assert_int_equal(verdict.overall, RULE_INELIGIBLE);
    assert_string_equal(verdict.results[1].reason, "missing");
}

static void
a_rule_waits_for_its_state(void **unused)
{
    struct rule_case facts = a_case("one", 10, 1);
    struct rule_verdict verdict = evaluate(&facts, RULE_SUBMISSION);

    (void)unused;
    assert_int_equal(verdict.results[1].outcome, RULE_NOT_APPLICABLE);
    assert_string_equal(verdict.results[1].reason, "before_state");
    assert_int_equal(verdict.overall, RULE_ELIGIBLE);
    facts.state = NULL; /* the first of the states */
    verdict = evaluate(&facts, RULE_SUBMISSION);
    assert_string_equal(verdict.state, "one");
    facts.state = "two";
    assert_int_equal(evaluate(&facts, RULE_SUBMISSION).overall, RULE_INELIGIBLE);
}

static void
a_waiver_counts_while_it_lasts_and_from_whom_it_may_come(void **unused)
{
    struct rule_case facts = a_case("one", 9, 7);
    struct rule_verdict verdict;

    (void)unused;
    put_waiver(&facts, "funder", (struct rule_date){2024, 6, 2});
    verdict = evaluate(&facts, RULE_SUBMISSION);
    assert_int_equal(verdict.results[0].outcome, RULE_WAIVED);
    assert_string_equal(verdict.results[0].waiver_reason, "a small country");
    assert_int_equal(verdict.overall, RULE_ELIGIBLE_WITH_WAIVER);
    put_waiver(&facts, "funder", (struct rule_date){2024, 6, 1}); /* its first day without */
    assert_int_equal(evaluate(&facts, RULE_SUBMISSION).overall, RULE_INELIGIBLE);
    put_waiver(&facts, "funder", (struct rule_date){0});
    assert_int_equal(evaluate(&facts, RULE_SUBMISSION).overall, RULE_ELIGIBLE_WITH_WAIVER);
    put_waiver(&facts, "coordinator", (struct rule_date){0});
    assert_int_equal(evaluate(&facts, RULE_SUBMISSION).overall, RULE_INELIGIBLE);
    put_waiver(&facts, NULL, (struct rule_date){0});
    assert_int_equal(evaluate(&facts, RULE_SUBMISSION).overall, RULE_INELIGIBLE);
}

static void
a_waiver_that_is_not_needed_changes_nothing(void **unused)
{
    struct rule_case facts = a_case("one", 10, 7);

    (void)unused;
    put_waiver(&facts, "funder", (struct rule_date){0});
    assert_int_equal(evaluate(&facts, RULE_SUBMISSION).overall, RULE_ELIGIBLE);
}

static void
what_is_missing_in_a_draft_cannot_be_waived(void **unused)
{
    struct rule_case facts = a_case("one", 10, 7);

    (void)unused;
    facts.measures.count = 0;
    put_waiver(&facts, "funder", (struct rule_date){0});
    assert_int_equal(evaluate(&facts, RULE_DRAFT).overall, RULE_INCOMPLETE);
    assert_int_equal(evaluate(&facts, RULE_SUBMISSION).overall, RULE_ELIGIBLE_WITH_WAIVER);
}

static void
a_call_overrides_what_may_be_overridden(void **unused)
{
    struct rule_case facts = a_case("one", 9, 7);
    struct rule_verdict verdict = evaluate(&facts, RULE_SUBMISSION);

    (void)unused;
    assert_true(verdict.results[0].assumed);
    assert_int_equal(verdict.overall, RULE_INELIGIBLE);
    put_override(&facts, "T-1", "min", "9");
    verdict = evaluate(&facts, RULE_SUBMISSION);
    assert_false(verdict.results[0].assumed);
    assert_int_equal(verdict.overall, RULE_ELIGIBLE);
    facts.overrides.count = 0; /* the set itself has not changed */
    assert_int_equal(evaluate(&facts, RULE_SUBMISSION).overall, RULE_INELIGIBLE);
}

static void
refused(const struct rule_case *facts, const char *field)
{
    struct rule_verdict verdict;
    const struct status status =
        rule_evaluate(&set, facts, RULE_DRAFT, today, &arena, &verdict);

    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, field);
}

static void
a_case_that_names_what_is_not_there_is_refused(void **unused)
{
    struct rule_case facts = a_case("three", 9, 7);

    (void)unused;
    refused(&facts, "state");
    facts.state = "one";
    put_override(&facts, "T-9", "min", "9");
    refused(&facts, "overrides.rule_id");
    put_override(&facts, "T-1", "max", "9");
    refused(&facts, "overrides");
    put_override(&facts, "T-2", "min", "4"); /* not marked as overridable */
    refused(&facts, "overrides");
    put_override(&facts, "T-1", "min", "nine");
    refused(&facts, "overrides");
    put_override(&facts, "T-1", "min", "-1");
    refused(&facts, "overrides");
    put_override(&facts, "T-1", "min", "99999999999999999999");
    refused(&facts, "overrides");
    facts.overrides.count = 0;
    put_waiver(&facts, "funder", (struct rule_date){0});
    waiver.rule_id = "T-9";
    refused(&facts, "waivers.rule_id");
}

static void
a_case_beyond_the_limits_is_refused(void **unused)
{
    struct rule_case facts = a_case("one", 9, 7);
    struct rule_observation seen = {"x", 3, 2};

    (void)unused;
    facts.parties.count = RULE_CASE_ITEMS + 1;
    refused(&facts, "parties");
    facts.parties.count = 0;
    measures[0].value = RULE_AMOUNT_MAX + 1;
    refused(&facts, "measures.value");
    measures[0].value = -1;
    refused(&facts, "measures.value");
    measures[0].value = 0;
    facts.observations.items = &seen;
    facts.observations.count = 1;
    refused(&facts, "observations.numerator");
}

static void
the_hash_is_of_the_facts_and_not_of_their_order(void **unused)
{
    struct rule_case facts = a_case("one", 9, 7);
    const struct rule_measure turned[] = {{"depth", 7}, {"reach", 9}};
    const struct rule_verdict first = evaluate(&facts, RULE_DRAFT);
    struct rule_verdict other;

    (void)unused;
    facts.measures.items = turned;
    other = evaluate(&facts, RULE_DRAFT);
    assert_string_equal(other.inputs_hash, first.inputs_hash);
    assert_int_equal(strlen(first.inputs_hash), 64);
    other = evaluate(&facts, RULE_SUBMISSION);
    assert_string_not_equal(other.inputs_hash, first.inputs_hash);
    facts = a_case("one", 9, 8);
    other = evaluate(&facts, RULE_DRAFT);
    assert_string_not_equal(other.inputs_hash, first.inputs_hash);
}

static void
the_hash_tells_not_given_from_empty(void **unused)
{
    struct rule_case facts = a_case("one", 9, 7);
    const struct rule_verdict first = evaluate(&facts, RULE_DRAFT);
    struct rule_verdict other;

    (void)unused;
    facts.parties.given = true;
    other = evaluate(&facts, RULE_DRAFT);
    assert_string_not_equal(other.inputs_hash, first.inputs_hash);
    facts.parties.given = false;
    facts.texts.given = true;
    other = evaluate(&facts, RULE_DRAFT);
    assert_string_not_equal(other.inputs_hash, first.inputs_hash);
}

static void
the_hash_changes_when_a_waiver_runs_out_and_not_before(void **unused)
{
    struct rule_case facts = a_case("one", 9, 7);
    char june[RULE_HASH_SIZE], july[RULE_HASH_SIZE], august[RULE_HASH_SIZE];

    (void)unused;
    put_waiver(&facts, "funder", (struct rule_date){2024, 8, 1});
    assert_false(
        failed(rule_case_hash(&facts, "x", (struct rule_date){2024, 6, 1}, &arena, june)));
    assert_false(
        failed(rule_case_hash(&facts, "x", (struct rule_date){2024, 7, 31}, &arena, july)));
    assert_false(
        failed(rule_case_hash(&facts, "x", (struct rule_date){2024, 8, 1}, &arena, august)));
    assert_string_equal(june, july);
    assert_string_not_equal(june, august);
}

static void
too_little_memory_is_told_and_nothing_else(void **unused)
{
    const struct rule_case facts = a_case("two", 9, 7);
    bool worked = false;

    (void)unused;
    for (size_t limit = 0; limit < 65536 && !worked; limit += 64) {
        struct arena small;
        struct rule_verdict verdict;
        struct status status;
        arena_init(&small, limit);
        status = rule_evaluate(&set, &facts, RULE_DRAFT, today, &small, &verdict);
        worked = !failed(status);
        if (!worked)
            assert_int_equal(status.code, CODE_RESOURCE_EXHAUSTED);
        arena_fini(&small);
    }
    assert_true(worked);
}

static void
a_stored_verdict_is_the_same_in_every_language_when_read(void **unused)
{
    const struct rule_set *ktp = programmes_find(programmes, "KTP-SE", 0, today);
    const struct rule_case facts = {.fte_thousandths = {true, 800}};
    Registry__V1__Verdict *neutral, *shown;
    ProtobufCMessage *again;
    struct rule_verdict verdict;
    struct bytes packed;

    (void)unused;
    assert_non_null(ktp);
    assert_false(failed(rule_evaluate(ktp, &facts, RULE_DRAFT, today, &arena, &verdict)));
    assert_false(failed(programmes_verdict(&verdict, (struct wall){17}, &arena, &neutral)));
    assert_string_equal(neutral->results[0]->title, "");
    assert_false(failed(wire_pack(&neutral->base, &arena, &packed)));
    assert_false(
        failed(wire_unpack(&registry__v1__verdict__descriptor, packed, &arena, &again)));
    neutral = (Registry__V1__Verdict *)again;
    assert_false(failed(programmes_render(programmes, neutral, LANG_FI, &arena, &shown)));
    assert_string_equal(neutral->results[0]->title, ""); /* the stored form is left alone */
    assert_string_equal(shown->rule_set_version, "RS-KTP-SE v1");
    assert_int_equal(shown->evaluated_unix_ms, 17);
    assert_string_equal(shown->results[5]->rule_id, "KTP-06");
    assert_string_equal(shown->results[5]->title, "Kokoaikaisuus");
    assert_string_equal(shown->results[5]->source->reference, "S0-05");
    assert_string_equal(shown->results[5]->source->quote, "på heltid");
    assert_string_equal(shown->results[5]->values[0]->label, "löytyi");
    assert_string_equal(shown->results[5]->values[0]->shown, "80\xc2\xa0%");
    assert_string_equal(shown->summary, "Ei täytä: KTP-06.");
}

static void
a_verdict_by_a_forgotten_rule_set_keeps_its_codes(void **unused)
{
    Registry__V1__Verdict neutral = REGISTRY__V1__VERDICT__INIT;
    Registry__V1__RuleResult result = REGISTRY__V1__RULE_RESULT__INIT;
    Registry__V1__RuleResult *results[] = {&result};
    Registry__V1__Verdict *shown;

    (void)unused;
    neutral.rule_set_version = "RS-GONE v9";
    neutral.results = results;
    neutral.n_results = 1;
    result.rule_id = "GONE-01";
    assert_false(failed(programmes_render(programmes, &neutral, LANG_SV, &arena, &shown)));
    assert_string_equal(shown->results[0]->rule_id, "GONE-01");
    assert_string_equal(shown->results[0]->explanation, "");
    neutral.rule_set_version = "RS-KTP-SE v1"; /* known, but not the rule */
    assert_false(failed(programmes_render(programmes, &neutral, LANG_SV, &arena, &shown)));
    assert_string_equal(shown->results[0]->explanation, "");
}

static void
the_day_of_a_moment_is_its_day_in_utc(void **unused)
{
    (void)unused;
    assert_int_equal(programmes_day((struct wall){0}).year, 1970);
    assert_int_equal(programmes_day((struct wall){86399999}).day, 1);
    assert_int_equal(programmes_day((struct wall){86400000}).day, 2);
    assert_int_equal(programmes_day((struct wall){-1}).day, 31);
}

static void
the_newest_version_in_force_is_found(void **unused)
{
    (void)unused;
    assert_non_null(programmes_find(programmes, "KTP-SE", 1, today));
    assert_null(programmes_find(programmes, "KTP-SE", 2, today));
    assert_null(programmes_find(programmes, "KTP", 0, today));
    assert_null(programmes_find_name(programmes, "RS-KTP-SE v2"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_soft_failure_never_blocks),
        cmocka_unit_test(a_hard_failure_decides_over_what_is_unknown),
        cmocka_unit_test(a_rule_waits_for_its_state),
        cmocka_unit_test(a_waiver_counts_while_it_lasts_and_from_whom_it_may_come),
        cmocka_unit_test(a_waiver_that_is_not_needed_changes_nothing),
        cmocka_unit_test(what_is_missing_in_a_draft_cannot_be_waived),
        cmocka_unit_test(a_call_overrides_what_may_be_overridden),
        cmocka_unit_test(a_case_that_names_what_is_not_there_is_refused),
        cmocka_unit_test(a_case_beyond_the_limits_is_refused),
        cmocka_unit_test(the_hash_is_of_the_facts_and_not_of_their_order),
        cmocka_unit_test(the_hash_tells_not_given_from_empty),
        cmocka_unit_test(the_hash_changes_when_a_waiver_runs_out_and_not_before),
        cmocka_unit_test(too_little_memory_is_told_and_nothing_else),
        cmocka_unit_test(a_stored_verdict_is_the_same_in_every_language_when_read),
        cmocka_unit_test(a_verdict_by_a_forgotten_rule_set_keeps_its_codes),
        cmocka_unit_test(the_day_of_a_moment_is_its_day_in_utc),
        cmocka_unit_test(the_newest_version_in_force_is_found),
    };
    struct status status;
    int result;

    arena_init(&arena, ARENA_CALL_BYTES);
    status = rule_set_load("t.json", document, sizeof document - 1, &arena, &set);
    if (failed(status) || failed(programmes_create(&arena, &programmes))) {
        print_error("%s\n", status.detail ? status.detail : "no rule sets");
        return 1;
    }
    result = cmocka_run_group_tests(tests, NULL, NULL);
    programmes_destroy(&programmes);
    arena_fini(&arena);
    return result;
}
