#include "services/events/federation_tenants.h"

#include <stdio.h>
#include <string.h>

void
federation_tenants_clear(struct federation_tenants *tenants)
{
    tenants->count = tenants->last = 0;
}

bool
federation_tenants_find(struct federation_tenants *tenants, const char *id, bool *ret_admitted)
{
    size_t i = tenants->last;

    if (i >= tenants->count || strcmp(tenants->items[i].id, id) != 0)
        for (i = 0; i < tenants->count && strcmp(tenants->items[i].id, id) != 0;)
            i++;
    if (i == tenants->count)
        return false;
    tenants->last = i;
    *ret_admitted = tenants->items[i].admitted;
    return true;
}

bool
federation_tenants_add(struct federation_tenants *tenants, const char *id, bool admitted)
{
    if (tenants->count == FEDERATION_TENANTS_MAX)
        return false;
    (void)snprintf(tenants->items[tenants->count].id, UUID_SIZE, "%s", id);
    tenants->items[tenants->count].admitted = admitted;
    tenants->last = tenants->count++;
    return true;
}
