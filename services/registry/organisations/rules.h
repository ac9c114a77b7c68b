#pragma once

/* What an organisation must be like, and who may change it.  Pure: no I/O, no clock. */

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/status.h"
#include "registry/v1/organisations.pb-c.h"

/* Checks and normalises the whole: trims texts, derives size_class, marks the external ids
 * whose check digit was looked at, and with one of them the organisation as verified.
 * INVALID_ARGUMENT names the field. */
must_use struct status rules_organisation(struct arena *arena,
                                          Registry__V1__Organisation *organisation);

/* Commission Recommendation 2003/361/EC, Annex, article 2: headcount, and turnover or balance
 * sheet total, where a figure of 0 is not known and does not exclude. */
Registry__V1__SizeClass
rules_organisation_size_class(const Registry__V1__Organisation *organisation);

/* Who may change it.  PERMISSION_DENIED: it is verified and the caller's tenant is not the
 * host, or it is another tenant's. */
must_use struct status rules_organisation_may_change(struct arena *arena, bool verified,
                                                     const char *created_by_tenant,
                                                     const char *tenant_id,
                                                     bool tenant_is_host);

/* The word of a type in events' filters, rule sets and views: "hei_university"; "" for none. */
const char *rules_organisation_type_word(Registry__V1__OrganisationType type);

must_use struct status
rules_organisation_relation(struct arena *arena,
                            const Registry__V1__RelateOrganisationsRequest *request);

/* All names in lower case, one a line: what a search by part of a name looks into. */
must_use struct status rules_organisation_names(struct arena *arena,
                                                const Registry__V1__Organisation *organisation,
                                                const char **ret);
