#pragma once

/* The evaluators of the vocabulary, and the little they share.  Pure: they read the case and
 * the check, and write the finding. */

#include "services/registry/programmes/vocabulary.h"

/* constraint_members.c */
void constraint_member_count(struct finding *finding);
void constraint_distinct_countries(struct finding *finding);
void constraint_per_member(struct finding *finding);
/* constraint_independence.c */
void constraint_independent(struct finding *finding);
/* constraint_persons.c */
void constraint_role_filled(struct finding *finding);
void constraint_different_persons(struct finding *finding);
void constraint_degree_level(struct finding *finding);
void constraint_recency(struct finding *finding);
/* constraint_time.c */
void constraint_fte(struct finding *finding);
void constraint_duration(struct finding *finding);
void constraint_inside_period(struct finding *finding);
void constraint_after_end(struct finding *finding);
/* constraint_content.c */
void constraint_allowed_values(struct finding *finding);
void constraint_text_present(struct finding *finding);
void constraint_sign_off(struct finding *finding);
void constraint_assessment(struct finding *finding);
void constraint_participation(struct finding *finding);
void constraint_measure(struct finding *finding);
void constraint_indicator(struct finding *finding);
/* constraint_company.c */
void constraint_sme(struct finding *finding);
void constraint_outside_regions(struct finding *finding);
void constraint_rolling_aid(struct finding *finding);
/* constraint_money.c */
void constraint_ratio(struct finding *finding);
void constraint_share_limit(struct finding *finding);
void constraint_amount_limit(struct finding *finding);

/* Whether a party belongs to what a check counts. */
enum selection { SELECTION_NO, SELECTION_YES, SELECTION_UNKNOWN };

/* By the parameters kinds, role and scope, as far as the check has them.  UNKNOWN: the party's
 * type or country is not given; ret_missing then names the fact. */
enum selection constraint_select(const struct finding *finding, const struct rule_party *party,
                                 const char **ret_missing);

/* The only party with a role; NULL: there is none, or several. */
const struct rule_party *constraint_party_of(const struct rule_case *facts, const char *role);

/* The organisations that belong to one undertaking with `organisation_id`, itself first: linked
 * by control, group or a share of at least `share_thousandths`.  ret_from[i] is the index of
 * the one through which i was reached.  False: the arena is full. */
struct undertaking {
    size_t count;
    const char **ids;
    const char **names;
    size_t *from;
};
must_use bool constraint_undertaking(const struct finding *finding, const char *organisation_id,
                                     const char *name, int64_t share_thousandths,
                                     struct undertaking *ret);
