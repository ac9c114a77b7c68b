#pragma once

/* Token buckets in a table of bounded size: a stranger who finds no free place takes that of
 * the bucket that has rested longest, so memory is flat whatever the number of callers. */

#include "common/base/clock.h"
#include "common/base/status.h"

#define LIMIT_BUCKETS 16384
#define LIMIT_WAYS 8 /* places in which one key may stand */

struct limits;

must_use struct status limits_create(struct arena *arena, struct limits **ret);
void limits_destroy(struct limits **limits);

struct limit {
    uint64_t rate; /* tokens in per_ms */
    uint64_t per_ms;
    uint64_t burst; /* tokens a full bucket holds */
};

/* Takes one token of the bucket that `kind` and `key` name.  False: none is there; ret_retry_ms
 * says when.  ret_left gets the whole tokens left. */
bool limits_take(struct limits *limits, char kind, const char *key, size_t key_size,
                 struct limit limit, struct mono now, uint32_t *ret_left,
                 uint32_t *ret_retry_ms);
