#include "registry/v1/programmes.pb-c.h"

#include <string.h>

#include "common/base/test.h"
#include "common/service/rpc_test.h"
#include "services/registry/programmes/programmes.h"
#include "services/registry/registry.h"

static struct arena arena;
static struct registry_state state;
static struct rpc_test test;

static int
begin(void **unused)
{
    (void)unused;
    rpc_test_init(&test, WIRE__V1__ROLE__PARTNERSHIP_OFFICER);
    test.call.state = &state;
    test.call.lang = LANG_EN;
    return 0;
}

static int
end(void **unused)
{
    (void)unused;
    rpc_test_fini(&test);
    return 0;
}

static void
ok(struct status status)
{
    if (failed(status))
        fail_msg("%s", status.detail);
}

static void
programmes_are_listed_in_the_callers_language(void **unused)
{
    Registry__V1__ListProgrammesRequest request = REGISTRY__V1__LIST_PROGRAMMES_REQUEST__INIT;
    Registry__V1__ListProgrammesReply *reply;
    const Registry__V1__Programme *ktp = NULL;

    (void)unused;
    test.call.lang = LANG_FI;
    ok(rpc_test_call(&test, programmes_service, "ListProgrammes", &request.base, &reply));
    for (size_t i = 0; i < reply->n_programmes; i++) {
        if (!strcmp(reply->programmes[i]->code, "KTP-SE"))
            ktp = reply->programmes[i];
    }
    assert_non_null(ktp);
    assert_string_equal(ktp->name, "KTP Ruotsissa");
    assert_string_equal(ktp->rule_set_version, "RS-KTP-SE v1");
    assert_string_equal(ktp->states[0], "drafted");
}

static const Registry__V1__CompositionRule *
composition_rule(const Registry__V1__GetCompositionRulesReply *reply, const char *rule_id)
{
    for (size_t i = 0; i < reply->n_rules; i++)
        if (!strcmp(reply->rules[i]->rule_id, rule_id))
            return reply->rules[i];
    return NULL;
}

static void
what_is_asked_of_the_members_is_told_with_numbers(void **unused)
{
    Registry__V1__GetCompositionRulesRequest request =
        REGISTRY__V1__GET_COMPOSITION_RULES_REQUEST__INIT;
    const char *switches[] = {"KA-X1"};
    Registry__V1__GetCompositionRulesReply *reply;

    (void)unused;
    request.code = "KA";
    ok(rpc_test_call(&test, programmes_service, "GetCompositionRules", &request.base, &reply));
    assert_string_equal(reply->rule_set_version, "RS-KA v1");
    assert_int_equal(reply->n_rules, 6);
    assert_int_equal(composition_rule(reply, "KA-01")->min, 6);
    assert_int_equal(composition_rule(reply, "KA-01")->scope,
                     REGISTRY__V1__COMPOSITION_RULE__SCOPE__PROGRAMME_COUNTRY);
    assert_int_equal(composition_rule(reply, "KA-02")->kind,
                     REGISTRY__V1__COMPOSITION_RULE__KIND__DISTINCT_COUNTRIES);
    assert_int_equal(composition_rule(reply, "KA-03")->n_types, 2);
    assert_string_equal(composition_rule(reply, "KA-04")->types[0], "company");
    assert_int_equal(composition_rule(reply, "KA-06")->kind,
                     REGISTRY__V1__COMPOSITION_RULE__KIND__JUSTIFIED);
    assert_null(composition_rule(reply, "KA-X1"));
    request.switches = switches;
    request.n_switches = 1;
    ok(rpc_test_call(&test, programmes_service, "GetCompositionRules", &request.base, &reply));
    assert_int_equal(composition_rule(reply, "KA-X1")->share_thousandths, 250);
}

static void
a_programme_is_found_by_its_code(void **unused)
{
    Registry__V1__GetProgrammeRequest request = REGISTRY__V1__GET_PROGRAMME_REQUEST__INIT;
    Registry__V1__GetProgrammeReply *reply;

    (void)unused;
    request.code = "KTP-SE";
    ok(rpc_test_call(&test, programmes_service, "GetProgramme", &request.base, &reply));
    assert_string_equal(reply->programme->name, "KTP in Sweden");
    request.code = "KTP-UK";
    assert_int_equal(
        rpc_test_call(&test, programmes_service, "GetProgramme", &request.base, &reply).code,
        CODE_NOT_FOUND);
}

