/* Documents that are refused, each with the file, the place and the reason. */

#include "services/registry/programmes/rule_set.h"

#include <jansson.h>
#include <string.h>

#include "common/base/test.h"
#include "services/registry/programmes/vocabulary.h"

#define LOCAL(text) "{'sv': '" text "', 'fi': '" text "', 'en': '" text "'}"

static struct arena arena;
static struct rule_set set;

/* Loads a document written with ' for ". */
static struct status
load(const char *pattern)
{
    char *document = arena_copy(&arena, pattern);

    assert_non_null(document);
    for (char *at = document; *at; at++) {
        if (*at == '\'')
            *at = '"';
    }
    return rule_set_load("x.json", document, strlen(document), &arena, &set);
}

/* A small rule set with one thing different.  Parts that are NULL are the usual ones. */
struct parts {
    const char *head, *rule, *check, *labels;
};

static struct status
load_with(struct parts parts)
{
    const char *head = parts.head ? parts.head : "";
    const char *rule = parts.rule ? parts.rule : "'severity': 'HARD', 'origin': 'seed',";
    const char *labels = parts.labels ? parts.labels : "";
    const char *check = parts.check
                            ? parts.check
                            : "'constraint': 'duration', 'parameters': {'max_months': 24},"
                              "'pass': " LOCAL("{duration}") ", 'fail': " LOCAL(
                                  "{limit}") ","
                                             "'remedy': {'reverse': " LOCAL(
                                                 "turn") ", 'shorten': " LOCAL("{over}") "}";
    char *document = arena_printf(
        &arena,
        "{%s 'rule_set': 'RS-X', 'version': 1, 'programme': {'code': 'X', 'name': " LOCAL(
            "x") ","
                 "'description': " LOCAL(
                     "x") "}, 'states': ['one', 'two'],"
                          "'labels': {%s 'one': " LOCAL("one") ", 'two': " LOCAL(
                              "two") "},"
                                     "'rules': [{'id': 'X-01', %s 'title': " LOCAL(
                                         "t") ","
                                              "'sources': [{'reference': 'S', 'quote': 'q'}], "
                                              "'checks': [{%s}]}]}",
        head, labels, rule, check);

    assert_non_null(document);
    return load(document);
}

static void
refused(struct status status, const char *field, const char *detail)
{
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, field);
    if (!strstr(status.detail, detail) || strncmp(status.detail, "x.json: ", 8))
        fail_msg("\"%s\" does not say \"%s\"", status.detail, detail);
}

static void
a_small_rule_set_loads(void **unused)
{
    const struct status status = load_with((struct parts){0});

    (void)unused;
    if (failed(status))
        fail_msg("%s", status.detail);
    assert_string_equal(set.name, "RS-X v1");
    assert_int_equal(set.rule_count, 1);
    assert_int_equal(strlen(set.checksum), 64);
    assert_int_equal(rule_check_param(&set.rules[0].checks[0], "max_months")->number, 24);
    assert_false(rule_check_param(&set.rules[0].checks[0], "min_months")->given);
}

static void
what_is_no_document_is_refused(void **unused)
{
    char *large = arena_alloc(&arena, RULE_SET_BYTES + 1);

    (void)unused;
    refused(load(""), "/", "line 1");
    refused(load("[]"), "/", "must be an object");
    refused(load("{'rule_set': 'a', 'rule_set': 'b'}"), "/", "duplicate");
    refused(load("{'rule_set': 'a'} x"), "/", "end of file");
    assert_non_null(large);
    refused(rule_set_load("x.json", large, RULE_SET_BYTES + 1, &arena, &set), "/", "larger");
    refused(rule_set_load("x.json", "{\"a\":\"\xff\"}", 9, &arena, &set), "/", "decode");
    refused(rule_set_load("x.json", "{\"rule_set\":\"\\u0000\"}", 22, &arena, &set), "/", "");
}

static void
unknown_keys_are_refused_where_they_stand(void **unused)
{
    (void)unused;
    refused(load_with((struct parts){.head = "'colour': 1,"}), "/colour", "not known");
    refused(load_with((struct parts){.head = "'a/b~c': 1,"}), "/a~1b~0c", "not known");
    refused(load_with((struct parts){.rule = "'severity': 'HARD', 'origin': 'seed', 'x': 1,"}),
            "/rules/0/x", "not known");
    refused(load_with((struct parts){.check = "'constraint': 'duration', 'extra': 1"}),
            "/rules/0/checks/0/extra", "not known");
}

