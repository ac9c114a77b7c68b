#include "services/matching/snapshot.h"

#include "services/matching/facts.h"
#include "services/matching/index.h"

void
snapshot_destroy(struct snapshot **snapshot)
{
    struct snapshot *gone = take(snapshot);

    if (!gone)
        return;
    if (gone->index)
        index_give_back(&gone->index, &gone->version);
    vocabulary_drop(gone->vocabulary);
    free(gone->profiles_with);
    free(gone->own_with);
    free(gone);
}

struct key {
    enum kind kind;
    const struct uid *id;
};

static bool
is_key(void *context, void *item)
{
    const struct key *key = context;
    const struct profile *profile = item;

    return profile->kind == key->kind && uid_equal(&profile->id, key->id);
}

const struct profile *
snapshot_find(const struct snapshot *snapshot, enum kind kind, const struct uid *id)
{
    struct key key = {kind, id};
    struct place place;

    return version_find(snapshot->version, facts_id(kind, id), is_key, &key, &place)
               ? place_item(&place)
               : NULL;
}

struct score_statistics
snapshot_statistics(const struct snapshot *snapshot)
{
    return (struct score_statistics){snapshot->vocabulary, snapshot->profiles_with,
                                     snapshot->term_count, snapshot->live};
}

struct visit {
    bool (*visit)(void *context, const struct profile *profile);
    void *context;
};

static bool
visit_one(void *context, const struct place *place)
{
    const struct visit *visit = context;

    return visit->visit(visit->context, place_item(place));
}

void
snapshot_each(const struct snapshot *snapshot, unsigned kinds,
              bool (*visit)(void *context, const struct profile *profile), void *context)
{
    struct visit own = {visit, context};

    version_each(snapshot->version, kinds ? facts_kind_classes(kinds) : 0, visit_one, &own);
}

struct tenants {
    struct uid *items;
    size_t count, room;
};

static bool
add_tenant(void *context, const struct profile *profile)
{
    struct tenants *tenants = context;

    for (size_t i = tenants->count; i > 0; i--)
        if (uid_equal(&tenants->items[i - 1], &profile->tenant))
            return true;
    tenants->items[tenants->count++] = profile->tenant;
    return tenants->count < tenants->room;
}

size_t
snapshot_tenants(const struct snapshot *snapshot, struct uid *into, size_t room)
{
    struct tenants tenants = {into, 0, room};

    if (room > 0)
        snapshot_each(snapshot, 0, add_tenant, &tenants);
    return tenants.count;
}
