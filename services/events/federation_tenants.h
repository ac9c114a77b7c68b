#pragma once

/* Which tenants of a peer registry has admitted or refused, as far as this thread has asked. */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/uuid.h"

#define FEDERATION_TENANTS_MAX 1000 /* of one peer; registry keeps to it too */

struct federation_tenants {
    struct {
        char id[UUID_SIZE];
        bool admitted;
    } items[FEDERATION_TENANTS_MAX];
    size_t count;
    size_t last; /* found last: events of a tenant stand together */
};

void federation_tenants_clear(struct federation_tenants *tenants);
/* False: not known yet. */
bool federation_tenants_find(struct federation_tenants *tenants, const char *id,
                             bool *ret_admitted);
/* False: there are too many. */
bool federation_tenants_add(struct federation_tenants *tenants, const char *id, bool admitted);
