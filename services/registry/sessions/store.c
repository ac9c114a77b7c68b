#include "services/registry/sessions/store.h"

#include "services/registry/sessions/sessions.h"
#include "services/registry/sessions/sessions_sql.h"
#include "services/registry/values/columns.h"

#define SESSIONS_MOST 100

const struct pg_statement *const *const sessions_statements = SQL_STATEMENTS;

static struct pg_value
hash_of(const struct credential *credential)
{
    return pg_bytes(credential->hash, sizeof credential->hash);
}

struct status
store_session_tenant(struct pg_tx *tx, struct arena *arena, const char *id_or_slug,
                     const char **ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const char *id = "";

    TRY(pg_query(tx, &SQL_TENANT_ID, PG_IN(pg_text(id_or_slug)), &rows));
    if (!pg_next_row(&rows, arena, PG_OUT(pg_to_text(&id))))
        TRY(pg_rows_status(&rows));
    *ret = id;
    return OK;
}

struct status
store_session_insert(struct pg_tx *tx, struct arena *arena, const char *id,
                     const struct credential *credential, const char *account_id,
                     uint64_t lifetime_ms, uint64_t *ret_expires_unix_ms)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_EXPIRE, PG_IN(pg_text(credential->tenant_id), pg_text(account_id)),
                 NULL));
    TRY(pg_query(tx, &SQL_INSERT,
                 PG_IN(pg_text(credential->tenant_id), pg_text(id), hash_of(credential),
                       pg_text(account_id), pg_i64((int64_t)lifetime_ms)),
                 &rows));
    return pg_one_row(&rows, arena, PG_OUT(pg_to_u64(ret_expires_unix_ms)));
}

static struct status
unknown(struct arena *arena)
{
    return FAIL(arena, UNAUTHENTICATED, "the credential is not valid");
}

static struct status
resolve_session(struct pg_tx *tx, struct arena *arena, const struct credential *credential,
                uint64_t idle_ms, Registry__V1__ResolveCredentialReply *reply)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Wire__V1__Principal *principal = reply->principal;
    int64_t *roles;
    size_t count;
    int *list;

    TRY(pg_query(
        tx, &SQL_RESOLVE_SESSION,
        PG_IN(pg_text(credential->tenant_id), hash_of(credential), pg_i64((int64_t)idle_ms)),
        &rows));
    if (!pg_next_row(&rows, arena,
                     PG_OUT(pg_to_text(&principal->subject_id), pg_to_i64s(&roles, &count),
                            pg_to_text(&principal->person_id),
                            pg_to_text(&principal->organisation_id),
                            pg_to_u64(&reply->expires_unix_ms), pg_to_text(&reply->language),
                            pg_to_text(&reply->display_name)))) {
        TRY(pg_rows_status(&rows));
        return unknown(arena);
    }
    TRY(enum_column_read(arena, roles, count, &list));
    principal->kind = WIRE__V1__PRINCIPAL__KIND__PERSON;
    principal->roles = (Wire__V1__Role *)list;
    principal->n_roles = count;
    return OK;
}

static struct status
resolve_system(struct pg_tx *tx, struct arena *arena, const struct credential *credential,
               Registry__V1__ResolveCredentialReply *reply)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Wire__V1__Principal *principal = reply->principal;

    TRY(pg_query(tx, &SQL_RESOLVE_SYSTEM,
                 PG_IN(pg_text(credential->tenant_id), hash_of(credential)), &rows));
    if (!pg_next_row(&rows, arena,
                     PG_OUT(pg_to_text(&principal->subject_id),
                            pg_to_u64(&reply->expires_unix_ms),
                            pg_to_text(&reply->display_name)))) {
        TRY(pg_rows_status(&rows));
        return unknown(arena);
    }
    TRY(need(principal->roles = ARENA_ARRAY(arena, Wire__V1__Role, 1)));
    principal->roles[0] = WIRE__V1__ROLE__SYSTEM;
    principal->n_roles = 1;
    principal->kind = WIRE__V1__PRINCIPAL__KIND__SYSTEM;
    return OK;
}

struct status
store_session_resolve(struct pg_tx *tx, struct arena *arena,
                      const struct credential *credential, uint64_t idle_ms,
                      Registry__V1__ResolveCredentialReply *reply)
{
    TRY(need(reply->principal = ARENA_NEW(arena, Wire__V1__Principal)));
    wire__v1__principal__init(reply->principal);
    TRY(need(reply->principal->tenant_id = arena_copy(arena, credential->tenant_id)));
    if (credential->kind == CREDENTIAL_SYSTEM)
        return resolve_system(tx, arena, credential, reply);
    return resolve_session(tx, arena, credential, idle_ms, reply);
}

struct status
store_session_remove(struct pg_tx *tx, const struct credential *credential)
{
    return pg_query(tx, &SQL_REMOVE, PG_IN(pg_text(credential->tenant_id), hash_of(credential)),
                    NULL);
}

struct status
store_session_revoke(struct pg_tx *tx, struct arena *arena, const char *id,
                     const char *account_id)
{
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_REVOKE,
                   PG_IN(pg_text(tx->scope.tenant_id), pg_text(id), pg_text(account_id)),
                   &touched));
    return touched ? OK : FAIL(arena, NOT_FOUND, "there is no session %s of yours", id);
}

struct status
store_session_list(struct pg_tx *tx, struct arena *arena, const char *account_id,
                   Registry__V1__Session ***ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Registry__V1__Session **list;
    size_t count = 0;

    TRY(need(list = ARENA_ARRAY(arena, Registry__V1__Session *, SESSIONS_MOST)));
    TRY(pg_query(tx, &SQL_LIST, PG_IN(pg_text(tx->scope.tenant_id), pg_text(account_id)),
                 &rows));
    while (count < SESSIONS_MOST) {
        Registry__V1__Session *session;

        TRY(need(session = ARENA_NEW(arena, Registry__V1__Session)));
        registry__v1__session__init(session);
        if (!pg_next_row(&rows, arena,
                         PG_OUT(pg_to_text(&session->session_id),
                                pg_to_text(&session->tenant_id),
                                pg_to_u64(&session->created_unix_ms),
                                pg_to_u64(&session->last_used_unix_ms),
                                pg_to_u64(&session->expires_unix_ms))))
            break;
        list[count++] = session;
    }
    TRY(pg_rows_status(&rows));
    *ret = list;
    *ret_count = count;
    return OK;
}
