#include "services/registry/programmes/constraints.h"

#include <string.h>

static void
put_euros(struct finding *finding, const char *name, struct rule_number euros)
{
    if (euros.given)
        finding_money(finding, name, euros.value * 100, "EUR");
    else
        finding_text(finding, name, "");
}

static void
sme_values(struct finding *finding, const struct rule_party *party)
{
    const struct rule_number turnover = {true,
                                         finding_param(finding, "max_turnover_eur")->number};
    const struct rule_number balance = {true,
                                        finding_param(finding, "max_balance_eur")->number};

    finding_number(finding, "headcount", party->headcount.value);
    finding_number(finding, "headcount_below",
                   finding_param(finding, "headcount_below")->number);
    put_euros(finding, "turnover", party->turnover_eur);
    put_euros(finding, "max_turnover", turnover);
    put_euros(finding, "balance", party->balance_eur);
    put_euros(finding, "max_balance", balance);
}

/* Recommendation 2003/361/EC: staff below the ceiling, and turnover or balance within theirs.
 * Linked and partner enterprises are not added up: their figures are not facts of a case. */
void
constraint_sme(struct finding *finding)
{
    const char *role = finding_code(finding, "role");
    const struct rule_party *party = constraint_party_of(finding->facts, role);
    bool over_turnover, over_balance;

    if (!party) {
        finding_missing(finding, role);
        return;
    }
    if (!party->headcount.given) {
        finding_missing_of(finding, role, "headcount");
        return;
    }
    over_turnover =
        party->turnover_eur.given &&
        party->turnover_eur.value > finding_param(finding, "max_turnover_eur")->number;
    over_balance = party->balance_eur.given &&
                   party->balance_eur.value > finding_param(finding, "max_balance_eur")->number;
    if (party->headcount.value >= finding_param(finding, "headcount_below")->number ||
        (over_turnover && over_balance)) {
        sme_values(finding, party);
        finding_fail(finding, "replace");
    } else if ((party->turnover_eur.given && !over_turnover) ||
               (party->balance_eur.given && !over_balance)) {
        sme_values(finding, party);
        finding_pass(finding);
    } else {
        if (!party->turnover_eur.given)
            finding_missing_of(finding, role, "turnover");
        if (!party->balance_eur.given)
            finding_missing_of(finding, role, "balance");
    }
}

void
constraint_outside_regions(struct finding *finding)
{
    const char *role = finding_code(finding, "role");
    const struct rule_texts regions = finding_param(finding, "regions")->texts;
    const struct rule_party *party = constraint_party_of(finding->facts, role);
    bool inside = false, unclear = false;

    if (!party) {
        finding_missing(finding, role);
        return;
    }
    if (!rule_text_given(party->nuts)) {
        finding_missing_of(finding, role, "nuts");
        return;
    }
    for (size_t i = 0; i < regions.count; i++) {
        inside |= !strncmp(party->nuts, regions.items[i], strlen(regions.items[i]));
        /* A code that is too coarse may lie in the region or not. */
        unclear |= !strncmp(party->nuts, regions.items[i], strlen(party->nuts));
    }
    if (unclear && !inside) {
        finding_missing_of(finding, role, "nuts");
        return;
    }
    finding_text(finding, "region", party->nuts);
    finding_list(finding, "regions", RULE_VALUE_CODES, regions.items, regions.count);
    if (inside)
        finding_fail(finding, NULL);
    else
        finding_pass(finding);
}

static bool
belongs(const struct undertaking *undertaking, const char *organisation_id)
{
    for (size_t i = 0; i < undertaking->count; i++) {
        if (rule_text_given(organisation_id) && !strcmp(undertaking->ids[i], organisation_id))
            return true;
    }
    return false;
}

/* The aid that one undertaking has had since a day.  False: a decision has no date. */
static bool
sum_aid(const struct finding *finding, const struct undertaking *undertaking,
        struct rule_date since, int64_t *ret)
{
    int64_t sum = 0;

    for (size_t i = 0; i < finding->facts->aids.count; i++) {
        const struct rule_aid *aid = &finding->facts->aids.items[i];
        if (!belongs(undertaking, aid->organisation_id))
            continue;
        if (!rule_date_given(aid->decided))
            return false;
        if (rule_date_compare(aid->decided, since) > 0)
            sum += aid->amount_eur;
    }
    *ret = sum;
    return true;
}

static bool
switched_on(const struct finding *finding)
{
    const char *when = finding_code(finding, "when");

    return !when || rule_texts_have(finding->facts->switches, when);
}

static const struct rule_party *
aid_receiver(struct finding *finding)
{
    const char *role = finding_code(finding, "role");
    const struct rule_party *party = constraint_party_of(finding->facts, role);

    if (!party || !rule_text_given(party->organisation_id))
        finding_missing(finding, role);
    if (!rule_date_given(finding->facts->period.start))
        finding_missing(finding, "period.start");
    if (!finding->facts->aids.given)
        finding_missing(finding, "aids");
    return finding->outcome == RULE_UNKNOWN ? NULL : party;
}

void
constraint_rolling_aid(struct finding *finding)
{
    const int64_t limit = finding_param(finding, "max_eur")->number;
    const int64_t years = finding_param(finding, "years")->number;
    const struct rule_party *party;
    struct undertaking undertaking;
    struct rule_date since;
    int64_t sum;

    if (!switched_on(finding)) {
        finding_not_applicable(finding, "not_used");
        return;
    }
    party = aid_receiver(finding);
    if (!party)
        return;
    if (!constraint_undertaking(finding, party->organisation_id, rule_party_name(party),
                                finding_param(finding, "share")->number, &undertaking)) {
        finding->broken = true;
        return;
    }
    since = rule_date_add_months(finding->facts->period.start, -12 * years);
    if (!sum_aid(finding, &undertaking, since, &sum)) {
        finding_missing(finding, "aids.decided");
        return;
    }
    finding_money(finding, "found", sum * 100, "EUR");
    finding_money(finding, "limit", limit * 100, "EUR");
    finding_date(finding, "since", since);
    finding_list(finding, "undertaking", RULE_VALUE_PATH, undertaking.names, undertaking.count);
    if (sum <= limit) {
        finding_pass(finding);
        return;
    }
    finding_money(finding, "over", (sum - limit) * 100, "EUR");
    finding_fail(finding, "lower");
}
