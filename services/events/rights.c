#include "services/events/rights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/keys.h"

#define TABLE_BYTES ((size_t)64 << 20)
#define SYSTEM_PREFIX "system:"

static struct status
copy_system(const struct store_system *from, struct arena *arena, struct store_system *ret)
{
    struct store_system system = *from;

    TRY(need(system.system_id = arena_copy(arena, from->system_id)));
    TRY(rules_copy_rights(&from->rights, arena, &system.rights));
    *ret = system;
    return OK;
}

struct status
rights_read(struct pg_tx *tx, struct rights_table **ret)
{
    scoped(rights_destroy) struct rights_table *table = calloc(1, sizeof *table);
    struct store_system *systems;
    size_t count;

    TRY(need(table));
    arena_init(&table->arena, TABLE_BYTES);
    TRY(store_systems(tx, &systems, &count));
    TRY(need(table->systems = ARENA_ARRAY(&table->arena, struct store_system, count + 1)));
    for (size_t i = 0; i < count; i++)
        TRY(copy_system(&systems[i], &table->arena, &table->systems[i]));
    table->count = count;
    *ret = take(&table);
    return OK;
}

void
rights_destroy(struct rights_table **table)
{
    struct rights_table *gone = take(table);

    if (!gone)
        return;
    arena_fini(&gone->arena);
    free(gone);
}

bool
rights_equal(const struct rights_table *a, const struct rights_table *b)
{
    if (!a || !b || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->systems[i].system_id, b->systems[i].system_id) != 0 ||
            !rules_rights_equal(&a->systems[i].rights, &b->systems[i].rights))
            return false;
    return true;
}

static int
compare(const void *id, const void *system)
{
    return strcmp(id, ((const struct store_system *)system)->system_id);
}

const struct rights *
rights_find(const struct rights_table *table, const char *user_id, struct wall now)
{
    static const struct rights everything = {.all = true};
    const struct store_system *system;

    if (strncmp(user_id, "service:", 8) == 0 || strncmp(user_id, "operator:", 9) == 0)
        return &everything;
    if (!table || strncmp(user_id, SYSTEM_PREFIX, strlen(SYSTEM_PREFIX)) != 0)
        return NULL;
    system = bsearch(user_id + strlen(SYSTEM_PREFIX), table->systems, table->count,
                     sizeof *table->systems, compare);
    return system && !rules_expired(&system->rights, now.unix_ms) ? &system->rights : NULL;
}

struct status
rights_own_peers(const char *key_folder, struct arena *arena,
                 struct zap_peer ret[RIGHTS_OWN_MAX], size_t *ret_count)
{
    static const char *const names[][2] = {
        {"registry", "service:registry"}, {"matching", "service:matching"},
        {"events", "service:events"},     {"notifications", "service:notifications"},
        {"gateway", "service:gateway"},   {"operator", "operator:operator"},
    };
    size_t count = 0;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct zap_peer *peer = &ret[count];
        const struct status status = key_public_load(key_folder, names[i][0], arena, peer->key);

        if (status.code == CODE_NOT_FOUND)
            continue; /* the frame has said so */
        TRY(status);
        (void)snprintf(peer->name, sizeof peer->name, "%s", names[i][1]);
        peer->expires_unix_ms = 0;
        count++;
    }
    *ret_count = count;
    return OK;
}

struct status
rights_admit(struct zap *zap, const struct zap_peer *own, size_t own_count,
             const struct rights_table *table)
{
    const size_t systems = table ? table->count : 0;
    struct zap_peer *peers = calloc(own_count + systems + 1, sizeof *peers);
    size_t count = own_count;
    struct status status;

    TRY(need(peers));
    if (own_count)
        memcpy(peers, own, own_count * sizeof *peers);
    for (size_t i = 0; i < systems; i++) {
        const struct store_system *system = &table->systems[i];

        if (!key_text_valid(system->rights.key))
            continue; /* such a key can open no connection */
        (void)snprintf(peers[count].name, sizeof peers[count].name, SYSTEM_PREFIX "%s",
                       system->system_id);
        (void)snprintf(peers[count].key, sizeof peers[count].key, "%s", system->rights.key);
        peers[count++].expires_unix_ms = system->rights.expires_unix_ms;
    }
    status = zap_set_peers(zap, RIGHTS_DOMAIN, peers, count);
    free(peers);
    return status;
}
