#include "services/registry/tenants/rules.h"

#include <ctype.h>
#include <string.h>

#include "common/base/uuid.h"
#include "services/registry/values/values.h"

#define NAME_LENGTH 200
#define SLUG_LEAST 2
#define SLUG_MOST 60
#define DEPLOYMENT_MOST 60
#define ID_TAIL 24 /* of an id: what follows is random */

static bool
slug_fits(const char *slug, size_t least, size_t most)
{
    const size_t length = strlen(slug);

    if (length < least || length > most || slug[0] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!islower((unsigned char)slug[i]) && !isdigit((unsigned char)slug[i]) &&
            slug[i] != '-')
            return false;
    return true;
}

struct status
rules_tenant(struct arena *arena, Registry__V1__Tenant *tenant)
{
    if (!slug_fits(tenant->slug, SLUG_LEAST, SLUG_MOST))
        return FAIL_FIELD(arena, "slug", "must be %d to %d characters of a-z, 0-9 and hyphens",
                          SLUG_LEAST, SLUG_MOST);
    TRY(values_line(arena, "name", &tenant->name, 1, NAME_LENGTH));
    TRY(values_id(arena, "home_organisation_id", tenant->home_organisation_id, false));
    if (strcmp(tenant->locale, "sv") != 0 && strcmp(tenant->locale, "fi") != 0 &&
        strcmp(tenant->locale, "en") != 0)
        return FAIL_FIELD(arena, "locale", "must be sv, fi or en");
    return OK;
}

struct status
rules_tenant_remote(struct arena *arena, const char *tenant_id, const char *deployment,
                    Registry__V1__Tenant **ret)
{
    const char *tail = tenant_id + ID_TAIL;
    Registry__V1__Tenant *tenant;

    if (!slug_fits(deployment, 1, DEPLOYMENT_MOST))
        return FAIL_FIELD(arena, "deployment",
                          "must be 1 to %d characters of a-z, 0-9 and hyphens",
                          DEPLOYMENT_MOST);
    TRY(need(tenant = ARENA_NEW(arena, Registry__V1__Tenant)));
    registry__v1__tenant__init(tenant);
    tenant->tenant_id = tenant_id;
    tenant->deployment = deployment;
    tenant->kind = REGISTRY__V1__TENANT_KIND__REMOTE;
    tenant->locale = "en";
    tenant->version = 1;
    TRY(need(tenant->slug =
                 arena_printf(arena, "%.*s-%s", SLUG_MOST - 1 - (UUID_SIZE - 1 - ID_TAIL),
                              deployment, tail)));
    TRY(need(tenant->name = arena_printf(arena, "%s (%s)", deployment, tail)));
    *ret = tenant;
    return OK;
}

struct status
rules_tenant_same(struct arena *arena, const Registry__V1__Tenant *found,
                  const Registry__V1__Tenant *wanted)
{
    if (found->kind != REGISTRY__V1__TENANT_KIND__REMOTE)
        return FAIL(arena, ALREADY_EXISTS, "%s is a tenant of this deployment",
                    found->tenant_id);
    if (strcmp(found->deployment, wanted->deployment) != 0)
        return FAIL(arena, ALREADY_EXISTS, "%s is a tenant of %s", found->tenant_id,
                    found->deployment);
    return OK;
}

struct status
rules_tenant_local(struct arena *arena, const Registry__V1__Tenant *tenant)
{
    if (tenant->kind == REGISTRY__V1__TENANT_KIND__REMOTE)
        return FAIL(arena, FAILED_PRECONDITION, "%s is a tenant of another deployment",
                    tenant->tenant_id);
    return OK;
}
