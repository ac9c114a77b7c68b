#include "services/registry/accounts/store.h"

#include "services/registry/accounts/accounts.h"
#include "services/registry/accounts/accounts_sql.h"
#include "services/registry/values/columns.h"

const struct pg_statement *const *const accounts_statements = SQL_STATEMENTS;

_Static_assert(sizeof(Wire__V1__Role) == sizeof(int), "roles are read as a list of int");

struct status
store_account_find(struct pg_tx *tx, struct arena *arena, const char *email_folded,
                   struct account_login *ret, bool *ret_found)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct account_login login = {0};

    TRY(pg_query(tx, &SQL_FIND_BY_EMAIL, PG_IN(pg_text(email_folded)), &rows));
    *ret_found = pg_next_row(
        &rows, arena,
        PG_OUT(pg_to_text(&login.id), pg_to_text(&login.email), pg_to_text(&login.display_name),
               pg_to_text(&login.password_hash), pg_to_text(&login.language),
               pg_to_texts(&login.tenant_ids, &login.tenant_count), pg_to_bool(&login.locked),
               pg_to_u32(&login.failures)));
    if (!*ret_found)
        return pg_rows_status(&rows);
    *ret = login;
    return OK;
}

static struct status
put_membership(struct pg_tx *tx, struct arena *arena, const char *account_id,
               const struct account_entry *entry)
{
    int64_t *roles;

    TRY(enum_column_make(arena, (const int *)entry->roles, entry->role_count, &roles));
    TRY(pg_query(tx, &SQL_PUT_MEMBERSHIP,
                 PG_IN(pg_text(tx->scope.tenant_id), pg_text(account_id),
                       pg_i64s(roles, entry->role_count), pg_text_or_null(entry->person_id),
                       pg_text_or_null(entry->organisation_id)),
                 NULL));
    TRY(pg_query(tx, &SQL_JOIN_TENANT, PG_IN(pg_text(account_id), pg_text(tx->scope.tenant_id)),
                 NULL));
    if (!*entry->person_id)
        return OK;
    return pg_query(
        tx, &SQL_CLAIM_PROFILE,
        PG_IN(pg_text(tx->scope.tenant_id), pg_text(account_id), pg_text(entry->person_id)),
        NULL);
}

struct status
store_account_put(struct pg_tx *tx, struct arena *arena, const char *id,
                  const struct account_entry *entry, const char *password_hash,
                  const char **ret_account_id)
{
    struct account_login login;
    bool found;

    TRY(pg_query(tx, &SQL_INSERT,
                 PG_IN(pg_text(id), pg_text(entry->email), pg_text(entry->email_folded),
                       pg_text(entry->display_name), pg_text(password_hash),
                       pg_text(entry->language)),
                 NULL));
    TRY(store_account_find(tx, arena, entry->email_folded, &login, &found));
    if (!found)
        return FAIL(arena, ABORTED, "the account was removed meanwhile");
    TRY(put_membership(tx, arena, login.id, entry));
    *ret_account_id = login.id;
    return OK;
}

struct status
store_account_get(struct pg_tx *tx, struct arena *arena, const char *account_id,
                  Registry__V1__Account **ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Registry__V1__Account *account = ARENA_NEW(arena, Registry__V1__Account);
    int64_t *roles;
    size_t count;
    int *list;

    TRY(need(account));
    registry__v1__account__init(account);
    TRY(pg_query(tx, &SQL_GET, PG_IN(pg_text(tx->scope.tenant_id), pg_text(account_id)),
                 &rows));
    if (!pg_next_row(&rows, arena,
                     PG_OUT(pg_to_text(&account->account_id), pg_to_text(&account->email),
                            pg_to_text(&account->display_name), pg_to_text(&account->language),
                            pg_to_i64s(&roles, &count), pg_to_text(&account->person_id),
                            pg_to_text(&account->organisation_id),
                            pg_to_u64(&account->version)))) {
        TRY(pg_rows_status(&rows));
        return FAIL(arena, NOT_FOUND, "there is no account %s in this tenant", account_id);
    }
    TRY(enum_column_read(arena, roles, count, &list));
    account->roles = (Wire__V1__Role *)list;
    account->n_roles = count;
    *ret = account;
    return OK;
}

struct status
store_account_holders(struct pg_tx *tx, struct arena *arena, Wire__V1__Role role,
                      const char ***ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const char **list;
    size_t count = 0;

    TRY(pg_query(tx, &SQL_ROLE_HOLDERS, PG_IN(pg_text(tx->scope.tenant_id), pg_i64(role)),
                 &rows));
    TRY(need(list = ARENA_ARRAY(arena, const char *, rows.count + 1)));
    while (count < rows.count && pg_next_row(&rows, arena, PG_OUT(pg_to_text(&list[count]))))
        count++;
    TRY(pg_rows_status(&rows));
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_account_set_roles(struct pg_tx *tx, struct arena *arena, const char *account_id,
                        const Wire__V1__Role *roles, size_t count, uint64_t expected_version)
{
    const struct pg_value tenant = pg_text(tx->scope.tenant_id);
    const struct pg_value version = pg_i64((int64_t)expected_version);
    uint64_t touched;
    int64_t *column;

    TRY(enum_column_make(arena, (const int *)roles, count, &column));
    if (count > 0) {
        TRY(pg_execute(tx, &SQL_SET_ROLES,
                       PG_IN(tenant, pg_text(account_id), pg_i64s(column, count), version),
                       &touched));
    } else {
        TRY(pg_query(tx, &SQL_RELEASE_PROFILE, PG_IN(tenant, pg_text(account_id)), NULL));
        TRY(pg_execute(tx, &SQL_DROP_MEMBERSHIP, PG_IN(tenant, pg_text(account_id), version),
                       &touched));
        TRY(pg_query(tx, &SQL_LEAVE_TENANT, PG_IN(pg_text(account_id), tenant), NULL));
    }
    if (touched == 0)
        return FAIL(arena, VERSION_MISMATCH,
                    "the account's roles have changed since version %llu",
                    (unsigned long long)expected_version);
    return OK;
}

struct status
store_account_note(struct pg_tx *tx, const char *account_id, bool success)
{
    return pg_query(tx, success ? &SQL_NOTE_SUCCESS : &SQL_NOTE_FAILURE,
                    PG_IN(pg_text(account_id)), NULL);
}
