#include "services/registry/programmes/vocabulary.h"

#include <string.h>

#include "services/registry/programmes/constraints.h"

#define LAST_PARAM                                                                             \
    {                                                                                          \
        .name = NULL                                                                           \
    }
#define LAST                                                                                   \
    {                                                                                          \
        .name = NULL                                                                           \
    }
#define WHOLE .min = 0, .max = 1000000

static const char *const scopes[] = {"any", "programme", "partner_country", NULL};
static const char *const extras[] = {"refuse", "flag", NULL};
static const char *const payers[] = {"funder", "member", NULL};

/* --- members --- */

static const struct param_spec member_count_params[] = {
    {"kinds", PARAM_KINDS, false, 0, 0, NULL},   {"role", PARAM_CODE, false, 0, 0, NULL},
    {"scope", PARAM_CODE, false, 0, 0, scopes},  {"having", PARAM_CODES, false, 0, 0, NULL},
    {"regions", PARAM_TEXTS, false, 0, 0, NULL}, {"min", PARAM_INTEGER, false, WHOLE, NULL},
    {"max", PARAM_INTEGER, false, WHOLE, NULL},  LAST_PARAM};
static const struct change_spec member_count_changes[] = {
    {"add", "min"}, {"remove", "max"}, {"replace", "role"}, LAST};
static const struct value_spec member_count_values[] = {
    {"found", NULL, NULL},      {"min", NULL, "min"},
    {"max", NULL, "max"},       {"kinds", NULL, "kinds"},
    {"role", NULL, "role"},     {"add", "add", NULL},
    {"remove", "remove", NULL}, LAST};

static const struct param_spec distinct_countries_params[] = {
    {"scope", PARAM_CODE, false, 0, 0, scopes},
    {"min", PARAM_INTEGER, true, WHOLE, NULL},
    LAST_PARAM};
static const struct change_spec distinct_countries_changes[] = {{"add", NULL}, LAST};
static const struct value_spec distinct_countries_values[] = {{"found", NULL, NULL},
                                                              {"min", NULL, NULL},
                                                              {"countries", NULL, NULL},
                                                              {"add", "add", NULL},
                                                              LAST};

static const struct param_spec independent_params[] = {
    {"kinds", PARAM_KINDS, false, 0, 0, NULL},
    {"min", PARAM_INTEGER, false, WHOLE, NULL}, /* absent: all of them */
    {"share", PARAM_RATIO, true, 1, 1000, NULL},
    LAST_PARAM};
static const struct change_spec independent_changes[] = {
    {"add", "min"}, {"replace", NULL}, LAST};
static const struct value_spec independent_values[] = {
    {"members", NULL, NULL}, {"found", NULL, NULL},     {"min", NULL, "min"},
    {"add", "add", NULL},    {"path", "replace", NULL}, LAST};

static const struct param_spec per_member_params[] = {
    {"kinds", PARAM_KINDS, false, 0, 0, NULL},
    {"scope", PARAM_CODE, false, 0, 0, scopes},
    {"flagged", PARAM_CODE, false, 0, 0, NULL},
    {"having", PARAM_CODES, true, 0, 0, NULL},
    LAST_PARAM};
static const struct change_spec per_member_changes[] = {{"complete", NULL}, LAST};
static const struct value_spec per_member_values[] = {{"members", NULL, NULL},
                                                      {"found", NULL, NULL},
                                                      {"having", NULL, NULL},
                                                      {"lacking", "complete", NULL},
                                                      LAST};

/* --- persons --- */

static const struct param_spec role_filled_params[] = {
    {"role", PARAM_CODE, true, 0, 0, NULL},
    {"min", PARAM_INTEGER, false, 1, 100, NULL}, /* absent: 1 */
    {"max", PARAM_INTEGER, false, 1, 100, NULL},
    {"affiliated_to", PARAM_KINDS, false, 0, 0, NULL},
    LAST_PARAM};
static const struct change_spec role_filled_changes[] = {
    {"add", "min"}, {"remove", "max"}, {"affiliate", "affiliated_to"}, LAST};
static const struct value_spec role_filled_values[] = {{"found", NULL, NULL},
                                                       {"role", NULL, NULL},
                                                       {"min", NULL, "min"},
                                                       {"max", NULL, "max"},
                                                       {"kinds", NULL, "affiliated_to"},
                                                       {"add", "add", NULL},
                                                       {"remove", "remove", NULL},
                                                       LAST};

static const struct param_spec different_persons_params[] = {
    {"roles", PARAM_CODES, true, 0, 0, NULL}, LAST_PARAM};
