#include "services/registry/tenants/rules.h"

#include <ctype.h>
#include <string.h>

#include "services/registry/values/values.h"

#define NAME_LENGTH 200
#define SLUG_LEAST 2
#define SLUG_MOST 60

static bool
slug_fits(const char *slug)
{
    const size_t length = strlen(slug);

    if (length < SLUG_LEAST || length > SLUG_MOST || slug[0] == '-')
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
    if (!slug_fits(tenant->slug))
        return FAIL_FIELD(arena, "slug", "must be %d to %d characters of a-z, 0-9 and hyphens",
                          SLUG_LEAST, SLUG_MOST);
    TRY(values_line(arena, "name", &tenant->name, 1, NAME_LENGTH));
    TRY(values_id(arena, "home_organisation_id", tenant->home_organisation_id, false));
    if (strcmp(tenant->locale, "sv") != 0 && strcmp(tenant->locale, "fi") != 0 &&
        strcmp(tenant->locale, "en") != 0)
        return FAIL_FIELD(arena, "locale", "must be sv, fi or en");
    return OK;
}
