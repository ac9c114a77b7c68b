#include "registry/v1/partnerships.pb-c.h"

#include <string.h>

#include "common/pg/cursor.h"
#include "services/registry/organisations/owner.h"
#include "services/registry/partnerships/evaluation.h"
#include "services/registry/partnerships/partnerships.h"
#include "services/registry/partnerships/rules.h"
#include "services/registry/partnerships/store.h"
#include "services/registry/programmes/programmes.h"
#include "services/registry/registry.h"
#include "services/registry/values/resource.h"
#include "services/registry/values/values.h"

#define REASON_LENGTH 500
#define SWITCHES_MAX 20

/* NOT_FOUND also for a company contact whose organisation was never asked. */
static struct status
read_partnership(struct call *call, const char *id, Registry__V1__Partnership **ret)
{
    const struct partnership_filter filter = {
        .before_id = "", .id = id, .member_id = owner_contact_for(call), .limit = 1};
    Registry__V1__Partnership **found;
    size_t count;

    TRY(values_id(call->arena, "partnership_id", id, true));
    TRY(store_partnership_list(call->tx, call->arena, &filter, &found, &count));
    if (!count)
        return FAIL(call->arena, NOT_FOUND, "there is no partnership %s", id);
    *ret = found[0];
    return OK;
}

static struct status
emit(struct call *call, const Registry__V1__Partnership *partnership,
     const ProtobufCMessage *data)
{
    return call_emit(call, (struct outbox_event){.data = data,
                                                 .subject = partnership->partnership_id,
                                                 .programme = partnership->programme_code});
}

static struct status
emit_member(struct call *call, const Registry__V1__Partnership *partnership,
            const Registry__V1__PartnershipMember *member)
{
    Registry__V1__MembershipCommitted committed = REGISTRY__V1__MEMBERSHIP_COMMITTED__INIT;
    Registry__V1__MembershipWithdrawn withdrawn = REGISTRY__V1__MEMBERSHIP_WITHDRAWN__INIT;
    Registry__V1__MembershipStateChanged changed = REGISTRY__V1__MEMBERSHIP_STATE_CHANGED__INIT;

    if (member->state == REGISTRY__V1__MEMBER_STATE__MEMBER_COMMITTED) {
        committed.partnership_id = partnership->partnership_id;
        committed.organisation_id = member->organisation_id;
        return emit(call, partnership, &committed.base);
    }
    if (member->state == REGISTRY__V1__MEMBER_STATE__MEMBER_WITHDRAWN) {
        withdrawn.partnership_id = partnership->partnership_id;
        withdrawn.organisation_id = member->organisation_id;
        return emit(call, partnership, &withdrawn.base);
    }
    changed.partnership_id = partnership->partnership_id;
    changed.organisation_id = member->organisation_id;
    changed.state = member->state;
    return emit(call, partnership, &changed.base);
}

static struct status
emit_formed(struct call *call, const Registry__V1__Partnership *partnership)
{
    Registry__V1__PartnershipFormed formed = REGISTRY__V1__PARTNERSHIP_FORMED__INIT;

    formed.partnership_id = partnership->partnership_id;
    TRY(need(formed.organisation_ids =
                 ARENA_ARRAY(call->arena, const char *, partnership->n_members + 1)));
    for (size_t i = 0; i < partnership->n_members; i++)
        if (rules_member_counts(partnership->members[i]->state))
            formed.organisation_ids[formed.n_organisation_ids++] =
                partnership->members[i]->organisation_id;
    return emit(call, partnership, &formed.base);
}

