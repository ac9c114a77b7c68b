#include "services/registry/indicators/store.h"

#include "services/registry/indicators/indicators.h"
#include "services/registry/indicators/indicators_sql.h"

const struct pg_statement *const *const indicators_statements = SQL_STATEMENTS;

struct status
store_indicator_counts(struct pg_tx *tx, struct arena *arena, const char *period_start,
                       const char *period_end, const char *nuts_prefix,
                       struct indicator_counts *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_COUNTS,
                 PG_IN(pg_text(tx->scope.tenant_id), pg_text_or_null(period_start),
                       pg_text_or_null(period_end), pg_text_or_null(nuts_prefix)),
                 &rows));
    return pg_one_row(&rows, arena,
                      PG_OUT(pg_to_u64(&ret->ended), pg_to_u64(&ret->offered),
                             pg_to_u64(&ret->employment), pg_to_u64(&ret->accepted),
                             pg_to_u64(&ret->missing)));
}
