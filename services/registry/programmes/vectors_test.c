/* The test vectors of every rule set: vectors/<rule set>.json, each a complete case and what
 * changes when it changes. */

#include "services/registry/programmes/programmes.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "common/base/test.h"
#include "services/registry/programmes/vector_case.h"

#define FOLDER "services/registry/programmes/vectors"

static const char *const outcomes[] = {"",        "PASS",   "FAIL",
                                       "UNKNOWN", "WAIVED", "NOT_APPLICABLE"};
static const char *const overalls[] = {"", "ELIGIBLE", "ELIGIBLE_WITH_WAIVER", "INCOMPLETE",
                                       "INELIGIBLE"};

struct run {
    struct arena arena;
    struct programmes *programmes;
    const struct rule_set *set;
    struct rule_date today;
    const char *name;
    Registry__V1__Verdict *neutral;
    int differences; /* all are told before the test fails */
};

static void
ok(struct status status)
{
    if (failed(status))
        fail_msg("%s", status.detail);
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
same(struct run *run, const char *what, const char *found, const char *wanted)
{
    if (wanted && !strcmp(found, wanted))
        return;
    print_error("%s: %s: \"%s\", not \"%s\"\n", run->name, what, found,
                wanted ? wanted : "(nothing wanted)");
    run->differences++;
}

/* Spaces that do not break a line look like others in a vector. */
static const char *
plain_spaces(struct run *run, const char *text)
{
    char *plain = arena_copy(&run->arena, text);
    char *into = plain;

    assert_non_null(plain);
    for (const char *at = plain; *at; at++) {
        const bool nbsp = !strncmp(at, "\xc2\xa0", 2);
        *into++ = nbsp ? ' ' : *at;
        at += nbsp;
    }
    *into = '\0';
    return plain;
}

static void
check_values(struct run *run, const Registry__V1__RuleResult *result, const json_t *wanted)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)wanted, name, value)
    {
        const char *found = "(absent)";
        for (size_t i = 0; i < result->n_values; i++) {
            if (!strcmp(result->values[i]->name, name))
                found = result->values[i]->value;
        }
        same(run, name, found, json_string_value(value));
    }
}

static void
check_text(struct run *run, const char *rule_id, const json_t *wanted, bool remedy)
{
    const char *tag;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)wanted, tag, value)
    {
        Registry__V1__Verdict *shown;
        const Registry__V1__RuleResult *result;
        ok(programmes_render(run->programmes, run->neutral, lang_parse(tag), &run->arena,
                             &shown));
        result = find_result(shown, rule_id);
        same(run, rule_id, plain_spaces(run, remedy ? result->remedy : result->explanation),
             json_string_value(value));
    }
}

/* "FAIL", or an object that says more. */
static void
check_result(struct run *run, const char *rule_id, const json_t *wanted)
{
    const Registry__V1__RuleResult *result = find_result(run->neutral, rule_id);
    const char *outcome = json_string_value(wanted);
    const char *change = json_string_value(json_object_get(wanted, "change"));
    const char *reason = json_string_value(json_object_get(wanted, "reason"));

    if (!outcome)
        outcome = json_string_value(json_object_get(wanted, "outcome"));
    same(run, rule_id, outcomes[result->outcome], outcome);
    if (change)
        same(run, rule_id, result->change, change);
    if (reason)
        same(run, rule_id, result->reason, reason);
    check_values(run, result, json_object_get(wanted, "values"));
    check_text(run, rule_id, json_object_get(wanted, "explanation"), false);
    check_text(run, rule_id, json_object_get(wanted, "remedy"), true);
}

/* Rules that fail or are unknown are all named by the vector: nothing fails unseen. */
static void
check_unnamed(struct run *run, const json_t *results)
{
    for (size_t i = 0; i < run->neutral->n_results; i++) {
        const Registry__V1__RuleResult *result = run->neutral->results[i];
        const bool open = result->outcome == REGISTRY__V1__RULE_RESULT__OUTCOME__FAIL ||
                          result->outcome == REGISTRY__V1__RULE_RESULT__OUTCOME__UNKNOWN ||
                          result->outcome == REGISTRY__V1__RULE_RESULT__OUTCOME__WAIVED;
        if (open && !json_object_get(results, result->rule_id))
            same(run, result->rule_id, outcomes[result->outcome], NULL);
    }
}

