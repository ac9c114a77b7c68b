#include "services/events/sources.h"

#include <stdlib.h>
#include <string.h>

#include "services/events/bytes.h"

#define BUCKETS 1024

struct entry {
    struct entry *next; /* in its bucket */
    uint64_t highest;
    char *source;
    char tenant_id[40];
};

struct sources {
    struct entry *buckets[BUCKETS];
    size_t count;
};

struct status
sources_create(struct sources **ret)
{
    struct sources *sources = calloc(1, sizeof *sources);

    TRY(need(sources));
    *ret = sources;
    return OK;
}

void
sources_clear(struct sources *sources)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while (sources->buckets[i]) {
            struct entry *gone = sources->buckets[i];

            sources->buckets[i] = gone->next;
            free(gone->source);
            free(gone);
        }
    sources->count = 0;
}

void
sources_destroy(struct sources **sources)
{
    struct sources *gone = take(sources);

    if (!gone)
        return;
    sources_clear(gone);
    free(gone);
}

/* Whoever fills a bucket slows the lookup of at most SOURCES_MAX names. */
static size_t
bucket_of(const char *tenant_id, const char *source)
{
    const uint64_t hash = bytes_hash(BYTES_HASH_START, tenant_id, strlen(tenant_id));

    return bytes_hash(hash, source, strlen(source)) % BUCKETS;
}

static struct entry *
find(const struct sources *sources, const char *tenant_id, const char *source)
{
    struct entry *entry = sources->buckets[bucket_of(tenant_id, source)];

    while (entry &&
           (strcmp(entry->source, source) != 0 || strcmp(entry->tenant_id, tenant_id) != 0))
        entry = entry->next;
    return entry;
}

bool
sources_is_new(const struct sources *sources, const char *tenant_id, const char *source,
               uint64_t batch_number)
{
    const struct entry *entry = find(sources, tenant_id, source);

    return entry && batch_number > entry->highest;
}

static struct entry *
add(struct sources *sources, const char *tenant_id, const char *source)
{
    struct entry **bucket = &sources->buckets[bucket_of(tenant_id, source)];
    struct entry *entry = calloc(1, sizeof *entry);
    char *copy = strdup(source);

    if (!entry || !copy || strlen(tenant_id) >= sizeof entry->tenant_id) {
        free(entry);
        free(copy);
        return NULL;
    }
    memcpy(entry->tenant_id, tenant_id, strlen(tenant_id) + 1);
    entry->source = copy;
    entry->next = *bucket;
    *bucket = entry;
    sources->count++;
    return entry;
}

void
sources_note(struct sources *sources, const char *tenant_id, const char *source,
             uint64_t batch_number)
{
    struct entry *entry = find(sources, tenant_id, source);

    if (!entry) {
        if (sources->count == SOURCES_MAX)
            sources_clear(sources);
        entry = add(sources, tenant_id, source);
    }
    if (entry && batch_number > entry->highest)
        entry->highest = batch_number; /* without memory it is looked up again */
}
