#pragma once

/* What a partnership must be like, and which step a member may take; pure. */

#include "common/base/arena.h"
#include "common/base/status.h"
#include "registry/v1/partnerships.pb-c.h"

#define PARTNERSHIP_MEMBERS_MAX 60

/* Checks and normalises all but the members.  INVALID_ARGUMENT names the field. */
must_use struct status rules_partnership(struct arena *arena,
                                         Registry__V1__Partnership *partnership);

/* FAILED_PRECONDITION: it is submitted. */
must_use struct status rules_partnership_open(struct arena *arena,
                                              const Registry__V1__Partnership *partnership);

/* NULL: it was never asked. */
Registry__V1__PartnershipMember *
rules_partnership_member(const Registry__V1__Partnership *partnership,
                         const char *organisation_id);

/* Whether a member in this state is one that the rules count. */
bool rules_member_counts(Registry__V1__MemberState state);

/* FAILED_PRECONDITION: not from the state it has; also without a member (NULL). */
must_use struct status rules_member_step(struct arena *arena,
                                         const Registry__V1__PartnershipMember *member,
                                         Registry__V1__MemberState to);

must_use struct status rules_member_texts(struct arena *arena,
                                          const Registry__V1__DescribeMemberRequest *request,
                                          Registry__V1__PartnershipMember *member);

/* COMPOSING, or PARTNERSHIP_COMMITTED when there are members and all have. */
Registry__V1__PartnershipState
rules_partnership_state(const Registry__V1__Partnership *partnership);
