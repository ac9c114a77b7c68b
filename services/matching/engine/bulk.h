#pragma once

/* Large arrays: zeroed, aligned to 64 bytes, on huge pages where the system has them, because
 * a query reads a few bytes at thousands of places. */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"

struct bulk {
    void *memory; /* NULL: empty */
    size_t size;  /* bytes mapped */
};

/* false: there is no memory. */
must_use bool bulk_create(struct bulk *bulk, size_t count, size_t size);
void bulk_clear(struct bulk *bulk);