static const struct change_spec different_persons_changes[] = {{"replace", NULL}, LAST};
static const struct value_spec different_persons_values[] = {{"roles", NULL, NULL}, LAST};

static const struct param_spec degree_level_params[] = {
    {"role", PARAM_CODE, true, 0, 0, NULL},
    {"min_eqf", PARAM_INTEGER, true, 1, 8, NULL},
    LAST_PARAM};
static const struct change_spec degree_level_changes[] = {{"replace", NULL}, LAST};
static const struct value_spec degree_level_values[] = {
    {"found", NULL, NULL}, {"min", NULL, NULL}, {"role", NULL, NULL}, LAST};

static const struct param_spec recency_params[] = {
    {"role", PARAM_CODE, true, 0, 0, NULL},
    {"max_months", PARAM_INTEGER, true, 0, 1200, NULL},
    LAST_PARAM};
static const struct change_spec recency_changes[] = {{"start_earlier", NULL}, LAST};
static const struct value_spec recency_values[] = {{"degree_date", NULL, NULL},
                                                   {"start", NULL, NULL},
                                                   {"age", NULL, NULL},
                                                   {"limit", NULL, NULL},
                                                   {"over", "start_earlier", NULL},
                                                   {"latest_start", "start_earlier", NULL},
                                                   LAST};

/* --- time --- */

static const struct param_spec fte_params[] = {{"equals", PARAM_RATIO, true, 1, 1000, NULL},
                                               LAST_PARAM};
static const struct change_spec fte_changes[] = {{"set", NULL}, LAST};
static const struct value_spec fte_values[] = {
    {"found", NULL, NULL}, {"required", NULL, NULL}, LAST};

static const struct param_spec duration_params[] = {
    {"min_months", PARAM_INTEGER, false, 0, 1200, NULL},
    {"max_months", PARAM_INTEGER, false, 1, 1200, NULL},
    {"one_of", PARAM_INTEGERS, false, 1, 1200, NULL},
    LAST_PARAM};
static const struct change_spec duration_changes[] = {{"reverse", NULL},
                                                      {"shorten", "max_months"},
                                                      {"lengthen", "min_months"},
                                                      {"choose", "one_of"},
                                                      LAST};
static const struct value_spec duration_values[] = {{"start", NULL, NULL},
                                                    {"end", NULL, NULL},
                                                    {"duration", NULL, NULL},
                                                    {"limit", NULL, "max_months"},
                                                    {"least", NULL, "min_months"},
                                                    {"options", NULL, "one_of"},
                                                    {"over", "shorten", NULL},
                                                    {"latest_end", "shorten", NULL},
                                                    {"short", "lengthen", NULL},
                                                    {"earliest_end", "lengthen", NULL},
                                                    LAST};

static const struct param_spec inside_period_params[] = {LAST_PARAM};
static const struct change_spec inside_period_changes[] = {
    {"end_earlier", NULL}, {"start_later", NULL}, {"fit", NULL}, LAST};
static const struct value_spec inside_period_values[] = {{"start", NULL, NULL},
                                                         {"end", NULL, NULL},
                                                         {"outer_start", NULL, NULL},
                                                         {"outer_end", NULL, NULL},
                                                         {"over", "end_earlier", NULL},
                                                         {"early", "start_later", NULL},
                                                         LAST};

static const struct param_spec after_end_params[] = {LAST_PARAM};
static const struct change_spec after_end_changes[] = {{"later", NULL}, LAST};
static const struct value_spec after_end_values[] = {
    {"follow_up", NULL, NULL}, {"end", NULL, NULL}, LAST};

/* --- codes, texts, decisions --- */

static const struct param_spec allowed_values_params[] = {
    {"fact", PARAM_CODE, true, 0, 0, NULL},
    {"values", PARAM_CODES, true, 0, 0, NULL},
    {"min", PARAM_INTEGER, false, 0, 100, NULL}, /* absent: 1 */
    {"max", PARAM_INTEGER, false, 0, 100, NULL},
    {"extra", PARAM_CODE, true, 0, 0, extras},
    LAST_PARAM};
static const struct change_spec allowed_values_changes[] = {
    {"add", NULL}, {"remove", NULL}, LAST};
static const struct value_spec allowed_values_values[] = {{"found", NULL, NULL},
                                                          {"allowed", NULL, NULL},
                                                          {"extra", NULL, NULL},
                                                          {"missing_values", "add", NULL},
                                                          {"add", "add", NULL},
                                                          {"remove", "remove", NULL},
                                                          LAST};

static const struct param_spec text_present_params[] = {
    {"items", PARAM_CODES, true, 0, 0, NULL}, LAST_PARAM};
