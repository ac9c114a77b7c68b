#include "services/gateway/limit.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct bucket {
    uint64_t key; /* 0: free */
    struct mono since;
    double tokens;
};

struct limits {
    unsigned char seed[crypto_shorthash_KEYBYTES]; /* so that nobody can aim at a place */
    struct bucket buckets[LIMIT_BUCKETS];
};

struct status
limits_create(struct arena *arena, struct limits **ret)
{
    struct limits *limits = calloc(1, sizeof *limits);

    (void)arena;
    TRY(need(limits));
    randombytes_buf(limits->seed, sizeof limits->seed);
    *ret = limits;
    return OK;
}

void
limits_destroy(struct limits **limits)
{
    free(take(limits));
}

static uint64_t
hash_key(const struct limits *limits, char kind, const char *key, size_t key_size)
{
    unsigned char input[128] = {(unsigned char)kind};
    const size_t size = key_size < sizeof input - 1 ? key_size : sizeof input - 1;
    uint64_t hash;

    memcpy(input + 1, key, size);
    crypto_shorthash((unsigned char *)&hash, input, size + 1, limits->seed);
    return hash ? hash : 1;
}

/* The key's bucket, or the one of its places that has rested longest, emptied for it. */
static struct bucket *
find(struct limits *limits, uint64_t key, struct limit limit, struct mono now)
{
    struct bucket *first = &limits->buckets[key % (LIMIT_BUCKETS / LIMIT_WAYS) * LIMIT_WAYS];
    struct bucket *oldest = first;

    for (size_t i = 0; i < LIMIT_WAYS; i++) {
        if (first[i].key == key)
            return &first[i];
        if (first[i].key == 0 || (oldest->key != 0 && first[i].since.ns < oldest->since.ns))
            oldest = &first[i];
    }
    *oldest = (struct bucket){key, now, (double)limit.burst};
    return oldest;
}

bool
limits_take(struct limits *limits, char kind, const char *key, size_t key_size,
            struct limit limit, struct mono now, uint32_t *ret_left, uint32_t *ret_retry_ms)
{
    struct bucket *bucket = find(limits, hash_key(limits, kind, key, key_size), limit, now);
    const double per_ms = (double)limit.rate / (double)limit.per_ms;
    const double passed_ms = (double)(now.ns - bucket->since.ns) / 1e6;

    bucket->tokens += passed_ms * per_ms;
    if (bucket->tokens > (double)limit.burst)
        bucket->tokens = (double)limit.burst;
    bucket->since = now;
    if (bucket->tokens < 1) {
        *ret_left = 0;
        *ret_retry_ms = (uint32_t)((1 - bucket->tokens) / per_ms) + 1;
        return false;
    }
    bucket->tokens -= 1;
    *ret_left = (uint32_t)bucket->tokens;
    return true;
}
