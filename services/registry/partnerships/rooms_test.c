/* Partnerships on a real Postgres, through the door: who sees them, which steps there are, and
 * what the database itself refuses. */

#include "services/registry/partnerships/partnerships.h"

#include "registry/v1/partnerships.pb-c.h"
#include "services/registry/organisations/organisations.h"
#include "services/registry/partnerships/store.h"
#include "services/registry/placements/placements.h"
#include "services/registry/programmes/programmes.h"
#include "services/registry/registry.h"
#include "services/registry/room_test.h"

#define CONTACT WIRE__V1__ROLE__COMPANY_CONTACT
#define STATE(name) REGISTRY__V1__PARTNERSHIP_STATE__##name
#define MEMBERS "SELECT count(*) FROM registry.partnership_member"

static struct stage stage;
static struct registry_state registry;

static int
set_up(void **state)
{
    static const struct pg_statement *const *rooms[4];

    (void)state;
    rooms[0] = partnerships_statements;
    rooms[1] = organisations_statements;
    rooms[2] = placements_statements;
    stage_open(&stage, rooms);
    stage.rpc.call.state = &registry;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    stage_close(&stage);
    return 0;
}

static struct status
create(const char *title, Registry__V1__Partnership **ret)
{
    static const char *organisations[] = {COMPANY_A, COMPANY_B};
    Registry__V1__CreatePartnershipRequest request =
        REGISTRY__V1__CREATE_PARTNERSHIP_REQUEST__INIT;
    Registry__V1__CreatePartnershipReply *reply;

    request.title = title;
    request.programme_code = "KA";
    request.organisation_ids = organisations;
    request.n_organisation_ids = COUNT_OF(organisations);
    TRY(stage_call(&stage, partnerships_service, "CreatePartnership", &request, &reply));
    *ret = reply->partnership;
    return OK;
}

static Registry__V1__Partnership *
created(const char *title)
{
    Registry__V1__Partnership *made = NULL;

    assert_ok(create(title, &made));
    return made;
}

static struct status
get(const char *id, Registry__V1__Partnership **ret)
{
    Registry__V1__GetPartnershipRequest request = REGISTRY__V1__GET_PARTNERSHIP_REQUEST__INIT;
    Registry__V1__GetPartnershipReply *reply;

    request.partnership_id = id;
    TRY(stage_call(&stage, partnerships_service, "GetPartnership", &request, &reply));
    *ret = reply->partnership;
    return OK;
}

static struct status
answer(const Registry__V1__Partnership *at, const char *organisation, bool commit,
       const char *reason, Registry__V1__Partnership **ret)
{
    Registry__V1__AnswerInvitationRequest request =
        REGISTRY__V1__ANSWER_INVITATION_REQUEST__INIT;
    Registry__V1__AnswerInvitationReply *reply;

    request.partnership_id = at->partnership_id;
    request.organisation_id = organisation;
    request.expected_version = at->version;
    request.commit = commit;
    request.reason = reason;
    TRY(stage_call(&stage, partnerships_service, "AnswerInvitation", &request, &reply));
    *ret = reply->partnership;
    return OK;
}

static struct status
withdraw(const Registry__V1__Partnership *at, const char *organisation,
         Registry__V1__Partnership **ret)
{
    Registry__V1__WithdrawMemberRequest request = REGISTRY__V1__WITHDRAW_MEMBER_REQUEST__INIT;
    Registry__V1__WithdrawMemberReply *reply;

    request.partnership_id = at->partnership_id;
    request.organisation_id = organisation;
    request.expected_version = at->version;
    request.reason = "Other plans";
    TRY(stage_call(&stage, partnerships_service, "WithdrawMember", &request, &reply));
    *ret = reply->partnership;
    return OK;
}

static struct status
invite(const Registry__V1__Partnership *at, const char *organisation,
       Registry__V1__Partnership **ret)
{
    Registry__V1__InviteMemberRequest request = REGISTRY__V1__INVITE_MEMBER_REQUEST__INIT;
    Registry__V1__InviteMemberReply *reply;

    request.partnership_id = at->partnership_id;
    request.organisation_id = organisation;
    request.expected_version = at->version;
    TRY(stage_call(&stage, partnerships_service, "InviteMember", &request, &reply));
    *ret = reply->partnership;
    return OK;
}

