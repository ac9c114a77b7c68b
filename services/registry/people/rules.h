#pragma once

/* What a profile must be like, who sees it and who changes it.  Pure: no I/O, no clock. */

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/status.h"
#include "registry/v1/people.pb-c.h"

/* Who looks or acts. */
struct person_viewer {
    const char *tenant_id;
    const char *person_id; /* the own profile in the tenant; "" when there is none */
    bool officer;          /* an officer or operator of the tenant, or one of our services */
    bool learner;          /* nothing but a graduate or student */
    bool graduate;         /* of the two */
};

/* Checks and normalises the whole; a profile outside the pool becomes private.
 * INVALID_ARGUMENT names the field. */
must_use struct status rules_person(struct arena *arena, Registry__V1__Person *person);

/* Graduates and students decide for themselves; the others are staff. */
bool rules_person_is_staff(Registry__V1__PersonKind kind);

/* `tenant_id` is the profile's. */
bool rules_person_may_see(const struct person_viewer *viewer,
                          const Registry__V1__Person *person, const char *tenant_id);
/* Takes away what is not for this viewer's eyes. */
void rules_person_redact(const struct person_viewer *viewer, const char *tenant_id,
                         Registry__V1__Person *person);

/* For a viewer who may see it.  PERMISSION_DENIED. */
must_use struct status rules_person_may_change(struct arena *arena,
                                               const struct person_viewer *viewer,
                                               const Registry__V1__Person *person,
                                               const char *tenant_id);
must_use struct status rules_person_may_pool(struct arena *arena,
                                             const struct person_viewer *viewer,
                                             const Registry__V1__Person *person,
                                             const char *tenant_id);

/* A learner's own new profile: of the own kind, without a reference.  ALREADY_EXISTS: there is
 * one.  INVALID_ARGUMENT names the field. */
must_use struct status rules_person_own(struct arena *arena, const struct person_viewer *viewer,
                                        const Registry__V1__Person *person);

/* INVALID_ARGUMENT: a profile does not change between learners and staff. */
must_use struct status rules_person_kind(struct arena *arena, Registry__V1__PersonKind before,
                                         Registry__V1__PersonKind after);

/* INVALID_ARGUMENT: a visibility without the pool. */
must_use struct status rules_person_pool(struct arena *arena,
                                         const Registry__V1__SetTalentPoolRequest *request);
