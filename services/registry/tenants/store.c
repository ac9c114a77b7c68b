#include "services/registry/tenants/store.h"

#include "services/registry/tenants/tenants.h"
#include "services/registry/tenants/tenants_sql.h"

const struct pg_statement *const *const tenants_statements = SQL_STATEMENTS;

struct status
store_tenant_insert(struct pg_tx *tx, const Registry__V1__Tenant *tenant)
{
    return pg_query(tx, &SQL_INSERT,
                    PG_IN(pg_text(tenant->tenant_id), pg_text(tenant->slug),
                          pg_text(tenant->name), pg_text(tenant->locale), pg_bool(tenant->host),
                          pg_text_or_null(tenant->home_organisation_id)),
                    NULL);
}

struct status
store_tenant_admit(struct pg_tx *tx, const Registry__V1__Tenant *tenant, uint32_t most)
{
    return pg_query(tx, &SQL_ADMIT,
                    PG_IN(pg_text(tenant->tenant_id), pg_text(tenant->slug),
                          pg_text(tenant->name), pg_text(tenant->locale),
                          pg_text(tenant->deployment), pg_i64(most)),
                    NULL);
}

static struct status
next_row(struct pg_rows *rows, struct arena *arena, Registry__V1__Tenant **ret)
{
    Registry__V1__Tenant *tenant = ARENA_NEW(arena, Registry__V1__Tenant);
    uint32_t kind;
    bool host;

    TRY(need(tenant));
    registry__v1__tenant__init(tenant);
    if (!pg_next_row(
            rows, arena,
            PG_OUT(pg_to_text(&tenant->tenant_id), pg_to_text(&tenant->slug),
                   pg_to_text(&tenant->name), pg_to_text(&tenant->home_organisation_id),
                   pg_to_text(&tenant->locale), pg_to_bool(&host), pg_to_u64(&tenant->version),
                   pg_to_u32(&kind), pg_to_text(&tenant->deployment)))) {
        *ret = NULL;
        return pg_rows_status(rows);
    }
    tenant->host = host;
    tenant->kind = (Registry__V1__TenantKind)kind;
    *ret = tenant;
    return OK;
}

struct status
store_tenant_get(struct pg_tx *tx, struct arena *arena, const char *id_or_slug,
                 Registry__V1__Tenant **ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Registry__V1__Tenant *tenant;

    TRY(pg_query(tx, &SQL_GET, PG_IN(pg_text(id_or_slug)), &rows));
    TRY(next_row(&rows, arena, &tenant));
    if (!tenant)
        return FAIL(arena, NOT_FOUND, "there is no such tenant");
    *ret = tenant;
    return OK;
}

struct status
store_tenant_list(struct pg_tx *tx, struct arena *arena, const char *after_slug, uint32_t limit,
                  Registry__V1__Tenant ***ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Registry__V1__Tenant **list;
    size_t count = 0;

    TRY(need(list = ARENA_ARRAY(arena, Registry__V1__Tenant *, limit)));
    TRY(pg_query(tx, &SQL_LIST, PG_IN(pg_text(after_slug), pg_i64(limit)), &rows));
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

struct status
store_tenant_set_home(struct pg_tx *tx, struct arena *arena, Registry__V1__Tenant *tenant,
                      uint64_t expected_version)
{
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_SET_HOME,
                   PG_IN(pg_text(tenant->tenant_id), pg_i64((int64_t)expected_version),
                         pg_text(tenant->home_organisation_id)),
                   &touched));
    if (touched == 0)
        return FAIL(arena, VERSION_MISMATCH, "the tenant has changed since version %llu",
                    (unsigned long long)expected_version);
    tenant->version = expected_version + 1;
    return OK;
}

struct status
store_tenant_host(struct pg_tx *tx, struct arena *arena, const char **ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const char *id = "";

    TRY(pg_query(tx, &SQL_HOST, PG_NONE, &rows));
    if (!pg_next_row(&rows, arena, PG_OUT(pg_to_text(&id))))
        TRY(pg_rows_status(&rows));
    *ret = id;
    return OK;
}