static void
a_partnership_comes_back_whole_with_its_members_invited(void **state)
{
    Registry__V1__Partnership *made = created("Lärande"), *found;

    (void)state;
    assert_int_equal(stage.rpc.event_count, 2); /* an invitation each */
    assert_ok(get(made->partnership_id, &found));
    assert_string_equal(found->title, "Lärande");
    assert_int_equal(found->state, STATE(COMPOSING));
    assert_int_equal(found->version, 1);
    assert_int_equal(found->n_members, 2);
    assert_int_equal(found->members[0]->role, REGISTRY__V1__MEMBER_ROLE__COORDINATOR);
    assert_int_equal(found->members[1]->role, REGISTRY__V1__MEMBER_ROLE__PARTNER_MEMBER);
    for (size_t i = 0; i < found->n_members; i++)
        assert_int_equal(found->members[i]->state, REGISTRY__V1__MEMBER_STATE__INVITED);
}

static void
when_all_commit_it_is_formed_and_when_one_leaves_it_composes_again(void **state)
{
    Registry__V1__Partnership *at = created("x");

    (void)state;
    assert_ok(answer(at, COMPANY_A, true, "", &at));
    assert_int_equal(at->state, STATE(COMPOSING));
    assert_ok(answer(at, COMPANY_B, true, "", &at));
    assert_int_equal(at->state, STATE(PARTNERSHIP_COMMITTED));
    assert_int_equal(stage.rpc.event_count, 2);
    assert_string_equal(stage_event(&stage, 0), "MembershipCommitted");
    assert_string_equal(stage_event(&stage, 1), "PartnershipFormed");
    assert_ok(withdraw(at, COMPANY_B, &at));
    assert_string_equal(stage_event(&stage, 0), "MembershipWithdrawn");
    assert_int_equal(at->state, STATE(PARTNERSHIP_COMMITTED)); /* the one who stays has */
    assert_ok(invite(at, COMPANY_B, &at));
    assert_int_equal(at->state, STATE(COMPOSING));
    assert_code(answer(at, COMPANY_B, false, "", &at), INVALID_ARGUMENT); /* a no needs a why */
    assert_ok(answer(at, COMPANY_B, false, "No staff", &at));
    assert_int_equal(
        test_number(MEMBERS " WHERE reason = 'No staff' AND answered_at IS NOT NULL"), 1);
    assert_int_equal(test_number(MEMBERS), 2); /* one row, whatever it answered */
}

static void
a_step_is_taken_once_and_from_the_version_that_stands(void **state)
{
    Registry__V1__Partnership *first = created("x"), *at, *ignored;
    const Registry__V1__Partnership old = *first;

    (void)state;
    assert_ok(answer(first, COMPANY_A, true, "", &at));
    assert_code(answer(&old, COMPANY_B, true, "", &ignored), VERSION_MISMATCH);
    assert_code(answer(at, COMPANY_A, true, "", &ignored), FAILED_PRECONDITION);
    assert_code(invite(at, COMPANY_A, &ignored), FAILED_PRECONDITION);
    assert_code(invite(at, NOBODYS, &ignored), FAILED_PRECONDITION);
    assert_code(withdraw(at, NOBODYS, &ignored), FAILED_PRECONDITION);
    /* What was refused has left nothing behind. */
    assert_ok(get(old.partnership_id, &at));
    assert_int_equal(at->version, 2);
    assert_int_equal(at->members[1]->state, REGISTRY__V1__MEMBER_STATE__INVITED);
    assert_int_equal(test_number(MEMBERS), 2);
}

static void
a_submitted_one_is_closed(void **state)
{
    Registry__V1__Partnership *at = created("x"), *ignored;

    (void)state;
    stage_sql("UPDATE registry.partnership SET state = 3");
    assert_code(answer(at, COMPANY_A, true, "", &ignored), FAILED_PRECONDITION);
    assert_code(withdraw(at, COMPANY_A, &ignored), FAILED_PRECONDITION);
    assert_code(invite(at, COMPANY_B, &ignored), FAILED_PRECONDITION);
}

