#include "services/events/streams.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096

struct entry {
    struct entry *next; /* in its bucket */
    struct store_stream stream;
    char tenant_id[40];
};

struct streams {
    struct entry *buckets[BUCKETS];
    size_t count;
};

struct status
streams_create(struct streams **ret)
{
    struct streams *streams = calloc(1, sizeof *streams);

    TRY(need(streams));
    *ret = streams;
    return OK;
}

void
streams_clear(struct streams *streams)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while (streams->buckets[i]) {
            struct entry *gone = streams->buckets[i];

            streams->buckets[i] = gone->next;
            free(gone);
        }
    streams->count = 0;
}

void
streams_destroy(struct streams **streams)
{
    struct streams *gone = take(streams);

    if (!gone)
        return;
    streams_clear(gone);
    free(gone);
}

static size_t
bucket_of(const char *tenant_id)
{
    return bytes_hash(BYTES_HASH_START, tenant_id, strlen(tenant_id)) % BUCKETS;
}

static struct entry *
find(const struct streams *streams, const char *tenant_id)
{
    struct entry *entry = streams->buckets[bucket_of(tenant_id)];

    while (entry && strcmp(entry->tenant_id, tenant_id) != 0)
        entry = entry->next;
    return entry;
}

const struct store_stream *
streams_find(const struct streams *streams, const char *tenant_id)
{
    const struct entry *entry = find(streams, tenant_id);

    return entry ? &entry->stream : NULL;
}

void
streams_note(struct streams *streams, const struct store_stream *stream)
{
    struct entry *entry = find(streams, stream->tenant_id);

    if (!entry) {
        struct entry **bucket = &streams->buckets[bucket_of(stream->tenant_id)];

        if (streams->count == STREAMS_MAX)
            streams_clear(streams);
        entry = calloc(1, sizeof *entry);
        if (!entry || strlen(stream->tenant_id) >= sizeof entry->tenant_id) {
            free(entry);
            return; /* it will be read again */
        }
        memcpy(entry->tenant_id, stream->tenant_id, strlen(stream->tenant_id) + 1);
        entry->next = *bucket;
        *bucket = entry;
        streams->count++;
    }
    entry->stream = *stream;
    entry->stream.tenant_id = entry->tenant_id;
}
