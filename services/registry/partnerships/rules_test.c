#include "services/registry/partnerships/rules.h"

#include "common/base/test.h"

#define STATE(name) REGISTRY__V1__MEMBER_STATE__##name

static struct arena arena;

static Registry__V1__PartnershipMember
member(Registry__V1__MemberState state)
{
    Registry__V1__PartnershipMember made = REGISTRY__V1__PARTNERSHIP_MEMBER__INIT;

    made.state = state;
    return made;
}

static enum code
step(Registry__V1__MemberState from, Registry__V1__MemberState to)
{
    const Registry__V1__PartnershipMember made = member(from);

    return rules_member_step(&arena, from ? &made : NULL, to).code;
}

static void
steps_of_a_member_follow_one_another(void **state)
{
    (void)state;
    assert_int_equal(step(0, STATE(INVITED)), CODE_OK);
    assert_int_equal(step(STATE(MEMBER_DECLINED), STATE(INVITED)), CODE_OK);
    assert_int_equal(step(STATE(MEMBER_WITHDRAWN), STATE(INVITED)), CODE_OK);
    assert_int_equal(step(STATE(INVITED), STATE(INVITED)), CODE_FAILED_PRECONDITION);
    assert_int_equal(step(STATE(MEMBER_COMMITTED), STATE(INVITED)), CODE_FAILED_PRECONDITION);
    assert_int_equal(step(STATE(INVITED), STATE(MEMBER_COMMITTED)), CODE_OK);
    assert_int_equal(step(STATE(INVITED), STATE(MEMBER_DECLINED)), CODE_OK);
    assert_int_equal(step(0, STATE(MEMBER_COMMITTED)), CODE_FAILED_PRECONDITION);
    assert_int_equal(step(STATE(MEMBER_COMMITTED), STATE(MEMBER_DECLINED)),
                     CODE_FAILED_PRECONDITION);
    assert_int_equal(step(STATE(MEMBER_COMMITTED), STATE(MEMBER_WITHDRAWN)), CODE_OK);
    assert_int_equal(step(STATE(MEMBER_DECLINED), STATE(MEMBER_WITHDRAWN)),
                     CODE_FAILED_PRECONDITION);
}

static void
it_is_committed_when_all_members_are(void **state)
{
    Registry__V1__PartnershipMember first = member(STATE(MEMBER_COMMITTED));
    Registry__V1__PartnershipMember second = member(STATE(INVITED));
    Registry__V1__PartnershipMember third = member(STATE(MEMBER_DECLINED));
    Registry__V1__PartnershipMember *members[] = {&first, &second, &third};
    Registry__V1__Partnership partnership = REGISTRY__V1__PARTNERSHIP__INIT;

    (void)state;
    assert_int_equal(rules_partnership_state(&partnership),
                     REGISTRY__V1__PARTNERSHIP_STATE__COMPOSING);
    partnership.members = members;
    partnership.n_members = COUNT_OF(members);
    assert_int_equal(rules_partnership_state(&partnership),
                     REGISTRY__V1__PARTNERSHIP_STATE__COMPOSING);
    second.state = STATE(MEMBER_COMMITTED);
    assert_int_equal(rules_partnership_state(&partnership),
                     REGISTRY__V1__PARTNERSHIP_STATE__PARTNERSHIP_COMMITTED);
}

static void
what_a_partnership_may_not_be_is_named(void **state)
{
    Registry__V1__Partnership partnership = REGISTRY__V1__PARTNERSHIP__INIT;
    const char *activities[] = {"curricula", "curricula"};
    struct status status;

    (void)state;
    assert_string_equal(rules_partnership(&arena, &partnership).field, "title");
    partnership.title = "Problembaserat lärande";
    assert_int_equal(rules_partnership(&arena, &partnership).code, CODE_OK);
    partnership.start = "2026-01-01";
    partnership.end = "2026-01-01";
    status = rules_partnership(&arena, &partnership);
    assert_string_equal(status.field, "end");
    partnership.end = "2029-01-01";
    partnership.activities = activities;
    partnership.n_activities = COUNT_OF(activities);
    assert_string_equal(rules_partnership(&arena, &partnership).field, "activities[1]");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_of_a_member_follow_one_another),
        cmocka_unit_test(it_is_committed_when_all_members_are),
        cmocka_unit_test(what_a_partnership_may_not_be_is_named),
    };
    int result;

    arena_init(&arena, ARENA_CALL_BYTES);
    result = cmocka_run_group_tests(tests, NULL, NULL);
    arena_fini(&arena);
    return result;
}
