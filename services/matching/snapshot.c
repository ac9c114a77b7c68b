#include "services/matching/snapshot.h"

void
snapshot_destroy(struct snapshot **snapshot)
{
    struct snapshot *gone = *snapshot;

    if (!gone)
        return;
    for (size_t i = 0; i < gone->segment_count; i++) {
        segment_drop(gone->segments[i].segment);
        free(gone->segments[i].dead);
    }
    vocabulary_drop(gone->vocabulary);
    free(gone->profiles_with);
    free(gone);
    *snapshot = NULL;
}

const struct profile *
snapshot_find(const struct snapshot *snapshot, enum kind kind, const struct uid *id)
{
    for (size_t i = 0; i < snapshot->segment_count; i++) {
        const struct snapshot_segment *at = &snapshot->segments[i];
        const uint32_t place = segment_find(at->segment, kind, id);

        if (place != SEGMENT_NONE && !snapshot_is_dead(at, place))
            return at->segment->profiles[place];
    }
    return NULL;
}

struct score_statistics
snapshot_statistics(const struct snapshot *snapshot)
{
    return (struct score_statistics){snapshot->vocabulary, snapshot->profiles_with,
                                     snapshot->term_count, snapshot->live};
}

static bool
known(const struct uid *tenants, size_t count, const struct uid *tenant)
{
    for (size_t i = count; i > 0; i--)
        if (uid_equal(&tenants[i - 1], tenant))
            return true;
    return false;
}

size_t
snapshot_tenants(const struct snapshot *snapshot, struct uid *into, size_t room)
{
    size_t count = 0;

    for (size_t i = 0; i < snapshot->segment_count; i++) {
        const struct snapshot_segment *at = &snapshot->segments[i];

        for (uint32_t j = 0; j < at->segment->count && count < room; j++) {
            const struct uid *tenant = &at->segment->profiles[j]->tenant;

            if (!snapshot_is_dead(at, j) && !known(into, count, tenant))
                into[count++] = *tenant;
        }
    }
    return count;
}
