#include "services/registry/systems/store.h"

#include "services/registry/systems/systems.h"
#include "services/registry/systems/systems_sql.h"

const struct pg_statement *const *const systems_statements = SQL_STATEMENTS;

struct status
store_system_insert(struct pg_tx *tx, const Registry__V1__System *system,
                    const uint8_t *token_hash, size_t hash_size)
{
    return pg_query(
        tx, &SQL_INSERT,
        PG_IN(pg_text(tx->scope.tenant_id), pg_text(system->system_id), pg_text(system->name),
              pg_text_or_null(system->curve_public_key), pg_bytes(token_hash, hash_size),
              pg_texts(system->types, system->n_types),
              pg_i64((int64_t)system->expires_unix_ms),
              pg_texts(system->append_types, system->n_append_types),
              pg_i64(system->limits->follows), pg_i64(system->limits->events_per_second),
              pg_i64(system->limits->appends_per_second), pg_bool(system->public_only)),
        NULL);
}

struct status
store_system_update(struct pg_tx *tx, struct arena *arena, Registry__V1__System *system,
                    uint64_t expected_version)
{
    uint64_t touched;

    TRY(pg_execute(
        tx, &SQL_UPDATE,
        PG_IN(pg_text(tx->scope.tenant_id), pg_text(system->system_id), pg_text(system->name),
              pg_texts(system->types, system->n_types),
              pg_i64((int64_t)system->expires_unix_ms),
              pg_texts(system->append_types, system->n_append_types),
              pg_i64(system->limits->follows), pg_i64(system->limits->events_per_second),
              pg_i64(system->limits->appends_per_second), pg_i64((int64_t)expected_version)),
        &touched));
    if (touched == 0)
        return FAIL(arena, VERSION_MISMATCH, "the system has changed since version %llu",
                    (unsigned long long)expected_version);
    system->version = expected_version + 1;
    return OK;
}

/* *ret is NULL after the last row. */
static struct status
next_row(struct pg_rows *rows, struct arena *arena, Registry__V1__System **ret)
{
    Registry__V1__System *system = ARENA_NEW(arena, Registry__V1__System);
    Registry__V1__SystemLimits *limits = ARENA_NEW(arena, Registry__V1__SystemLimits);
    bool revoked, public_only;

    TRY(need(system));
    TRY(need(limits));
    registry__v1__system__init(system);
    registry__v1__system_limits__init(limits);
    system->limits = limits;
    if (!pg_next_row(rows, arena,
                     PG_OUT(pg_to_text(&system->system_id), pg_to_text(&system->name),
                            pg_to_text(&system->curve_public_key),
                            pg_to_texts(&system->types, &system->n_types),
                            pg_to_u64(&system->expires_unix_ms), pg_to_bool(&revoked),
                            pg_to_u64(&system->version),
                            pg_to_texts(&system->append_types, &system->n_append_types),
                            pg_to_u32(&limits->follows), pg_to_u32(&limits->events_per_second),
                            pg_to_u32(&limits->appends_per_second),
                            pg_to_bool(&public_only)))) {
        *ret = NULL;
        return pg_rows_status(rows);
    }
    system->revoked = revoked;
    system->public_only = public_only;
    *ret = system;
    return OK;
}

struct status
store_system_get(struct pg_tx *tx, struct arena *arena, const char *id,
                 Registry__V1__System **ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Registry__V1__System *system;

    TRY(pg_query(tx, &SQL_GET, PG_IN(pg_text(tx->scope.tenant_id), pg_text(id)), &rows));
    TRY(next_row(&rows, arena, &system));
    if (!system)
        return FAIL(arena, NOT_FOUND, "there is no system %s", id);
    *ret = system;
    return OK;
}

struct status
store_system_revoke(struct pg_tx *tx, struct arena *arena, const char *id,
                    uint64_t expected_version)
{
    uint64_t touched;

    TRY(pg_execute(
        tx, &SQL_REVOKE,
        PG_IN(pg_text(tx->scope.tenant_id), pg_text(id), pg_i64((int64_t)expected_version)),
        &touched));
    if (touched == 0)
        return FAIL(arena, VERSION_MISMATCH, "the system has changed since version %llu",
                    (unsigned long long)expected_version);
    return OK;
}

struct status
store_system_list(struct pg_tx *tx, struct arena *arena, const char *before_id, uint32_t limit,
                  Registry__V1__System ***ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Registry__V1__System **list;
    size_t count = 0;

    TRY(need(list = ARENA_ARRAY(arena, Registry__V1__System *, limit)));
    TRY(pg_query(tx, &SQL_LIST,
                 PG_IN(pg_text(tx->scope.tenant_id), pg_text_or_null(before_id), pg_i64(limit)),
                 &rows));
    while (count < limit) {
        TRY(next_row(&rows, arena, &list[count]));
        if (!list[count])
            break;
        count++;
    }
    *ret = list;
    *ret_count = count;
    return OK;
}