static void
words_outside_the_vocabulary_are_refused(void **unused)
{
    (void)unused;
    refused(load_with((struct parts){.check = "'constraint': 'phase_of_moon'"}),
            "/rules/0/checks/0/constraint", "not in the vocabulary");
    refused(load_with((struct parts){.rule = "'severity': 'DEADLY', 'origin': 'seed',"}),
            "/rules/0/severity", "HARD, SOFT or INFO");
    refused(load_with((struct parts){.rule = "'severity': 'HARD', 'origin': 'rumour',"}),
            "/rules/0/origin", "seed, ext or assump");
    refused(load_with((struct parts){
                .rule = "'severity': 'HARD', 'origin': 'seed', 'applies_from': 'three',"}),
            "/rules/0/applies_from", "not one of the states");
    refused(load_with((struct parts){
                .rule = "'severity': 'HARD', 'origin': 'seed', 'replaces': 'X-99',"}),
            "/rules/0", "no other rule");
}

#define DURATION(parameters)                                                                   \
    ((struct parts){.check = "'constraint': 'duration', 'parameters': {" parameters "}"})

static void
parameters_that_do_not_fit_are_refused(void **unused)
{
    const char *const place = "/rules/0/checks/0/parameters/max_months";

    (void)unused;
    refused(load_with(DURATION("'max_months': '24'")), place, "must be an integer");
    refused(load_with(DURATION("'max_months': 24.5")), place, "must be an integer");
    refused(load_with(DURATION("'max_months': 0")), place, "between 1 and 1200");
    refused(load_with(DURATION("'max_months': {'assumed': true}")),
            "/rules/0/checks/0/parameters/max_months/value", "is missing");
    refused(load_with(DURATION("'max_months': {'value': 24, 'assumed': 1}")),
            "/rules/0/checks/0/parameters/max_months/assumed", "true or false");
    refused(load_with(DURATION("'max_weeks': 24")), "/rules/0/checks/0/parameters/max_weeks",
            "not known");
    refused(load_with(DURATION("'one_of': []")), "/rules/0/checks/0/parameters/one_of",
            "must not be empty");
    refused(load_with(DURATION("'one_of': {'value': [24], 'overridable': true}")),
            "/rules/0/checks/0/parameters/one_of", "only a number");
    refused(load_with((struct parts){.check = "'constraint': 'fte'"}),
            "/rules/0/checks/0/parameters/equals", "is missing");
    refused(load_with(
                (struct parts){.check = "'constraint': 'fte', 'parameters': {'equals': 1.0}"}),
            "/rules/0/checks/0/parameters/equals", "text like");
    refused(load_with((struct parts){
                .check = "'constraint': 'fte', 'parameters': {'equals': '0.1234'}"}),
            "/rules/0/checks/0/parameters/equals", "text like");
    refused(load_with((struct parts){
                .check = "'constraint': 'member_count', 'parameters': {'kinds': ['club']}"}),
            "/rules/0/checks/0/parameters/kinds/0", "not one of the words");
    refused(load_with((struct parts){
                .check = "'constraint': 'role_filled', 'parameters': {'role': 'jester'}"}),
            "/rules/0/checks/0/parameters/role", "has no label");
}

#define TEXTS(pass, fail, remedy)                                                              \
    ((struct parts){.check = "'constraint': 'duration', 'parameters': {'max_months': 24},"     \
                             "'pass': " pass ", 'fail': " fail ", 'remedy': " remedy})
#define REMEDY "{'reverse': " LOCAL("r") ", 'shorten': " LOCAL("s") "}"

static void
texts_are_complete_in_three_languages(void **unused)
{
    const char *const pass = "/rules/0/checks/0/pass";

    (void)unused;
    refused(load_with(TEXTS("{'sv': 'a', 'fi': 'a'}", LOCAL("f"), REMEDY)),
            "/rules/0/checks/0/pass/en", "is missing");
    refused(load_with(TEXTS("{'sv': 'a', 'fi': '', 'en': 'a'}", LOCAL("f"), REMEDY)),
            "/rules/0/checks/0/pass/fi", "1 to 2000");
    refused(
        load_with(TEXTS("{'sv': 'a', 'fi': 'a', 'en': 'a', 'de': 'a'}", LOCAL("f"), REMEDY)),
        "/rules/0/checks/0/pass/de", "not known");
    refused(
        load_with(TEXTS("{'sv': '{limit}', 'fi': 'a', 'en': '{limit}'}", LOCAL("f"), REMEDY)),
        "/rules/0/checks/0/pass/fi", "other placeholders");
    refused(load_with(TEXTS(LOCAL("{limit"), LOCAL("f"), REMEDY)), "/rules/0/checks/0/pass/sv",
            "not well formed");
    refused(load_with(TEXTS(LOCAL("{phase}"), LOCAL("f"), REMEDY)), pass, "{phase}");
    refused(load_with(TEXTS(LOCAL("{over}"), LOCAL("f"), REMEDY)), pass, "{over}");
    refused(load_with(TEXTS(LOCAL("{least}"), LOCAL("f"), REMEDY)), pass, "{least}");
    refused(load_with(TEXTS(LOCAL("p"), LOCAL("f"), "{'reverse': " LOCAL("r") "}")),
            "/rules/0/checks/0/remedy/shorten", "is missing");
    refused(load_with(TEXTS(LOCAL("p"), LOCAL("f"),
                            "{'reverse': " LOCAL("r") ", 'shorten': " LOCAL(
                                "s") ", 'lengthen': " LOCAL("l") "}")),
            "/rules/0/checks/0/remedy/lengthen", "not known");
}

