#include "services/registry/partnerships/rules.h"

#include <string.h>

#include "services/registry/values/values.h"

#define TITLE_LENGTH 200
#define PLAN_LENGTH 4000
#define TEXT_LENGTH 1000
#define VALUE_LENGTH 2000
#define ACTIVITIES_MAX 20
#define ACTIVITY_LENGTH 60
#define OUTREACH_MAX UINT64_C(1000000000)

static struct status
check_activities(struct arena *arena, Registry__V1__Partnership *partnership)
{
    if (partnership->n_activities > ACTIVITIES_MAX)
        return FAIL_FIELD(arena, "activities", "must have at most %d items", ACTIVITIES_MAX);
    for (size_t i = 0; i < partnership->n_activities; i++) {
        char *field = arena_printf(arena, "activities[%zu]", i);

        TRY(need(field));
        TRY(values_line(arena, field, &partnership->activities[i], 1, ACTIVITY_LENGTH));
        for (size_t k = 0; k < i; k++)
            if (!strcmp(partnership->activities[k], partnership->activities[i]))
                return FAIL_FIELD(arena, field, "is the same as item %zu", k);
    }
    return OK;
}

struct status
rules_partnership(struct arena *arena, Registry__V1__Partnership *partnership)
{
    TRY(values_line(arena, "title", &partnership->title, 1, TITLE_LENGTH));
    TRY(values_date(arena, "start", partnership->start, false));
    TRY(values_date(arena, "end", partnership->end, false));
    TRY(values_date(arena, "follow_up", partnership->follow_up, false));
    if (*partnership->start && *partnership->end &&
        strcmp(partnership->end, partnership->start) <= 0)
        return FAIL_FIELD(arena, "end", "must be after the start, which is %s",
                          partnership->start);
    TRY(check_activities(arena, partnership));
    if (partnership->outreach_target > OUTREACH_MAX)
        return FAIL_FIELD(arena, "outreach_target", "at most %llu",
                          (unsigned long long)OUTREACH_MAX);
    return values_text(arena, "sustainability_plan", &partnership->sustainability_plan, 0,
                       PLAN_LENGTH);
}

struct status
rules_partnership_open(struct arena *arena, const Registry__V1__Partnership *partnership)
{
    if (partnership->state == REGISTRY__V1__PARTNERSHIP_STATE__PARTNERSHIP_SUBMITTED)
        return FAIL(arena, FAILED_PRECONDITION, "the partnership is submitted");
    return OK;
}

Registry__V1__PartnershipMember *
rules_partnership_member(const Registry__V1__Partnership *partnership,
                         const char *organisation_id)
{
    for (size_t i = 0; i < partnership->n_members; i++)
        if (!strcmp(partnership->members[i]->organisation_id, organisation_id))
            return partnership->members[i];
    return NULL;
}

bool
rules_member_counts(Registry__V1__MemberState state)
{
    return state == REGISTRY__V1__MEMBER_STATE__INVITED ||
           state == REGISTRY__V1__MEMBER_STATE__MEMBER_COMMITTED;
}

struct status
rules_member_step(struct arena *arena, const Registry__V1__PartnershipMember *member,
                  Registry__V1__MemberState to)
{
    const Registry__V1__MemberState from =
        member ? member->state : REGISTRY__V1__MEMBER_STATE__MEMBER_STATE_UNSPECIFIED;

    switch (to) {
    case REGISTRY__V1__MEMBER_STATE__INVITED:
        if (rules_member_counts(from))
            return FAIL(arena, FAILED_PRECONDITION, "the organisation is a member already");
        return OK;
    case REGISTRY__V1__MEMBER_STATE__MEMBER_COMMITTED:
    case REGISTRY__V1__MEMBER_STATE__MEMBER_DECLINED:
        if (from != REGISTRY__V1__MEMBER_STATE__INVITED)
            return FAIL(arena, FAILED_PRECONDITION,
                        "the organisation has no invitation to answer");
        return OK;
    default:
        if (!rules_member_counts(from))
            return FAIL(arena, FAILED_PRECONDITION, "the organisation is no member");
        return OK;
    }
}

struct status
rules_member_texts(struct arena *arena, const Registry__V1__DescribeMemberRequest *request,
                   Registry__V1__PartnershipMember *member)
{
    member->task = request->task;
    member->benefit = request->benefit;
    member->added_value = request->added_value;
    TRY(values_text(arena, "task", &member->task, 0, TEXT_LENGTH));
    TRY(values_text(arena, "benefit", &member->benefit, 0, TEXT_LENGTH));
    return values_text(arena, "added_value", &member->added_value, 0, VALUE_LENGTH);
}

Registry__V1__PartnershipState
rules_partnership_state(const Registry__V1__Partnership *partnership)
{
    size_t members = 0, committed = 0;

    for (size_t i = 0; i < partnership->n_members; i++) {
        members += rules_member_counts(partnership->members[i]->state);
        committed +=
            partnership->members[i]->state == REGISTRY__V1__MEMBER_STATE__MEMBER_COMMITTED;
    }
    return members && members == committed
               ? REGISTRY__V1__PARTNERSHIP_STATE__PARTNERSHIP_COMMITTED
               : REGISTRY__V1__PARTNERSHIP_STATE__COMPOSING;
}
