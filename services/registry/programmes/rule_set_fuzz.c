/* Any bytes as a rule set.  What loads is used: evaluated on an empty and on a small case in
 * both modes, and shown in every language. */

#include "services/registry/programmes/programmes.h"

#include <stdlib.h>

#include "services/registry/programmes/show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
use(const struct rule_set *set, const struct rule_case *facts, enum rule_mode mode,
    struct arena *arena)
{
    const struct rule_date today = {2024, 6, 1};
    struct rule_verdict verdict;

    if (failed(rule_evaluate(set, facts, mode, today, arena, &verdict)))
        return;
    for (size_t i = 0; i < verdict.result_count; i++) {
        const struct rule_result *result = &verdict.results[i];
        const struct rule_check *check = &result->rule->checks[result->deciding_check];
        for (enum lang lang = LANG_SV; lang < LANG_COUNT; lang++) {
            const struct show show = {set, lang, arena};
            const struct text *text =
                result->outcome == RULE_PASS ? &check->pass : &check->fail;
            bool complete;
            if (text->in[lang] && *result->reason == '\0' &&
                show_template(&show, text->in[lang], result->values, result->value_count,
                              result->deciding_check, &complete) &&
                !complete)
                abort(); /* the loader let a text through that has no value */
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const words[] = {"product", "strategic_rationale"};
    const struct rule_party parties[] = {
        {.organisation_id = "a",
         .role = "host",
         .type = "company",
         .country = "SE",
         .nuts = "SE312",
         .headcount = {true, 10},
         .turnover_eur = {true, 5}},
        {.organisation_id = "b",
         .role = "coordinator",
         .type = "hei_university",
         .country = "FI",
         .has = {true, 2, words}},
    };
    const struct rule_person persons[] = {
        {.role = "academic_coach",
         .person_id = "p",
         .degree_eqf = {true, 7},
         .degree_date = {2020, 1, 31}},
        {.role = "associate",
         .person_id = "p",
         .degree_eqf = {true, 3},
         .degree_date = {2023, 2, 28}},
    };
    const struct rule_budget_line lines[] = {{"a", "member", "salary", 100, "SEK"},
                                             {NULL, "funder", "salary", 900, "SEK"}};
    const struct rule_fact facts[] = {{"focus", {true, 2, words}}};
    const struct rule_case empty = {0};
    struct rule_case small = {
        .parties = {true, 2, parties},
        .persons = {2, persons},
        .period = {{2024, 1, 31}, {2026, 2, 28}},
        .fte_thousandths = {true, 800},
        .facts = {1, facts},
        .texts = {true, 2, words},
        .funded_project_linked = true,
        .funded_project = {{2024, 6, 1}, {2025, 6, 1}},
        .follow_up = {2026, 1, 1},
    };
    struct arena arena;
    struct rule_set set;

    small.budget.given = true;
    small.budget.count = 2;
    small.budget.items = lines;
    arena_init(&arena, (size_t)8 << 20);
    if (!failed(rule_set_load("fuzz.json", (const char *)data, size, &arena, &set))) {
        use(&set, &empty, RULE_DRAFT, &arena);
        use(&set, &empty, RULE_SUBMISSION, &arena);
        use(&set, &small, RULE_DRAFT, &arena);
        use(&set, &small, RULE_SUBMISSION, &arena);
    }
    arena_fini(&arena);
    return 0;
}
