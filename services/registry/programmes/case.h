#pragma once

/* The facts of a case, as the rules see them.
 *
 * Not given is different from empty: a NULL or "" text, a date of year 0, a number or list with
 * `given` false are not given (UNKNOWN in a draft, FAIL at submission); a given list without
 * items is empty.  Everything is borrowed: the caller owns the memory, the engine only reads
 * it. Codes are the lower-case words of the domain: "company", "academic_coach",
 * "energy_efficiency".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/status.h"
#include "services/registry/programmes/date.h"

/* More than any partnership of the programmes has; a larger case is refused. */
#define RULE_CASE_ITEMS 500

/* The largest amount, minor units or euros. */
#define RULE_AMOUNT_MAX INT64_C(1000000000000)

enum rule_answer { RULE_NOT_GIVEN, RULE_YES, RULE_NO };

struct rule_number {
    bool given;
    int64_t value;
};

struct rule_texts {
    bool given;
    size_t count;
    const char *const *items;
};

struct rule_party {
    const char *organisation_id;
    const char *name;    /* public name, shown in explanations; the id when NULL */
    const char *role;    /* "host", "partner", "coordinator" */
    const char *type;    /* "company", "hei_university", "hei_uas", "region", ... */
    const char *country; /* ISO 3166-1 alpha-2 */
    const char *nuts;
    const char *ownership;        /* "public", "private", "mixed" */
    struct rule_number headcount; /* annual work units */
    struct rule_number turnover_eur, balance_eur;
    enum rule_answer competitive_market;
    struct rule_texts has; /* "commitment", "task", "benefit", "added_value", ... */
};

struct rule_parties {
    bool given;
    size_t count;
    const struct rule_party *items;
};

/* An edge of the graph of organisations; those in between need not be parties. */
struct rule_relation {
    const char *parent_id, *child_id;
    const char *parent_name, *child_name; /* may be NULL */
    const char *kind;                     /* "owns", "controls", "same_group" */
    int64_t share_thousandths;            /* of "owns" */
};

struct rule_person {
    const char *role; /* "academic_coach", "business_coach", "associate", ... */
    const char *person_id;
    struct rule_texts affiliations; /* organisation ids */
    struct rule_number degree_eqf;  /* 1..8, the highest */
    struct rule_date degree_date;
};

/* A list of codes under a name: "focus", "activities". */
struct rule_fact {
    const char *name;
    struct rule_texts values;
};

struct rule_sign_off {
    const char *item; /* "strategic_rationale" */
    const char *by;   /* a role or a side */
    enum rule_answer granted;
};

struct rule_assessment {
    const char *item; /* "scientific_value" */
    enum rule_answer positive;
};

struct rule_participation {
    const char *part; /* "design", "delivery" */
    const char *organisation_id;
};

struct rule_budget_line {
    const char *organisation_id; /* who pays, of the parties; NULL for the funder */
    const char *payer;           /* "funder", "member" */
    const char *category;        /* "salary", "overhead", "cofunding" */
    int64_t amount_minor;
    const char *currency;
};

struct rule_aid {
    const char *organisation_id;
    struct rule_date decided;
    int64_t amount_eur;
};

struct rule_observation {
    const char *indicator;
    int64_t numerator, denominator;
};

/* A number under a name: "outreach_target", "interaction_gap_days". */
struct rule_measure {
    const char *name;
    int64_t value;
};

struct rule_override {
    const char *rule_id, *parameter, *value;
};

struct rule_waiver {
    const char *rule_id, *granted_by, *reason;
    struct rule_date expires; /* first day without it; not given: open */
};

#define RULE_LIST(type)                                                                        \
    struct {                                                                                   \
        size_t count;                                                                          \
        const type *items;                                                                     \
    }

struct rule_case {
    const char *state; /* NULL: the first of the rule set's states */
    struct rule_parties parties;
    RULE_LIST(struct rule_relation) relations;
    RULE_LIST(struct rule_person) persons;
    struct rule_period period;
    struct rule_number fte_thousandths; /* 1000 is full time */
    RULE_LIST(struct rule_fact) facts;
    struct rule_texts texts; /* names of the texts that are present */
    RULE_LIST(struct rule_sign_off) sign_offs;
    RULE_LIST(struct rule_assessment) assessments;
    RULE_LIST(struct rule_participation) participations;
    struct {
        bool given;
        size_t count;
        const struct rule_budget_line *items;
    } budget;
    struct {
        bool given;
        size_t count;
        const struct rule_aid *items;
    } aids;
    bool funded_project_linked;
    struct rule_period funded_project;
    RULE_LIST(struct rule_observation) observations;
    struct rule_texts switches; /* what the call uses; ext rules by id, or "ext" for all */
    RULE_LIST(struct rule_override) overrides;
    RULE_LIST(struct rule_waiver) waivers;
    struct rule_date follow_up;
    RULE_LIST(struct rule_measure) measures; /* one that is absent is not given */
};

bool rule_texts_have(struct rule_texts texts, const char *text);

static inline bool
rule_text_given(const char *text)
{
    return text && *text;
}

/* NULL: nobody has the role. */
const struct rule_person *rule_case_find_person(const struct rule_case *facts,
                                                const char *role);
/* NULL: it is not given. */
const struct rule_fact *rule_case_find_fact(const struct rule_case *facts, const char *name);
const struct rule_measure *rule_case_find_measure(const struct rule_case *facts,
                                                  const char *name);
const struct rule_party *rule_case_find_party(const struct rule_case *facts,
                                              const char *organisation_id);
const char *rule_party_name(const struct rule_party *party);

/* INVALID_ARGUMENT: a list is longer than RULE_CASE_ITEMS, an amount outside
 * 0..RULE_AMOUNT_MAX, a numerator above its denominator. */
must_use struct status rule_case_check(const struct rule_case *facts, struct arena *arena);

/* BLAKE2b-256 over a canonical form of the facts, hexadecimal.  The order in which lists were
 * given does not matter.  `context` names the rule set's version and the mode; `today` decides
 * which waivers are in force, and nothing else of it enters. */
#define RULE_HASH_SIZE 65
must_use struct status rule_case_hash(const struct rule_case *facts, const char *context,
                                      struct rule_date today, struct arena *arena,
                                      char ret[RULE_HASH_SIZE]);