/* Asks an organisation that was not asked, or said no. */
static struct status
invite(struct call *call, Registry__V1__Partnership *partnership, const char *organisation_id)
{
    Registry__V1__PartnershipMember *member =
        rules_partnership_member(partnership, organisation_id);
    const Registry__V1__Organisation *organisation;

    TRY(values_id(call->arena, "organisation_id", organisation_id, true));
    TRY(rules_member_step(call->arena, member, REGISTRY__V1__MEMBER_STATE__INVITED));
    TRY(owner_find(call, organisation_id, &organisation));
    if (!member) {
        TRY(need(member = ARENA_NEW(call->arena, Registry__V1__PartnershipMember)));
        registry__v1__partnership_member__init(member);
        member->organisation_id = organisation_id;
        member->role = partnership->n_members ? REGISTRY__V1__MEMBER_ROLE__PARTNER_MEMBER
                                              : REGISTRY__V1__MEMBER_ROLE__COORDINATOR;
        partnership->members[partnership->n_members++] = member;
    }
    member->state = REGISTRY__V1__MEMBER_STATE__INVITED;
    member->reason = "";
    TRY(store_member_put(call->tx, partnership->partnership_id, member));
    return emit_member(call, partnership, member);
}

static struct status
create_partnership(struct call *call, const Registry__V1__CreatePartnershipRequest *request,
                   Registry__V1__CreatePartnershipReply *reply)
{
    const struct registry_state *registry = call->state;
    Registry__V1__Partnership *partnership = ARENA_NEW(call->arena, Registry__V1__Partnership);

    TRY(need(partnership));
    registry__v1__partnership__init(partnership);
    resource_from_request(&request->base, &partnership->base);
    if (!programmes_find(registry->programmes, partnership->programme_code, 0,
                         programmes_day(clock_wall(call->clock))))
        return FAIL_FIELD(call->arena, "programme_code", "there is no programme %.40s",
                          partnership->programme_code);
    TRY(rules_partnership(call->arena, partnership));
    TRY(values_ids(call->arena, "organisation_ids",
                   (const char *const *)request->organisation_ids, request->n_organisation_ids,
                   PARTNERSHIP_MEMBERS_MAX));
    TRY(values_new_id(call->arena, call->clock, &partnership->partnership_id));
    partnership->state = REGISTRY__V1__PARTNERSHIP_STATE__COMPOSING;
    partnership->version = 1;
    partnership->created_unix_ms = (uint64_t)clock_wall(call->clock).unix_ms;
    TRY(need(partnership->members = ARENA_ARRAY(call->arena, Registry__V1__PartnershipMember *,
                                                request->n_organisation_ids + 1)));
    TRY(store_partnership_insert(call->tx, partnership));
    for (size_t i = 0; i < request->n_organisation_ids; i++)
        TRY(invite(call, partnership, request->organisation_ids[i]));
    reply->partnership = partnership;
    return OK;
}

static struct status
get_partnership(struct call *call, const Registry__V1__GetPartnershipRequest *request,
                Registry__V1__GetPartnershipReply *reply)
{
    return read_partnership(call, request->partnership_id, &reply->partnership);
}

static struct status
list_partnerships(struct call *call, const Registry__V1__ListPartnershipsRequest *request,
                  Registry__V1__ListPartnershipsReply *reply)
{
    struct partnership_filter filter = {.id = "", .member_id = owner_contact_for(call)};
    const char *ignored, *listing;
    uint32_t limit;

    TRY(values_page_size(call->arena, request->page_size, &limit));
    TRY(need(listing = arena_printf(call->arena, "partnerships\n%s", filter.member_id)));
    TRY(cursor_read(call->arena, call->tenant_id, listing, request->page_token, &ignored,
                    &filter.before_id));
    filter.limit = limit + 1;
    TRY(store_partnership_list(call->tx, call->arena, &filter, &reply->partnerships,
                               &reply->n_partnerships));
    if (reply->n_partnerships <= limit)
        return OK;
    reply->n_partnerships = limit;
    return cursor_make(call->arena, call->tenant_id, listing, "",
                       reply->partnerships[limit - 1]->partnership_id, &reply->next_page_token);
}

