#include "services/registry/sessions/rules.h"

#include <string.h>

struct status
rules_session_tenant(struct arena *arena, const char *wanted, const char *const *tenant_ids,
                     size_t count, const char **ret)
{
    if (!*wanted && count > 1)
        return FAIL_FIELD(arena, "tenant", "must be given: the account belongs to %zu", count);
    for (size_t i = 0; i < count; i++)
        if (!*wanted || strcmp(wanted, tenant_ids[i]) == 0) {
            *ret = tenant_ids[i];
            return OK;
        }
    return FAIL(arena, UNAUTHENTICATED, "the address, the password or the tenant is wrong");
}
