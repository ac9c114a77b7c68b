#include "services/registry/programmes/store.h"

#include "services/registry/programmes/programmes.h"
#include "services/registry/programmes/programmes_sql.h"

/* More versions than there will be in a lifetime; the list is read as a whole. */
#define PUBLISHED_MOST 1000

struct status
store_host_tenant(struct pg_tx *tx, struct arena *arena, const char **ret_tenant_id)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const char *tenant_id = "";

    TRY(pg_query(tx, &SQL_HOST_TENANT, PG_NONE, &rows));
    pg_next_row(&rows, arena, PG_OUT(pg_to_text(&tenant_id)));
    TRY(pg_rows_status(&rows));
    *ret_tenant_id = tenant_id;
    return OK;
}

struct status
store_published(struct pg_tx *tx, struct arena *arena, struct published_rule_set **ret,
                size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct published_rule_set *sets, *at;

    TRY(pg_query(tx, &SQL_PUBLISHED, PG_IN(pg_i64(PUBLISHED_MOST)), &rows));
    TRY(need(sets = at = ARENA_ARRAY(arena, struct published_rule_set, rows.count + 1)));
    while (pg_next_row(&rows, arena, PG_OUT(pg_to_text(&at->name), pg_to_text(&at->checksum))))
        at++;
    TRY(pg_rows_status(&rows));
    *ret = sets;
    *ret_count = (size_t)(at - sets);
    return OK;
}

struct status
store_publish(struct pg_tx *tx, const struct rule_set *set, bool *ret_new)
{
    char from[RULE_DATE_SIZE] = "", until[RULE_DATE_SIZE] = "";
    uint64_t touched;

    if (rule_date_given(set->valid_from))
        rule_date_format(set->valid_from, from);
    if (rule_date_given(set->valid_until))
        rule_date_format(set->valid_until, until);
    TRY(pg_execute(tx, &SQL_PUBLISH,
                   PG_IN(pg_text(set->id), pg_i64(set->version), pg_text(set->programme),
                         pg_text_or_null(from), pg_text_or_null(until), pg_text(set->checksum),
                         pg_text(set->document)),
                   &touched));
    *ret_new = touched == 1;
    return OK;
}

const struct pg_statement *const *const programmes_statements = SQL_STATEMENTS;