static const struct change_spec no_changes[] = {LAST};
static const struct value_spec text_present_values[] = {{"items", NULL, NULL}, LAST};

static const struct param_spec sign_off_params[] = {
    {"item", PARAM_CODE, true, 0, 0, NULL},
    {"by", PARAM_CODES, false, 0, 0, NULL}, /* absent: anybody who may */
    LAST_PARAM};
static const struct change_spec sign_off_changes[] = {{"sign", NULL}, LAST};
static const struct value_spec sign_off_values[] = {
    {"item", NULL, NULL}, {"by", NULL, "by"}, LAST};

static const struct param_spec assessment_params[] = {{"item", PARAM_CODE, true, 0, 0, NULL},
                                                      LAST_PARAM};
static const struct change_spec assessment_changes[] = {{"improve", NULL}, LAST};
static const struct value_spec assessment_values[] = {{"item", NULL, NULL}, LAST};

static const struct param_spec participation_params[] = {
    {"parts", PARAM_CODES, false, 0, 0, NULL},
    {"parts_of", PARAM_CODE, false, 0, 0, NULL}, /* a fact that lists them */
    {"kinds", PARAM_KINDS, false, 0, 0, NULL},   /* absent: anybody */
    {"with_kinds", PARAM_KINDS, false, 0, 0, NULL},
    LAST_PARAM};
static const struct change_spec participation_changes[] = {{"involve", NULL}, LAST};
static const struct value_spec participation_values[] = {
    {"parts", NULL, NULL}, {"lacking", "involve", NULL}, LAST};

static const struct param_spec measure_params[] = {{"fact", PARAM_CODE, true, 0, 0, NULL},
                                                   {"min", PARAM_INTEGER, false, WHOLE, NULL},
                                                   {"max", PARAM_INTEGER, false, WHOLE, NULL},
                                                   LAST_PARAM};
static const struct change_spec measure_changes[] = {{"raise", "min"}, {"lower", "max"}, LAST};
static const struct value_spec measure_values[] = {
    {"found", NULL, NULL},  {"min", NULL, "min"},      {"max", NULL, "max"},
    {"add", "raise", NULL}, {"remove", "lower", NULL}, LAST};

static const struct param_spec indicator_params[] = {
    {"indicator", PARAM_CODE, true, 0, 0, NULL},
    {"claim", PARAM_RATIO, false, 0, 1000, NULL},
    {"target", PARAM_RATIO, true, 0, 1000, NULL}, /* 0: none */
    LAST_PARAM};
static const struct change_spec indicator_changes[] = {{"add", NULL}, LAST};
static const struct value_spec indicator_values[] = {
    {"numerator", NULL, NULL}, {"denominator", NULL, NULL}, {"found", NULL, NULL},
    {"low", NULL, NULL},       {"high", NULL, NULL},        {"target", NULL, NULL},
    {"claim", NULL, "claim"},  {"add", "add", NULL},        LAST};

/* --- the company --- */

static const struct param_spec sme_params[] = {
    {"role", PARAM_CODE, true, 0, 0, NULL},
    {"headcount_below", PARAM_INTEGER, true, 1, 1000000, NULL},
    {"max_turnover_eur", PARAM_INTEGER, true, 1, 1000000000000, NULL},
    {"max_balance_eur", PARAM_INTEGER, true, 1, 1000000000000, NULL},
    LAST_PARAM};
static const struct change_spec sme_changes[] = {{"replace", NULL}, LAST};
static const struct value_spec sme_values[] = {{"headcount", NULL, NULL},
                                               {"headcount_below", NULL, NULL},
                                               {"turnover", NULL, NULL},
                                               {"max_turnover", NULL, NULL},
                                               {"balance", NULL, NULL},
                                               {"max_balance", NULL, NULL},
                                               LAST};

static const struct param_spec outside_regions_params[] = {
    {"role", PARAM_CODE, true, 0, 0, NULL},
    {"regions", PARAM_TEXTS, true, 0, 0, NULL},
    LAST_PARAM};
static const struct value_spec outside_regions_values[] = {
    {"region", NULL, NULL}, {"regions", NULL, NULL}, LAST};

static const struct param_spec rolling_aid_params[] = {
    {"role", PARAM_CODE, true, 0, 0, NULL},
    {"years", PARAM_INTEGER, true, 1, 20, NULL},
    {"max_eur", PARAM_INTEGER, true, 0, 1000000000, NULL},
    {"share", PARAM_RATIO, true, 1, 1000, NULL},
    {"when", PARAM_CODE, false, 0, 0, NULL}, /* only if the call has this switch */
    LAST_PARAM};