static struct status
update_partnership(struct call *call, const Registry__V1__UpdatePartnershipRequest *request,
                   Registry__V1__UpdatePartnershipReply *reply)
{
    Registry__V1__Partnership *partnership;

    TRY(read_partnership(call, request->partnership_id, &partnership));
    TRY(rules_partnership_open(call->arena, partnership));
    TRY(resource_apply(call->arena, &request->base, (const char *const *)request->update_fields,
                       request->n_update_fields, &partnership->base));
    TRY(rules_partnership(call->arena, partnership));
    partnership->eligibility = REGISTRY__V1__VERDICT__OVERALL__OVERALL_UNSPECIFIED;
    TRY(store_partnership_update(call->tx, call->arena, partnership,
                                 request->expected_version));
    reply->partnership = partnership;
    return OK;
}

/* After a step of a member: where the partnership stands now, and that it is unchecked again.
 */
static struct status
end_member_step(struct call *call, Registry__V1__Partnership *partnership,
                uint64_t expected_version)
{
    const Registry__V1__PartnershipState before = partnership->state;

    partnership->state = rules_partnership_state(partnership);
    partnership->eligibility = REGISTRY__V1__VERDICT__OVERALL__OVERALL_UNSPECIFIED;
    TRY(store_partnership_update(call->tx, call->arena, partnership, expected_version));
    if (partnership->state != before &&
        partnership->state == REGISTRY__V1__PARTNERSHIP_STATE__PARTNERSHIP_COMMITTED)
        return emit_formed(call, partnership);
    return OK;
}

static struct status
invite_member(struct call *call, const Registry__V1__InviteMemberRequest *request,
              Registry__V1__InviteMemberReply *reply)
{
    Registry__V1__Partnership *partnership;
    Registry__V1__PartnershipMember **members;

    TRY(read_partnership(call, request->partnership_id, &partnership));
    TRY(rules_partnership_open(call->arena, partnership));
    if (partnership->n_members >= PARTNERSHIP_MEMBERS_MAX)
        return FAIL(call->arena, FAILED_PRECONDITION, "at most %d organisations",
                    PARTNERSHIP_MEMBERS_MAX);
    TRY(need(members = ARENA_ARRAY(call->arena, Registry__V1__PartnershipMember *,
                                   partnership->n_members + 1)));
    if (partnership->n_members)
        memcpy(members, partnership->members, partnership->n_members * sizeof(*members));
    partnership->members = members;
    TRY(invite(call, partnership, request->organisation_id));
    TRY(end_member_step(call, partnership, request->expected_version));
    reply->partnership = partnership;
    return OK;
}

/* The partnership and the member that a step is about, if the caller may speak for it. */
static struct status
begin_member_step(struct call *call, const char *partnership_id, const char *organisation_id,
                  Registry__V1__Partnership **ret, Registry__V1__PartnershipMember **ret_member)
{
    TRY(read_partnership(call, partnership_id, ret));
    TRY(values_id(call->arena, "organisation_id", organisation_id, true));
    TRY(owner_may_act(call, organisation_id));
    TRY(rules_partnership_open(call->arena, *ret));
    *ret_member = rules_partnership_member(*ret, organisation_id);
    return OK;
}

static struct status
describe_member(struct call *call, const Registry__V1__DescribeMemberRequest *request,
                Registry__V1__DescribeMemberReply *reply)
{
    Registry__V1__Partnership *partnership;
    Registry__V1__PartnershipMember *member;

    TRY(begin_member_step(call, request->partnership_id, request->organisation_id, &partnership,
                          &member));
    if (!member)
        return FAIL(call->arena, FAILED_PRECONDITION, "the organisation is no member");
    TRY(rules_member_texts(call->arena, request, member));
    TRY(store_member_put(call->tx, partnership->partnership_id, member));
    TRY(end_member_step(call, partnership, request->expected_version));
    reply->partnership = partnership;
    return OK;
}

