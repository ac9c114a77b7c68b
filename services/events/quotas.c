#include "services/events/quotas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024
#define IDLE_MS 2000 /* by then every bucket is full again */

struct quotas {
    struct quota *buckets[BUCKETS];
};

uint32_t
quota_limit(const struct rights *rights, uint32_t own, uint32_t usual)
{
    if (rights->all)
        return 0;
    return own ? own : usual;
}

void
bucket_fill(struct bucket *bucket, uint32_t per_second, struct mono now)
{
    const double seconds = (double)mono_micros_between(bucket->filled, now) / 1e6;

    bucket->tokens += seconds * per_second;
    if (bucket->tokens > per_second)
        bucket->tokens = per_second;
    bucket->filled = now;
}

int
bucket_wait_ms(const struct bucket *bucket, uint32_t per_second)
{
    if (bucket->tokens > 0 || !per_second)
        return 0;
    return 1 + (int)(-bucket->tokens * 1000 / per_second);
}

struct status
quotas_create(struct quotas **ret)
{
    struct quotas *quotas = calloc(1, sizeof *quotas);

    TRY(need(quotas));
    *ret = quotas;
    return OK;
}

void
quotas_destroy(struct quotas **quotas)
{
    struct quotas *gone = take(quotas);

    if (!gone)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (gone->buckets[i]) {
            struct quota *quota = gone->buckets[i];

            gone->buckets[i] = quota->next;
            free(quota);
        }
    free(gone);
}

/* Ids are ours or a registry's, not the peer's to choose. */
static struct quota **
bucket_of(struct quotas *quotas, const char *user_id)
{
    return &quotas->buckets[bytes_hash(BYTES_HASH_START, user_id, strlen(user_id)) % BUCKETS];
}

struct quota *
quotas_get(struct quotas *quotas, const char *user_id, struct mono now)
{
    struct quota **bucket = bucket_of(quotas, user_id);
    struct quota *quota = *bucket;

    while (quota && strcmp(quota->user_id, user_id) != 0)
        quota = quota->next;
    if (quota)
        return quota;
    quota = calloc(1, sizeof *quota);
    if (!quota)
        return NULL;
    (void)snprintf(quota->user_id, sizeof quota->user_id, "%s", user_id);
    /* Full: as if nothing had been taken for long. */
    quota->sent.filled = quota->appended.filled = mono_add_ms(now, -IDLE_MS);
    quota->next = *bucket;
    *bucket = quota;
    return quota;
}

static bool
is_idle(const struct quota *quota, struct mono now)
{
    return !quota->follows && !quota->appends &&
           mono_left_ms(mono_add_ms(quota->sent.filled, IDLE_MS), now) == 0 &&
           mono_left_ms(mono_add_ms(quota->appended.filled, IDLE_MS), now) == 0;
}

void
quotas_sweep(struct quotas *quotas, struct mono now)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        struct quota **link = &quotas->buckets[i];

        while (*link) {
            struct quota *quota = *link;

            if (!is_idle(quota, now)) {
                link = &quota->next;
                continue;
            }
            *link = quota->next;
            free(quota);
        }
    }
}