static const Registry__V1__Rule *
find_rule(const Registry__V1__RuleSet *set, const char *rule_id)
{
    for (size_t i = 0; i < set->n_rules; i++) {
        if (!strcmp(set->rules[i]->rule_id, rule_id))
            return set->rules[i];
    }
    fail_msg("no rule %s", rule_id);
    return NULL;
}

static void
a_rule_set_shows_its_parameters_and_what_is_assumed(void **unused)
{
    Registry__V1__GetRuleSetRequest request = REGISTRY__V1__GET_RULE_SET_REQUEST__INIT;
    Registry__V1__GetRuleSetReply *reply;
    const Registry__V1__Rule *rule;

    (void)unused;
    request.code = "KTP-SE";
    ok(rpc_test_call(&test, programmes_service, "GetRuleSet", &request.base, &reply));
    assert_int_equal(reply->rule_set->n_rules, 20);
    rule = find_rule(reply->rule_set, "KTP-05");
    assert_string_equal(rule->applies_from, "associate_selected");
    assert_string_equal(rule->checks[0]->constraint, "recency");
    assert_string_equal(rule->checks[0]->parameters[1]->name, "max_months");
    assert_string_equal(rule->checks[0]->parameters[1]->value, "36");
    assert_true(rule->checks[0]->parameters[1]->assumed);
    rule = find_rule(reply->rule_set, "KTP-14");
    assert_string_equal(rule->checks[0]->parameters[1]->value, "SE110, SE224, SE232");
    assert_true(rule->checks[0]->parameters[1]->assumed);
    rule = find_rule(reply->rule_set, "KTP-X1");
    assert_false(rule->on_by_default);
    assert_string_equal(rule->checks[0]->parameters[3]->value, "0.500");
    assert_string_equal(find_rule(reply->rule_set, "KTP-07")->sources[0]->quote,
                        "i upp till två år");
}

static void
a_version_that_was_never_published_is_not_found(void **unused)
{
    Registry__V1__GetRuleSetRequest request = REGISTRY__V1__GET_RULE_SET_REQUEST__INIT;
    Registry__V1__GetRuleSetReply *reply;

    (void)unused;
    request.code = "KTP-SE";
    request.version = 99;
    assert_int_equal(
        rpc_test_call(&test, programmes_service, "GetRuleSet", &request.base, &reply).code,
        CODE_NOT_FOUND);
}

static const Registry__V1__RuleResult *
find_result(const Registry__V1__Verdict *verdict, const char *rule_id)
{
    for (size_t i = 0; i < verdict->n_results; i++) {
        if (!strcmp(verdict->results[i]->rule_id, rule_id))
            return verdict->results[i];
    }
    fail_msg("no rule %s", rule_id);
    return NULL;
}

static void
a_case_in_the_request_is_judged_with_words(void **unused)
{
    Registry__V1__CheckCaseRequest request = REGISTRY__V1__CHECK_CASE_REQUEST__INIT;
    Registry__V1__RuleCase facts = REGISTRY__V1__RULE_CASE__INIT;
    Registry__V1__RuleCase__Period period = REGISTRY__V1__RULE_CASE__PERIOD__INIT;
    Registry__V1__CheckCaseReply *reply;
    const Registry__V1__RuleResult *result;

    (void)unused;
    request.code = "KTP-SE";
    request.facts = &facts;
    facts.period = &period;
    period.start = "2024-01-15";
    period.end = "2026-02-15";
    ok(rpc_test_call(&test, programmes_service, "CheckCase", &request.base, &reply));
    assert_int_equal(reply->verdict->mode, REGISTRY__V1__VERDICT__MODE__DRAFT);
    assert_int_equal(reply->verdict->overall, REGISTRY__V1__VERDICT__OVERALL__INELIGIBLE);
    result = find_result(reply->verdict, "KTP-07");
    assert_string_equal(result->remedy,
                        "Shorten by 1 month: set the end to 2026-01-15 or earlier.");
    assert_string_equal(find_result(reply->verdict, "KTP-09")->reason, "missing");
}

