/* Reasons of wishes: see explain_parts.h. */

#include "services/matching/explain_parts.h"

static struct status
explain_wished_concept(struct explaining *explaining, uint32_t wished)
{
    const struct query *query = explaining->query;
    const struct profile_concept *found;
    Matching__V1__Reason *reason;
    enum nearness nearest;
    uint32_t node;
    bool linked;

    if (wishes_concept(&query->statistics, wished, query->seeker, &nearest, &node) == 0)
        return OK;
    found = explaining_find(explaining, query->seeker, node);
    linked = found && found->linked;
    TRY(explaining_add(explaining, PART_WISHES,
                       linked ? MATCHING__V1__REASON_SOURCE__FROM_LINKED_WORDS
                              : MATCHING__V1__REASON_SOURCE__FROM_CONCEPTS,
                       0, &reason));
    reason->nearness = (Matching__V1__Nearness)nearest;
    TRY(explaining_set_concept_id(explaining, &reason->concept_id, TERM_OF(wished)));
    if (found)
        TRY(explaining_set_concept_id(explaining, &reason->found_concept_id, found->concept));
    return linked ? explaining_set_linked(explaining, NULL, found, reason) : OK;
}

struct status
explain_wishes(struct explaining *explaining, uint32_t deduction)
{
    const struct profile *seeker = explaining->query->seeker;
    const struct wishes *wishes = explaining->offer->wishes;
    const Matching__V1__ReasonSource facts = MATCHING__V1__REASON_SOURCE__FROM_FACTS;
    Matching__V1__Reason *reason;
    const char *region;

    if (!wishes)
        return OK;
    TRY(explaining_add(explaining, PART_WISHES, facts, 0, &reason));
    reason->deduction_thousandths = deduction;
    reason->share_percent =
        (wishes_fit(&explaining->query->statistics, wishes, seeker) * 100 + WISHES_MET - 1) /
        WISHES_MET;
    for (size_t i = 0; i < wishes->concept_count; i++)
        TRY(explain_wished_concept(explaining, wishes->concepts[i]));
    for (size_t i = 0; i < seeker->tag_count; i++) {
        if (!wishes_has_tag(wishes, seeker->tags[i].key))
            continue;
        TRY(explaining_add(explaining, PART_WISHES, facts, 0, &reason));
        TRY(explaining_set_text(explaining->arena, &reason->name, seeker->tags[i].name));
    }
    region = wishes_region(wishes, seeker);
    if (!region)
        return OK;
    TRY(explaining_add(explaining, PART_WISHES, facts, 0, &reason));
    return explaining_set_text(explaining->arena, &reason->name, region);
}