static void
each_tenant_has_its_own_and_a_contact_those_of_the_own_company(void **state)
{
    Registry__V1__ListPartnershipsRequest request =
        REGISTRY__V1__LIST_PARTNERSHIPS_REQUEST__INIT;
    Registry__V1__ListPartnershipsReply *reply;
    Registry__V1__Partnership *at = created("x"), *ignored;

    (void)state;
    stage_act(&stage, OFFICER, TENANT_B);
    assert_code(get(at->partnership_id, &ignored), NOT_FOUND);
    assert_code(answer(at, COMPANY_A, true, "", &ignored), NOT_FOUND);
    assert_ok(stage_call(&stage, partnerships_service, "ListPartnerships", &request, &reply));
    assert_int_equal(reply->n_partnerships, 0);
    stage_act(&stage, CONTACT, TENANT_A);
    stage.rpc.principal.organisation_id = COMPANY_B;
    assert_ok(get(at->partnership_id, &ignored));
    assert_code(answer(at, COMPANY_A, true, "", &ignored), PERMISSION_DENIED);
    assert_ok(answer(at, COMPANY_B, true, "", &at));
    stage.rpc.principal.organisation_id = NOBODYS;
    assert_code(get(at->partnership_id, &ignored), NOT_FOUND);
}

/* What no handler would try: the policies hold whatever the statement says. */
static void
row_level_security_holds_beneath_the_statements(void **state)
{
    const Registry__V1__Partnership *at = created("x");
    const struct partnership_filter filter = {
        .before_id = "", .id = at->partnership_id, .member_id = "", .limit = 1};
    Registry__V1__Partnership changed = *at, **found;
    Registry__V1__PartnershipMember member = *at->members[0];
    size_t count;

    (void)state;
    stage_begin(&stage, TENANT_B);
    assert_ok(store_partnership_list(&stage.tx, &stage.rpc.arena, &filter, &found, &count));
    assert_int_equal(count, 0);
    changed.title = "taken";
    assert_code(store_partnership_update(&stage.tx, &stage.rpc.arena, &changed, at->version),
                VERSION_MISMATCH);
    assert_true(failed(store_member_put(&stage.tx, at->partnership_id, &member)));
    pg_tx_end(&stage.tx);
    assert_int_equal(test_number("SELECT count(*) FROM registry.partnership WHERE title = 'x' "
                                 "AND version = 1"),
                     1);
    assert_int_equal(test_number("SELECT count(*) FROM pg_class WHERE relname LIKE "
                                 "'partnership%' AND relkind = 'r' AND relrowsecurity AND "
                                 "relforcerowsecurity"),
                     3);
}

static void
verdicts_are_kept_and_the_last_one_stands(void **state)
{
    Registry__V1__EvaluatePartnershipRequest request =
        REGISTRY__V1__EVALUATE_PARTNERSHIP_REQUEST__INIT;
    Registry__V1__EvaluatePartnershipReply *reply;
    Registry__V1__Partnership *at = created("x");

    (void)state;
    request.partnership_id = at->partnership_id;
    for (int time = 0; time < 2; time++) {
        assert_ok(
            stage_call(&stage, partnerships_service, "EvaluatePartnership", &request, &reply));
        assert_string_equal(stage_event(&stage, 0), "EligibilityEvaluated");
    }
    assert_int_equal(test_number("SELECT count(*) FROM registry.partnership_verdict"), 2);
    assert_int_equal(reply->partnership->eligibility, reply->verdict->overall);
    assert_true(reply->partnership->eligibility > 0);
    /* Any step makes it unchecked again. */
    assert_ok(answer(reply->partnership, COMPANY_A, true, "", &at));
    assert_int_equal(at->eligibility, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_partnership_comes_back_whole_with_its_members_invited),
        TEST(when_all_commit_it_is_formed_and_when_one_leaves_it_composes_again),
        TEST(a_step_is_taken_once_and_from_the_version_that_stands),
        TEST(a_submitted_one_is_closed),
        TEST(each_tenant_has_its_own_and_a_contact_those_of_the_own_company),
        TEST(row_level_security_holds_beneath_the_statements),
        TEST(verdicts_are_kept_and_the_last_one_stands),
    };
    struct arena arena;
    int result;

    arena_init(&arena, ARENA_CALL_BYTES);
    if (failed(programmes_create(&arena, &registry.programmes)))
        return 1;
    result = cmocka_run_group_tests(tests, NULL, NULL);
    programmes_destroy(&registry.programmes);
    arena_fini(&arena);
    return result;
}