static void
a_case_with_a_date_that_is_none_is_refused(void **unused)
{
    Registry__V1__CheckCaseRequest request = REGISTRY__V1__CHECK_CASE_REQUEST__INIT;
    Registry__V1__RuleCase facts = REGISTRY__V1__RULE_CASE__INIT;
    Registry__V1__RuleCase__Period period = REGISTRY__V1__RULE_CASE__PERIOD__INIT;
    Registry__V1__CheckCaseReply *reply;
    struct status status;

    (void)unused;
    request.code = "KTP-SE";
    assert_string_equal(
        rpc_test_call(&test, programmes_service, "CheckCase", &request.base, &reply).field,
        "facts");
    request.facts = &facts;
    facts.period = &period;
    period.start = "2024-02-30";
    status = rpc_test_call(&test, programmes_service, "CheckCase", &request.base, &reply);
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, "facts.period.start");
}

static void
every_fact_of_the_contract_reaches_the_engine(void **unused)
{
    Registry__V1__RuleCase message = REGISTRY__V1__RULE_CASE__INIT;
    Registry__V1__RuleCase__Parties parties = REGISTRY__V1__RULE_CASE__PARTIES__INIT;
    Registry__V1__RuleCase__Party party = REGISTRY__V1__RULE_CASE__PARTY__INIT;
    Registry__V1__RuleCase__Party *party_list[] = {&party};
    Registry__V1__RuleCase__Person person = REGISTRY__V1__RULE_CASE__PERSON__INIT;
    Registry__V1__RuleCase__Person *person_list[] = {&person};
    Registry__V1__RuleCase__Waiver waiver = REGISTRY__V1__RULE_CASE__WAIVER__INIT;
    Registry__V1__RuleCase__Waiver *waiver_list[] = {&waiver};
    struct rule_case facts;

    (void)unused;
    message.parties = &parties;
    parties.items = party_list;
    parties.n_items = 1;
    party.type = "company";
    party.headcount_known = 1;
    party.competitive_market = REGISTRY__V1__RULE_CASE__ANSWER__NO;
    message.persons = person_list;
    message.n_persons = 1;
    person.role = "associate";
    person.degree_date = "2023-06-01";
    message.waivers = waiver_list;
    message.n_waivers = 1;
    waiver.expires = "2025-01-01";
    ok(programmes_case(&message, &test.arena, &facts));
    assert_true(facts.parties.given);
    assert_string_equal(facts.parties.items[0].type, "company");
    assert_true(facts.parties.items[0].headcount.given); /* known to be 0 */
    assert_false(facts.parties.items[0].turnover_eur.given);
    assert_int_equal(facts.parties.items[0].competitive_market, RULE_NO);
    assert_false(facts.parties.items[0].has.given);
    assert_int_equal(facts.persons.items[0].degree_date.year, 2023);
    assert_false(facts.persons.items[0].degree_eqf.given);
    assert_int_equal(facts.waivers.items[0].expires.year, 2025);
    assert_false(facts.budget.given);
    assert_false(facts.funded_project_linked);
    party.turnover_eur = UINT64_MAX;
    assert_string_equal(programmes_case(&message, &test.arena, &facts).field,
                        "facts.parties.items.turnover_eur");
    party.turnover_eur = 0;
    person.degree_eqf = 9;
    assert_string_equal(programmes_case(&message, &test.arena, &facts).field,
                        "facts.persons.degree_eqf");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(programmes_are_listed_in_the_callers_language, begin,
                                        end),
        cmocka_unit_test_setup_teardown(what_is_asked_of_the_members_is_told_with_numbers,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_programme_is_found_by_its_code, begin, end),
        cmocka_unit_test_setup_teardown(a_rule_set_shows_its_parameters_and_what_is_assumed,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_version_that_was_never_published_is_not_found, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_case_in_the_request_is_judged_with_words, begin, end),
        cmocka_unit_test_setup_teardown(a_case_with_a_date_that_is_none_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(every_fact_of_the_contract_reaches_the_engine, begin,
                                        end),
    };
    int result;

    arena_init(&arena, ARENA_CALL_BYTES);
    if (failed(programmes_create(&arena, &state.programmes)))
        return 1;
    result = cmocka_run_group_tests(tests, NULL, NULL);
    programmes_destroy(&state.programmes);
    arena_fini(&arena);
    return result;
}
