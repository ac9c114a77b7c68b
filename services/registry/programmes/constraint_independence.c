#include "services/registry/programmes/constraints.h"

#include <string.h>

static bool
links(const struct rule_relation *relation, int64_t share_thousandths)
{
    if (!rule_text_given(relation->kind) || !rule_text_given(relation->parent_id) ||
        !rule_text_given(relation->child_id))
        return false;
    if (!strcmp(relation->kind, "controls") || !strcmp(relation->kind, "same_group"))
        return true;
    return !strcmp(relation->kind, "owns") && relation->share_thousandths >= share_thousandths;
}

static bool
is_member(const struct undertaking *undertaking, const char *id)
{
    for (size_t i = 0; i < undertaking->count; i++) {
        if (!strcmp(undertaking->ids[i], id))
            return true;
    }
    return false;
}

static const char *
name_of(const struct finding *finding, const char *id, const char *given)
{
    const struct rule_party *party = rule_case_find_party(finding->facts, id);

    if (party)
        return rule_party_name(party);
    return rule_text_given(given) ? given : id;
}

static void
reach(struct undertaking *undertaking, const char *id, const char *name, size_t from)
{
    if (is_member(undertaking, id))
        return;
    undertaking->ids[undertaking->count] = id;
    undertaking->names[undertaking->count] = name;
    undertaking->from[undertaking->count] = from;
    undertaking->count++;
}

bool
constraint_undertaking(const struct finding *finding, const char *organisation_id,
                       const char *name, int64_t share_thousandths, struct undertaking *ret)
{
    const struct rule_case *facts = finding->facts;
    const size_t most = facts->relations.count * 2 + 1;
    struct undertaking found = {
        .ids = ARENA_ARRAY(finding->arena, const char *, most),
        .names = ARENA_ARRAY(finding->arena, const char *, most),
        .from = ARENA_ARRAY(finding->arena, size_t, most),
    };

    if (!found.ids || !found.names || !found.from)
        return false;
    reach(&found, organisation_id, name, 0);
    /* Breadth first, so that the path to each is a shortest one. */
    for (size_t at = 0; at < found.count; at++) {
        for (size_t i = 0; i < facts->relations.count; i++) {
            const struct rule_relation *edge = &facts->relations.items[i];
            if (!links(edge, share_thousandths))
                continue;
            if (!strcmp(edge->parent_id, found.ids[at]))
                reach(&found, edge->child_id,
                      name_of(finding, edge->child_id, edge->child_name), at);
            else if (!strcmp(edge->child_id, found.ids[at]))
                reach(&found, edge->parent_id,
                      name_of(finding, edge->parent_id, edge->parent_name), at);
        }
    }
    *ret = found;
    return true;
}

static void
put_path(struct finding *finding, const struct undertaking *undertaking, size_t to)
{
    const char **names = ARENA_ARRAY(finding->arena, const char *, undertaking->count);
    size_t length = 1;

    if (!names) {
        finding->broken = true;
        return;
    }
    for (size_t at = to; at; at = undertaking->from[at])
        length++;
    for (size_t i = length, at = to; i-- > 0; at = undertaking->from[at])
        names[i] = undertaking->names[at];
    finding_list(finding, "path", RULE_VALUE_PATH, names, length);
}

/* What the graph says about the members that count. */
struct groups {
    int64_t members;
    int64_t unknown; /* members whose type is not given */
    int64_t count;   /* undertakings: the size of the largest independent set */
    bool dependent;  /* two members belong together: `first` leads to `second` of it */
    struct undertaking undertaking;
    size_t second;
    const char *missing;
};

/* Marks the members that belong to the undertaking of member `index`. */
static void
mark(const struct rule_case *facts, const struct undertaking *undertaking, size_t index,
     bool *taken, struct groups *groups)
{
    for (size_t i = 1; i < undertaking->count; i++) {
        for (size_t other = index + 1; other < facts->parties.count; other++) {
            const struct rule_party *party = &facts->parties.items[other];
            if (taken[other] || !rule_text_given(party->organisation_id) ||
                strcmp(party->organisation_id, undertaking->ids[i]))
                continue;
            taken[other] = true;
            if (groups->dependent)
                continue;
            groups->dependent = true;
            groups->undertaking = *undertaking;
            groups->second = i;
        }
    }
}

static bool
group_members(struct finding *finding, struct groups *ret)
{
    const struct rule_case *facts = finding->facts;
    const int64_t share = finding_param(finding, "share")->number;
    bool *taken = ARENA_ARRAY(finding->arena, bool, facts->parties.count + 1);
    struct groups groups = {0};

    if (!taken)
        return false;
    /* First those that do not count, so that a path never ends at one of them. */
    for (size_t i = 0; i < facts->parties.count; i++) {
        const enum selection selected =
            constraint_select(finding, &facts->parties.items[i], &groups.missing);
        taken[i] = selected != SELECTION_YES;
        groups.members += selected == SELECTION_YES;
        groups.unknown += selected == SELECTION_UNKNOWN;
    }
    for (size_t i = 0; i < facts->parties.count; i++) {
        const struct rule_party *party = &facts->parties.items[i];
        struct undertaking undertaking;
        if (taken[i])
            continue;
        groups.count++;
        if (!rule_text_given(party->organisation_id))
            continue;
        if (!constraint_undertaking(finding, party->organisation_id, rule_party_name(party),
                                    share, &undertaking))
            return false;
        mark(facts, &undertaking, i, taken, &groups);
    }
    *ret = groups;
    return true;
}

void
constraint_independent(struct finding *finding)
{
    const struct rule_param *min = finding_param(finding, "min");
    struct groups groups;
    int64_t wanted;

    if (!finding->facts->parties.given) {
        finding_missing(finding, "parties");
        return;
    }
    if (!group_members(finding, &groups)) {
        finding->broken = true;
        return;
    }
    wanted = min->given ? min->number : groups.members;
    if (groups.unknown && groups.count < wanted && groups.count + groups.unknown >= wanted) {
        finding_missing(finding, groups.missing);
        return;
    }
    finding_number(finding, "members", groups.members);
    finding_number(finding, "found", groups.count);
    if (min->given)
        finding_number(finding, "min", wanted);
    if (groups.count >= wanted) {
        finding_pass(finding);
    } else if (groups.dependent) {
        put_path(finding, &groups.undertaking, groups.second);
        finding_fail(finding, "replace");
    } else {
        finding_number(finding, "add", wanted - groups.count);
        finding_fail(finding, "add");
    }
}