static void
a_state_without_a_label_is_refused(void **unused)
{
    (void)unused;
    refused(load("{'rule_set': 'RS-X', 'version': 1, 'programme': {'code': 'X', 'name': " LOCAL(
                "x") ", 'description': " LOCAL("x") "}, 'states': ['one'], 'rules': []}"),
            "/states/0", "has no label");
}

static void
a_set_open_to_all_subjects_has_no_filter_on_one(void **unused)
{
    const struct parts filter = {
        .head = "'open_to_all_subjects': true,",
        .labels = "'nace': " LOCAL("n") ", 'c': " LOCAL("c") ",",
        .check = "'constraint': 'allowed_values', 'parameters': {'fact': 'nace', 'values': "
                 "['c'], 'extra': 'refuse'}, 'pass': " LOCAL("p") ", 'fail': " LOCAL(
                     "f") ", 'remedy': {'add': " LOCAL("a") ", 'remove': " LOCAL("r") "}",
    };
    struct parts open = filter;

    (void)unused;
    refused(load_with(filter), "/rules/0", "open to all subjects");
    open.head = "";
    assert_false(failed(load_with(open)));
}

static void
two_rules_of_one_id_are_refused(void **unused)
{
    const char *rule = "{'id': 'X-01', 'severity': 'INFO', 'origin': 'seed', 'title': " LOCAL(
        "t") ", 'sources': [{'reference': 'S', 'note': 'n'}], 'checks': [{'constraint': "
             "'text_present', 'parameters': {'items': ['one']}, 'pass': " LOCAL("p") "}]}";
    char *document = arena_printf(
        &arena,
        "{'rule_set': 'RS-X', 'version': 1, 'programme': {'code': 'X', 'name': " LOCAL(
            "x") ", 'description': " LOCAL("x") "}, 'states': ['one'], 'labels': "
                                                "{'one': " LOCAL("o") "}, 'rules': [%s, %s]}",
        rule, rule);

    (void)unused;
    assert_non_null(document);
    refused(load(document), "/rules/1", "stands twice");
}

static void
every_constraint_fits_the_structures(void **unused)
{
    (void)unused;
    for (const struct constraint *one = constraints; one->name; one++) {
        size_t params = 0, values = 0, changes = 0;
        while (one->params[params].name)
            params++;
        while (one->values[values].name)
            values++;
        while (one->changes[changes].name)
            changes++;
        assert_in_range(params, 0, RULE_PARAMS - 1); /* one place ends the list of names */
        assert_in_range(values, 1, RULE_VALUES - 1); /* and one is for what is missing */
        assert_in_range(changes, 0, RULE_PARAMS);
        assert_ptr_equal(constraint_find(one->name), one);
    }
    assert_null(constraint_find("phase_of_moon"));
}

static void
too_little_memory_is_told(void **unused)
{
    struct arena small;
    const char *document;

    (void)unused;
    assert_false(failed(load_with((struct parts){0})));
    document = set.document;
    for (size_t limit = 0; limit < 8192; limit += 256) {
        struct rule_set unused_set;
        struct status status;
        arena_init(&small, limit);
        status = rule_set_load("x.json", document, strlen(document), &small, &unused_set);
        if (failed(status))
            assert_int_equal(status.code, CODE_RESOURCE_EXHAUSTED);
        arena_fini(&small);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_rule_set_loads),
        cmocka_unit_test(what_is_no_document_is_refused),
        cmocka_unit_test(unknown_keys_are_refused_where_they_stand),
        cmocka_unit_test(words_outside_the_vocabulary_are_refused),
        cmocka_unit_test(parameters_that_do_not_fit_are_refused),
        cmocka_unit_test(texts_are_complete_in_three_languages),
        cmocka_unit_test(a_state_without_a_label_is_refused),
        cmocka_unit_test(a_set_open_to_all_subjects_has_no_filter_on_one),
        cmocka_unit_test(two_rules_of_one_id_are_refused),
        cmocka_unit_test(every_constraint_fits_the_structures),
        cmocka_unit_test(too_little_memory_is_told),
    };
    int result;

    arena_init(&arena, ARENA_CALL_BYTES);
    result = cmocka_run_group_tests(tests, NULL, NULL);
    arena_fini(&arena);
    return result;
}
