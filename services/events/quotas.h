#pragma once

/* What each key uses of this instance, so that no system takes what is everybody's.  The
 * stream's thread. */

#include "common/base/clock.h"
#include "services/events/rules.h"

/* A token bucket that holds a second's worth.  What is taken at once may be more than it holds:
 * then the next has to wait for longer. */
struct bucket {
    double tokens;
    struct mono filled;
};

/* What holds for a key: its own limit, or else the usual one; 0: none, because it is ours. */
uint32_t quota_limit(const struct rights *rights, uint32_t own, uint32_t usual);

void bucket_fill(struct bucket *bucket, uint32_t per_second, struct mono now);
/* 0: something may be taken now. */
int bucket_wait_ms(const struct bucket *bucket, uint32_t per_second);

struct quota {
    struct quota *next; /* in its bucket of the table */
    char user_id[64];
    uint32_t follows;
    uint32_t appends; /* batches under way */
    size_t append_bytes;
    struct bucket sent, appended; /* events */
};

struct quotas;

must_use struct status quotas_create(struct quotas **ret);
void quotas_destroy(struct quotas **quotas);

/* Made where there is none; NULL: no memory.  Lives while something of it is in use. */
struct quota *quotas_get(struct quotas *quotas, const char *user_id, struct mono now);
/* Forgets those of which nothing is in use. */
void quotas_sweep(struct quotas *quotas, struct mono now);