static const struct change_spec rolling_aid_changes[] = {{"lower", NULL}, LAST};
static const struct value_spec rolling_aid_values[] = {
    {"found", NULL, NULL},       {"limit", NULL, NULL},   {"since", NULL, NULL},
    {"undertaking", NULL, NULL}, {"over", "lower", NULL}, LAST};

/* --- money --- */

#define SELECTOR(prefix)                                                                       \
    {prefix "_payer", PARAM_CODE, false, 0, 0, payers},                                        \
        {prefix "_kinds", PARAM_KINDS, false, 0, 0, NULL},                                     \
        {prefix "_categories", PARAM_CODES, false, 0, 0, NULL},                                \
    {                                                                                          \
        prefix "_except", PARAM_CODES, false, 0, 0, NULL                                       \
    }

static const struct param_spec ratio_params[] = {SELECTOR("part"),
                                                 SELECTOR("whole"),
                                                 {"min", PARAM_RATIO, true, 0, 10000, NULL},
                                                 LAST_PARAM};
static const struct change_spec ratio_changes[] = {{"raise", NULL}, LAST};
static const struct value_spec ratio_values[] = {
    {"part", NULL, NULL}, {"whole", NULL, NULL},    {"ratio", NULL, NULL},
    {"min", NULL, NULL},  {"raise", "raise", NULL}, LAST};

static const struct param_spec share_limit_params[] = {
    SELECTOR("part"), SELECTOR("whole"), {"max", PARAM_RATIO, true, 0, 999, NULL}, LAST_PARAM};
static const struct change_spec share_limit_changes[] = {{"lower", NULL}, LAST};
static const struct value_spec share_limit_values[] = {
    {"part", NULL, NULL}, {"whole", NULL, NULL},    {"share", NULL, NULL},
    {"max", NULL, NULL},  {"lower", "lower", NULL}, LAST};

static const struct param_spec amount_limit_params[] = {
    SELECTOR("part"),
    {"months", PARAM_INTEGERS, true, 1, 1200, NULL},             /* durations, rising */
    {"max_minor", PARAM_INTEGERS, true, 0, 1000000000000, NULL}, /* a ceiling for each */
    {"currency", PARAM_TEXTS, true, 0, 0, NULL},
    LAST_PARAM};
static const struct change_spec amount_limit_changes[] = {{"lower", NULL}, LAST};
static const struct value_spec amount_limit_values[] = {{"part", NULL, NULL},
                                                        {"limit", NULL, NULL},
                                                        {"duration", NULL, NULL},
                                                        {"lower", "lower", NULL},
                                                        LAST};

#define CONSTRAINT(name, changes, fails)                                                       \
    {                                                                                          \
#name, constraint_##name, name##_params, changes, name##_values, fails                 \
    }

const struct constraint constraints[] = {
    CONSTRAINT(member_count, member_count_changes, true),
    CONSTRAINT(distinct_countries, distinct_countries_changes, true),
    CONSTRAINT(independent, independent_changes, true),
    CONSTRAINT(per_member, per_member_changes, true),
    CONSTRAINT(role_filled, role_filled_changes, true),
    CONSTRAINT(different_persons, different_persons_changes, true),
    CONSTRAINT(degree_level, degree_level_changes, true),
    CONSTRAINT(recency, recency_changes, true),
    CONSTRAINT(fte, fte_changes, true),
    CONSTRAINT(duration, duration_changes, true),
    CONSTRAINT(inside_period, inside_period_changes, true),
    CONSTRAINT(after_end, after_end_changes, true),
    CONSTRAINT(allowed_values, allowed_values_changes, true),
    CONSTRAINT(text_present, no_changes, false),
    CONSTRAINT(sign_off, sign_off_changes, true),
    CONSTRAINT(assessment, assessment_changes, true),
    CONSTRAINT(participation, participation_changes, true),
    CONSTRAINT(measure, measure_changes, true),
    CONSTRAINT(indicator, indicator_changes, true),
    CONSTRAINT(sme, sme_changes, true),
    CONSTRAINT(outside_regions, no_changes, true),
    CONSTRAINT(rolling_aid, rolling_aid_changes, true),
    CONSTRAINT(ratio, ratio_changes, true),
    CONSTRAINT(share_limit, share_limit_changes, true),
    CONSTRAINT(amount_limit, amount_limit_changes, true),
    LAST,
};

const struct constraint *
constraint_find(const char *name)
{
    for (const struct constraint *constraint = constraints; constraint->name; constraint++) {
        if (!strcmp(constraint->name, name))
            return constraint;
    }
    return NULL;
}
