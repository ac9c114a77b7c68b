#pragma once

/* UUIDs as sixteen bytes, for an index that holds many of them.  Their order as bytes is their
 * order as text. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/uuid.h"

struct uid {
    uint8_t bytes[16];
};

/* false: not a UUID in lower case. */
bool uid_parse(const char *text, struct uid *ret);
void uid_format(const struct uid *uid, char ret[UUID_SIZE]);

static inline int
uid_compare(const struct uid *a, const struct uid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

/* The same for qsort and bsearch. */
static inline int
uid_order(const void *a, const void *b)
{
    return uid_compare(a, b);
}

static inline bool
uid_equal(const struct uid *a, const struct uid *b)
{
    return uid_compare(a, b) == 0;
}

bool uid_is_zero(const struct uid *uid);