/* Every text is complete in every language, whatever the outcome. */
static void
check_words(struct run *run)
{
    for (enum lang lang = LANG_SV; lang < LANG_COUNT; lang++) {
        Registry__V1__Verdict *shown;
        ok(programmes_render(run->programmes, run->neutral, lang, &run->arena, &shown));
        assert_true(*shown->summary);
        for (size_t i = 0; i < shown->n_results; i++) {
            const Registry__V1__RuleResult *result = shown->results[i];
            if (!*result->title || !*result->explanation ||
                strpbrk(result->explanation, "{}") || strpbrk(result->remedy, "{}"))
                same(run, result->rule_id, result->explanation, NULL);
        }
    }
}

static void
evaluate(struct run *run, const json_t *json, enum rule_mode mode)
{
    struct rule_case facts = vector_case(json, &run->arena);
    struct rule_verdict verdict;

    ok(rule_evaluate(run->set, &facts, mode, run->today, &run->arena, &verdict));
    ok(programmes_verdict(&verdict, (struct wall){1700000000000}, &run->arena, &run->neutral));
}

static void
check_vector(struct run *run, const json_t *base, const json_t *vector)
{
    const char *mode = json_string_value(json_object_get(vector, "mode"));
    json_t *json = vector_patched(base, json_object_get(vector, "change"));
    const json_t *results = json_object_get(vector, "results");
    const char *rule_id;
    json_t *wanted;

    run->name = json_string_value(json_object_get(vector, "name"));
    assert_non_null(run->name);
    arena_reset(&run->arena);
    evaluate(run, json, mode && !strcmp(mode, "draft") ? RULE_DRAFT : RULE_SUBMISSION);
    same(run, "overall", overalls[run->neutral->overall],
         json_string_value(json_object_get(vector, "overall")));
    json_object_foreach((json_t *)(uintptr_t)results, rule_id, wanted)
        check_result(run, rule_id, wanted);
    check_unnamed(run, results);
    check_words(run);
    json_decref(json);
}

static void
check_file(const char *path)
{
    struct run run = {.name = path};
    struct arena arena;
    json_error_t error;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    const json_t *vectors = json_object_get(root, "vectors");

    if (!root)
        fail_msg("%s:%d: %s", path, error.line, error.text);
    arena_init(&arena, ARENA_CALL_BYTES);
    arena_init(&run.arena, ARENA_CALL_BYTES);
    ok(programmes_create(&arena, &run.programmes));
    run.set = programmes_find_name(
        run.programmes, json_string_value(json_object_get(root, "rule_set_version")));
    assert_non_null(run.set);
    assert_true(rule_date_parse(json_string_value(json_object_get(root, "today")), &run.today));
    assert_true(json_array_size(vectors) > 0);
    for (size_t i = 0; i < json_array_size(vectors); i++)
        check_vector(&run, json_object_get(root, "case"), json_array_get(vectors, i));
    printf("%s: %zu vectors\n", path, json_array_size(vectors));
    assert_int_equal(run.differences, 0);
    programmes_destroy(&run.programmes);
    arena_fini(&run.arena);
    arena_fini(&arena);
    json_decref(root);
}

static void
every_vector_of_every_rule_set_gives_its_verdict(void **unused)
{
    DIR *folder = opendir(SOURCE_FOLDER "/" FOLDER);
    struct dirent *entry;
    int files = 0;

    (void)unused;
    assert_non_null(folder);
    while ((entry = readdir(folder))) {
        char path[512];
        if (!strstr(entry->d_name, ".json"))
            continue;
        snprintf(path, sizeof path, "%s/%.200s", SOURCE_FOLDER "/" FOLDER, entry->d_name);
        check_file(path);
        files++;
    }
    closedir(folder);
    assert_true(files > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_of_every_rule_set_gives_its_verdict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