static struct status
move_member(struct call *call, Registry__V1__Partnership *partnership,
            Registry__V1__PartnershipMember *member, Registry__V1__MemberState to,
            const char *reason, uint64_t expected_version)
{
    TRY(rules_member_step(call->arena, member, to));
    TRY(values_text(call->arena, "reason", &reason,
                    to == REGISTRY__V1__MEMBER_STATE__MEMBER_COMMITTED ? 0 : 1, REASON_LENGTH));
    member->state = to;
    member->reason = reason;
    TRY(store_member_put(call->tx, partnership->partnership_id, member));
    TRY(emit_member(call, partnership, member));
    return end_member_step(call, partnership, expected_version);
}

static struct status
answer_invitation(struct call *call, const Registry__V1__AnswerInvitationRequest *request,
                  Registry__V1__AnswerInvitationReply *reply)
{
    Registry__V1__PartnershipMember *member;

    TRY(begin_member_step(call, request->partnership_id, request->organisation_id,
                          &reply->partnership, &member));
    return move_member(call, reply->partnership, member,
                       request->commit ? REGISTRY__V1__MEMBER_STATE__MEMBER_COMMITTED
                                       : REGISTRY__V1__MEMBER_STATE__MEMBER_DECLINED,
                       request->reason, request->expected_version);
}

static struct status
withdraw_member(struct call *call, const Registry__V1__WithdrawMemberRequest *request,
                Registry__V1__WithdrawMemberReply *reply)
{
    Registry__V1__PartnershipMember *member;

    TRY(begin_member_step(call, request->partnership_id, request->organisation_id,
                          &reply->partnership, &member));
    return move_member(call, reply->partnership, member,
                       REGISTRY__V1__MEMBER_STATE__MEMBER_WITHDRAWN, request->reason,
                       request->expected_version);
}

static struct status
evaluate_partnership(struct call *call, const Registry__V1__EvaluatePartnershipRequest *request,
                     Registry__V1__EvaluatePartnershipReply *reply)
{
    Registry__V1__EvaluatePartnershipRequest how = *request;
    Registry__V1__Partnership *partnership;

    TRY(read_partnership(call, request->partnership_id, &partnership));
    TRY(values_enum(call->arena, "mode", &registry__v1__verdict__mode__descriptor,
                    (int)how.mode, false));
    if (how.n_switches > SWITCHES_MAX)
        return FAIL_FIELD(call->arena, "switches", "at most %d", SWITCHES_MAX);
    if (!how.mode)
        how.mode = REGISTRY__V1__VERDICT__MODE__DRAFT;
    TRY(partnership_evaluate(call, partnership, &how, &reply->verdict));
    if (how.mode == REGISTRY__V1__VERDICT__MODE__SUBMISSION &&
        partnership->state == REGISTRY__V1__PARTNERSHIP_STATE__PARTNERSHIP_COMMITTED &&
        (partnership->eligibility == REGISTRY__V1__VERDICT__OVERALL__ELIGIBLE ||
         partnership->eligibility == REGISTRY__V1__VERDICT__OVERALL__ELIGIBLE_WITH_WAIVER))
        partnership->state = REGISTRY__V1__PARTNERSHIP_STATE__PARTNERSHIP_SUBMITTED;
    TRY(store_partnership_update(call->tx, call->arena, partnership, partnership->version));
    reply->partnership = partnership;
    return OK;
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Registry__V1__Partnerships_Service, handler, Registry__V1__##Name##Request,     \
               Registry__V1__##Name##Reply)

METHOD(create_partnership, CreatePartnership)
METHOD(get_partnership, GetPartnership)
METHOD(list_partnerships, ListPartnerships)
METHOD(update_partnership, UpdatePartnership)
METHOD(invite_member, InviteMember)
METHOD(describe_member, DescribeMember)
METHOD(answer_invitation, AnswerInvitation)
METHOD(withdraw_member, WithdrawMember)
METHOD(evaluate_partnership, EvaluatePartnership)

static Registry__V1__Partnerships_Service service = REGISTRY__V1__PARTNERSHIPS__INIT(rpc_);
const ProtobufCService *const partnerships_service = &service.base;
